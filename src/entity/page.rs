//! Keyset pagination: a page begins after the sort key of a row, so that rows that are inserted or deleted meanwhile neither
//! repeat nor hide others.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, DbBackend, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Value,
    sea_query::{Alias, Asterisk, Expr, NullOrdering, Query, SelectStatement, UnionType},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Maximum number of lists that one statement reads by [`union`]. SQLite joins at most 500 queries.
pub(super) const MAX_LISTS: usize = 100;

/// A column of the order of a list. The last column must be unique.
#[derive(Clone, Debug)]
pub(super) struct SortColumn {
    pub(super) expr: Expr,
    /// Null precedes all values.
    pub(super) is_nullable: bool,
}

impl SortColumn {
    pub(super) fn new(expr: impl Into<Expr>) -> Self {
        Self { expr: expr.into(), is_nullable: false }
    }

    pub(super) fn nullable(expr: impl Into<Expr>) -> Self {
        Self { expr: expr.into(), is_nullable: true }
    }
}

/// The sort key of a row: a value for each column of the order.
pub type SortKey = Vec<SortValue>;

/// A value of a sort key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortValue {
    /// A time.
    Instant(DateTime<Utc>),
    /// Text without regard to case.
    Text(String),
    /// An id.
    Id(Uuid),
    /// Null precedes all values.
    Null,
}

impl SortValue {
    fn to_value(&self) -> Option<Value> {
        match self {
            Self::Instant(instant) => Some((*instant).into()),
            Self::Text(text) => Some(text.clone().into()),
            Self::Id(id) => Some((*id).into()),
            Self::Null => None,
        }
    }
}

/// The part of a list that a page covers.
#[derive(Clone, Debug)]
pub struct Range {
    /// Only rows after this one, in the order of the list.
    pub after: Option<SortKey>,
    /// Only rows before this one.
    pub before: Option<SortKey>,
    /// Whether rows are counted from the end. The page is in the order of the list anyway.
    pub from_end: bool,
    /// Maximum number of rows.
    pub limit: u64,
}

impl Range {
    /// The first rows of a list.
    #[must_use]
    pub const fn first(limit: u64) -> Self {
        Self { after: None, before: None, from_end: false, limit }
    }
}

/// Restricts a query to a page, and orders it. `descending` is the order of the list; if [`Range::from_end`], the rows come in
/// the reverse order.
pub(super) fn paginate<E: EntityTrait>(
    mut query: Select<E>,
    columns: &[SortColumn],
    descending: bool,
    range: &Range,
    backend: DbBackend,
) -> Select<E> {
    if let Some(key) = &range.after {
        query = query.filter(beyond(columns, key, descending));
    }
    if let Some(key) = &range.before {
        query = query.filter(beyond(columns, key, !descending));
    }
    let order = if descending == range.from_end { Order::Asc } else { Order::Desc };
    ordered(query, columns, &order, backend).limit(range.limit)
}

/// Orders a query in a way that an index serves.
pub(super) fn ordered<E: EntityTrait>(
    mut query: Select<E>,
    columns: &[SortColumn],
    order: &Order,
    backend: DbBackend,
) -> Select<E> {
    for column in columns {
        // Only on PostgreSQL are nulls greater than all values by default. Elsewhere, naming their order would prevent the
        // use of the index.
        query = if column.is_nullable && backend == DbBackend::Postgres {
            let nulls = if *order == Order::Asc { NullOrdering::First } else { NullOrdering::Last };
            query.order_by_with_nulls(column.expr.clone(), order.clone(), nulls)
        } else {
            query.order_by(column.expr.clone(), order.clone())
        };
    }
    query
}

/// Matches the rows whose sort key is greater than `key`, or less if `is_less`.
///
/// Not a comparison of rows, for which MariaDB uses no index. The first condition is implied by the others; it makes the
/// databases begin the scan at the key.
fn beyond(columns: &[SortColumn], key: &[SortValue], is_less: bool) -> Condition {
    let mut beyond = Condition::any();
    let mut equal = Condition::all();
    for (SortColumn { expr, is_nullable }, value) in columns.iter().zip(key) {
        let value = value.to_value();
        let strictly = match (value.clone(), is_less) {
            (Some(value), true) if *is_nullable => Some(expr.clone().lt(value).or(expr.clone().is_null())),
            (Some(value), true) => Some(expr.clone().lt(value)),
            (Some(value), false) => Some(expr.clone().gt(value)),
            (None, true) => None,
            (None, false) => Some(expr.clone().is_not_null()),
        };
        if let Some(strictly) = strictly {
            beyond = beyond.add(equal.clone().add(strictly));
        }
        equal = equal.add(match value {
            Some(value) => expr.clone().eq(value),
            None => expr.clone().is_null(),
        });
    }
    let first = columns.first().zip(key.first().and_then(SortValue::to_value));
    let start = first.and_then(|(SortColumn { expr, is_nullable }, value)| match is_less {
        false => Some(expr.clone().gte(value)),
        true if *is_nullable => None,
        true => Some(expr.clone().lte(value)),
    });
    Condition::all().add(beyond).add_option(start)
}

/// Joins limited queries. Each is in parentheses, in the form that all databases accept.
pub(super) fn union(queries: Vec<SelectStatement>) -> SelectStatement {
    let mut parts = queries
        .into_iter()
        .map(|query| Query::select().column(Asterisk).from_subquery(query, Alias::new("part")).take());
    let mut union = parts.next().unwrap_or_default();
    union.unions(parts.map(|part| (UnionType::All, part))).take()
}
