//! Mails: written down in the transaction of what they tell, and delivered by [`crate::jobs::deliver_mail`].
//!
//! What is written down is what a mail is for and where it goes. Who has the address, the link and the text are found
//! and made when it is delivered, so that asking costs the same for every address, and no link is ever stored.

pub mod links;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    domain::{Client, identity::Email},
    entity::{
        mail::{self, Purpose},
        user,
    },
    security::random,
};

/// Refuses what needs a mail where none can go.
///
/// # Errors
/// MAIL_DISABLED.
pub(super) fn require(app: &App) -> Result<()> {
    if app.settings.mail.is_enabled() { Ok(()) } else { Err(Error::MailDisabled) }
}

/// The account that a mail is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub user_id: Uuid,
    /// The request to move that it is for; none where it goes to the account's own address.
    pub pending_email_id: Option<Uuid>,
}

impl About {
    /// A mail to the account's own address.
    pub(super) fn own(user: &user::Model) -> Self {
        Self { user_id: user.id, pending_email_id: None }
    }
}

/// A mail to be written into the outbox.
pub(super) struct NewMail<'a> {
    pub purpose: Purpose,
    pub to: &'a Email,
    /// The account that it is about; none where nobody has looked up yet who has the address.
    pub about: Option<About>,
    pub client: &'a Client,
    /// What [`MailRequest::book`](super::throttle::MailRequest::book) returned; 0 for a mail that nobody asked for.
    pub round: i32,
}

/// Writes a mail into the outbox. After the commit the caller rings [`App::outbox`]. Where no mail can go, nothing is
/// written.
pub(super) async fn write(
    app: &App,
    transaction: &impl ConnectionTrait,
    mail: NewMail<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    if !app.settings.mail.is_enabled() {
        return Ok(());
    }
    let NewMail { purpose, to, about, client, round } = mail;
    let mail = mail::ActiveModel {
        id: Set(random::id(now)?),
        purpose: Set(purpose),
        email: Set(deliverable(to)),
        email_key: Set(to.key.clone()),
        language: Set(client.language.tag().to_owned()),
        user_id: Set(about.map(|about| about.user_id)),
        ip_address: Set(client.ip_address.map(|address| address.to_string())),
        user_agent: Set(client.user_agent.clone()),
        created_at: Set(now),
        next_attempt_at: Set(now),
        attempts: Set(0),
        round: Set(round),
        pending_email_id: Set(about.and_then(|about| about.pending_email_id)),
    };
    mail::Entity::insert(mail).exec_without_returning(transaction).await?;
    Ok(())
}

/// Writes a notice of a change, if the account has a verified address. `user` is the account as it was before the
/// change, so that a notice of another address goes to the old one.
pub(super) async fn tell(
    app: &App,
    transaction: &impl ConnectionTrait,
    purpose: Purpose,
    user: &user::Model,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    match own_address(user).filter(|_| user.email_verified_at.is_some()) {
        Some(to) => {
            let mail = NewMail { purpose, to: &to, about: Some(About::own(user)), client, round: 0 };
            write(app, transaction, mail, now).await
        }
        None => Ok(()),
    }
}

/// Writes the mail that verifies the address of an account that has just been given it, if it has one.
pub(super) async fn verify(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    client: &Client,
    round: i32,
) -> Result<()> {
    match own_address(user) {
        Some(to) => {
            let mail = NewMail { purpose: Purpose::VerifyEmail, to: &to, about: Some(About::own(user)), client, round };
            write(app, transaction, mail, user.updated_at).await
        }
        None => Ok(()),
    }
}

/// The address of an account.
pub(crate) fn own_address(user: &user::Model) -> Option<Email> {
    Some(Email { text: user.email.clone()?, key: user.email_key.clone()? })
}

/// An address as every server takes it: as it was typed, but for the domain, which is in ASCII.
pub(crate) fn deliverable(email: &Email) -> String {
    match (email.text.rsplit_once('@'), email.key.rsplit_once('@')) {
        (Some((local, _)), Some((_, domain))) => format!("{local}@{domain}"),
        _ => email.key.clone(),
    }
}
