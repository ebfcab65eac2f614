//! `user`, `users`: users as administrators see them.

use async_graphql::{Context, Enum, ID, InputObject, Object};

use crate::{
    Error, Result,
    domain::users::administration::{self, Filter, ListOrder, MAX_SEARCH},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            connection::{PageArguments, Rows, connection},
            groups::UserGroup,
            scalars::DateTime,
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct UserListQuery;

#[Object]
impl UserListQuery {
    /// The user with this id, or null if there is none. Requires the role `admin`.
    /// Codes: FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "`User.id`.")] id: ID) -> Nullable<User> {
        find(ctx, id).await.transpose()
    }

    /// Users, newest first by default. Requires the role `admin`. Users who are created or deleted meanwhile neither
    /// repeat nor hide others on later pages.
    /// Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The size of the page, counted from its start: 0 to 100. Without `first` and `last`, 50.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: the page begins after it.")] after: Option<String>,
        #[graphql(desc = "The size of the page, counted from its end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: the page ends before it.")] before: Option<String>,
        #[graphql(desc = "Which users to list. Without it, all.")] filter: Option<UserFilter>,
        #[graphql(desc = "The order. Without it, the newest first.")] order_by: Option<UserOrder>,
    ) -> Nullable<UserConnection> {
        let arguments = PageArguments { first, after, last, before };
        Some(list(ctx, arguments, filter.unwrap_or_default(), order_by.unwrap_or(NEWEST_FIRST)).await)
    }
}

async fn find(ctx: &Context<'_>, id: ID) -> Result<Option<User>> {
    let administrator = ctx.administrator().await?;
    let Ok(id) = id.parse() else { return Ok(None) };
    let user = administration::find_by_id(ctx.domain(), &administrator, id).await?;
    Ok(user.map(Into::into))
}

async fn list(
    ctx: &Context<'_>,
    arguments: PageArguments,
    filter: UserFilter,
    UserOrder { field, direction }: UserOrder,
) -> Result<UserConnection> {
    let administrator = ctx.administrator().await?;
    let filter = Filter::try_from(filter)?;
    let order = ListOrder::from(field);
    let list = format!("users by {order:?} {direction:?}");
    let range = arguments.range(ctx, &list)?;
    let is_descending = direction == OrderDirection::Desc;
    let page = administration::page(ctx.domain(), &administrator, &filter, (order, is_descending), range).await?;
    let group = UserGroup::of(&page.rows);
    let rows = Rows::of(ctx, &list, page, |user| order.key(user))?.map(|user| User::of_group(user, &group));
    Ok(UserConnection::new(rows, UserCount(filter)))
}

/// Counts the users that match a filter.
#[derive(Debug)]
pub(super) struct UserCount(Filter);

connection!(UserConnection, UserEdge, User, counted by UserCount);

impl UserCount {
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        administration::count(ctx.domain(), &ctx.administrator().await?, &self.0).await
    }
}

/// Criteria for users. A user must meet all that are given.
#[derive(Default, InputObject)]
pub struct UserFilter {
    /// Words separated by spaces. Each must be the beginning of the username, the address, its domain, a name, or a word
    /// in one of them. Case-insensitive. At most 200 characters.
    search: Option<String>,
    /// Users who have this role.
    role: Option<String>,
    /// Whether they can sign in.
    is_active: Option<bool>,
    /// Whether the owner has verified the address.
    email_verified: Option<bool>,
    /// Whether they have a second factor.
    has_mfa: Option<bool>,
    /// Created at this time or later.
    created_after: Option<DateTime>,
    /// Created before this time.
    created_before: Option<DateTime>,
    /// Created before this time, and not signed in since.
    inactive_since: Option<DateTime>,
}

impl TryFrom<UserFilter> for Filter {
    type Error = Error;

    fn try_from(filter: UserFilter) -> Result<Self> {
        if filter.search.as_deref().is_some_and(administration::is_search_too_long) {
            return Err(Error::BadUserInput(format!("`search` may have at most {MAX_SEARCH} characters.")));
        }
        let time = |time: Option<DateTime>| time.map(|time| time.0);
        Ok(Self {
            terms: filter.search.as_deref().map(administration::search_terms).unwrap_or_default(),
            role: filter.role,
            is_active: filter.is_active,
            is_verified: filter.email_verified,
            has_mfa: filter.has_mfa,
            created_after: time(filter.created_after),
            created_before: time(filter.created_before),
            inactive_since: time(filter.inactive_since),
        })
    }
}

/// The order of users.
#[derive(Clone, Copy, InputObject)]
pub struct UserOrder {
    /// What to compare.
    field: UserOrderField,
    /// The direction.
    #[graphql(default)]
    direction: OrderDirection,
}

const NEWEST_FIRST: UserOrder = UserOrder { field: UserOrderField::CreatedAt, direction: OrderDirection::Desc };

/// What users are ordered by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "ListOrder")]
pub enum UserOrderField {
    /// When the account was created.
    CreatedAt,
    /// The username, compared without case.
    Username,
    /// The last sign-in. Users who have never signed in come before all others in ascending order.
    LastLoginAt,
}

/// A direction of an order.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
pub enum OrderDirection {
    /// Ascending: the earliest or alphabetically first one first.
    #[default]
    Asc,
    /// Descending.
    Desc,
}
