//! Middleware for all routes: the request id and span, the log line, security headers, the timeout, and panics.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, OriginalUri, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tracing::{Instrument, field::Empty};

use crate::{
    Error,
    config::Settings,
    domain::RequestId,
    error::ErrorCode,
    http::{
        Server, body, forward_auth,
        graphql::{LogFields, MediaType, RequestError},
        middleware::{peer, request_id},
        rest,
    },
    language::Language,
};

/// Maximum number of characters of a path in the log.
const MAX_LOGGED_PATH: usize = 200;

/// Headers that are added to every response that does not set them itself.
#[derive(Debug)]
pub(in crate::http) struct SecurityHeaders(HeaderMap);

impl SecurityHeaders {
    pub(in crate::http) fn of(settings: &Settings) -> Self {
        let mut headers = HeaderMap::new();
        let fixed = [
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if settings.server.public_url.starts_with("https://") {
            let two_years = HeaderValue::from_static("max-age=63072000");
            headers.insert(STRICT_TRANSPORT_SECURITY, two_years);
        }
        Self(headers)
    }
}

/// Assigns the request id, creates the span of the request, logs the request, and adds the response headers.
pub(in crate::http) async fn frame(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let settings = &server.app.settings;
    let id = request_id::assign(settings, &server.app.clock, &request);
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let parent = request_id::trace_parent(settings, &request);
    let traced = server.app.traces.begin_request(request.method().as_str(), route, parent);
    // At the level `error`, so that the span exists at every log level.
    let span = tracing::error_span!(
        "request",
        request_id = %id,
        trace_id = traced.trace_id(),
        client = peer::address(settings, &request).map(tracing::field::display),
        operation = Empty,
        user_id = Empty,
    );
    let (response, error) = traced.run(respond(&server, id, request, route, next).instrument(span)).await;
    traced.end(response.status().as_u16(), error);
    response
}

/// Responds to a request. Also returns the code of its error; in GraphQL that of the first one.
async fn respond(
    server: &Server,
    id: RequestId,
    request: Request,
    route: Option<&str>,
    next: Next,
) -> (Response, Option<ErrorCode>) {
    let start = Instant::now();
    let settings = &server.app.settings;
    server.refused_origins.report(settings, request.headers(), server.app.clock.now());
    if !server.has_warned_of_proxy.load(Relaxed)
        && peer::is_forwarded(request.headers())
        && !server.has_warned_of_proxy.swap(true, Relaxed)
    {
        tracing::warn!(
            "requests come through a proxy, but PROXY_HEADER and TRUSTED_PROXIES are not set: all clients behind it count \
             as one"
        );
    }
    let method = request.method().clone();
    let is_health = request.uri().path().starts_with("/health/");
    let is_forward_auth = forward_auth::is_path(request.uri().path());
    let original = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
    let path: String = original.path().chars().take(MAX_LOGGED_PATH).collect();
    let is_encoded = body::is_encoded(request.headers());

    let mut response = next.run(request).await;

    let log = response.extensions_mut().remove::<LogFields>().unwrap_or_default();
    let status = response.status().as_u16();
    server.app.metrics.requests.count(route, method.as_str(), status, log.code, start.elapsed());
    macro_rules! log_request {
        ($level:ident) => {
            tracing::$level!(
                %method,
                path,
                code = log.code.map(|code| code.to_string()),
                status = response.status().as_u16(),
                ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            )
        };
    }
    // Health checks are frequent and would fill the log. So are the requests of protected apps, which the proxy logs.
    let is_allowed = response.status() == StatusCode::OK && is_forward_auth;
    if is_health || is_allowed {
        log_request!(debug);
    } else {
        log_request!(info);
    }
    let response_status = response.status();
    let headers = response.headers_mut();
    for (name, value) in &server.security_headers.0 {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if is_encoded && response_status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // RFC 9110 §15.5.16
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(request_id::HEADER, id);
    }
    (response, log.code)
}

/// Responds with an error if the handler panics or does not finish in time. `/graphql` has its own timeout, which starts
/// when the body has been read.
pub(in crate::http) async fn guard(server: &Server, request: Request, next: Next) -> Response {
    let id = request_id::of(&request);
    // Parsed only if there is an error.
    let accept_language = request.headers().get(ACCEPT_LANGUAGE).cloned();
    let path = request.uri().path().to_owned();
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    let limit = server.limits.body_timeout + server.limits.handler_timeout;
    let error = match tokio::time::timeout(limit, handler).await {
        Ok(Ok(response)) => return response,
        // The panic hook has already logged the location.
        Ok(Err(_)) => Error::internal("a handler panicked"),
        Err(_) => Error::unavailable(5, "a handler timed out"),
    };
    error_response(&path, error, id, peer::language(accept_language.as_ref()))
}

/// Returns the response to a request that no handler has answered, in the error format of its path.
pub(in crate::http) fn error_response(path: &str, error: Error, id: RequestId, language: Language) -> Response {
    if forward_auth::is_path(path) {
        forward_auth::refused(&error, id, language)
    } else if matches!(path, "/graphql" | "/graphql/ws") {
        RequestError::from(error).into_response(MediaType::Json, id, language)
    } else {
        rest::failed(path, &error, id, language)
    }
}
