//! The id of a request, in its response and in the log.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName},
};

use crate::{clock::Clock, config::Settings, domain::RequestId, http::middleware::peer, security::random};

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

/// The trace id of the request, if a trusted proxy has set one.
pub(in crate::http) fn trace_id(settings: &Settings, request: &Request) -> Option<String> {
    let given = peer::is_trusted(settings, request).then(|| only(request.headers(), &TRACEPARENT)).flatten();
    given.and_then(parse_traceparent).map(ToOwned::to_owned)
}

/// The value of a header that occurs exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// Parses the trace id: 32 hexadecimal digits. Fields that later versions add are ignored.
fn parse_traceparent(text: &str) -> Option<&str> {
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|byte| byte != b'0');
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags, 2)
        && (version != "00" || parts.next().is_none());
    is_valid.then_some(trace)
}
