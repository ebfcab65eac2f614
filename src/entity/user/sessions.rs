//! `users`: the epoch of a user's sessions.

use sea_orm::{ExprTrait, QuerySelect, entity::prelude::*};

use crate::entity::user::{Column, Entity};

/// The current epoch of a user's sessions; `None` if the user is gone.
///
/// # Errors
/// The driver's.
pub async fn session_epoch(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<i32>, DbErr> {
    let epoch = Entity::find_by_id(id).select_only().column(Column::SessionEpoch);
    Ok(epoch.into_tuple().all(db).await?.pop())
}

/// Begins a new epoch, which ends all sessions of the user by one update, however many there are. Returns the new epoch;
/// `None` if the user is gone.
///
/// # Errors
/// The driver's.
pub async fn begin_session_epoch(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<i32>, DbErr> {
    Entity::update_many()
        .col_expr(Column::SessionEpoch, Expr::col(Column::SessionEpoch).add(1))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    session_epoch(db, id).await
}
