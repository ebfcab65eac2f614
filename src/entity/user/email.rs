//! What is done to a user's addresses.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, UpdateMany, entity::prelude::*};

use crate::entity::user::{Column, Entity, Model};

/// Active users who hold one of these addresses, verified or not.
///
/// # Errors
/// The driver's.
pub async fn email_holders(db: &impl ConnectionTrait, email_keys: Vec<&str>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true)).all(db).await
}

/// A request to move an account to another address.
#[derive(Clone, Debug)]
pub struct PendingEmail {
    /// Names the request, so that nothing of an earlier one completes it.
    pub id: Uuid,
    /// As it was typed.
    pub text: String,
    /// As it is compared.
    pub key: String,
    /// When the request expires.
    pub expires_at: DateTime<Utc>,
}

impl Model {
    /// The address that the account waits to move to, unless the request has expired.
    #[must_use]
    pub fn pending_email_at(&self, now: DateTime<Utc>) -> Option<&str> {
        self.pending_email.as_deref().filter(|_| self.pending_email_expires_at.is_some_and(|end| end > now))
    }

    /// The same user with a request to move.
    #[must_use]
    pub fn with_pending_email(self, pending: PendingEmail) -> Self {
        Self {
            pending_email: Some(pending.text),
            pending_email_key: Some(pending.key),
            pending_email_id: Some(pending.id),
            pending_email_expires_at: Some(pending.expires_at),
            ..self
        }
    }

    /// The same user without a request to move.
    #[must_use]
    pub fn without_pending_email(self) -> Self {
        Self {
            pending_email: None,
            pending_email_key: None,
            pending_email_id: None,
            pending_email_expires_at: None,
            ..self
        }
    }
}

/// Active users with a live request to move to one of these addresses, the latest request first.
///
/// # Errors
/// The driver's.
pub async fn pending_email_holders(
    db: &impl ConnectionTrait,
    email_keys: Vec<&str>,
    most: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let users = Entity::find().filter(Column::PendingEmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true));
    let live = users.filter(Column::PendingEmailExpiresAt.gt(now));
    live.order_by_desc(Column::PendingEmailExpiresAt).order_by_desc(Column::Id).limit(most).all(db).await
}

/// Stores a request of an active user to move, in place of an earlier one. False if the account is gone.
///
/// # Errors
/// The driver's.
pub async fn set_pending_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    pending: &PendingEmail,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::PendingEmail, Expr::value(pending.text.as_str()))
        .col_expr(Column::PendingEmailKey, Expr::value(pending.key.as_str()))
        .col_expr(Column::PendingEmailId, Expr::value(pending.id))
        .col_expr(Column::PendingEmailExpiresAt, Expr::value(pending.expires_at))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::IsActive.eq(true))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Withdraws the request of a user to move. False if there is none.
///
/// # Errors
/// The driver's.
pub async fn cancel_pending_email(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let updated = clear_pending_email(Entity::update_many())
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::PendingEmailKey.is_not_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The same as part of another change: whatever changes the credentials of an account also ends its request to move.
pub(super) fn clear_pending_email(update: UpdateMany<Entity>) -> UpdateMany<Entity> {
    update
        .col_expr(Column::PendingEmail, Expr::value(None::<String>))
        .col_expr(Column::PendingEmailKey, Expr::value(None::<String>))
        .col_expr(Column::PendingEmailId, Expr::value(None::<Uuid>))
        .col_expr(Column::PendingEmailExpiresAt, Expr::value(None::<DateTime<Utc>>))
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
        .col_expr(Column::NeverVerifiedSince, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::EmailKey.eq(email_key))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Moves an active user to the address of the request `request`, which `user` was read with; the address is thereby
/// verified. False if that request was cancelled, replaced or has expired since; the unique index refuses an address that
/// another account has.
///
/// # Errors
/// The driver's.
pub async fn move_email(
    db: &impl ConnectionTrait,
    user: &Model,
    request: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = clear_pending_email(Entity::update_many())
        .col_expr(Column::Email, Expr::value(user.pending_email.clone()))
        .col_expr(Column::EmailKey, Expr::value(user.pending_email_key.clone()))
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(Column::NeverVerifiedSince, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::PendingEmailId.eq(request))
        .filter(Column::PendingEmailExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Takes an address away from a user who has not verified it. False if they have by now, or have another one.
///
/// # Errors
/// The driver's.
pub async fn release_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Email, Expr::value(None::<String>))
        .col_expr(Column::EmailKey, Expr::value(None::<String>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::EmailKey.eq(email_key))
        .filter(Column::EmailVerifiedAt.is_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Replaces the address of an active user who has never verified one, if the password is still the one that was checked.
/// The wait for a verification begins anew. False if any of this is no longer so.
///
/// # Errors
/// The driver's; a unique violation when another user has the address.
pub async fn replace_unverified_email(
    db: &impl ConnectionTrait,
    user: &Model,
    (text, key): (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = clear_pending_email(Entity::update_many())
        .col_expr(Column::Email, Expr::value(text))
        .col_expr(Column::EmailKey, Expr::value(key))
        .col_expr(Column::NeverVerifiedSince, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(user.id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::PasswordHash.eq(user.password_hash.clone()))
        .filter(Column::EmailVerifiedAt.is_null())
        .filter(Column::NeverVerifiedSince.is_not_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}
