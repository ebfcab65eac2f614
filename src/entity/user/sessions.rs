//! The epoch of a user's sessions, which ends all of them at once.

use sea_orm::{QuerySelect, entity::prelude::*};

use super::{Column, Entity};

/// The current epoch of a user's sessions; `None` if the user does not exist any more.
pub async fn session_epoch(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<i32>, DbErr> {
    let epoch = Entity::find_by_id(id).select_only().column(Column::SessionEpoch);
    Ok(epoch.into_tuple().all(db).await?.pop())
}
