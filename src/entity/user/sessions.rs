//! The session epoch of a user. Incrementing it revokes all of the user's sessions at once.

use sea_orm::{QuerySelect, entity::prelude::*};

use super::{Column, Entity};

/// Returns the current session epoch of a user, or `None` if the user no longer exists.
pub async fn session_epoch(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<i32>, DbErr> {
    let epoch = Entity::find_by_id(id).select_only().column(Column::SessionEpoch);
    Ok(epoch.into_tuple().all(db).await?.pop())
}
