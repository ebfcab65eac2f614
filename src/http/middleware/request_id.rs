//! The id of a request, in its response and in the log.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName},
};

use crate::{
    clock::Clock, config::Settings, domain::RequestId, http::middleware::peer, security::random, traces::TraceParent,
};

/// The header with the id of the request.
pub(in crate::http) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the trace of the request (W3C Trace Context §3.2).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the id that a trusted proxy has set, or a new one. Ids from other clients are ignored, because they could
/// collide with the id of another request in the log.
pub(in crate::http) fn assign(settings: &Settings, clock: &Clock, request: &Request) -> RequestId {
    let given = peer::is_trusted(settings, request).then(|| only(request.headers(), &HEADER)).flatten();
    // If the system has no random bytes, the id is nil. Operations that need random bytes fail on their own.
    given.and_then(RequestId::parse).unwrap_or_else(|| random::id(clock.now()).unwrap_or_default().into())
}

/// The id that [`super::frame`] has assigned to the request.
pub(in crate::http) fn of(request: &Request) -> RequestId {
    request.extensions().get().copied().unwrap_or_default()
}

/// The trace of the request, if a trusted proxy has set one.
pub(in crate::http) fn trace_parent(settings: &Settings, request: &Request) -> Option<TraceParent> {
    let given = peer::is_trusted(settings, request).then(|| only(request.headers(), &TRACEPARENT)).flatten();
    given.and_then(TraceParent::parse)
}

/// The value of a header that occurs exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
