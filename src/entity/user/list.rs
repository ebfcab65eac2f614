//! Lists of users for administrators: filtered, ordered and paginated.
//!
//! No index serves every filter together with every order. A list is therefore read in one of these ways:
//!
//! 1. If a criterion of the filter has few matches, these are read by the criterion's index and sorted.
//! 2. Otherwise, the index of the order is walked until the page is full. If many users match, that does not take long. In the
//!    default order, the walked index also contains one criterion of the filter, so that a page of users with a role takes as
//!    long as one of all users.
//! 3. If the walk has not filled the page within a number of rows, the matches are too far away. They are then sorted too,
//!    unless there are very many.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, ExprTrait, JoinType, QuerySelect, QueryTrait, Select,
    entity::prelude::*,
    sea_query::{Alias, Query, SelectStatement},
};

use super::{Column, Entity, Model};
use crate::entity::{
    page::{Range, SortColumn, SortKey, SortValue, paginate},
    user_role, user_word,
};

/// The number of matches that are sorted rather than looked for, and the number of rows that a walk reads before the matches
/// are sorted after all. A page then takes a few milliseconds either way.
const FEW: u64 = 2000;

/// The number of matches that are sorted if the walk has not found enough of them.
const MAX_SORTED: u64 = 20_000;

/// Which users a list contains. `None` and empty lists do not restrict it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Each term is the beginning of a word of the user; see [`user_word::terms`].
    pub terms: Vec<String>,
    /// Users with this role.
    pub role: Option<String>,
    /// Users who can or cannot sign in.
    pub is_active: Option<bool>,
    /// Users whose address is or is not verified.
    pub is_verified: Option<bool>,
    /// Users created at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Users created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Users who were created before this time and have not signed in since.
    pub inactive_since: Option<DateTime<Utc>>,
}

/// The order of a list. Users that compare equal are ordered by the time of creation, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOrder {
    /// When the account was created.
    CreatedAt,
    /// The username without regard to case.
    Username,
    /// The latest sign-in. Users who have never signed in precede all others.
    LastLoginAt,
}

impl ListOrder {
    fn columns(self) -> Vec<SortColumn> {
        let column = |column: Column| Expr::col((Entity, column));
        match self {
            Self::CreatedAt => vec![SortColumn::new(column(Column::CreatedAt)), SortColumn::new(column(Column::Id))],
            // Unique by itself.
            Self::Username => vec![SortColumn::new(column(Column::UsernameKey))],
            Self::LastLoginAt => vec![
                SortColumn::nullable(column(Column::LastLoginAt)),
                SortColumn::new(column(Column::CreatedAt)),
                SortColumn::new(column(Column::Id)),
            ],
        }
    }

    /// The sort key of a user.
    #[must_use]
    pub fn key(self, user: &Model) -> SortKey {
        match self {
            Self::CreatedAt => vec![SortValue::Instant(user.created_at), SortValue::Id(user.id)],
            Self::Username => vec![SortValue::Text(user.username_key.clone())],
            Self::LastLoginAt => vec![
                user.last_login_at.map_or(SortValue::Null, SortValue::Instant),
                SortValue::Instant(user.created_at),
                SortValue::Id(user.id),
            ],
        }
    }
}

/// A criterion of a filter.
struct Criterion {
    /// Applied to the rows of `users`.
    condition: Condition,
    /// Selects the ids of the users that match, by an index. `None` if the walked index serves the criterion.
    matches: Option<SelectStatement>,
}

impl Criterion {
    /// The condition in a form that no index serves, so that the database reads the rows in the intended way.
    fn as_check(&self) -> Expr {
        let is_met: Expr = Expr::case(self.condition.clone(), 1).finally(0).into();
        is_met.eq(1)
    }
}

/// An index on the time of creation that begins with a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Role,
    IsActive,
    NotVerified,
}

impl Filter {
    /// The index to walk, if it begins with a criterion of the filter.
    fn prefix(&self, order: ListOrder) -> Option<Prefix> {
        if order != ListOrder::CreatedAt {
            None
        } else if self.role.is_some() {
            Some(Prefix::Role)
        } else if self.is_active.is_some() {
            Some(Prefix::IsActive)
        } else {
            (self.is_verified == Some(false)).then_some(Prefix::NotVerified)
        }
    }

    fn criteria(&self, order: ListOrder) -> Vec<Criterion> {
        let prefix = self.prefix(order);
        let by_condition = |condition: Condition, is_served: bool| {
            let matches = Entity::find().select_only().column(Column::Id).filter(condition.clone()).into_query();
            Criterion { condition, matches: (!is_served).then_some(matches) }
        };
        let all = || Condition::all();
        let terms = self.terms.iter().map(|term| Criterion {
            condition: all().add(user_word::has_word(term)),
            matches: Some(user_word::holders(term)),
        });
        let role = self.role.as_deref().map(|role| Criterion {
            condition: all().add(user_role::has_role(role)),
            matches: (prefix != Some(Prefix::Role)).then(|| user_role::holders(role)),
        });
        let is_active = self
            .is_active
            .map(|is_active| by_condition(all().add(Column::IsActive.eq(is_active)), prefix == Some(Prefix::IsActive)));
        let is_verified = self.is_verified.map(|is_verified| {
            let column = Column::EmailVerifiedAt;
            let condition = if is_verified { column.is_not_null() } else { column.is_null() };
            by_condition(all().add(condition), prefix == Some(Prefix::NotVerified))
        });
        let created = (self.created_after.is_some() || self.created_before.is_some())
            .then(|| by_condition(self.created(Expr::col((Entity, Column::CreatedAt))), order == ListOrder::CreatedAt));
        let inactive = self.inactive_since.map(|since| {
            let never = Column::LastLoginAt.is_null().and(Column::CreatedAt.lt(since));
            by_condition(Condition::any().add(Column::LastLoginAt.lt(since)).add(never), false)
        });
        let others = [role, is_active, is_verified, created, inactive];
        terms.chain(others.into_iter().flatten()).collect()
    }

    fn created(&self, created_at: Expr) -> Condition {
        let after = self.created_after.map(|at| created_at.clone().gte(at));
        let before = self.created_before.map(|at| created_at.lt(at));
        Condition::all().add_option(after).add_option(before)
    }

    /// The users in the order of the index to walk, restricted as far as the index serves it.
    fn walk(&self, order: ListOrder) -> (Select<Entity>, Vec<SortColumn>) {
        let mut query = Entity::find();
        let mut columns = order.columns();
        match (self.prefix(order), &self.role, self.is_active) {
            (Some(Prefix::Role), Some(role), _) => {
                let of_role = |column| Expr::col((user_role::Entity, column));
                query = query
                    .join(JoinType::InnerJoin, user_role::of_users())
                    .filter(of_role(user_role::Column::Role).eq(role));
                columns = [user_role::Column::CreatedAt, user_role::Column::UserId]
                    .map(|column| SortColumn::new(of_role(column)))
                    .into();
            }
            (Some(Prefix::IsActive), _, Some(is_active)) => query = query.filter(Column::IsActive.eq(is_active)),
            (Some(Prefix::NotVerified), ..) => query = query.filter(Column::EmailVerifiedAt.is_null()),
            _ => {}
        }
        if let (ListOrder::CreatedAt, Some(created_at)) = (order, columns.first()) {
            query = query.filter(self.created(created_at.expr.clone()));
            // Implied by the criterion, and makes the walk begin there.
            query = query.filter(
                Condition::all().add_option(self.inactive_since.map(|since| created_at.expr.clone().lt(since))),
            );
        }
        (query, columns)
    }
}

/// Lists users. They come in the reverse order if [`Range::from_end`].
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    order: ListOrder,
    descending: bool,
    range: &Range,
) -> Result<Vec<Model>, DbErr> {
    let criteria = filter.criteria(order);
    let sort = async |matches: SelectStatement| {
        let query = Entity::find().filter(Expr::col((Entity, Column::Id)).in_subquery(matches));
        let query = criteria.iter().fold(query, |query, criterion| query.filter(criterion.as_check()));
        paginate(query, &order.columns(), descending, range, db.get_database_backend()).all(db).await
    };
    if let Some(few) = matches(db, &criteria, FEW).await? {
        return sort(few).await;
    }
    let (start, columns) = filter.walk(order);
    let walk =
        |query: Select<Entity>, range: &Range| paginate(query, &columns, descending, range, db.get_database_backend());
    let checks: Vec<Expr> =
        criteria.iter().filter(|criterion| criterion.matches.is_some()).map(Criterion::as_check).collect();
    if !checks.is_empty() {
        let checked = checks.into_iter().fold(start.clone(), |query, check| query.filter(check));
        let after_few = walk(start.clone(), &Range { limit: 1, ..range.clone() }).offset(FEW).all(db).await?.pop();
        let Some(end) = after_few else { return walk(checked, range).all(db).await };
        let mut part = range.clone();
        let end = Some(order.key(&end));
        if range.from_end {
            part.after = end
        } else {
            part.before = end
        }
        let found = walk(checked, &part).all(db).await?;
        if found.len() >= usize::try_from(range.limit).unwrap_or(usize::MAX) {
            return Ok(found);
        }
        if let Some(matches) = matches(db, &criteria, MAX_SORTED).await? {
            return sort(matches).await;
        }
    }
    // Not as checks: if the matches are far away, the database may know a better way.
    let query = criteria.iter().fold(start, |query, criterion| query.filter(criterion.condition.clone()));
    walk(query, range).all(db).await
}
/// Counts the users that a filter matches. Reads all of them.
pub async fn count(db: &impl ConnectionTrait, filter: &Filter) -> Result<u64, DbErr> {
    let mut query = Entity::find().select_only().column_as(Column::Id.count(), "count");
    for criterion in filter.criteria(ListOrder::CreatedAt) {
        query = query.filter(criterion.condition);
    }
    let count: Option<i64> = query.into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Returns the ids that match a criterion, if they are at most `max`. Stops at the first such criterion.
async fn matches(
    db: &impl ConnectionTrait,
    criteria: &[Criterion],
    max: u64,
) -> Result<Option<SelectStatement>, DbErr> {
    for matches in criteria.iter().filter_map(|criterion| criterion.matches.as_ref()) {
        // The limit also keeps the databases from reading the list in another way.
        let some = Query::select()
            .column((Alias::new("some"), Alias::new("id")))
            .from_subquery(matches.clone().limit(max + 1).take(), Alias::new("some"))
            .take();
        let count = Query::select()
            .expr(Expr::col((Alias::new("matches"), Alias::new("id"))).count())
            .from_subquery(some.clone(), Alias::new("matches"))
            .take();
        let count: i64 = match db.query_one(&count).await? {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        if count.unsigned_abs() <= max {
            return Ok(Some(some));
        }
    }
    Ok(None)
}
