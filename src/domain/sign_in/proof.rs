//! Proof of identity by a signed-in user, for `reauthenticate`, `changeEmail`, `deleteAccount`, `changePassword`, the export
//! of one's own data, and administration.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{Context, Principal, identity::may_be_password, mfa, throttle::PlainAttempt},
    entity::session,
    error::{ErrorCode, Field, InputError},
};

/// How long after a sign-in, or a later proof of identity, the session needs no further one.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(10);

fn is_fresh(session: &session::Model, now: DateTime<Utc>) -> bool {
    now - session.last_authenticated_at() < FRESH_FOR
}

/// Checks that the user of a session proved their identity within [`FRESH_FOR`], with the second factor if the user has one.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED.
pub(in crate::domain) fn check_session(session: &session::Model, has_factor: bool, now: DateTime<Utc>) -> Result<()> {
    let is_factor_fresh = || session.second_factor_at.is_some_and(|at| now - at < FRESH_FOR);
    if is_fresh(session, now) && (!has_factor || is_factor_fresh()) {
        Ok(())
    } else {
        Err(Error::ReauthenticationRequired { needs_second_factor: has_factor })
    }
}

/// Checks that the user of the session proved their identity within [`FRESH_FOR`], with the second factor if there is one.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED.
pub(in crate::domain) async fn check_fresh(context: &Context, principal: &Principal) -> Result<()> {
    let has_factor = mfa::is_enabled(&context.app, principal).await?;
    check_session(&principal.session, has_factor, context.now())
}

/// Checks that the user of the session confirmed the second factor within [`FRESH_FOR`], if there is one.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED.
pub(in crate::domain) async fn check_second_factor_if_any(context: &Context, principal: &Principal) -> Result<()> {
    let is_enabled = mfa::is_enabled(&context.app, principal).await?;
    if is_enabled { check_fresh_second_factor(context, principal) } else { Ok(()) }
}

/// Checks that the user of the session confirmed the second factor within [`FRESH_FOR`].
///
/// # Errors
/// REAUTHENTICATION_REQUIRED.
pub(in crate::domain) fn check_fresh_second_factor(context: &Context, principal: &Principal) -> Result<()> {
    check_session(&principal.session, true, context.now())
}

/// Checks the password of the signed-in user. It may be omitted if the last proof of identity is fresh; a password that is
/// given must be correct. A user with a second factor must have confirmed it recently, whether or not there is a password.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED for a user with a second factor; those of [`check_password`]. The inner result also REQUIRED.
pub(in crate::domain) async fn check(
    context: &Context,
    principal: &Principal,
    password: Option<&SecretString>,
    field: Field,
) -> Result<Result<(), InputError>> {
    check_second_factor_if_any(context, principal).await?;
    match password.filter(|password| !password.expose_secret().is_empty()) {
        Some(password) => check_password(context, principal, password, field).await,
        None if is_fresh(&principal.session, context.now()) => Ok(Ok(())),
        None => Ok(Err(InputError::new(ErrorCode::Required, field))),
    }
}

/// Checks the password of the signed-in user.
///
/// # Errors
/// RATE_LIMITED; SERVICE_UNAVAILABLE if too many passwords wait to be hashed. The inner result: WRONG_PASSWORD.
pub(in crate::domain) async fn check_password(
    context: &Context,
    principal: &Principal,
    password: &SecretString,
    field: Field,
) -> Result<Result<(), InputError>> {
    let attempt = PlainAttempt::book_password(context, principal.user.id).await?;
    let is_correct = if may_be_password(password) {
        context.app.hasher.verify(password, Some(&principal.user.password_hash)).await
    } else {
        Ok(false)
    };
    if !matches!(is_correct, Ok(false)) {
        attempt.withdraw(context).await;
    }
    Ok(if is_correct? { Ok(()) } else { Err(InputError::new(ErrorCode::WrongPassword, field)) })
}
