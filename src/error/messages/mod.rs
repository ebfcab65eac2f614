//! The public message of an [`Error`], in each [`Language`].
//!
//! The messages of the codes are in the table in `codes.rs`; the files here render numbers and durations. Three errors
//! carry their own text: an invalid GraphQL document, invalid variables, and a request that is not a GraphQL request.
//! These texts are for client developers, who read them next to the English schema. They are always in English, like
//! hints, the log and the command line.

mod english;
mod russian;
mod wait;

use std::borrow::Cow;

use crate::{
    error::{Error, InputError},
    language::Language,
};

impl Error {
    /// The public message: what is wrong and what to do.
    #[must_use]
    pub fn message(&self, language: Language) -> Cow<'_, str> {
        match self {
            Self::BadUserInput(text) | Self::ValidationFailed(text) => text.into(),
            Self::BadRequest(text) => (*text).into(),
            Self::Unauthenticated(reason) => reason.message(language).into(),
            Self::LinkUsed => match language {
                Language::English => english::LINK_USED.into(),
                Language::Russian => russian::LINK_USED.into(),
            },
            Self::ReauthenticationRequired { needs_second_factor: true } => match language {
                Language::English => english::SECOND_FACTOR_TOO_OLD.into(),
                Language::Russian => russian::SECOND_FACTOR_TOO_OLD.into(),
            },
            _ => match self.problems() {
                [problem] => problem.message(language),
                _ => self.code().message(language, self.retry_after().unwrap_or_default()),
            },
        }
    }
}

impl InputError {
    /// What is wrong with the field and what to do.
    #[must_use]
    pub fn message(&self, language: Language) -> Cow<'static, str> {
        let limit = self.limit.and_then(|limit| u32::try_from(limit).ok());
        self.code.message(language, limit.unwrap_or_default())
    }
}

/// Replaces `{limit}` in a text with a number of characters, or `{wait}` with a duration.
pub(super) fn render(text: &'static str, language: Language, number: u32) -> Cow<'static, str> {
    if !text.contains('{') {
        return text.into();
    }
    let (limit, wait) = match language {
        Language::English => (english::characters(number), english::duration(number)),
        Language::Russian => (russian::characters(number), russian::duration(number)),
    };
    text.replace("{limit}", &limit).replace("{wait}", &wait).into()
}
