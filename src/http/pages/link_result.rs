//! The result of using a link in a mail, and its pages.

use axum::{http::StatusCode, response::Response};
use minijinja::{Value, context};

use crate::{
    Error,
    config::Settings,
    error::ErrorCode,
    http::{
        pages::{
            page,
            texts::{self, Texts},
        },
        status::status_of,
    },
    language::Language,
};

pub(super) const TEMPLATE: &str = include_str!("link.html");

/// The purpose of a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Verify,
    Reset,
    Accept,
}

impl Action {
    /// The path of the page. The token is not part of it, because proxies log URLs.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/verify-email",
            Self::Reset => "/reset-password",
            Self::Accept => "/accept-invitation",
        }
    }

    pub(super) fn texts(self, language: Language) -> &'static Texts {
        match self {
            Self::Verify => texts::verify(language),
            Self::Reset => texts::reset(language),
            Self::Accept => texts::accept(language),
        }
    }
}

/// The final result of using a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkResult {
    Done,
    Used,
    Invalid,
    Expired,
    /// Another account has verified the address.
    Taken,
}

impl LinkResult {
    /// The names of the results in the URL.
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Done, "done"),
        (Self::Used, "used"),
        (Self::Invalid, "invalid"),
        (Self::Expired, "expired"),
        (Self::Taken, "taken"),
    ];

    /// The result for an error. `None` if the same form may be submitted again.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::LinkUsed => Some(Self::Used),
            Error::LinkInvalid | Error::InvitationInvalid => Some(Self::Invalid),
            Error::LinkExpired | Error::InvitationExpired => Some(Self::Expired),
            Error::Input(_) if error.code() == ErrorCode::EmailTaken => Some(Self::Taken),
            _ => None,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(result, _)| result)
    }

    /// The URL of the page with the result. It does not contain the token.
    pub(super) fn address(self, settings: &Settings, action: Action) -> String {
        let name = Self::NAMES.into_iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name);
        format!("{}?result={name}", settings.server.path(action.path()))
    }

    /// The page with the result.
    pub(super) fn page(self, settings: &Settings, action: Action, language: Language) -> Response {
        let texts = action.texts(language);
        let (status, title, text) = match self {
            Self::Done => (StatusCode::OK, texts.done_title, texts.done.into()),
            Self::Used => (StatusCode::OK, texts::used(language), Error::LinkUsed.message(language)),
            Self::Invalid => (status_of(ErrorCode::LinkInvalid), texts::invalid(language), texts.why_invalid.into()),
            Self::Expired => (status_of(ErrorCode::LinkExpired), texts::expired(language), texts.ask_for_new.into()),
            Self::Taken => (StatusCode::CONFLICT, texts::taken(language), texts::why_taken(language).into()),
        };
        message_page(settings, status, language, title, &[&text])
    }
}

/// A page that only shows a title and paragraphs.
pub(super) fn message_page(
    settings: &Settings,
    status: StatusCode,
    language: Language,
    title: &str,
    paragraphs: &[&str],
) -> Response {
    let paragraphs: Vec<Value> = paragraphs.iter().map(|paragraph| Value::from(*paragraph)).collect();
    page(settings, status, language, TEMPLATE, context! { language => language.tag(), title, paragraphs })
}
