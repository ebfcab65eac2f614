//! Mails: written down in the transaction of what they tell, and delivered by [`pass`].
//!
//! What is written down is what a mail is for and where it goes. Who has the address, the link and the text are found
//! and made when it is delivered, so that asking costs the same for every address, and no link is ever stored.

mod deliver;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

pub use deliver::{Delivered, pass, tick};

use super::{Client, input::Email};
use crate::{
    App, Error, Result,
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

/// Writes a mail down, about an account or, where nobody has looked yet who has the address, about none. After the commit
/// the caller rings [`App::outbox`]. Where no mail can go, nothing is written.
pub(super) async fn write(
    app: &App,
    transaction: &impl ConnectionTrait,
    purpose: Purpose,
    to: &Email,
    user_id: Option<Uuid>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    if !app.settings.mail.is_enabled() {
        return Ok(());
    }
    let mail = mail::ActiveModel {
        id: Set(random::id(now)?),
        purpose: Set(purpose),
        email: Set(deliverable(to)),
        email_key: Set(to.key.clone()),
        language: Set(client.language.tag().to_owned()),
        user_id: Set(user_id),
        ip_address: Set(client.ip_address.map(|address| address.to_string())),
        user_agent: Set(client.user_agent.clone()),
        created_at: Set(now),
        next_attempt_at: Set(now),
        attempts: Set(0),
    };
    mail::Entity::insert(mail).exec_without_returning(transaction).await?;
    Ok(())
}

/// Writes down, if the account has an address, that it hears of a change: at the address in `user`, which is the one from
/// before the change.
pub(super) async fn tell(
    app: &App,
    transaction: &impl ConnectionTrait,
    purpose: Purpose,
    user: &user::Model,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    match own_address(user) {
        Some(address) => write(app, transaction, purpose, &address, Some(user.id), client, now).await,
        None => Ok(()),
    }
}

/// The address of an account.
pub(super) fn own_address(user: &user::Model) -> Option<Email> {
    Some(Email { text: user.email.clone()?, key: user.email_key.clone()? })
}

/// An address as every server takes it: as it was typed, but for the domain, which is in ASCII.
fn deliverable(email: &Email) -> String {
    match (email.text.rsplit_once('@'), email.key.rsplit_once('@')) {
        (Some((local, _)), Some((_, domain))) => format!("{local}@{domain}"),
        _ => email.key.clone(),
    }
}
