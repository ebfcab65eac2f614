//! Names and addresses of accounts, set by an administrator.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event,
        identity::Email,
        notifications::links,
        users::{
            administration::{Administrator, begin_with_user},
            profile::{self, ProfileChange},
            registration::find_conflicts,
        },
    },
    entity::user,
    error::{ErrorCode, Field, InputError, Problems},
};

/// A change of names and address. `None` keeps a value.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The names.
    pub names: ProfileChange,
    /// The address. A new address is not verified, unless `email_verified` says so.
    pub email: Option<String>,
    /// Whether the address counts as verified.
    pub email_verified: Option<bool>,
}

/// Changes names and address of an account. With a new address, deletes the account's links, cancels a pending change, and
/// sends a mail to verify it unless it counts as verified. If a verified address is replaced, a notice is sent to it. Does
/// nothing if nothing would change.
///
/// # Errors
/// NOT_FOUND; all problems of the fields; USERNAME_TAKEN, EMAIL_TAKEN; REQUIRED if an account without an address is to be
/// verified; FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn update_profile(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    change: UserChange,
) -> Result<user::Model> {
    let mut problems = Problems::default();
    let to = problems.collect(match change.email.as_deref() {
        Some(email) if email.trim().is_empty() => Err(InputError::new(ErrorCode::Required, Field::Email)),
        email => email.map(Email::parse).transpose(),
    });
    let names = profile::parse(&change.names, context.settings(), &mut problems);
    let (Some(to), Some(names)) = (to, names) else { return Err(problems.into()) };
    let (mut work, mut user) = begin_with_user(context, administrator, user_id).await?;
    let now = work.now;
    if user.email.is_none() && to.is_none() && change.email_verified == Some(true) {
        work.rollback().await?;
        return Err(InputError::new(ErrorCode::Required, Field::Email).into());
    }
    let before = user.to_model();
    let mut fields = names.changed(&user);
    let (username_key, email_key) = (names.username_key().to_owned(), to.as_ref().map(|to| to.key.clone()));
    let is_address_given = to.is_some();
    let updated = user.update(work.db(), |user| {
        names.apply(user);
        set_address(user, to, change.email_verified, now);
        if *user != before {
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
            return Err(find_conflicts(&context.app, &username_key, email_key.as_deref(), Some(user_id)).await?);
        }
        Err(error) => return Err(error.into()),
    }
    let after = user.to_model();
    let address = |user: &user::Model| (user.email.clone(), user.email_verified_at, user.pending_email.clone());
    if is_address_given && address(&before) != address(&after) {
        links::end_all(&work, user_id).await?;
        work.emit(Event::EmailChanged { before: before.into(), after: after.into() });
    } else if after.email_verified_at.is_some() && before.email_verified_at.is_none() {
        work.emit(Event::EmailVerified { user_id });
    } else if after.email_verified_at != before.email_verified_at {
        fields.push(Field::EmailVerified);
    }
    if !fields.is_empty() {
        work.emit(Event::ProfileUpdated { user_id, fields });
    }
    work.commit().await?;
    Ok(user.into())
}

/// Sets the address, and whether it is verified.
fn set_address(user: &mut user::Model, to: Option<Email>, verified: Option<bool>, now: DateTime<Utc>) {
    if let Some(to) = to {
        if user.email_key.as_ref() != Some(&to.key) {
            user.email_verified_at = None;
            // The time to verify an address starts again with a new address.
            user.never_verified_since = user.never_verified_since.map(|_| now);
        }
        user.email = Some(to.text);
        user.email_key = Some(to.key);
        user.clear_pending_email();
    }
    match verified {
        Some(true) if user.email_verified_at.is_none() => user.set_email_verified(now),
        Some(false) => user.email_verified_at = None,
        _ => {}
    }
}

/// Sets the address of an account; see [`update_profile`].
///
/// # Errors
/// NOT_FOUND, INVALID_EMAIL, TOO_LONG, EMAIL_TAKEN, FORBIDDEN.
pub async fn set_email(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    email: &str,
    is_verified: bool,
) -> Result<user::Model> {
    let email_verified = is_verified.then_some(true);
    let change = UserChange { email: Some(email.to_owned()), email_verified, ..UserChange::default() };
    update_profile(context, administrator, user_id, change).await
}

/// Marks the address of an account as verified. Does nothing if it is verified already.
///
/// # Errors
/// NOT_FOUND; REQUIRED if the account has no address; FORBIDDEN.
pub async fn verify_email(context: &Context, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let change = UserChange { email_verified: Some(true), ..UserChange::default() };
    update_profile(context, administrator, user_id, change).await
}
