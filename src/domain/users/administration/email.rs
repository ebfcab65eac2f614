//! Addresses of accounts, given and verified by the word of an administrator.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use uuid::Uuid;

use crate::{
    App, Result,
    database::error::is_unique_violation,
    domain::{
        audit,
        identity::Email,
        notifications,
        users::administration::{Administrator, clear_pending_email, lock},
    },
    entity::{audit_event::Kind, link, mail::Purpose, user},
    error::{ErrorCode, Field, InputError},
};

/// Gives an account another address, and ends its links and a pending change. With `is_verified` the administrator vouches
/// for the address; else a mail is sent there to have it verified. An address that was verified before is told of the
/// change. Without a difference nothing is written, and it is no error.
///
/// # Errors
/// NOT_FOUND, INVALID_EMAIL, TOO_LONG, EMAIL_TAKEN.
pub async fn set_email(
    app: &App,
    administrator: &Administrator,
    user_id: Uuid,
    email: &str,
    is_verified: bool,
) -> Result<user::Model> {
    let to = Email::parse(email)?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    let before = lock(&transaction, user_id).await?;
    let is_same = before.email_key.as_ref() == Some(&to.key);
    let verified_at = before.email_verified_at.filter(|_| is_same).or(is_verified.then_some(now));
    let mut row = before.clone().into_active_model();
    row.email.set_if_not_equals(Some(to.text));
    row.email_key.set_if_not_equals(Some(to.key));
    row.email_verified_at.set_if_not_equals(verified_at);
    clear_pending_email(&mut row);
    if !row.is_changed() {
        transaction.rollback().await?;
        return Ok(before);
    }
    // A new address has as long to be verified as a new account has.
    row.never_verified_since = Set(before.never_verified_since.filter(|_| verified_at.is_none()).map(|_| now));
    row.updated_at = Set(now);
    let user = match row.update(&transaction).await {
        Ok(user) => user,
        Err(error) if is_unique_violation(&error) => {
            transaction.rollback().await?;
            return Err(InputError::new(ErrorCode::EmailTaken, Field::Email).into());
        }
        Err(error) => return Err(error.into()),
    };
    link::kill(&transaction, user_id, None).await?;
    let client = &administrator.client;
    audit::record(&transaction, Kind::UserUpdated, administrator.user_id, user_id, client, now).await?;
    if !is_same && before.email_verified_at.is_some() {
        notifications::tell(app, &transaction, Purpose::EmailChanged, &before, client, now).await?;
    }
    if verified_at.is_none() {
        notifications::verify(app, &transaction, &user, client, 0).await?;
    }
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

/// Notes that the address of an account is verified, by the word of the administrator. Without a difference nothing is
/// written, and it is no error.
///
/// # Errors
/// NOT_FOUND; REQUIRED: the account has no address.
pub async fn verify_email(app: &App, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let now = app.clock.now();
    let transaction = app.write().await?;
    let user = lock(&transaction, user_id).await?;
    if user.email.is_none() {
        return Err(InputError::new(ErrorCode::Required, Field::Email).into());
    }
    if user.email_verified_at.is_some() {
        transaction.rollback().await?;
        return Ok(user);
    }
    let mut row = user.into_active_model();
    row.email_verified_at = Set(Some(now));
    row.never_verified_since = Set(None);
    row.updated_at = Set(now);
    let user = row.update(&transaction).await?;
    let Administrator { user_id: actor_id, client } = administrator;
    audit::record(&transaction, Kind::UserUpdated, *actor_id, user_id, client, now).await?;
    transaction.commit().await?;
    Ok(user)
}
