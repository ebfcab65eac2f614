//! What a request goes by, in its response and in the log.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName},
};

use crate::{clock::Clock, config::Settings, domain::RequestId, http::middleware::peer, security::random};

/// The header that tells a client the name of its request.
pub(in crate::http) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The header that tells which trace a request belongs to (W3C Trace Context §3.2).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A new name, or that of a trusted proxy. One that a client brings along is not believed, because it could point at
/// another's line in the log.
pub(in crate::http) fn assign(settings: &Settings, clock: &Clock, request: &Request) -> RequestId {
    let given = peer::is_trusted(settings, request).then(|| only(request.headers(), &HEADER)).flatten();
    // Without randomness nothing else works either; the request is refused by whoever needs some.
    given.and_then(RequestId::parse).unwrap_or_else(|| random::id(clock.now()).unwrap_or_default().into())
}

/// The name that [`super::frame`] gave the request.
pub(in crate::http) fn of(request: &Request) -> RequestId {
    request.extensions().get().copied().unwrap_or_default()
}

/// The trace that a trusted proxy says the request belongs to.
pub(in crate::http) fn trace_id(settings: &Settings, request: &Request) -> Option<String> {
    let given = peer::is_trusted(settings, request).then(|| only(request.headers(), &TRACEPARENT)).flatten();
    given.and_then(parse_traceparent).map(ToOwned::to_owned)
}

/// The value of a header that comes once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// The trace's id: 32 hexadecimal digits. What later versions add is ignored.
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
