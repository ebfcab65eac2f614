//! What Hallpass does: one file for each capability, as free functions over [`App`](crate::App).
//!
//! Owns the rules: who may do what, in which order things are checked, what is written together. It never names a
//! header, a cookie or a status, so that every door (GraphQL, REST, command line) leads to the same rules.

use std::net::IpAddr;

pub mod administration;
mod audit;
pub mod deletion;
pub mod email;
pub mod import;
pub mod input;
pub mod introspection;
pub mod links;
pub mod login;
pub mod mails;
pub mod password;
mod principal;
pub mod profile;
mod proof;
pub mod register;
pub mod reset;
pub mod roles;
pub mod sessions;
pub mod throttle;
pub mod unverified;

pub use principal::{Principal, Viewer, active_principal, principal};

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
