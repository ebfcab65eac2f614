//! E-mail addresses of accounts, set and verified by an administrator.

use uuid::Uuid;

use crate::{
    Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event,
        identity::Email,
        users::administration::{Administrator, lock},
    },
    entity::{link, user},
    error::{ErrorCode, Field, InputError},
};

/// Sets the address of an account, deletes its links, and cancels a pending change. With `is_verified`, the address counts
/// as verified; otherwise a mail to verify it is sent. If a verified address is replaced, a notice is sent to it. Does
/// nothing if nothing would change.
///
/// # Errors
/// NOT_FOUND, INVALID_EMAIL, TOO_LONG, EMAIL_TAKEN.
pub async fn set_email(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    email: &str,
    is_verified: bool,
) -> Result<user::Model> {
    let to = Email::parse(email)?;
    let mut work = context.begin_for(administrator).await?;
    let now = work.now;
    let mut user = lock(&work, administrator, user_id).await?;
    let before = user.to_model();
    let updated = user.update(work.db(), |user| {
        let is_same = user.email_key.as_ref() == Some(&to.key);
        user.email_verified_at = user.email_verified_at.filter(|_| is_same).or(is_verified.then_some(now));
        user.email = Some(to.text);
        user.email_key = Some(to.key);
        user.clear_pending_email();
        if *user != before {
            // The time to verify an address starts again with a new address.
            user.never_verified_since =
                user.never_verified_since.filter(|_| user.email_verified_at.is_none()).map(|_| now);
            user.updated_at = now;
        }
    });
    match updated.await {
        Ok(true) => {}
        Ok(false) => {
            work.rollback().await?;
            return Ok(before);
        }
        Err(error) if is_unique_violation(&error) => {
            work.rollback().await?;
            return Err(InputError::new(ErrorCode::EmailTaken, Field::Email).into());
        }
        Err(error) => return Err(error.into()),
    }
    link::delete_unused(work.db(), user_id, None).await?;
    work.emit(Event::EmailChanged { before: before.into(), after: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// Marks the address of an account as verified. Does nothing if it is verified already.
///
/// # Errors
/// NOT_FOUND; REQUIRED if the account has no address.
pub async fn verify_email(context: &Context, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let mut work = context.begin_for(administrator).await?;
    let now = work.now;
    let mut user = lock(&work, administrator, user_id).await?;
    if user.email.is_none() {
        return Err(InputError::new(ErrorCode::Required, Field::Email).into());
    }
    if user.email_verified_at.is_some() {
        work.rollback().await?;
        return Ok(user.into());
    }
    user.update(work.db(), |user| {
        user.set_email_verified(now);
        user.updated_at = now;
    })
    .await?;
    work.emit(Event::EmailVerified { user_id });
    work.commit().await?;
    Ok(user.into())
}
