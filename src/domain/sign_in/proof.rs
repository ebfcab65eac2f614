//! Whether it is really the user who asks: the rule of `changeEmail` and `deleteAccount`, and of `changePassword`.

use chrono::TimeDelta;

use crate::{
    App, Result,
    config::{ExposeSecret, SecretString},
    domain::{Principal, identity::may_be_password, throttle::PlainAttempt},
    error::{ErrorCode, Field, InputError},
};

/// How long after its sign-in a session needs no password.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Checks the password of the signed-in user, which is needed unless the session signed in a moment ago. One that is given
/// must be right all the same.
///
/// # Errors
/// As [`check_password`]; inside, REQUIRED as well.
pub(in crate::domain) async fn check(
    app: &App,
    principal: &Principal,
    password: Option<&SecretString>,
    field: Field,
) -> Result<Result<(), InputError>> {
    match password.filter(|password| !password.expose_secret().is_empty()) {
        Some(password) => check_password(app, principal, password, field).await,
        None if app.clock.now() - principal.session.created_at < FRESH => Ok(Ok(())),
        None => Ok(Err(InputError::new(ErrorCode::Required, field))),
    }
}

/// Checks the password of the signed-in user.
///
/// # Errors
/// RATE_LIMITED; SERVICE_UNAVAILABLE when too many passwords wait to be hashed. What is wrong with the field `field` is
/// inside: WRONG_PASSWORD.
pub(in crate::domain) async fn check_password(
    app: &App,
    principal: &Principal,
    password: &SecretString,
    field: Field,
) -> Result<Result<(), InputError>> {
    let attempt = PlainAttempt::book_password(app, principal.user.id).await?;
    let is_right = if may_be_password(password) {
        app.hasher.verify(password, Some(&principal.user.password_hash)).await
    } else {
        Ok(false)
    };
    if !matches!(is_right, Ok(false)) {
        attempt.withdraw(app).await;
    }
    Ok(if is_right? { Ok(()) } else { Err(InputError::new(ErrorCode::WrongPassword, field)) })
}
