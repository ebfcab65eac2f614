//! Mail: templates, SMTP delivery, and waking the delivery worker.
//!
//! Owns the texts, the connection to the mail server, and the development mailbox. It does not depend on accounts or
//! tables: `domain/notifications` decides what to send to whom.

mod check;
mod dev_mailbox;
mod message;
mod outbox;
mod refusals;
mod relay;
mod smtp;
mod templates;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use check::{check_servers, send_test};
pub use dev_mailbox::{DevMailbox, SentMail};
pub use outbox::Outbox;
pub use relay::SEND_TIMEOUT;
pub use templates::{Preview, TEMPLATES, Text, check as check_templates, previews};

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    language::Language,
};

/// A mail to one recipient.
#[derive(Debug)]
pub struct OutgoingMail {
    /// The mail's id, the same for every attempt.
    pub id: Uuid,
    /// The recipient's address, with its domain in ASCII.
    pub to: String,
    /// The language of the text.
    pub language: Language,
    /// The username in the greeting. `None` for a mail that concerns no account.
    pub username: Option<String>,
    /// The name of its template: one of [`TEMPLATES`].
    pub template: &'static str,
    /// The link in it, which holds a token.
    pub link: Option<SecretString>,
    /// The code in it, which the user types.
    pub code: Option<SecretString>,
}

/// The reason why a mail was not sent.
#[derive(Debug)]
pub struct SendError {
    /// The scope of the failure.
    pub scope: FailureScope,
    /// Whether the server refused permanently, so that the operator must act: relaying, quota, authentication, sender,
    /// policy.
    pub is_refusal: bool,
    /// The cause for the log. It contains no personal data.
    pub cause: String,
}

/// The scope of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureScope {
    /// The mail server is unreachable or refuses all mails. Sending other mails would fail too.
    Server,
    /// Only this mail failed. A later attempt may succeed.
    Mail,
    /// The mailbox does not exist or never accepts mail. The mail is discarded.
    Mailbox,
}

/// Sends mails.
#[derive(Debug)]
pub struct Mailer {
    relay: Option<relay::Relay>,
    dev_mailbox: Option<DevMailbox>,
    templates: templates::Templates,
    from: lettre::message::Mailbox,
    refusals: refusals::Refusals,
}

impl Mailer {
    /// Loads the templates and the TLS configuration. Does not connect to the mail server.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mail = &settings.mail;
        Ok(Self {
            relay: relay::Relay::new(settings).map_err(Error::internal)?,
            dev_mailbox: mail.dev.then(DevMailbox::new).transpose()?,
            templates: templates::Templates::new(&settings.brand, settings.mail.templates.as_deref())
                .map_err(Error::internal)?,
            from: mail.from.clone(),
            refusals: refusals::Refusals::default(),
        })
    }

    /// Whether an error is a refusal that this process has not logged yet. The caller must log it, because it counts as
    /// logged afterwards.
    #[must_use]
    pub fn is_new_refusal(&self, mail: Uuid, error: &SendError) -> bool {
        self.refusals.is_new(mail, error)
    }

    /// The development mailbox. `None` unless `DEV_MAIL` is set.
    #[must_use]
    pub fn dev_mailbox(&self) -> Option<&DevMailbox> {
        self.dev_mailbox.as_ref()
    }

    /// Sends a mail, and keeps a copy during development.
    ///
    /// # Errors
    /// [`SendError`] if the mail was not sent.
    pub async fn send(&self, mail: &OutgoingMail, now: DateTime<Utc>) -> Result<(), SendError> {
        let template_error = |error: minijinja::Error| SendError {
            scope: FailureScope::Mail,
            is_refusal: false,
            cause: format!("failed to render the template: {error}"),
        };
        let text = self.templates.render(mail).map_err(template_error)?;
        let message = message::compose(&self.from, mail, &text, now)?;
        if let Some(relay) = &self.relay {
            relay.send(mail, &message, now).await?;
            self.refusals.record_success();
        }
        if let Some(mailbox) = &self.dev_mailbox {
            mailbox.add(mail, text, now);
        }
        Ok(())
    }
}
