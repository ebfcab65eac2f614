//! `provider_logins`: one row per user who has come back from a provider, until the app exchanges the one-time code.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::security::link_token::TokenHash;

/// A row of `provider_logins`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_logins")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The hash of the code, which only the client has. Unique.
    pub code_hash: TokenHash,
    /// The S256 challenge of the app.
    pub code_challenge: String,
    /// The id of the provider in the settings.
    pub provider_id: String,
    /// The issuer of the identity.
    pub issuer: String,
    /// The subject of the identity.
    pub subject: String,
    /// The address at the provider. It is not checked whether it is an address.
    pub email: Option<String>,
    /// Whether the provider has verified the address, and is trusted with that.
    pub is_email_trusted: bool,
    /// The username at the provider.
    pub username: Option<String>,
    /// First and last name.
    pub full_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The user who links the identity. `None` for a sign-in.
    pub user_id: Option<Uuid>,
    /// The session in which the link was started. `None` for a sign-in.
    pub session_id: Option<Uuid>,
    /// When the user came back.
    pub created_at: DateTime<Utc>,
    /// When the code expires.
    pub expires_at: DateTime<Utc>,
}

/// Links that were started are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// Inserts a row.
pub async fn insert(db: &impl ConnectionTrait, login: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(login).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Finds a row that has not expired, by the hash of its code.
pub async fn find(
    db: &impl ConnectionTrait,
    code_hash: &TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find().filter(Column::CodeHash.eq(code_hash.clone())).filter(Column::ExpiresAt.gt(now));
    Ok(found.all(db).await?.pop())
}

/// Deletes a row whose code is used. If several requests do so at the same time, one gets true.
pub async fn take(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let taken = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::ExpiresAt.gt(now)).exec(db).await?;
    Ok(taken.rows_affected == 1)
}
