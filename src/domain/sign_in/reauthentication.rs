//! `reauthenticate`: a signed-in user proves their identity again.

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Actor, Context, Principal, Viewer, sessions,
        sessions::SignIn,
        sign_in::{self, proof},
    },
    entity::session,
    error::{ErrorCode, Field, InputError},
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
    if matches!(context.viewer, Viewer::Authenticated(claims) if claims.generation == session.generation) {
        session = sessions::rotate_locked(&work, &session).await?;
    }
    session::set_authenticated(work.db(), session.id, work.now).await?;
    session.authenticated_at = Some(work.now);
    let user = user.to_model();
    work.commit().await?;
    sessions::issue_tokens(&context.app, user, session)
}
