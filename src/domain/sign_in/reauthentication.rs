//! `reauthenticate`: a signed-in user proves their identity again.

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Actor, Context, Event, Principal, UnitOfWork, Viewer,
        mfa::{self, Factor, ParsedFactor, Verdict},
        sessions::{self, SignIn},
        sign_in::{self, proof},
        throttle::PlainAttempt,
    },
    entity::session,
    error::{ErrorCode, Field, InputError, MfaMethod},
    security::webauthn::Ceremony,
};

/// Checks the password of the signed-in user, and returns new tokens of the same session. For the next 10 minutes, the
/// session counts as just signed in.
///
/// An access token of the current generation shows that the client holds the current refresh token, which is replaced as by a
/// refresh (OWASP ASVS 5.0 §7.2.4): a lost response, and a refresh at the same time in another tab, are as safe as there. A
/// client with an older access token gets the tokens of the current generation. Rotating them would invalidate the token that
/// another tab has just received.
///
/// # Errors
/// REQUIRED, WRONG_PASSWORD, RATE_LIMITED; EMAIL_NOT_VERIFIED. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn reauthenticate(context: &Context, principal: &Principal, password: &SecretString) -> Result<SignIn> {
    if password.expose_secret().is_empty() {
        return Err(InputError::new(ErrorCode::Required, Field::Password).into());
    }
    proof::check_password(context, principal, password, Field::Password).await??;
    sign_in::check_user(context.settings(), &principal.user)?;
    let work = context.begin_with(Actor::User(principal.user.id)).await?;
    let (user, mut session) = principal.lock_both(&work).await?;
    if user.password_hash != principal.user.password_hash {
        // A concurrent request has changed the password, so the password that was verified is no longer the current one.
        work.rollback().await?;
        return Err(InputError::new(ErrorCode::WrongPassword, Field::Password).into());
    }
    session = rotate_if_current(context, &work, session).await?;
    session::set_authenticated(work.db(), session.id, work.now).await?;
    session.authenticated_at = Some(work.now);
    let must_enroll = mfa::must_enroll_in(&work, &user).await?;
    work.commit().await?;
    sessions::issue_tokens(&context.app, Principal { user: user.into(), session, must_enroll })
}

/// Like [`reauthenticate`], with the second factor of the signed-in user. For the next 10 minutes, the session also counts as
/// just signed in with it.
///
/// # Errors
/// MFA_CODE_INVALID, PASSKEY_INVALID, MFA_NOT_ENABLED, RATE_LIMITED; EMAIL_NOT_VERIFIED. UNAUTHENTICATED if the session has ended in the
/// meantime.
pub async fn reauthenticate_with_factor(context: &Context, principal: &Principal, factor: &Factor) -> Result<SignIn> {
    let factor = factor.parse()?;
    sign_in::check_user(context.settings(), &principal.user)?;
    if !mfa::is_enabled(&context.app, principal).await? {
        return Err(Error::MfaNotEnabled);
    }
    let attempt = PlainAttempt::book_second_factor(context, principal.user.id).await?;
    let result = Box::pin(with_booked_factor(context, principal, &factor, &attempt)).await;
    if !matches!(result, Ok(_) | Err(Error::MfaCodeInvalid | Error::PasskeyInvalid)) {
        attempt.withdraw(context).await;
    }
    result
}

async fn with_booked_factor(
    context: &Context,
    principal: &Principal,
    factor: &ParsedFactor,
    attempt: &PlainAttempt,
) -> Result<SignIn> {
    let work = context.begin_with(Actor::User(principal.user.id)).await?;
    let (user, session) = principal.lock_both(&work).await?;
    let ceremony = Ceremony::Reauthenticate { user_id: user.id, session_id: session.id };
    let checked = factor.check(&work, &user, ceremony).await;
    let (mut work, verdict) = work.or_rollback(checked).await?;
    let second = match verdict {
        Verdict::Accepted(second) => second,
        Verdict::Refused(refusal) => {
            work.emit(refusal.event(user.id));
            work.commit().await?;
            return Err(refusal.into());
        }
    };
    attempt.withdraw_in(&work).await?;
    let mut session = rotate_if_current(context, &work, session).await?;
    session.amr = second.added_to(session.amr);
    session.authenticated_at = Some(work.now);
    session.second_factor_at = Some(work.now);
    session::set_second_factor(work.db(), session.id, session.amr.clone(), work.now).await?;
    if factor.method() == MfaMethod::RecoveryCode {
        work.emit(Event::RecoveryCodeUsed { user: user.to_model().into() });
    }
    work.commit().await?;
    // The factor that was accepted belongs to the locked user.
    sessions::issue_tokens(&context.app, Principal { user: user.into(), session, must_enroll: false })
}

/// Rotates the session if the access token of the request is of its current generation.
async fn rotate_if_current(
    context: &Context,
    work: &UnitOfWork<'_>,
    session: session::Model,
) -> Result<session::Model> {
    match context.viewer {
        Viewer::Authenticated(claims) if claims.generation == session.generation => {
            sessions::rotate_locked(work, &session).await
        }
        _ => Ok(session),
    }
}
