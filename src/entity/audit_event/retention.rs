//! `audit_log`: the only statements that change or delete rows. They remove clients of deleted accounts, and what is older
//! than its retention.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Column, Entity, first_id};

/// A row with its age in the order of the log, and whether it has a client's address or user agent.
pub type ClientRow = (Uuid, bool);

fn without_client() -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::IpAddress, Expr::value(None::<String>))
        .col_expr(Column::UserAgent, Expr::value(None::<String>))
}

/// Removes the IP addresses and user agents of a user's own requests, because the account is deleted.
pub async fn forget_client(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    let own = Condition::any()
        .add(Column::ActorId.eq(user_id))
        .add(Condition::all().add(Column::ActorId.is_null()).add(Column::UserId.eq(user_id)));
    without_client().filter(own).exec(db).await.map(drop)
}

/// Lists rows after the id `after` that were written before the time `before`, oldest first, at most `limit`.
pub async fn client_rows(
    db: &impl ConnectionTrait,
    after: Uuid,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<ClientRow>, DbErr> {
    let has_client = Column::IpAddress.is_not_null().or(Column::UserAgent.is_not_null());
    Entity::find()
        .select_only()
        .column(Column::Id)
        .column_as(has_client, "has_client")
        .filter(Column::Id.gt(after))
        .filter(Column::Id.lt(first_id(before)))
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Removes the IP addresses and user agents of those of `ids` that were written before the time `before`. Returns how many
/// rows were changed.
pub async fn forget_old_clients(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    before: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let old = without_client().filter(Column::Id.is_in(ids)).filter(Column::Id.lt(first_id(before)));
    Ok(old.exec(db).await?.rows_affected)
}

/// Lists rows that were written before the time `before`, oldest first, at most `limit`.
pub async fn expired(
    db: &impl ConnectionTrait,
    limit: u64,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    let times = Condition::all()
        .add(Column::Id.lt(first_id(before)))
        .add_option(from.map(|from| Column::Id.gte(first_id(from))));
    let rows = Entity::find().select_only().columns([Column::Id, Column::At]).filter(times);
    rows.order_by_asc(Column::Id).limit(limit).into_tuple().all(db).await
}

/// Deletes those of `ids` that were written before the time `before`. Returns how many.
pub async fn delete_expired(db: &impl ConnectionTrait, ids: Vec<Uuid>, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let query = Entity::delete_many().filter(Column::Id.is_in(ids)).filter(Column::Id.lt(first_id(before)));
    Ok(query.exec(db).await?.rows_affected)
}
