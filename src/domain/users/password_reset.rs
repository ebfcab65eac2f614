//! A forgotten password: a link to whoever reads the address, and a new password for whoever has the link.

use crate::{
    App, Error, Result,
    config::SecretString,
    domain::{
        Client, Viewer, audit,
        identity::Password,
        notifications::{self, links},
        sessions, throttle,
        users::email,
    },
    entity::{audit_event::Kind, link, mail::Purpose, user},
    error::Field,
};

/// Has a link sent to whoever has the address. It says nothing about who that is, and takes as long for nobody.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn request(app: &App, address: &str, viewer: Viewer, client: &Client) -> Result<()> {
    email::request(app, Purpose::ResetPassword, address, viewer, client).await
}

/// Checks that a link is still good, and uses nothing up.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn check_link(app: &App, token: &SecretString) -> Result<()> {
    links::find(app, link::Purpose::ResetPassword, token).await.map(drop)
}

/// Sets a new password by the token of a link, which also shows that its address is read by the owner. Ends all sessions;
/// returns how many were live. A pending change of address is cleared. A password that is not taken leaves the token as it is.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; what is wrong with the password; SERVICE_UNAVAILABLE.
pub async fn reset(app: &App, token: &SecretString, new_password: SecretString, client: &Client) -> Result<u64> {
    let (link, user) = links::find(app, link::Purpose::ResetPassword, token).await?;
    let password = Password::parse(new_password, Field::NewPassword, &(&user).into(), &app.settings)?;
    let password_hash = app.hasher.hash(password.secret()).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    // The account before its links, as everywhere, so that two who change both don't wait for each other.
    if !user::reset_password(&transaction, &user, &link.email_key, password_hash, now).await?
        || !link::take(&transaction, link.id, now).await?
    {
        transaction.rollback().await?;
        // Perhaps by the same person, who has pressed the button twice.
        return Err(links::find(app, link::Purpose::ResetPassword, token).await.err().unwrap_or(Error::LinkInvalid));
    }
    link::kill(&transaction, user.id, None).await?;
    let ended = sessions::end_all(&transaction, user.id, None, now).await?;
    throttle::clear_account(app, &transaction, &user).await?;
    // Whoever opened the link here reads the owner's mail: guesses from elsewhere must not keep them from signing in.
    throttle::settle(app, &transaction, &user, client).await?;
    audit::record(&transaction, Kind::PasswordReset, None, user.id, client, now).await?;
    if user.email_verified_at.is_none() {
        audit::record(&transaction, Kind::EmailVerified, None, user.id, client, now).await?;
    }
    // The link has verified the address.
    let user = user::Model { email_verified_at: user.email_verified_at.or(Some(now)), ..user };
    notifications::tell(app, &transaction, Purpose::PasswordChanged, &user, client, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(ended)
}
