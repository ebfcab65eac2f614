//! What is done to a user's password.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::{
    entity::user::{Column, Entity, Model, clear_pending_email},
    security::password::PasswordHash,
};

/// Gives an active user a new password, and clears a pending change of address. False if the old one is another by now.
///
/// # Errors
/// The driver's.
pub async fn change_password(
    db: &impl ConnectionTrait,
    user: &Model,
    password_hash: PasswordHash,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = clear_pending_email(Entity::update_many())
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::PasswordHash.eq(user.password_hash.clone()))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Gives an active user a new password, whoever reads `email_key`, which is thereby verified, and clears a pending change
/// of address. False if the account has another address by now.
///
/// # Errors
/// The driver's.
pub async fn reset_password(
    db: &impl ConnectionTrait,
    user: &Model,
    email_key: &str,
    password_hash: PasswordHash,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = clear_pending_email(Entity::update_many())
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::EmailVerifiedAt, Expr::value(user.email_verified_at.unwrap_or(now)))
        .col_expr(Column::NeverVerifiedSince, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::EmailKey.eq(email_key))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}
