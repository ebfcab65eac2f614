//! Mails: what they say, how they leave, and who is woken to deliver them.
//!
//! Owns the texts, the connection to the mail server, and the mails that are kept while developing. It knows no account
//! and no table: `domain/notifications` says what to send to whom.

mod kept;
mod message;
mod outbox;
mod refusals;
mod smtp;
mod templates;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use kept::{Kept, KeptMail};
pub use outbox::Outbox;
pub use smtp::SEND_TIMEOUT;
pub use templates::{TEMPLATES, Text};

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    language::Language,
};

/// A mail to one person.
#[derive(Debug)]
pub struct OutgoingMail {
    /// Its name, the same at every try.
    pub id: Uuid,
    /// The address, its domain in ASCII.
    pub to: String,
    /// What it is written in.
    pub language: Language,
    /// Whom it greets.
    pub username: String,
    /// The name of its template: one of [`TEMPLATES`].
    pub template: &'static str,
    /// The link in it, which holds a token.
    pub link: Option<SecretString>,
}

/// Why a mail was not sent.
#[derive(Debug)]
pub struct SendError {
    /// What the failure is about.
    pub concern: Concern,
    /// Whether the server refused for good, so that the operator must change something: relaying, quota, authentication,
    /// sender, policy.
    pub is_refusal: bool,
    /// For the log. It names nobody.
    pub cause: String,
}

/// What a failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The mail server is out of reach, or refuses all mails. No other mail would fare better.
    Server,
    /// This mail. It may be accepted later.
    Mail,
    /// The mailbox does not exist, or never accepts mail. The mail is given up.
    Mailbox,
}

/// What mails leave by.
#[derive(Debug)]
pub struct Mailer {
    smtp: Option<smtp::Client>,
    kept: Option<Kept>,
    templates: templates::Templates,
    from: lettre::message::Mailbox,
    refusals: refusals::Refusals,
}

impl Mailer {
    /// Reads the templates, and prepares TLS; connects to nobody.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mail = &settings.mail;
        let client = mail.smtp.as_ref().map(|smtp| smtp::Client::new(smtp, &settings.server.public_url));
        Ok(Self {
            smtp: client.transpose().map_err(Error::internal)?,
            kept: mail.dev.then(Kept::new).transpose()?,
            templates: templates::Templates::new().map_err(Error::internal)?,
            from: mail.from.clone(),
            refusals: refusals::Refusals::default(),
        })
    }

    /// Whether a failure is a refusal that this process has not logged yet. Logging it is up to the caller.
    #[must_use]
    pub fn is_new_refusal(&self, mail: Uuid, failure: &SendError) -> bool {
        self.refusals.is_new(mail, failure)
    }

    /// The mails kept while developing; none where they are not.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Sends a mail, and keeps it where mails are kept.
    ///
    /// # Errors
    /// It did not leave.
    pub async fn send(&self, letter: &OutgoingMail, now: DateTime<Utc>) -> Result<(), SendError> {
        let unreadable = |error: minijinja::Error| SendError {
            concern: Concern::Mail,
            is_refusal: false,
            cause: format!("a template: {error}"),
        };
        let text = self.templates.render(letter).map_err(unreadable)?;
        let message = message::compose(&self.from, letter, &text, now)?;
        if let Some(smtp) = &self.smtp {
            smtp.send(&message).await?;
            self.refusals.accepted();
        }
        if let Some(kept) = &self.kept {
            kept.keep(letter, text, now);
        }
        Ok(())
    }
}
