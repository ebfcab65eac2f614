//! `links`: one row per link sent by mail.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::security::link_token::TokenHash;

/// A row of `links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account that the link changes.
    pub user_id: Uuid,
    /// The purpose.
    pub purpose: Purpose,
    /// The hash of the token. The token itself is only in the mail.
    pub token_hash: TokenHash,
    /// The address that the link was sent to. Presenting the token proves access to this address.
    pub email_key: String,
    /// When the link was created.
    pub created_at: DateTime<Utc>,
    /// When the link expires.
    pub expires_at: DateTime<Utc>,
    /// The address change that the link completes. `None` for links for the account's own address.
    pub pending_email_id: Option<Uuid>,
    /// When the link was used. Used links are kept, so that a second click gets another response than an invalid link.
    pub used_at: Option<DateTime<Utc>>,
}

/// A link is deleted with its account.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// The purpose of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// Verifies that the account's owner reads mail to an address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
}

/// Inserts a link.
pub async fn insert(db: &impl ConnectionTrait, link: Model) -> Result<(), DbErr> {
    Entity::insert(sea_orm::IntoActiveModel::into_active_model(link).reset_all())
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Finds a link by the hash of its token.
pub async fn find(db: &impl ConnectionTrait, token_hash: &TokenHash) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::TokenHash.eq(token_hash.clone())).all(db).await?.pop())
}

/// Marks a link as used. If several requests do so at the same time, one gets true.
pub async fn mark_used(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let marked = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(marked.rows_affected == 1)
}

/// Deletes the unused links of a user, all or those with one purpose.
pub async fn delete_unused(db: &impl ConnectionTrait, user_id: Uuid, purpose: Option<Purpose>) -> Result<(), DbErr> {
    let mut query = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::UsedAt.is_null());
    if let Some(purpose) = purpose {
        query = query.filter(Column::Purpose.eq(purpose));
    }
    query.exec(db).await.map(drop)
}
