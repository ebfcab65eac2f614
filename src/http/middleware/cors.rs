//! CORS: the origins whose pages may send requests from a browser.

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use axum::http::{
    HeaderMap, HeaderValue, Method,
    header::{LINK, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
};
use chrono::{DateTime, Utc};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{
    config::{Settings, app_origin},
    http::middleware::request_id,
};

/// How long browsers may cache the response to a preflight. Chromium caps it at two hours.
const MAX_AGE: Duration = Duration::from_hours(2);

/// Creates the CORS layer. It allows credentials, so the allowed origins are always those of the settings: never `*`, a
/// reflected origin, or `null`.
pub(in crate::http) fn layer(settings: &Settings) -> CorsLayer {
    let server = settings.server.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| server.allows_origin(origin.as_bytes())))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, request_id::HEADER, LINK])
        .max_age(MAX_AGE)
}

/// Returns the values of `Origin` that are not allowed. Browsers hide the response from such a page.
///
/// Browsers send `Origin` with every POST request and every cross-origin request. A request without it does not come from
/// a page of another origin.
pub(in crate::http) fn refused_origins<'a>(
    settings: &Settings,
    headers: &'a HeaderMap,
) -> impl Iterator<Item = &'a HeaderValue> {
    headers.get_all(ORIGIN).iter().filter(|origin| !settings.server.allows_origin(origin.as_bytes()))
}

/// Maximum length of an origin in bytes: a scheme, a host and a port.
const MAX_ORIGIN: usize = 300;

/// Minimum number of seconds between two log lines about refused origins.
const LOG_INTERVAL: i64 = 60;

/// Logs refused origins, because browsers do not show the reason to their pages. Logs at most one line per minute for all
/// origins together.
#[derive(Debug)]
pub(in crate::http) struct RefusedOrigins {
    /// The earliest time of the next log line, in seconds since 1970.
    next: AtomicI64,
}

impl Default for RefusedOrigins {
    fn default() -> Self {
        Self { next: AtomicI64::new(i64::MIN) }
    }
}

impl RefusedOrigins {
    /// Logs the origin of a request if it is refused, unless a line was logged within the interval.
    pub(in crate::http) fn report(&self, settings: &Settings, headers: &HeaderMap, now: DateTime<Utc>) {
        let Some(origin) = refused_origins(settings, headers).next().and_then(loggable) else { return };
        let now = now.timestamp();
        let next = self.next.load(Relaxed);
        if now < next || self.next.compare_exchange(next, now + LOG_INTERVAL, Relaxed, Relaxed).is_err() {
            return;
        }
        let vite = if settings.server.is_local { ". Vite takes port 5174 when 5173 is in use" } else { "" };
        tracing::info!(
            origin,
            "origin refused: it is not in ALLOWED_ORIGINS. Host and port must be the same, and localhost is not \
             127.0.0.1{vite}"
        );
    }
}

/// Returns an origin in the form that browsers send. Returns `None` for any other text, which must not be logged.
fn loggable(origin: &HeaderValue) -> Option<String> {
    let text = origin.to_str().ok()?;
    let is_origin = || app_origin(text).is_some_and(|origin| origin == text);
    (text == "null" || (text.len() <= MAX_ORIGIN && is_origin())).then(|| text.to_owned())
}
