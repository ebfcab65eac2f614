//! What Hallpass does: one folder for each subject, as free functions that take a [`Context`].
//!
//! Owns the rules: who may do what, the order of checks, and what is written together. It never names a header, a cookie
//! or a status, so every API (GraphQL, REST, pages, command line) applies the same rules. Use cases change rows in a
//! `UnitOfWork` and emit events; what follows from an event is decided in `event.rs` alone.

mod audit;
mod context;
mod event;
pub mod identity;
pub mod notifications;
mod principal;
mod request_id;
pub mod sessions;
pub mod sign_in;
pub mod throttle;
pub mod token_introspection;
mod unit_of_work;
pub mod users;

pub use context::{Actor, Client, Context};
pub(crate) use event::Event;
pub use principal::{Principal, Viewer, active_principal, principal};
pub use request_id::RequestId;
pub(crate) use unit_of_work::UnitOfWork;
