//! E-mail addresses: verifying one, asking for the mail again, moving to another.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::{
    Client, Principal, Viewer, audit,
    input::Email,
    links,
    mails::{self, NewMail},
    principal, proof,
    throttle::MailRequest,
};
use crate::{
    App, Error, Result,
    config::SecretString,
    database::error::is_unique_violation,
    entity::{audit_event::Kind, link, mail::Purpose, user},
    error::{ErrorCode, InputError, Problems, UnauthenticatedReason},
};

/// Where someone wants to move to.
#[derive(Debug)]
pub struct EmailChange {
    /// The new address.
    pub new_email: String,
    /// Needed unless the session signed in a moment ago.
    pub password: Option<SecretString>,
}

/// Requests another verification mail: for the account that holds the address and has not verified it, else for the one
/// that last asked to move to it. Says nothing about whether there is one.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn send_verification(app: &App, email: &str, viewer: Viewer, client: &Client) -> Result<()> {
    request(app, Purpose::VerifyEmail, email, viewer, client).await
}

/// Writes a request for a mail into the outbox: the same for every address. It is counted for the client and for the
/// account that it is signed in to, and never refused for the address that it names.
pub(super) async fn request(app: &App, purpose: Purpose, email: &str, viewer: Viewer, client: &Client) -> Result<()> {
    mails::require(app)?;
    let to = Email::parse(email)?;
    let account_id = match viewer {
        // A session that has ended uses up nothing of its account, and is no reason to refuse.
        Viewer::Authenticated(_) => principal(app, viewer, client).await.ok().map(|principal| principal.user.id),
        _ => None,
    };
    let request = MailRequest::checked(app, client, account_id).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    let round = request.book(&transaction, now).await?;
    let mail = NewMail { purpose, to: &to, user_id: None, client, round };
    mails::write(app, &transaction, mail, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(())
}

/// Verifies the address that a token was sent to, and moves the account there if it waits for that. Returns the address.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; EMAIL_TAKEN, when another account was first: then the token stays good, should the
/// address become free.
pub async fn verify(app: &App, token: &SecretString, client: &Client) -> Result<String> {
    let (link, user) = links::find(app, link::Purpose::VerifyEmail, token).await?;
    let is_own = user.email_key.as_deref() == Some(&link.email_key);
    let now = app.clock.now();
    let transaction = app.write().await?;
    // The account before its links, as everywhere, so that two who change both don't wait for each other.
    let changed = if is_own {
        user::verify_email(&transaction, user.id, &link.email_key, now).await
    } else {
        user::move_email(&transaction, &user, now).await
    };
    match changed {
        Ok(true) => {}
        Ok(false) => return Err(Error::LinkInvalid),
        Err(error) if is_unique_violation(&error) => {
            return Err(InputError::new(ErrorCode::EmailTaken, "token").into());
        }
        Err(error) => return Err(error.into()),
    }
    if !link::take(&transaction, link.id).await? {
        return Err(Error::LinkInvalid);
    }
    let (event, killed) = if is_own { (Kind::EmailVerified, Some(link.purpose)) } else { (Kind::EmailChanged, None) };
    link::kill(&transaction, user.id, killed).await?;
    // Not signed in: whoever shows the token reads the mailbox, and may do so anywhere.
    audit::record(&transaction, event, None, user.id, client, now).await?;
    if !is_own {
        mails::tell(app, &transaction, Purpose::EmailChanged, &user, client, now).await?;
    }
    transaction.commit().await?;
    app.outbox.ring();
    let address = if is_own { user.email } else { user.pending_email };
    address.ok_or_else(|| Error::internal("a verified address is none"))
}

/// Asks to move the account of the signed-in user to another address. It moves when the link that is sent there is used,
/// and stays where it is if somebody else has the address by then: nobody learns here whether someone does. The address
/// that the account has already takes an earlier wish back.
///
/// # Errors
/// MAIL_DISABLED; all problems of the form at once: INVALID_EMAIL, TOO_LONG, REQUIRED, WRONG_PASSWORD; RATE_LIMITED.
pub async fn change(app: &App, principal: &Principal, form: EmailChange, client: &Client) -> Result<user::Model> {
    let to = check(app, principal, form).await?;
    let request = request_mail(app, &principal.user, &to, client).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    principal.lock(&transaction, now).await?;
    let user = apply(app, &transaction, principal, (&to, request), client, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

/// Checks the form of [`change`], the password included. Nothing is written, and no mail is booked.
pub(super) async fn check(app: &App, principal: &Principal, form: EmailChange) -> Result<Email> {
    mails::require(app)?;
    let mut problems = Problems::default();
    let to = problems.collect(Email::parse_field(&form.new_email, "newEmail"));
    let proof = problems.collect(proof::check(app, principal, form.password.as_ref(), "password").await?);
    match (to, proof) {
        (Some(to), Some(())) => Ok(to),
        _ => Err(problems.into()),
    }
}

/// The mail that a change of address asks for, refused early beyond the limits. None where there is nothing to verify.
///
/// # Errors
/// RATE_LIMITED.
pub(super) async fn request_mail(
    app: &App,
    user: &user::Model,
    to: &Email,
    client: &Client,
) -> Result<Option<MailRequest>> {
    if user.email_key.as_ref() == Some(&to.key) && user.email_verified_at.is_some() {
        return Ok(None);
    }
    MailRequest::checked(app, client, Some(user.id)).await.map(Some)
}

/// Writes down the address to move to, and the mails, in a transaction that has locked the principal. After the commit the
/// caller rings [`App::outbox`].
///
/// # Errors
/// RATE_LIMITED; then the transaction must be rolled back.
pub(super) async fn apply(
    app: &App,
    transaction: &impl ConnectionTrait,
    principal: &Principal,
    (to, request): (&Email, Option<MailRequest>),
    client: &Client,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let user = &principal.user;
    let is_own = user.email_key.as_ref() == Some(&to.key);
    let pending = if is_own { None } else { Some((to.text.as_str(), to.key.as_str())) };
    if !user::set_pending_email(transaction, user.id, pending, now).await? {
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if let Some(request) = request {
        let round = request.book(transaction, now).await?;
        let mail = NewMail { purpose: Purpose::VerifyEmail, to, user_id: Some(user.id), client, round };
        mails::write(app, transaction, mail, now).await?;
    }
    audit::record(transaction, Kind::EmailChangeRequested, Some(user.id), user.id, client, now).await?;
    let (pending_email, pending_email_key) = pending.map(|(text, key)| (text.to_owned(), key.to_owned())).unzip();
    Ok(user::Model { pending_email, pending_email_key, updated_at: now, ..user.clone() })
}
