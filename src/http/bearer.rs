//! The header `Authorization: Bearer …` (RFC 6750 §2.1), verified without the database, and the challenges in
//! `WWW-Authenticate`.

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    App, Error,
    domain::{Viewer, sign_in::FRESH_FOR},
    language::Language,
    security::access_token::Rejected,
};

/// Returns the viewer of a request. Other schemes are ignored. Two bearer tokens are ambiguous and therefore invalid.
pub(super) fn viewer(app: &App, headers: &HeaderMap) -> Viewer {
    let mut tokens = headers.get_all(AUTHORIZATION).iter().filter_map(|value| token(value.as_bytes()));
    match (tokens.next(), tokens.next()) {
        (None, _) => Viewer::Anonymous,
        (Some(token), None) => decode(app, token),
        (Some(_), Some(_)) => Viewer::Invalid,
    }
}

/// Returns the viewer for a value of `Authorization` that was not sent as a header.
pub(super) fn of_value(app: &App, value: &str) -> Viewer {
    token(value.as_bytes()).map_or(Viewer::Anonymous, |token| decode(app, token))
}

/// The token in a value of `Authorization`. `None` for another scheme.
fn token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
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

/// The challenge for a request that needs a more recent proof of identity (RFC 9470 §3). `None` for other errors. `acr_values` is
/// the value of `acr` in tokens of a session with a second factor.
pub(super) fn step_up_challenge(error: &Error) -> Option<HeaderValue> {
    let Error::ReauthenticationRequired { needs_second_factor } = error else { return None };
    let description = error.message(Language::English);
    let max_age = FRESH_FOR.num_seconds();
    let acr_values = if *needs_second_factor { r#", acr_values="aal2""# } else { "" };
    let challenge = format!(
        r#"Bearer error="insufficient_user_authentication", error_description="{description}", max_age="{max_age}"{acr_values}"#
    );
    HeaderValue::try_from(challenge).ok()
}
