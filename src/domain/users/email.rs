//! E-mail addresses: verifying one, asking for the mail again, moving to another.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    App, Error, Result,
    config::SecretString,
    database::error::is_unique_violation,
    domain::{
        Client, Principal, Viewer, audit,
        identity::Email,
        notifications::{self, About, NewMail, links},
        principal,
        sign_in::proof,
        throttle::MailRequest,
    },
    entity::{
        audit_event::Kind,
        link,
        mail::Purpose,
        user::{self, Identifier, PendingEmail},
    },
    error::{ErrorCode, Field, InputError, Problems, UnauthenticatedReason},
    security::random,
};

/// How long a request to move to another address waits for its link to be used.
pub(in crate::domain) const PENDING_EMAIL_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// How often a link is looked at anew, because the link, its account or the holder of the address changed meanwhile.
const MAX_ATTEMPTS: u32 = 3;

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
pub(in crate::domain) async fn request(
    app: &App,
    purpose: Purpose,
    email: &str,
    viewer: Viewer,
    client: &Client,
) -> Result<()> {
    notifications::require(app)?;
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
    let mail = NewMail { purpose, to: &to, about: None, client, round };
    notifications::write(app, &transaction, mail, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(())
}

/// A verification link that is good.
#[derive(Debug)]
pub struct VerificationLink {
    /// The address that it verifies.
    pub address: String,
    /// Whether it has done so, and the account still has the address.
    pub is_used: bool,
}

/// Finds a verification link, and uses nothing up.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn find_link(app: &App, token: &SecretString) -> Result<VerificationLink> {
    let (link, user) = links::find(app, link::Purpose::VerifyEmail, token).await?;
    let is_used = link.used_at.is_some();
    Ok(VerificationLink { address: address_of(&link, user)?, is_used })
}

/// The address of an account that a link verifies, or has verified.
fn address_of(link: &link::Model, user: user::Model) -> Result<String> {
    let is_move = link.pending_email_id.is_some() && link.used_at.is_none();
    let address = if is_move { user.pending_email } else { user.email };
    address.ok_or_else(|| Error::internal("the address of a link is none"))
}

/// Verifies the address that a token was sent to, and moves the account there if it waits for that. Returns the address.
/// A second use of the link changes nothing and answers the same, as long as the account has this address. An account that
/// has the new address and never verified it loses it.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; EMAIL_TAKEN, when another account has verified it: then the token stays good, should the
/// address become free.
pub async fn verify(app: &App, token: &SecretString, client: &Client) -> Result<String> {
    let mut refused = Error::LinkInvalid;
    for _ in 0..MAX_ATTEMPTS {
        let (link, user) = links::find(app, link::Purpose::VerifyEmail, token).await?;
        let verified = if link.used_at.is_some() { Ok(true) } else { use_link(app, &link, &user, client).await? };
        match verified {
            Ok(true) => return address_of(&link, user),
            Ok(false) => {}
            Err(problem) => refused = problem.into(),
        }
    }
    Err(refused)
}

/// Uses a link. False if it, or its account, is no longer what it was when it was read; EMAIL_TAKEN is inside.
async fn use_link(
    app: &App,
    link: &link::Model,
    user: &user::Model,
    client: &Client,
) -> Result<Result<bool, InputError>> {
    let now = app.clock.now();
    let transaction = app.write().await?;
    // The account before its links, as everywhere, so that two who change both don't wait for each other.
    let changed = match link.pending_email_id {
        None => user::verify_email(&transaction, user.id, &link.email_key, now).await,
        Some(request) => {
            release_from_unverified(&transaction, user, &link.email_key, client, now).await?;
            user::move_email(&transaction, user, request, now).await
        }
    };
    match changed {
        Ok(true) => {}
        Ok(false) => {
            transaction.rollback().await?;
            return Ok(Ok(false));
        }
        Err(error) if is_unique_violation(&error) => {
            transaction.rollback().await?;
            return Ok(Err(InputError::new(ErrorCode::EmailTaken, Field::Token)));
        }
        Err(error) => return Err(error.into()),
    }
    if !link::take(&transaction, link.id, now).await? {
        transaction.rollback().await?;
        return Ok(Ok(false));
    }
    let is_own = link.pending_email_id.is_none();
    let (event, killed) = if is_own { (Kind::EmailVerified, Some(link.purpose)) } else { (Kind::EmailChanged, None) };
    link::kill(&transaction, user.id, killed).await?;
    // Not signed in: whoever shows the token reads the mailbox, and may do so anywhere.
    audit::record(&transaction, event, None, user.id, client, now).await?;
    if !is_own {
        notifications::tell(app, &transaction, Purpose::EmailChanged, user, client, now).await?;
    }
    transaction.commit().await?;
    app.outbox.ring();
    Ok(Ok(true))
}

/// Takes an address away from another account that has it and never verified it. Its sessions go on: they were opened by
/// its password, which is another matter.
async fn release_from_unverified(
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    email_key: &str,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    let holder = user::find(transaction, Identifier::Email(email_key)).await?;
    let Some(holder) = holder.filter(|holder| holder.id != user.id && holder.email_verified_at.is_none()) else {
        return Ok(());
    };
    // Both at once, so that two who take from each other don't wait for each other.
    user::lock(transaction, vec![user.id, holder.id]).await?;
    if user::release_email(transaction, holder.id, email_key, now).await? {
        link::kill(transaction, holder.id, None).await?;
        audit::record(transaction, Kind::EmailRemoved, None, holder.id, client, now).await?;
    }
    Ok(())
}

/// Asks to move the account of the signed-in user to another address. It moves when the link that is sent there is used
/// within 24 hours, and stays where it is if somebody else has verified the address by then: nobody learns here whether
/// someone does. A further request replaces the one before; the address that the account has already cancels it.
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
pub(in crate::domain) async fn check(app: &App, principal: &Principal, form: EmailChange) -> Result<Email> {
    notifications::require(app)?;
    let mut problems = Problems::default();
    let to = problems.collect(Email::parse_field(&form.new_email, Field::NewEmail));
    let proof = problems.collect(proof::check(app, principal, form.password.as_ref(), Field::Password).await?);
    match (to, proof) {
        (Some(to), Some(())) => Ok(to),
        _ => Err(problems.into()),
    }
}

/// The mail that a change of address asks for, refused early beyond the limits. None where there is nothing to verify.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn request_mail(
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
pub(in crate::domain) async fn apply(
    app: &App,
    transaction: &impl ConnectionTrait,
    principal: &Principal,
    (to, request): (&Email, Option<MailRequest>),
    client: &Client,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let user = &principal.user;
    let is_own = user.email_key.as_ref() == Some(&to.key);
    let changed = if is_own {
        user::cancel_pending_email(transaction, user.id, now).await?;
        user.clone().without_pending_email()
    } else {
        let expires_at = now + PENDING_EMAIL_LIFETIME;
        let pending = PendingEmail { id: random::id(now)?, text: to.text.clone(), key: to.key.clone(), expires_at };
        if !user::set_pending_email(transaction, user.id, &pending, now).await? {
            return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
        }
        user.clone().with_pending_email(pending)
    };
    if let Some(request) = request {
        let round = request.book(transaction, now).await?;
        let about = Some(About { user_id: user.id, pending_email_id: changed.pending_email_id });
        let mail = NewMail { purpose: Purpose::VerifyEmail, to, about, client, round };
        notifications::write(app, transaction, mail, now).await?;
    }
    audit::record(transaction, Kind::EmailChangeRequested, Some(user.id), user.id, client, now).await?;
    Ok(user::Model { updated_at: now, ..changed })
}

/// Cancels the request of the signed-in user to move to another address. It needs no mail and is not limited, so that an
/// owner can always do it. Without a request nothing changes, and it is no error.
///
/// # Errors
/// UNAUTHENTICATED: the session was ended meanwhile.
pub async fn cancel_change(app: &App, principal: &Principal, client: &Client) -> Result<user::Model> {
    let (user, now) = (&principal.user, app.clock.now());
    let transaction = app.write().await?;
    principal.lock(&transaction, now).await?;
    let mut updated_at = user.updated_at;
    if user::cancel_pending_email(&transaction, user.id, now).await? {
        audit::record(&transaction, Kind::EmailChangeCancelled, Some(user.id), user.id, client, now).await?;
        updated_at = now;
    }
    transaction.commit().await?;
    Ok(user::Model { updated_at, ..user.clone().without_pending_email() })
}
