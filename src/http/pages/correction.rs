//! A rejected password: a redirect shows the form again, so that no submitted form stays in the browser's history.
//!
//! The URL of that page contains the problem. It must not contain the token, so the token is in a cookie for ten
//! minutes, which scripts cannot read and other sites cannot send. The cookie only fills in the form; the server uses
//! the token that the form submits. Each link has its own cookie, so that two links in one browser are not mixed up.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};

use crate::{
    Error,
    config::Settings,
    domain::identity::PASSWORD_LENGTH,
    error::{ErrorCode, Field, InputError},
    http::{cookies, form::Form, pages::link_result::Action},
};

const LIFETIME_SECONDS: i64 = 600;

/// The problems of a password, each with its name in the URL and the limit that is violated.
const PROBLEMS: [(ErrorCode, &str, Option<usize>); 4] = [
    (ErrorCode::Required, "required", None),
    (ErrorCode::PasswordTooShort, "too-short", Some(*PASSWORD_LENGTH.start())),
    (ErrorCode::PasswordTooLong, "too-long", Some(*PASSWORD_LENGTH.end())),
    (ErrorCode::PasswordTooCommon, "too-common", None),
];

/// A submitted form that must be corrected.
pub(super) struct Correction {
    pub(super) problem: InputError,
    /// The token of the link. `None` if the browser did not send the cookie.
    pub(super) token: Option<String>,
}

impl Correction {
    /// Returns the redirect to the form. `None` for an error that the form cannot show.
    pub(super) fn redirect(error: &Error, token: &str, settings: &Settings) -> Option<Response> {
        let [problem] = error.problems() else { return None };
        let (_, name, _) = PROBLEMS.into_iter().find(|(code, ..)| *code == problem.code)?;
        let link = name_of(token);
        let path = settings.server.path(Action::Reset.path());
        let location = format!("{path}?link={link}&problem={name}");
        let (name_of_cookie, is_secure) = (cookie_name(&link), settings.server.is_https());
        // It is not cleared after a reset: if the user goes back, the page shows that the link was used.
        let cookie = cookies::set_cookie(&name_of_cookie, token, &path, is_secure, Some(LIFETIME_SECONDS))?;
        Some(
            (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::try_from(location).ok()?), (SET_COOKIE, cookie)])
                .into_response(),
        )
    }

    /// Parses the query string of [`Self::redirect`].
    pub(super) fn read(query: &mut Form, headers: &HeaderMap) -> Option<Self> {
        let (link, problem) = (query.take("link")?, query.take("problem")?);
        let (code, _, limit) = PROBLEMS.into_iter().find(|(_, name, _)| *name == problem)?;
        let token = cookies::values(headers, &cookie_name(&link)).find(|token| name_of(token) == link);
        Some(Self {
            problem: InputError { code, field: Field::NewPassword, limit },
            token: token.map(ToOwned::to_owned),
        })
    }
}

/// A name for a link, which does not reveal its token.
fn name_of(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()).as_ref().get(..4).unwrap_or_default())
}

fn cookie_name(link: &str) -> String {
    format!("reset_link_{link}")
}
