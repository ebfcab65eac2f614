//! Which users a list contains, and how they are found.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, DbBackend, ExprTrait, JoinType, Order, QueryOrder, QuerySelect, QueryTrait, Select,
    entity::prelude::*,
    sea_query::{Alias, Query, SelectStatement},
};

use super::{Column, Entity, ListOrder};
use crate::entity::{
    page::{SortColumn, ordered, union},
    passkey, totp_factor, user_role, user_word,
};

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
    /// Users who have or do not have a second factor.
    pub has_mfa: Option<bool>,
    /// Users created at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Users created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Users who were created before this time and have not signed in since.
    pub inactive_since: Option<DateTime<Utc>>,
}

/// A criterion of a filter.
pub(super) struct Criterion {
    /// Applied to the rows of `users`.
    pub(super) condition: Condition,
    pub(super) matches: Matches,
}

/// How the users that meet a criterion are found.
pub(super) enum Matches {
    /// The walked index has only these.
    Walked,
    /// Together, the queries select their ids, by an index.
    Selected(Vec<SelectStatement>),
    /// No index finds them.
    Unknown,
}

impl Matches {
    fn unless(is_walked: bool, matches: impl FnOnce() -> SelectStatement) -> Self {
        if is_walked { Self::Walked } else { Self::Selected(vec![matches()]) }
    }
}

impl Criterion {
    /// Whether the rows of a walk must be checked.
    pub(super) fn is_checked(&self) -> bool {
        !matches!(self.matches, Matches::Walked)
    }

    /// The condition in a form that no index serves, so that the database reads the rows in the intended way.
    pub(super) fn as_check(&self) -> Expr {
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

    pub(super) fn criteria(&self, order: ListOrder, backend: DbBackend) -> Vec<Criterion> {
        let prefix = self.prefix(order);
        // All matches are in the order of an index, so that PostgreSQL does not scan the table until it has enough of them.
        let by_condition = |column: Column, condition: Condition, is_served: bool| {
            let matches = Entity::find().select_only().column(Column::Id).filter(condition.clone());
            let matches = Matches::unless(is_served, || matches.order_by_asc(column).into_query());
            Criterion { condition, matches }
        };
        let all = || Condition::all();
        let terms = self.terms.iter().map(|term| Criterion {
            condition: all().add(user_word::has_word(term)),
            matches: Matches::Selected(vec![user_word::holders(term)]),
        });
        let role = self.role.as_deref().map(|role| Criterion {
            condition: all().add(user_role::has_role(role)),
            matches: Matches::unless(prefix == Some(Prefix::Role), || {
                let created_at = (user_role::Entity, user_role::Column::CreatedAt);
                user_role::holders(role).order_by(created_at, Order::Asc).take()
            }),
        });
        let is_active = self.is_active.map(|is_active| {
            by_condition(Column::IsActive, all().add(Column::IsActive.eq(is_active)), prefix == Some(Prefix::IsActive))
        });
        let is_verified = self.is_verified.map(|is_verified| {
            let column = Column::EmailVerifiedAt;
            let condition = if is_verified { column.is_not_null() } else { column.is_null() };
            by_condition(column, all().add(condition), prefix == Some(Prefix::NotVerified))
        });
        let has_mfa = self.has_mfa.map(|has_mfa| {
            let factors = Condition::any().add(totp_factor::has_confirmed()).add(passkey::has_passkey());
            if has_mfa {
                let matches = Matches::Selected(vec![totp_factor::holders(), passkey::holders()]);
                Criterion { condition: factors, matches }
            } else {
                Criterion { condition: factors.not(), matches: Matches::Unknown }
            }
        });
        let created = (self.created_after.is_some() || self.created_before.is_some()).then(|| {
            by_condition(
                Column::CreatedAt,
                self.created(Expr::col((Entity, Column::CreatedAt))),
                order == ListOrder::CreatedAt,
            )
        });
        let inactive = self.inactive_since.map(|since| {
            let signed_in = all().add(Column::LastLoginAt.lt(since));
            let never = all().add(Column::LastLoginAt.is_null()).add(Column::CreatedAt.lt(since));
            // Separately, because each is a part of an index.
            let matches = [signed_in.clone(), never.clone()].map(|part| {
                let ids = Entity::find().select_only().column(Column::Id).filter(part);
                ordered(ids, &ListOrder::LastLoginAt.columns(), &Order::Asc, backend).into_query()
            });
            Criterion {
                condition: Condition::any().add(signed_in).add(never),
                matches: Matches::Selected(matches.into()),
            }
        });
        let others = [role, is_active, is_verified, has_mfa, created, inactive];
        terms.chain(others.into_iter().flatten()).collect()
    }

    fn created(&self, created_at: Expr) -> Condition {
        let after = self.created_after.map(|at| created_at.clone().gte(at));
        let before = self.created_before.map(|at| created_at.lt(at));
        Condition::all().add_option(after).add_option(before)
    }

    /// The users in the order of the index to walk, restricted as far as the index serves it.
    pub(super) fn walk(&self, order: ListOrder) -> (Select<Entity>, Vec<SortColumn>) {
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

/// Returns the ids that match a criterion, if they are at most `max`. Stops at the first such criterion.
pub(super) async fn matches(
    db: &impl ConnectionTrait,
    criteria: &[Criterion],
    max: u64,
) -> Result<Option<SelectStatement>, DbErr> {
    for criterion in criteria {
        let Matches::Selected(parts) = &criterion.matches else { continue };
        // The limit also keeps the databases from reading the list in another way.
        let parts = parts.iter().map(|part| part.clone().limit(max + 1).take()).collect();
        let some = Query::select()
            .column((Alias::new("some"), Alias::new("id")))
            .from_subquery(union(parts), Alias::new("some"))
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
