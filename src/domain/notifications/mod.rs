//! Mails: enqueued in the transaction of the event that causes them, and delivered by [`crate::jobs::deliver_mail`].
//!
//! A row contains the purpose and the recipient of a mail. The account, the link and the text are added at delivery, so
//! a request costs the same for every address, and no link token is stored.

mod kind;
pub mod links;

use chrono::{DateTime, Utc};
pub(crate) use kind::{INVITATION_LIFETIME, INVITATION_PAGE, Kind, LinkKind, SIGN_IN_LIFETIME, SIGN_IN_PAGE};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::Transaction,
    domain::{Context, identity::Email},
    entity::{
        mail::{self, Purpose},
        user,
    },
    security::random,
};

/// Checks that mail is enabled on this server.
///
/// # Errors
/// MAIL_DISABLED.
pub(in crate::domain) fn require(app: &App) -> Result<()> {
    if app.settings.mail.is_enabled() { Ok(()) } else { Err(Error::MailDisabled) }
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum About {
    /// An account. The second id is that of the change of address that the mail verifies; `None` for a mail to the account's
    /// own address.
    Account(Uuid, Option<Uuid>),
    /// An account that the same transaction deletes. The mail is not deleted with it.
    DeletedAccount,
    /// An invitation.
    Invitation(Uuid),
    /// A sign-in by mail with this id. The account with the recipient's address is looked up at delivery.
    SignIn(Uuid),
    /// The account with the recipient's address, which is looked up at delivery.
    Recipient,
}

/// A mail to enqueue.
#[derive(Debug)]
pub(in crate::domain) struct NewMail {
    pub purpose: Purpose,
    pub to: Email,
    pub about: About,
    /// What [`MailRequest::book`](super::throttle::MailRequest::book) returned; 0 for a notice.
    pub round: i32,
}

impl NewMail {
    /// Creates a mail to the account's own address, if it has one.
    pub(in crate::domain) fn to_own_address(purpose: Purpose, user: &user::Model, round: i32) -> Option<Self> {
        let about = About::Account(user.id, None);
        Some(Self { purpose, to: own_address(user)?, about, round })
    }

    /// Creates the mail that verifies the account's own address.
    pub(in crate::domain) fn verification(user: &user::Model, round: i32) -> Option<Self> {
        Self::to_own_address(Purpose::VerifyEmail, user, round)
    }

    /// Creates the mail that verifies a new address. If it equals the account's address, it verifies that one.
    pub(in crate::domain) fn verification_of_change(user: &user::Model, to: Email, round: i32) -> Self {
        let about = About::Account(user.id, user.pending_email_id);
        Self { purpose: Purpose::VerifyEmail, to, about, round }
    }

    /// Creates a notice of a change. `None` for accounts without a verified address.
    pub(in crate::domain) fn notice(purpose: Purpose, user: &user::Model) -> Option<Self> {
        Self::to_own_address(purpose, user, 0).filter(|_| user.email_verified_at.is_some())
    }

    /// Creates the notice that an account is deleted. `None` for accounts without a verified address.
    pub(in crate::domain) fn deletion(user: &user::Model) -> Option<Self> {
        Self::notice(Purpose::AccountDeleted, user).map(|mail| Self { about: About::DeletedAccount, ..mail })
    }
}

/// Enqueues mails if mail is enabled. Returns whether any were enqueued.
pub(in crate::domain) async fn enqueue(
    context: &Context,
    transaction: &Transaction,
    mails: Vec<NewMail>,
    now: DateTime<Utc>,
) -> Result<bool> {
    if mails.is_empty() || !context.settings().mail.is_enabled() {
        return Ok(false);
    }
    let rows = mails.into_iter().map(|mail| row(context, mail, now)).collect::<Result<_>>()?;
    mail::insert_all(transaction, rows).await?;
    Ok(true)
}

/// The row of a mail.
fn row(context: &Context, mail: NewMail, now: DateTime<Utc>) -> Result<mail::Model> {
    let NewMail { purpose, to, about, round } = mail;
    // Of a deleted account, no addresses of clients are kept.
    let client = (about != About::DeletedAccount).then_some(&context.client);
    let (user_id, pending_email_id, invitation_id) = match about {
        About::Account(user_id, pending_email_id) => (Some(user_id), pending_email_id, None),
        About::Invitation(id) => (None, None, Some(id)),
        About::DeletedAccount | About::SignIn(_) | About::Recipient => (None, None, None),
    };
    let id = match about {
        About::SignIn(id) => id,
        _ => random::id(now)?,
    };
    Ok(mail::Model {
        id,
        purpose,
        email: deliverable(&to),
        email_key: to.key,
        language: context.client.language.tag().to_owned(),
        user_id,
        ip_address: client.and_then(|client| client.ip_address).map(|address| address.to_string()),
        user_agent: client.and_then(|client| client.user_agent.clone()),
        created_at: now,
        next_attempt_at: now,
        attempts: 0,
        round,
        pending_email_id,
        invitation_id,
    })
}

/// Enqueues a mail with a link to reset the password, if the user has no password; see
/// [`mail::insert_for_user_without_password`]. `user` is `None` if the user does not exist. Runs the same statement in any case. The
/// delivery is not woken, because that would distinguish these users.
pub(in crate::domain) async fn offer_password(
    context: &Context,
    transaction: &Transaction,
    user: Option<&user::Model>,
    now: DateTime<Utc>,
) -> Result<()> {
    if !context.settings().mail.is_enabled() {
        return Ok(());
    }
    let to = user.and_then(own_address).unwrap_or(Email { text: String::new(), key: String::new() });
    let about = About::Account(user.map(|user| user.id).unwrap_or_default(), None);
    let mail = row(context, NewMail { purpose: Purpose::ResetPassword, to, about, round: 1 }, now)?;
    mail::insert_for_user_without_password(transaction, mail, now).await?;
    Ok(())
}

/// The address of an account.
pub(crate) fn own_address(user: &user::Model) -> Option<Email> {
    Some(Email { text: user.email.clone()?, key: user.email_key.clone()? })
}

/// An address that every mail server accepts: as entered, with the domain in ASCII.
pub(crate) fn deliverable(email: &Email) -> String {
    match (email.text.rsplit_once('@'), email.key.rsplit_once('@')) {
        (Some((local, _)), Some((_, domain))) => format!("{local}@{domain}"),
        _ => email.key.clone(),
    }
}
