//! Password reset: a link is sent to the address of an account, and its token sets a new password.

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event, identities, identity::Password, mfa, notifications::links, passkeys, sessions, throttle,
        users::mail_request,
    },
    entity::{link, mail::Purpose, user},
    error::Field,
};

/// Requests a reset link for the account with this address. Neither the result nor its timing reveals whether the account
/// exists.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn request(context: &Context, address: &str) -> Result<()> {
    mail_request::to_address(context, Purpose::ResetPassword, address).await
}

/// Checks that a link is valid, without using it.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn check_link(context: &Context, token: &SecretString) -> Result<()> {
    links::find(context, link::Purpose::ResetPassword, token).await.map(drop)
}

/// Sets a new password with the token of a link, which also verifies the address. Cancels a pending change of the address.
/// Ends all sessions, and returns how many were live. If the address was not verified before, the passkeys and identities are deleted: they may be
/// those of another person, who registered with this address. If the password is rejected, the token stays valid.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; the problem of the password; SERVICE_UNAVAILABLE.
pub async fn reset(context: &Context, token: &SecretString, new_password: SecretString) -> Result<u64> {
    let (link, user) = links::find(context, link::Purpose::ResetPassword, token).await?;
    let password = Password::parse(new_password, Field::NewPassword, &(&user).into(), context.settings())?;
    let password_hash = context.app.hasher.hash(password.secret()).await?;
    let mut work = context.begin().await?;
    let now = work.now;
    // Lock order: users before links, as in every unit of work, so that two of them cannot deadlock.
    let user = user::lock(work.db(), user.id).await?;
    let user = user.filter(|user| user.is_active && user.email_key.as_ref() == Some(&link.email_key));
    let is_marked = link::mark_used(work.db(), link.id, now).await?;
    let Some(mut user) = user.filter(|_| is_marked) else {
        work.rollback().await?;
        // The error depends on the cause. The user may have submitted the form twice.
        return Err(links::find(context, link::Purpose::ResetPassword, token)
            .await
            .err()
            .unwrap_or(Error::LinkInvalid));
    };
    let verified_email = user.email_verified_at.is_none();
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = true;
        user.set_email_verified(now);
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    links::end_all(&work, user.id).await?;
    mfa::invalidate_proofs(&work, user.id).await?;
    if verified_email {
        passkeys::remove_unproven(&mut work, &user).await?;
        identities::remove_unproven(&mut work, &user).await?;
    }
    let ended = sessions::end_all(&work, &mut user, None).await?;
    throttle::clear_account(&work, &user).await?;
    // The client reads the user's mail, so failed sign-ins from other networks must not lock it out.
    throttle::remember_network(&work, &user).await?;
    work.emit(Event::PasswordReset { user: user.to_model().into(), verified_email });
    work.commit().await?;
    Ok(ended)
}
