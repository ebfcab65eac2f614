//! `links`: one row for each link in a mail that is good for something. Used, it is gone.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::security::link_token::TokenHash;

/// A row of `links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    /// Its name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account it changes.
    pub user_id: Uuid,
    /// What it does.
    pub purpose: Purpose,
    /// What its token is found by; the token itself is in the mail alone.
    pub token_hash: TokenHash,
    /// The address that it was sent to: whoever shows the token reads what comes there.
    pub email_key: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it is of no more use.
    pub expires_at: DateTime<Utc>,
    /// The request to move that it completes; none where it is for the account's own address.
    pub pending_email_id: Option<Uuid>,
    /// When it was used. It is kept, so that a second click can be told from a link that is not valid.
    pub used_at: Option<DateTime<Utc>>,
}

/// A link goes with its account.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// It says that an address is read by the account's owner.
    VerifyEmail,
    /// It sets a new password.
    ResetPassword,
}

/// Writes a new link.
pub async fn insert(db: &impl ConnectionTrait, link: Model) -> Result<(), DbErr> {
    Entity::insert(sea_orm::IntoActiveModel::into_active_model(link).reset_all())
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// The link whose token has this hash.
pub async fn find(db: &impl ConnectionTrait, token_hash: &TokenHash) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::TokenHash.eq(token_hash.clone())).all(db).await?.pop())
}

/// Uses a link. Of several requests that do so at the same time, one gets true.
pub async fn take(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let taken = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Deletes the links of a user that were not used, all or those of one purpose.
pub async fn delete_unused(db: &impl ConnectionTrait, user_id: Uuid, purpose: Option<Purpose>) -> Result<(), DbErr> {
    let mut those = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::UsedAt.is_null());
    if let Some(purpose) = purpose {
        those = those.filter(Column::Purpose.eq(purpose));
    }
    those.exec(db).await.map(drop)
}

/// Some links that expired before `then`, the oldest first.
pub async fn expired(db: &impl ConnectionTrait, most: u64, then: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lte(then));
    ids.order_by_asc(Column::ExpiresAt).limit(most).into_tuple().all(db).await
}

/// Deletes these.
pub async fn delete(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::Id.is_in(ids)).exec(db).await?.rows_affected)
}
