//! What every request passes, whatever its route: its id, the address of its client, CORS, its line in the log, its
//! end.

pub(super) mod cors;
mod forwarded;
pub(super) mod frame;
pub(super) mod gate;
pub(super) mod peer;
pub(super) mod request_id;

pub use gate::Gate;
pub use peer::Peer;
