//! `Authorization: Bearer …` (RFC 6750 §2.1), decoded without the database.

use axum::http::{HeaderMap, header::AUTHORIZATION};

use crate::{App, domain::Viewer, security::access_token::Rejected};

/// What the bearer says. Another scheme is no bearer; a second header makes it impossible to tell which one counts.
pub(super) fn viewer(app: &App, headers: &HeaderMap) -> Viewer {
    let mut bearers = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    match (bearers.next(), bearers.next()) {
        (None, _) => Viewer::Anonymous,
        (Some(token), None) => decode(app, token),
        (Some(_), Some(_)) => Viewer::Invalid,
    }
}

/// What a token says, whichever way it came.
pub(super) fn decode(app: &App, token: &[u8]) -> Viewer {
    let token = str::from_utf8(token).map_err(|_| Rejected::Invalid);
    match token.and_then(|token| app.access_tokens.verify(token, app.clock.now())) {
        Ok(claims) => Viewer::Authenticated(claims),
        Err(Rejected::Expired(claims)) => Viewer::Expired(claims),
        Err(Rejected::Invalid) => Viewer::Invalid,
    }
}
