//! `sessions`: revocation. Callers lock the user's row first, so that all transactions lock in the same order.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::entity::{
    session::{Column, Entity, Model, live},
    user,
};

/// Returns the users of these sessions, as pairs of session id and user id.
pub async fn owners(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    let columns = Entity::find().select_only().columns([Column::Id, Column::UserId]);
    columns.filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).into_tuple().all(db).await
}

/// Locks a live session of `user` until the transaction ends. SQLite has a single writer and needs no lock.
pub async fn lock(
    db: &impl ConnectionTrait,
    user: &user::Model,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let one = Entity::find_by_id(id).filter(live(user.id, user.session_epoch, now));
    Ok(one.lock_exclusive().all(db).await?.pop())
}

/// Revokes sessions of `user`. Returns how many of them were live.
pub async fn revoke(
    db: &impl ConnectionTrait,
    user: &user::Model,
    ids: Vec<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids))
        .filter(live(user.id, user.session_epoch, now))
        .exec(db)
        .await?;
    Ok(revoked.rows_affected)
}

/// Counts the live sessions of an epoch, except `except`.
pub async fn count_live(
    db: &impl ConnectionTrait,
    (user_id, epoch): (Uuid, i32),
    except: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let query = live(user_id, epoch, now).add_option(except.map(|id| Column::Id.ne(id)));
    let count = Entity::find().select_only().column_as(Column::Id.count(), "count").filter(query);
    let count: Option<i64> = count.into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Moves a session to a new epoch of its user, so that it is not revoked with the others.
pub async fn keep(db: &impl ConnectionTrait, id: Uuid, epoch: i32) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::Epoch, Expr::value(epoch)).filter(Column::Id.eq(id));
    update.exec(db).await.map(drop)
}

/// Lists live sessions of `user` except the `newest` ones, at most `limit`.
pub async fn older(
    db: &impl ConnectionTrait,
    user: &user::Model,
    newest: u64,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(live(user.id, user.session_epoch, now));
    // Ids are ordered by time of creation.
    ids.order_by_desc(Column::Id).offset(newest).limit(limit).into_tuple().all(db).await
}
