//! `audit_log`: lists for administrators and for the users themselves, newest first.
//!
//! Ids begin with the time, so that the log is ordered by id, and each index ends with the id: a page is read from the index
//! of its criterion without sorting.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    Condition, ExprTrait, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Order, SelectStatement},
};

use super::{Action, Column, Entity, Model};
use crate::entity::page::{MAX_LISTS, Range, SortColumn, SortKey, SortValue, paginate, union};

/// Which events a list contains. `None` and empty lists do not restrict it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Events with one of these actions.
    pub actions: Vec<Action>,
    /// Events that affect this user.
    pub user_id: Option<Uuid>,
    /// Events caused by this user.
    pub actor_id: Option<Uuid>,
    /// Events caused from this address.
    pub ip_address: Option<String>,
    /// Events at this time or later.
    pub after: Option<DateTime<Utc>>,
    /// Events before this time.
    pub before: Option<DateTime<Utc>>,
}

/// The lowest id that a row may have which is written at this time.
#[must_use]
pub fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(millis.min((1 << 48) - 1) << 80)
}

/// The sort key of an event.
#[must_use]
pub fn key(event: &Model) -> SortKey {
    vec![SortValue::Id(event.id)]
}

/// A page of the events that a condition matches. They come in the reverse order if [`Range::from_end`].
fn page(condition: Condition, range: &Range, db: &impl ConnectionTrait) -> Select<Entity> {
    let id = [SortColumn::new(Expr::col((Entity, Column::Id)))];
    paginate(Entity::find().filter(condition), &id, true, range, db.get_database_backend())
}

impl Filter {
    /// All criteria except the actions.
    fn condition(&self) -> Condition {
        // The ids are implied by the times, and let the primary key and all indexes find the rows.
        let after = self.after.map(|at| Column::At.gte(at).and(Column::Id.gte(first_id(at))));
        let before =
            self.before.map(|at| Column::At.lt(at).and(Column::Id.lt(first_id(at + TimeDelta::milliseconds(1)))));
        Condition::all()
            .add_option(self.user_id.map(|id| Column::UserId.eq(id)))
            .add_option(self.actor_id.map(|id| Column::ActorId.eq(id)))
            .add_option(self.ip_address.as_deref().map(|address| Column::IpAddress.eq(address)))
            .add_option(after)
            .add_option(before)
    }

    /// Whether an event meets all criteria.
    #[must_use]
    pub fn matches(&self, event: &Model) -> bool {
        (self.actions.is_empty() || self.actions.contains(&event.action))
            && self.user_id.is_none_or(|id| event.user_id == Some(id))
            && self.actor_id.is_none_or(|id| event.actor_id == Some(id))
            && self.ip_address.as_ref().is_none_or(|address| event.ip_address.as_ref() == Some(address))
            && self.after.is_none_or(|at| event.at >= at)
            && self.before.is_none_or(|at| event.at < at)
    }

    /// Whether another criterion than the actions has an index that usually finds fewer rows.
    fn is_selective(&self) -> bool {
        self.user_id.is_some() || self.actor_id.is_some() || self.ip_address.is_some()
    }
}

/// Lists events. They come in the reverse order if [`Range::from_end`].
pub async fn list(db: &impl ConnectionTrait, filter: &Filter, range: &Range) -> Result<Vec<Model>, DbErr> {
    let all = filter.condition();
    let mut actions = filter.actions.clone();
    actions.sort_by_key(|action| *action as u8);
    actions.dedup();
    match actions[..] {
        [] => page(all, range, db).all(db).await,
        [action] => page(all.add(Column::Action.eq(action)), range, db).all(db).await,
        _ if filter.is_selective() => page(all.add(Column::Action.is_in(actions)), range, db).all(db).await,
        // One page for each action, of which the first rows are the page of all.
        _ => {
            let pages = actions.into_iter().map(|action| page(all.clone().add(Column::Action.eq(action)), range, db));
            let mut union = union(pages.map(QueryTrait::into_query).collect());
            let order = if range.from_end { Order::Asc } else { Order::Desc };
            union.order_by(Alias::new("id"), order).limit(range.limit);
            read(db, &union).await
        }
    }
}

/// Lists the events that affect each of these users, by the id of the user. Runs one statement for each hundred users.
pub async fn list_by_user(
    db: &impl ConnectionTrait,
    user_ids: &[Uuid],
    range: &Range,
) -> Result<HashMap<Uuid, Vec<Model>>, DbErr> {
    let mut lists: HashMap<Uuid, Vec<Model>> = HashMap::new();
    for user_ids in user_ids.chunks(MAX_LISTS) {
        let pages =
            user_ids.iter().map(|id| page(Condition::all().add(Column::UserId.eq(*id)), range, db).into_query());
        for event in read(db, &union(pages.collect())).await? {
            lists.entry(event.user_id.unwrap_or_default()).or_default().push(event);
        }
    }
    for list in lists.values_mut() {
        // The databases keep the order within each part in practice, but do not guarantee it.
        list.sort_by_key(|event| event.id);
        if !range.from_end {
            list.reverse();
        }
    }
    Ok(lists)
}

/// Finds an event by id.
pub async fn find_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).all(db).await?.pop())
}

async fn read(db: &impl ConnectionTrait, query: &SelectStatement) -> Result<Vec<Model>, DbErr> {
    let statement = db.get_database_backend().build(query);
    Entity::find().from_raw_sql(statement).all(db).await
}
