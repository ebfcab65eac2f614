//! `remembered_devices`: one row per browser in which a user signs in without the second factor.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::security::link_token::TokenHash;

/// A row of `remembered_devices`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "remembered_devices")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// The hash of the token in the browser's cookie. Each sign-in replaces it.
    pub token_hash: TokenHash,
    /// `User-Agent` of the browser, truncated to 512 characters.
    pub user_agent: Option<String>,
    /// When the user confirmed the second factor in this browser.
    pub created_at: DateTime<Utc>,
    /// The latest sign-in.
    pub last_used_at: DateTime<Utc>,
    /// When the second factor is required again.
    pub expires_at: DateTime<Utc>,
}

/// Devices are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// Inserts a device.
pub async fn insert(db: &impl ConnectionTrait, device: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(device).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Finds a device of a user that has not expired, by the hash of its token.
pub async fn find(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    token_hash: &TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find().filter(Column::TokenHash.eq(token_hash.clone())).filter(Column::UserId.eq(user_id));
    Ok(found.filter(Column::ExpiresAt.gt(now)).all(db).await?.pop())
}

/// Finds a device of a user that has not expired, by its id.
pub async fn find_by_id(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find_by_id(id).filter(Column::UserId.eq(user_id)).filter(Column::ExpiresAt.gt(now));
    Ok(found.all(db).await?.pop())
}

/// Uses a device of a user for a sign-in: replaces its token. Returns false if no device of the user has this token, or if it
/// has expired. If several requests use one token at the same time, one gets true.
pub async fn rotate(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    [presented, successor]: [TokenHash; 2],
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let rotated = Entity::update_many()
        .col_expr(Column::TokenHash, Expr::value(successor))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::TokenHash.eq(presented))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(rotated.rows_affected == 1)
}

/// Lists the devices of a user that have not expired, most recently used first, at most `limit`.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let devices = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::ExpiresAt.gt(now));
    devices.order_by_desc(Column::LastUsedAt).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Deletes a device of a user. Returns whether there was one.
pub async fn delete(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id)).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}

/// Deletes a device of a user by the hash of its token.
pub async fn delete_by_token(db: &impl ConnectionTrait, user_id: Uuid, token_hash: &TokenHash) -> Result<(), DbErr> {
    let found = Entity::delete_many().filter(Column::TokenHash.eq(token_hash.clone()));
    found.filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Deletes all devices of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}
