//! Whether a request really comes from the user: the check of `changeEmail`, `deleteAccount` and `changePassword`.

use chrono::TimeDelta;

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    domain::{Context, Principal, identity::may_be_password, throttle::PlainAttempt},
    error::{ErrorCode, Field, InputError},
};

/// How long after its sign-in a session needs no password.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Checks the password of the signed-in user, which is required unless the session signed in a moment ago. If it is given,
/// it must be right in any case.
///
/// # Errors
/// As [`check_password`]; inside, REQUIRED as well.
pub(in crate::domain) async fn check(
    context: &Context,
    principal: &Principal,
    password: Option<&SecretString>,
    field: Field,
) -> Result<Result<(), InputError>> {
    match password.filter(|password| !password.expose_secret().is_empty()) {
        Some(password) => check_password(context, principal, password, field).await,
        None if context.now() - principal.session.created_at < FRESH => Ok(Ok(())),
        None => Ok(Err(InputError::new(ErrorCode::Required, field))),
    }
}

/// Checks the password of the signed-in user.
///
/// # Errors
/// RATE_LIMITED; SERVICE_UNAVAILABLE if too many passwords wait to be hashed. WRONG_PASSWORD is inside.
pub(in crate::domain) async fn check_password(
    context: &Context,
    principal: &Principal,
    password: &SecretString,
    field: Field,
) -> Result<Result<(), InputError>> {
    let attempt = PlainAttempt::book_password(context, principal.user.id).await?;
    let is_right = if may_be_password(password) {
        context.app.hasher.verify(password, Some(&principal.user.password_hash)).await
    } else {
        Ok(false)
    };
    if !matches!(is_right, Ok(false)) {
        attempt.withdraw(context).await;
    }
    Ok(if is_right? { Ok(()) } else { Err(InputError::new(ErrorCode::WrongPassword, field)) })
}
