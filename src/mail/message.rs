//! A mail as it travels (RFC 5322): headers, and its text in two forms.

use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use crate::mail::{Concern, OutgoingMail, SendError, Text};

/// Says that no person wrote it, so that no machine answers (RFC 3834 §5).
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

/// Puts a mail together. What is in its headers has been parsed before: two addresses, a subject of ours, a name of ours.
pub(super) fn compose(
    from: &Mailbox,
    letter: &OutgoingMail,
    text: &Text,
    now: DateTime<Utc>,
) -> Result<Message, SendError> {
    let never = |cause: &str| SendError { concern: Concern::Mailbox, is_refusal: false, cause: cause.to_owned() };
    let to: Address = letter.to.parse().map_err(|_| never("the address is none"))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(text.subject.clone())
        .date(now.into())
        .message_id(Some(format!("<{}@{}>", letter.id, from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text.plain.clone(), text.html.clone()))
        .map_err(|_| never("it can't be put together"))
}
