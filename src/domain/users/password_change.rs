//! Changing the password by a signed-in user, who must know the current one.

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    domain::{Context, Event, Principal, identity::Password, mfa, sessions, sign_in::proof, throttle},
    entity::{link, user},
    error::{ErrorCode, Field, InputError, Problems},
};

/// A change of the password.
#[derive(Debug)]
pub struct PasswordChange {
    /// The current password.
    pub current_password: SecretString,
    /// The new password.
    pub new_password: SecretString,
    /// Whether the user's other sessions continue.
    pub keep_other_sessions: bool,
}

/// Changes the password of the signed-in user, cancels a pending change of the address, ends the other sessions unless
/// `keep_other_sessions` is set, and notifies the user by mail. Returns the user, and how many sessions were ended.
///
/// # Errors
/// REQUIRED and all problems of the new password; if there are none, REAUTHENTICATION_REQUIRED for a user with a second factor,
/// RATE_LIMITED and WRONG_PASSWORD. UNAUTHENTICATED if the
/// session has ended in the meantime.
pub async fn change(context: &Context, principal: &Principal, form: PasswordChange) -> Result<(user::Model, u64)> {
    let new_password = parse(context, &principal.user, &form)?;
    proof::check_second_factor_if_any(context, principal).await?;
    proof::check_password(context, principal, &form.current_password, Field::CurrentPassword).await??;
    throttle::book_password_change(context, principal.user.id).await?;
    let password_hash = context.app.hasher.hash(new_password.secret()).await?;

    let (mut work, mut user) = context.begin_as(principal).await?;
    if user.password_hash != principal.user.password_hash {
        // A concurrent request has changed the password, so the password that was verified is no longer the current one.
        work.rollback().await?;
        return Err(InputError::new(ErrorCode::WrongPassword, Field::CurrentPassword).into());
    }
    let now = work.now;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = true;
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    let ended = if form.keep_other_sessions {
        0
    } else {
        sessions::end_all(&work, &mut user, Some(principal.session.id)).await?
    };
    link::delete_unused(work.db(), user.id, None).await?;
    mfa::invalidate_proofs(&work, user.id).await?;
    work.emit(Event::PasswordChanged { user: user.to_model().into() });
    work.commit().await?;
    Ok((user.into(), ended))
}

/// Parses the form. The current password is verified later, so that an invalid form does not count as an attempt.
fn parse(context: &Context, user: &user::Model, form: &PasswordChange) -> Result<Password> {
    let mut problems = Problems::default();
    if form.current_password.expose_secret().is_empty() {
        problems.push(InputError::new(ErrorCode::Required, Field::CurrentPassword));
    }
    let new_password = Password::parse(form.new_password.clone(), Field::NewPassword, &user.into(), context.settings());
    let new_password = problems.collect(new_password);
    new_password.filter(|_| problems.is_empty()).ok_or_else(|| problems.into())
}
