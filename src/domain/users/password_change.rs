//! Another password, chosen by whoever is signed in and knows the one so far.

use crate::{
    App, Result,
    config::{ExposeSecret, SecretString},
    domain::{Client, Principal, audit, identity::Password, notifications, sessions, sign_in::proof, throttle},
    entity::{audit_event::Kind, link, mail::Purpose, user},
    error::{ErrorCode, Field, InputError, Problems},
};

/// The input field of the password so far.
const CURRENT: Field = Field::CurrentPassword;

/// What someone fills in to have another password.
#[derive(Debug)]
pub struct PasswordChange {
    /// The one so far.
    pub current_password: SecretString,
    /// The one to be.
    pub new_password: SecretString,
    /// Whether the other sessions go on.
    pub keep_other_sessions: bool,
}

/// Changes the password of the signed-in user, clears a pending change of address, ends the other sessions unless they are
/// to be kept, and tells the owner by mail. Returns the user, and how many sessions were ended.
///
/// # Errors
/// REQUIRED and what is wrong with the new password, at once; when there is nothing, RATE_LIMITED, WRONG_PASSWORD.
/// UNAUTHENTICATED: the session was ended meanwhile.
pub async fn change(
    app: &App,
    principal: &Principal,
    form: PasswordChange,
    client: &Client,
) -> Result<(user::Model, u64)> {
    let user = &principal.user;
    let new_password = parse(app, user, &form)?;
    proof::check_password(app, principal, &form.current_password, CURRENT).await??;
    throttle::book_password_change(app, user.id).await?;
    let password_hash = app.hasher.hash(new_password.secret()).await?;

    let now = app.clock.now();
    let transaction = app.write().await?;
    principal.lock(&transaction, now).await?;
    if !user::change_password(&transaction, user, password_hash.clone(), now).await? {
        // It was changed a moment ago: what was given is not it any more.
        return Err(InputError::new(ErrorCode::WrongPassword, CURRENT).into());
    }
    let ended = if form.keep_other_sessions {
        0
    } else {
        sessions::end_all(&transaction, user.id, Some(principal.session.id), now).await?
    };
    link::kill(&transaction, user.id, None).await?;
    audit::record(&transaction, Kind::PasswordChanged, Some(user.id), user.id, client, now).await?;
    notifications::tell(app, &transaction, Purpose::PasswordChanged, user, client, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok((user::Model { password_hash, updated_at: now, ..user.clone().without_pending_email() }, ended))
}

/// The new password. Whether the one so far is right is not looked at before the rest of the form is.
fn parse(app: &App, user: &user::Model, form: &PasswordChange) -> Result<Password> {
    let mut problems = Problems::default();
    if form.current_password.expose_secret().is_empty() {
        problems.push(InputError::new(ErrorCode::Required, CURRENT));
    }
    let new_password = Password::parse(form.new_password.clone(), Field::NewPassword, &user.into(), &app.settings);
    let new_password = problems.collect(new_password);
    new_password.filter(|_| problems.is_empty()).ok_or_else(|| problems.into())
}
