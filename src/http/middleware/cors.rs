//! Which pages may call from a browser.

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use axum::http::{
    HeaderMap, HeaderValue, Method,
    header::{ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
};
use chrono::{DateTime, Utc};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{
    config::{Settings, app_origin},
    http::middleware::request_id,
};

/// How long a browser may remember the answer to a preflight; Chromium caps it at two hours.
const MAX_AGE: Duration = Duration::from_hours(2);

/// Credentials for the origins of the settings, never for a reflected or `null` one.
pub(in crate::http) fn layer(settings: &Settings) -> CorsLayer {
    let server = settings.server.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| server.allows_origin(origin.as_bytes())))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, request_id::HEADER])
        .max_age(MAX_AGE)
}

/// The `Origin` headers of pages that may not call; browsers do not show them the response.
///
/// Browsers send `Origin` with every POST, and across origins with every request. A request without one is not of a page.
pub(in crate::http) fn refused_origins<'a>(
    settings: &Settings,
    headers: &'a HeaderMap,
) -> impl Iterator<Item = &'a HeaderValue> {
    headers.get_all(ORIGIN).iter().filter(|origin| !settings.server.allows_origin(origin.as_bytes()))
}

/// Bytes of a host's name, its scheme and its port.
const MAX_ORIGIN: usize = 300;

/// Seconds between two lines in the log about refused origins.
const LOG_INTERVAL: i64 = 60;

/// Tells the operator of refused origins, whose pages learn nothing: one a minute, whichever it is.
#[derive(Debug)]
pub(in crate::http) struct RefusedOrigins {
    /// When the next one may be logged, in seconds since 1970.
    next: AtomicI64,
}

impl Default for RefusedOrigins {
    fn default() -> Self {
        Self { next: AtomicI64::new(i64::MIN) }
    }
}

impl RefusedOrigins {
    /// Logs the origin of a request, if it is refused and it is time.
    pub(in crate::http) fn report(&self, settings: &Settings, headers: &HeaderMap, now: DateTime<Utc>) {
        let Some(origin) = refused_origins(settings, headers).next().and_then(readable) else { return };
        let now = now.timestamp();
        let next = self.next.load(Relaxed);
        if now < next || self.next.compare_exchange(next, now + LOG_INTERVAL, Relaxed, Relaxed).is_err() {
            return;
        }
        let vite = if settings.server.is_local { ". Vite takes port 5174 when 5173 is in use" } else { "" };
        tracing::info!(
            origin,
            "a page of this origin was refused: ALLOWED_ORIGINS does not name it. Host and port must be the same, and localhost \
             is not 127.0.0.1{vite}"
        );
    }
}

/// An origin as browsers write it; other texts are kept out of the log.
fn readable(origin: &HeaderValue) -> Option<String> {
    let text = origin.to_str().ok()?;
    let is_origin = || app_origin(text).is_some_and(|origin| origin == text);
    (text == "null" || (text.len() <= MAX_ORIGIN && is_origin())).then(|| text.to_owned())
}
