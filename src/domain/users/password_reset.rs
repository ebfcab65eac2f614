//! A forgotten password: a link for whoever reads the address, and a new password for whoever has the link.

use crate::{
    Error, Result,
    config::SecretString,
    domain::{Context, Event, identity::Password, notifications::links, sessions, throttle, users::email},
    entity::{link, mail::Purpose, user},
    error::Field,
};

/// Sends a reset link to whoever has the address. The response says nothing about who that is, and takes as long if nobody
/// has it.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn request(context: &Context, address: &str) -> Result<()> {
    email::request(context, Purpose::ResetPassword, address).await
}

/// Checks that a link is still good, without using it.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn check_link(context: &Context, token: &SecretString) -> Result<()> {
    links::find(context, link::Purpose::ResetPassword, token).await.map(drop)
}

/// Sets a new password by the token of a link, which also verifies the address. Ends all sessions, and returns how many were
/// live. Cancels a pending change of the address. If the password is refused, the token stays good.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; what is wrong with the password; SERVICE_UNAVAILABLE.
pub async fn reset(context: &Context, token: &SecretString, new_password: SecretString) -> Result<u64> {
    let (link, user) = links::find(context, link::Purpose::ResetPassword, token).await?;
    let password = Password::parse(new_password, Field::NewPassword, &(&user).into(), context.settings())?;
    let password_hash = context.app.hasher.hash(password.secret()).await?;
    let mut work = context.begin().await?;
    let now = work.now;
    // The user before the link, as everywhere, so that two units of work that change both do not wait for each other.
    let user = user::lock(work.db(), user.id).await?;
    let user = user.filter(|user| user.is_active && user.email_key.as_ref() == Some(&link.email_key));
    let is_taken = link::mark_used(work.db(), link.id, now).await?;
    let Some(mut user) = user.filter(|_| is_taken) else {
        work.rollback().await?;
        // Perhaps by the same person, who has pressed the button twice.
        return Err(links::find(context, link::Purpose::ResetPassword, token)
            .await
            .err()
            .unwrap_or(Error::LinkInvalid));
    };
    let verified_email = user.email_verified_at.is_none();
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.set_email_verified(now);
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    link::delete_unused(work.db(), user.id, None).await?;
    let ended = sessions::end_all(&work, &mut user, None).await?;
    throttle::clear_account(&work, &user).await?;
    // Whoever opened the link here reads the user's mail: failed sign-ins from elsewhere must not lock them out.
    throttle::remember_place(&work, &user).await?;
    work.emit(Event::PasswordReset { user: user.to_model().into(), verified_email });
    work.commit().await?;
    Ok(ended)
}
