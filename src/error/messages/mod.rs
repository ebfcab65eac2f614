//! What is said of an [`Error`], in each [`Language`]: one file for each.
//!
//! Each file has words for every [`ErrorCode`], in a match without a wildcard, so that a new code does not compile
//! before it can be told in all languages. The Russian words for what the FastAPI tutorials answer, too, are theirs to the
//! letter, because their clients may compare them. No words hold a value that a client sent.
//!
//! They are for people, who read them in forms: they have no backticks, no names of fields, settings or headers of the API, and tell times
//! in words. What is wrong and how long to wait is in the fields of the answer for programs.
//!
//! Three errors bring a text of their own: what is wrong with a GraphQL document, with its variables, and with a request that
//! is none. Those are for the developer of a client, who reads them beside the English schema; they stay English, like the
//! hints, the log and the command line. Nobody at a form can cause them.

mod english;
mod russian;
mod wait;

use std::borrow::Cow;

use crate::{
    error::{Error, ErrorCode, InputError, UnauthenticatedReason},
    language::Language,
};

impl Error {
    /// The public message: what was wrong and what to do.
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
            _ => match self.problems() {
                [problem] => problem.message(language),
                _ => self.code().message(language, self.retry_after().unwrap_or_default()),
            },
        }
    }
}

impl InputError {
    /// What to do about the field.
    #[must_use]
    pub fn message(&self, language: Language) -> Cow<'static, str> {
        let limit = self.limit.and_then(|limit| u32::try_from(limit).ok());
        self.code.message(language, limit.unwrap_or_default())
    }
}

impl UnauthenticatedReason {
    /// What is wrong with the access token.
    #[must_use]
    pub fn message(self, language: Language) -> &'static str {
        match language {
            Language::English => english::reason(self),
            Language::Russian => russian::reason(self),
        }
    }
}

impl ErrorCode {
    /// The words for a code; `number` is the bound that was broken, or the seconds to wait, where the code has either.
    pub(crate) fn message(self, language: Language, number: u32) -> Cow<'static, str> {
        match language {
            Language::English => english::words(self, number),
            Language::Russian => russian::words(self, number),
        }
    }
}
