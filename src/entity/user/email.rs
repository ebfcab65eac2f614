//! What is done to a user's addresses.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::{Column, Entity, Model};

/// Active users who hold one of these addresses, verified or not.
///
/// # Errors
/// The driver's.
pub async fn email_holders(db: &impl ConnectionTrait, email_keys: Vec<&str>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true)).all(db).await
}

/// Active users with a pending change to one of these addresses, the latest first.
///
/// # Errors
/// The driver's.
pub async fn pending_email_holders(
    db: &impl ConnectionTrait,
    email_keys: Vec<&str>,
    most: u64,
) -> Result<Vec<Model>, DbErr> {
    let users = Entity::find().filter(Column::PendingEmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true));
    users.order_by_desc(Column::UpdatedAt).order_by_desc(Column::Id).limit(most).all(db).await
}

/// Notes the address that an active user wants to move to, or that there is none. False if the account is gone.
///
/// # Errors
/// The driver's.
pub async fn set_pending_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    pending: Option<(&str, &str)>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let (text, key) = pending.unzip();
    let updated = Entity::update_many()
        .col_expr(Column::PendingEmail, Expr::value(text))
        .col_expr(Column::PendingEmailKey, Expr::value(key))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::IsActive.eq(true))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Notes that an active user's own address is verified. False if it is another one by now.
///
/// # Errors
/// The driver's.
pub async fn verify_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::EmailKey.eq(email_key))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Moves an active user to the address that they wanted when `user` was read, which is thereby verified. False if they want
/// another one by now; the unique index refuses it where somebody else has it.
///
/// # Errors
/// The driver's.
pub async fn move_email(db: &impl ConnectionTrait, user: &Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Email, Expr::value(user.pending_email.clone()))
        .col_expr(Column::EmailKey, Expr::value(user.pending_email_key.clone()))
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(Column::PendingEmail, Expr::value(None::<String>))
        .col_expr(Column::PendingEmailKey, Expr::value(None::<String>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::PendingEmailKey.eq(user.pending_email_key.clone()))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}
