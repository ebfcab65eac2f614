//! The password of a signed-in user: changing it, which needs the current one, and setting the first one.

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Context, Event, Principal, UnitOfWork, identity::Password, mfa, notifications::links, sessions, sign_in::proof,
        throttle,
    },
    entity::user,
    error::{ErrorCode, Field, InputError, Problems},
    security::password::PasswordHash,
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
    store(&mut work, &mut user, password_hash).await?;
    let ended = if form.keep_other_sessions {
        0
    } else {
        sessions::end_all(&work, &mut user, Some(principal.session.id)).await?
    };
    work.commit().await?;
    Ok((user.into(), ended))
}

/// Sets the first password of the signed-in user, cancels a pending change of the address, and notifies the user by mail. The other
/// sessions continue, because no other credential has changed.
///
/// # Errors
/// The problems of the password; PASSWORD_ALREADY_SET; REAUTHENTICATION_REQUIRED, RATE_LIMITED. UNAUTHENTICATED if the session has
/// ended in the meantime.
pub async fn set_first(context: &Context, principal: &Principal, new_password: SecretString) -> Result<user::Model> {
    let owner = (&principal.user).into();
    let new_password = Password::parse(new_password, Field::NewPassword, &owner, context.settings())?;
    if principal.user.has_password {
        return Err(Error::PasswordAlreadySet);
    }
    proof::check_fresh(context, principal).await?;
    throttle::book_password_change(context, principal.user.id).await?;
    let password_hash = context.app.hasher.hash(new_password.secret()).await?;
    let (mut work, mut user) = context.begin_as(principal).await?;
    if user.has_password {
        work.rollback().await?;
        return Err(Error::PasswordAlreadySet);
    }
    store(&mut work, &mut user, password_hash).await?;
    work.commit().await?;
    Ok(user.into())
}

/// Stores a new password. Ends links in mails, a pending change of the address, sign-ins that wait for a second factor, and remembered
/// devices.
async fn store(work: &mut UnitOfWork<'_>, user: &mut user::Locked, password_hash: PasswordHash) -> Result<()> {
    let now = work.now;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = true;
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    links::end_all(work, user.id).await?;
    mfa::invalidate_proofs(work, user.id).await?;
    work.emit(Event::PasswordChanged { user: user.to_model().into() });
    Ok(())
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
