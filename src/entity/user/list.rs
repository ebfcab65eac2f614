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
use sea_orm::{ExprTrait, QuerySelect, QueryTrait, Select, entity::prelude::*, sea_query::SelectStatement};

use super::{
    Column, Entity, Model,
    filter::{Criterion, Filter, matches},
};
use crate::entity::page::{Range, SortColumn, SortKey, SortValue, paginate};

/// The number of matches that are sorted rather than looked for, and the number of rows that a walk reads before the matches
/// are sorted after all. A page then takes a few milliseconds either way.
const FEW: u64 = 2000;

/// The number of matches that are sorted if the walk has not found enough of them.
const MAX_SORTED: u64 = 20_000;

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
    pub(super) fn columns(self) -> Vec<SortColumn> {
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

    /// The sort key of the first row of a query. Reads only the index of the order.
    async fn first_key(
        self,
        db: &impl ConnectionTrait,
        query: Select<Entity>,
        columns: &[SortColumn],
    ) -> Result<Option<SortKey>, DbErr> {
        let names = ["first", "second", "third"];
        let keys = columns
            .iter()
            .zip(names)
            .fold(query.select_only(), |query, (column, name)| query.expr_as(column.expr.clone(), name));
        let Some(row) = db.query_one(&keys.into_query()).await? else { return Ok(None) };
        let [first, second, third] = names;
        Ok(Some(match self {
            Self::CreatedAt => {
                vec![SortValue::Instant(row.try_get("", first)?), SortValue::Id(row.try_get("", second)?)]
            }
            Self::Username => vec![SortValue::Text(row.try_get("", first)?)],
            Self::LastLoginAt => {
                let last_login_at: Option<DateTime<Utc>> = row.try_get("", first)?;
                vec![
                    last_login_at.map_or(SortValue::Null, SortValue::Instant),
                    SortValue::Instant(row.try_get("", second)?),
                    SortValue::Id(row.try_get("", third)?),
                ]
            }
        }))
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
    let criteria = filter.criteria(order, db.get_database_backend());
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
        criteria.iter().filter(|criterion| criterion.is_checked()).map(Criterion::as_check).collect();
    if checks.is_empty() {
        return walk(start, range).all(db).await;
    }
    let checked = checks.into_iter().fold(start.clone(), QueryFilter::filter);
    let after_few = walk(start.clone(), &Range { limit: 1, ..range.clone() }).offset(FEW);
    let Some(end) = order.first_key(db, after_few, &columns).await? else {
        return walk(checked, range).all(db).await;
    };
    let mut few = range.clone();
    *(if range.from_end { &mut few.after } else { &mut few.before }) = Some(end);
    let found = walk(checked, &few).all(db).await?;
    if found.len() >= usize::try_from(range.limit).unwrap_or(usize::MAX) {
        return Ok(found);
    }
    if let Some(matches) = matches(db, &criteria, MAX_SORTED).await? {
        return sort(matches).await;
    }
    // Not as checks: if the matches are far away, the database may know a better way.
    let query = criteria.iter().fold(start, |query, criterion| query.filter(criterion.condition.clone()));
    walk(query, range).all(db).await
}

/// Counts the users that a filter matches. Reads all of them.
pub async fn count(db: &impl ConnectionTrait, filter: &Filter) -> Result<u64, DbErr> {
    let mut query = Entity::find().select_only().column_as(Column::Id.count(), "count");
    for criterion in filter.criteria(ListOrder::CreatedAt, db.get_database_backend()) {
        query = query.filter(criterion.condition);
    }
    let count: Option<i64> = query.into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}
