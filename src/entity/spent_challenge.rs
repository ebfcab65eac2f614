//! `spent_challenges`: one row per challenge of a passkey that was answered, until the challenge has expired.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, entity::prelude::*};

/// A row of `spent_challenges`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "spent_challenges")]
pub struct Model {
    /// The random value of the challenge.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce: Uuid,
    /// When the challenge expires, so that the row is no longer needed.
    pub expires_at: DateTime<Utc>,
}

/// Challenges are not stored before they are answered, and belong to no row.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Nonce;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// Uses a challenge. If several requests do so at the same time, one succeeds.
///
/// # Errors
/// A unique violation if the challenge was used before. The transaction must be rolled back then.
pub async fn spend(db: &impl ConnectionTrait, nonce: Uuid, expires_at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = ActiveModel { nonce: Set(nonce), expires_at: Set(expires_at) };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}
