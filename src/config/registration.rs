//! Who may register, and what an account must have.

use chrono::TimeDelta;

/// The rules for accounts.
#[derive(Clone, Debug)]
pub struct RegistrationSettings {
    /// Whether anyone may register.
    pub is_enabled: bool,
    /// Usernames that users cannot choose, as they are compared: in lower case.
    pub reserved_usernames: Vec<String>,
    /// Whether an account must have an e-mail address.
    pub require_email: bool,
    /// Whether users must verify their address before they can sign in.
    pub require_verified_email: bool,
    /// How long an account that registered itself may stay unverified before it is deleted; `None` keeps it.
    pub unverified_account_lifetime: Option<TimeDelta>,
    /// The roles that exist, sorted.
    pub roles: Vec<String>,
    /// The roles of a newly registered user, sorted.
    pub default_roles: Vec<String>,
}
