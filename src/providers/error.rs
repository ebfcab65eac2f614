//! Why a provider could not confirm who a user is.

use std::fmt;

use crate::{outgoing::OutgoingError, security::oidc::OidcError};

/// Why a provider could not confirm who a user is. For the log: it contains no secret and no data of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderError {
    /// A request failed.
    Request(OutgoingError),
    /// A response has this status.
    Status(u16),
    /// Something is not acceptable.
    Refused(OidcError),
    /// The provider took too long.
    TimedOut,
    /// A request failed a moment ago, and is not repeated yet.
    Unavailable,
    /// The address of the provider in the settings cannot be used.
    Address,
}

impl From<OutgoingError> for ProviderError {
    fn from(error: OutgoingError) -> Self {
        Self::Request(error)
    }
}

impl From<OidcError> for ProviderError {
    fn from(error: OidcError) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Status(status) => write!(f, "the provider answered with status {status}"),
            Self::Refused(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the provider took too long"),
            Self::Unavailable => f.write_str("the provider could not be reached a moment ago"),
            Self::Address => f.write_str("the address of the provider cannot be used"),
        }
    }
}

impl std::error::Error for ProviderError {}
