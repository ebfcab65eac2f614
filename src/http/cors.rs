//! Which pages may call from a browser.

use std::time::Duration;

use axum::http::{
    HeaderValue, Method,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use tower_http::cors::{AllowHeaders, CorsLayer};

use super::request_id;
use crate::config::Settings;

/// How long a browser may remember the answer to a preflight; Chromium caps it at two hours.
const MAX_AGE: Duration = Duration::from_hours(2);

/// Credentials for the origins of the settings, never for a reflected or `null` one.
pub(super) fn layer(settings: &Settings) -> CorsLayer {
    let origins: Vec<HeaderValue> = settings.allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, request_id::HEADER])
        .max_age(MAX_AGE)
}
