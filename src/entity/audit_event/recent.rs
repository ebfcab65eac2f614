//! `audit_log`: new rows, for live events.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};
use uuid::Uuid;

use super::{Column, Entity, Model, first_id};

/// Lists the ids of rows that were written at the time `from` or later, after the id `after`, oldest first, at most `limit`.
pub async fn ids_since(
    db: &impl ConnectionTrait,
    from: DateTime<Utc>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Uuid>, DbErr> {
    let rows = Entity::find().select_only().column(Column::Id).filter(Column::Id.gte(first_id(from)));
    let rows = match after {
        Some(after) => rows.filter(Column::Id.gt(after)),
        None => rows,
    };
    rows.order_by_asc(Column::Id).limit(limit).into_tuple().all(db).await
}

/// Finds events by id, oldest first.
pub async fn find_all(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id).all(db).await
}
