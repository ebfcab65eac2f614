//! What Hallpass does: one folder for each subject, as free functions over [`App`](crate::App).
//!
//! Owns the rules: who may do what, the order of checks, and what is written together. It never names a header, a cookie
//! or a status, so every API (GraphQL, REST, pages, command line) applies the same rules.

use std::net::IpAddr;

pub(crate) mod audit;
pub mod identity;
pub mod notifications;
mod principal;
mod request_id;
pub mod sessions;
pub mod sign_in;
pub mod throttle;
pub mod token_introspection;
pub mod users;

pub use principal::{Principal, Viewer, active_principal, principal};
pub use request_id::RequestId;

use crate::language::Language;

/// Where a request came from, as far as it is kept, and how to speak to whoever sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address of the client; none where it has none, as on the command line.
    pub ip_address: Option<IpAddr>,
    /// What the client says it is; see [`Client::new`].
    pub user_agent: Option<String>,
    /// The language to speak to whoever uses it.
    pub language: Language,
}

/// What `sessions.user_agent` and `audit_events.user_agent` hold.
const MAX_USER_AGENT_LENGTH: usize = 512;

impl Client {
    /// Cuts the user agent to 512 characters and drops control characters, which PostgreSQL would refuse.
    #[must_use]
    pub fn new(ip_address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let user_agent =
            user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_LENGTH).collect());
        Self { ip_address, user_agent, language: Language::default() }
    }
}
