//! Lists of users for administrators: filtered, ordered and paginated.
//!
//! No index serves every filter together with every order. A list is therefore read in one of two ways. If a criterion of
//! the filter has few matches, these are read by the criterion's index and sorted. Otherwise, the index of the order is
//! walked until the page is full, which does not take long because many users match.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, ExprTrait, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Query, SelectStatement},
};

use super::{Column, Entity, Model};
use crate::entity::{
    page::{Range, SortColumn, SortKey, SortValue, paginate},
    user_role, user_word,
};

/// The number of matches that are still sorted: about the square root of fifty times a million, where both ways to read a
/// list of a million users take equally long.
const MAX_SORTED: u64 = 5000;

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

/// The order of a list. Users that compare equal are ordered by id.
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
            Self::LastLoginAt => {
                vec![SortColumn::nullable(column(Column::LastLoginAt)), SortColumn::new(column(Column::Id))]
            }
        }
    }

    /// The sort key of a user.
    #[must_use]
    pub fn key(self, user: &Model) -> SortKey {
        match self {
            Self::CreatedAt => vec![SortValue::Instant(user.created_at), SortValue::Id(user.id)],
            Self::Username => vec![SortValue::Text(user.username_key.clone())],
            Self::LastLoginAt => {
                vec![user.last_login_at.map_or(SortValue::Null, SortValue::Instant), SortValue::Id(user.id)]
            }
        }
    }
}

/// A criterion of a filter.
struct Criterion {
    /// Applied to the rows of `users`.
    condition: Condition,
    /// Selects the ids of the users that match, by an index. `None` if an index serves the criterion together with the order.
    matches: Option<SelectStatement>,
}

impl Filter {
    fn criteria(&self, order: ListOrder) -> Vec<Criterion> {
        let by_condition = |condition: Condition, is_served: bool| {
            let matches = Entity::find().select_only().column(Column::Id).filter(condition.clone()).into_query();
            Criterion { condition, matches: (!is_served).then_some(matches) }
        };
        let all = || Condition::all();
        let is_by_creation = order == ListOrder::CreatedAt;
        let terms = self.terms.iter().map(|term| Criterion {
            condition: all().add(user_word::has_word(term)),
            matches: Some(user_word::holders(term)),
        });
        let role = self.role.as_deref().map(|role| Criterion {
            condition: all().add(user_role::has_role(role)),
            matches: Some(user_role::holders(role)),
        });
        let is_active =
            self.is_active.map(|is_active| by_condition(all().add(Column::IsActive.eq(is_active)), is_by_creation));
        let is_verified = self.is_verified.map(|is_verified| {
            let column = Column::EmailVerifiedAt;
            let condition = if is_verified { column.is_not_null() } else { column.is_null() };
            by_condition(all().add(condition), false)
        });
        let created = (self.created_after.is_some() || self.created_before.is_some()).then(|| {
            let after = self.created_after.map(|at| Column::CreatedAt.gte(at));
            let before = self.created_before.map(|at| Column::CreatedAt.lt(at));
            by_condition(all().add_option(after).add_option(before), is_by_creation)
        });
        let inactive = self.inactive_since.map(|since| {
            let never = Column::LastLoginAt.is_null().and(Column::CreatedAt.lt(since));
            let condition = Condition::any().add(Column::LastLoginAt.lt(since)).add(never);
            // Implied, and makes a walk by the time of creation begin there.
            by_condition(all().add(condition).add(Column::CreatedAt.lt(since)), false)
        });
        let others = [role, is_active, is_verified, created, inactive];
        terms.chain(others.into_iter().flatten()).collect()
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
    let mut query = Entity::find();
    if let Some(few) = few_matches(db, &criteria).await? {
        query = query.filter(Expr::col((Entity, Column::Id)).in_subquery(few));
    }
    for criterion in criteria {
        query = query.filter(criterion.condition);
    }
    let backend = db.get_database_backend();
    paginate(query, &order.columns(), descending, range, backend).all(db).await
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

/// Returns the ids that match a criterion, if they are at most [`MAX_SORTED`]. Stops at the first such criterion.
async fn few_matches(db: &impl ConnectionTrait, criteria: &[Criterion]) -> Result<Option<SelectStatement>, DbErr> {
    for matches in criteria.iter().filter_map(|criterion| criterion.matches.as_ref()) {
        // The limit also keeps the databases from reading the list in another way.
        let some = Query::select()
            .column((Alias::new("some"), Alias::new("id")))
            .from_subquery(matches.clone().limit(MAX_SORTED + 1).take(), Alias::new("some"))
            .take();
        let count = Query::select()
            .expr(Expr::col((Alias::new("matches"), Alias::new("id"))).count())
            .from_subquery(some.clone(), Alias::new("matches"))
            .take();
        let count: i64 = match db.query_one(&count).await? {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        if count.unsigned_abs() <= MAX_SORTED {
            return Ok(Some(some));
        }
    }
    Ok(None)
}
