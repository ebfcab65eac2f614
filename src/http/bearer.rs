//! The header `Authorization: Bearer …` (RFC 6750 §2.1), verified without the database.

use axum::http::{HeaderMap, header::AUTHORIZATION};

use crate::{App, domain::Viewer, security::access_token::Rejected};

/// Returns the viewer of a request. Other schemes are ignored. Two bearer tokens are ambiguous and therefore invalid.
pub(super) fn viewer(app: &App, headers: &HeaderMap) -> Viewer {
    let mut tokens = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    match (tokens.next(), tokens.next()) {
        (None, _) => Viewer::Anonymous,
        (Some(token), None) => decode(app, token),
        (Some(_), Some(_)) => Viewer::Invalid,
    }
}

/// Verifies an access token and returns its viewer.
pub(super) fn decode(app: &App, token: &[u8]) -> Viewer {
    let token = str::from_utf8(token).map_err(|_| Rejected::Invalid);
    match token.and_then(|token| app.access_tokens.verify(token, app.clock.now())) {
        Ok(claims) => Viewer::Authenticated(claims),
        Err(Rejected::Expired(claims)) => Viewer::Expired(claims),
        Err(Rejected::Invalid) => Viewer::Invalid,
    }
}
