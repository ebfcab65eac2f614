//! Mails: what they say, how they leave, and who is woken to deliver them.
//!
//! Owns the texts, the connection to the mail server, and the mails that are kept while developing. It knows no account
//! and no table: `accounts/mails` says what to send to whom.

mod kept;
mod message;
mod outbox;
mod smtp;
mod templates;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use kept::{Kept, KeptMail};
pub use outbox::Outbox;
pub use smtp::SEND_TIMEOUT;
pub use templates::Text;

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    language::Language,
};

/// A mail to one person.
#[derive(Debug)]
pub struct Letter {
    /// Its name, the same at every try.
    pub id: Uuid,
    /// The address, its domain in ASCII.
    pub to: String,
    /// What it is written in.
    pub language: Language,
    /// Whom it greets.
    pub username: String,
    /// What it says.
    pub news: News,
}

/// What a mail says. A link holds a token, so there is no way to print it.
#[derive(Debug)]
pub enum News {
    /// Use this link to verify the address.
    VerifyEmail {
        /// Where to.
        link: SecretString,
    },
    /// Use this link to choose a new password.
    ResetPassword {
        /// Where to.
        link: SecretString,
    },
    /// The password is another one.
    PasswordChanged,
    /// The address is another one.
    EmailChanged,
}

/// Why a mail did not leave. The cause is for the log, and names nobody.
#[derive(Debug)]
pub enum Failure {
    /// The mail server is out of reach or takes nothing from us: no other mail would fare better.
    Server(String),
    /// This mail was not taken, this time.
    Mail(String),
    /// This mail will never be taken.
    Refused(String),
}

impl Failure {
    /// For the log.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Server(cause) | Self::Mail(cause) | Self::Refused(cause) => cause,
        }
    }
}

/// What mails leave by.
#[derive(Debug)]
pub struct Mailer {
    smtp: Option<smtp::Client>,
    kept: Option<Kept>,
    templates: templates::Templates,
    from: lettre::message::Mailbox,
}

impl Mailer {
    /// Reads the templates, and prepares TLS; connects to nobody.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mail = &settings.mail;
        let client = mail.smtp.as_ref().map(|smtp| smtp::Client::new(smtp, &settings.public_url));
        Ok(Self {
            smtp: client.transpose().map_err(Error::internal)?,
            kept: mail.dev.then(Kept::default),
            templates: templates::Templates::new().map_err(Error::internal)?,
            from: mail.from.clone(),
        })
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
    pub async fn send(&self, letter: &Letter, now: DateTime<Utc>) -> Result<(), Failure> {
        let unreadable = |error: minijinja::Error| Failure::Mail(format!("a template: {error}"));
        let text = self.templates.render(letter).map_err(unreadable)?;
        let message = message::compose(&self.from, letter, &text, now)?;
        if let Some(smtp) = &self.smtp {
            smtp.send(&message).await?;
        }
        if let Some(kept) = &self.kept {
            kept.keep(letter, text, now);
        }
        Ok(())
    }
}
