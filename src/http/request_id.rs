//! The name of a request, in its answer and in the log.

use axum::{extract::Request, http::HeaderName};
use uuid::Uuid;

/// The header that tells a client the name of its request.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Ours alone: one that a client brings along is not believed, because it could point at another's line in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestId(pub(super) Uuid);

/// The name that [`super::frame`] gave the request.
pub(super) fn of(request: &Request) -> Uuid {
    request.extensions().get::<RequestId>().map_or_else(Uuid::nil, |id| id.0)
}
