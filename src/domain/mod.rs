//! The use cases of Hallpass: one folder for each subject, with free functions that take a [`Context`].
//!
//! Owns the rules: permissions, the order of checks, and what is written in one transaction. It does not depend on headers,
//! cookies or status codes, so every API (GraphQL, REST, pages, command line) applies the same rules. Use cases change rows
//! in a `UnitOfWork` and emit events; only `event.rs` decides what follows from an event.

pub mod audit;
mod context;
mod event;
pub mod identities;
pub mod identity;
pub mod live_events;
pub mod mfa;
pub mod monitoring;
pub mod notifications;
pub mod page;
pub mod passkeys;
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
pub use principal::{Principal, Viewer, active_principal, enrolling_principal, forward_auth_principal, principal};
pub use request_id::RequestId;
pub(crate) use unit_of_work::UnitOfWork;
