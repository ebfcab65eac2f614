//! Middleware for all routes: request id, client address, CORS, logging, and error responses.

pub(super) mod cors;
mod forwarded;
pub(super) mod frame;
pub(super) mod gate;
pub(super) mod peer;
pub(super) mod request_id;

pub use gate::Gate;
pub use peer::Peer;
