//! `recovery_codes`: one row per recovery code that was not used.

use chrono::{DateTime, Utc};
use sea_orm::{QuerySelect, entity::prelude::*};

use crate::security::recovery_code::RecoveryCodeHash;

/// A row of `recovery_codes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The hash of the code. The code itself was shown once.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: RecoveryCodeHash,
    /// When the code was created.
    pub created_at: DateTime<Utc>,
}

/// Codes are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Replaces all codes of a user.
pub async fn replace(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    hashes: impl IntoIterator<Item = RecoveryCodeHash>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    delete_of(db, user_id).await?;
    let rows = hashes.into_iter().map(|code_hash| Model { user_id, code_hash, created_at: now });
    let rows = rows.map(|row| sea_orm::IntoActiveModel::into_active_model(row).reset_all());
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Uses a code. If several requests do so at the same time, one gets true.
pub async fn take(db: &impl ConnectionTrait, user_id: Uuid, hash: RecoveryCodeHash) -> Result<bool, DbErr> {
    let taken = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::CodeHash.eq(hash));
    Ok(taken.exec(db).await?.rows_affected == 1)
}

/// Counts the codes of a user that were not used.
pub async fn count(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64, DbErr> {
    let count = Entity::find().select_only().column_as(Column::CodeHash.count(), "count");
    let count: Option<i64> = count.filter(Column::UserId.eq(user_id)).into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Returns those of the users who have codes that were not used.
pub async fn owners_among(db: &impl ConnectionTrait, user_ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let owners = Entity::find().select_only().column(Column::UserId).distinct();
    owners.filter(Column::UserId.is_in(user_ids.iter().copied())).into_tuple().all(db).await
}

/// Deletes all codes of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}
