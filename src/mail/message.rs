//! Message composition (RFC 5322): headers, and the text in two formats.

use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use crate::mail::{FailureScope, OutgoingMail, SendError, Text};

/// Marks the message as automatic, so that no auto-responder replies (RFC 3834 §5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Composes a message. All header values are already validated: two addresses, a fixed subject, a generated message id.
pub(super) fn compose(
    from: &Mailbox,
    mail: &OutgoingMail,
    text: &Text,
    now: DateTime<Utc>,
) -> Result<Message, SendError> {
    let permanent_failure =
        |cause: &str| SendError { scope: FailureScope::Mailbox, is_refusal: false, cause: cause.to_owned() };
    let to: Address = mail.to.parse().map_err(|_| permanent_failure("the recipient's address is invalid"))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(text.subject.clone())
        .date(now.into())
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text.plain.clone(), text.html.clone()))
        .map_err(|_| permanent_failure("the message could not be composed"))
}
