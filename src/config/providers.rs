//! Providers that users can sign in with. This file has only the types; no variable is read yet.

use secrecy::SecretString;

/// A provider that users can sign in with.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// The id, which is in the address of the callback: a-z, 0-9 and -.
    pub id: String,
    /// The name that users know.
    pub name: String,
    /// How the provider is used.
    pub kind: ProviderKind,
    /// The id of this client at the provider.
    pub client_id: String,
    /// The secret of this client at the provider.
    pub client_secret: SecretString,
    /// The scopes that are requested.
    pub scopes: Vec<String>,
    /// Whether accounts may be found by an address that the provider has verified.
    pub trusts_email: bool,
}

/// How a provider is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect.
    OpenId {
        /// The issuer, exactly as its metadata states it, except for Microsoft's documents for several tenants.
        issuer: String,
    },
    /// GitHub, or a GitHub Enterprise Server: OAuth 2.0 only.
    GitHub {
        /// The address, without a slash at the end.
        address: String,
    },
}

impl ProviderSettings {
    /// The address of the callback, which must be registered at the provider.
    #[must_use]
    pub fn callback_url(&self, public_url: &str) -> String {
        format!("{public_url}/auth/{}/callback", self.id)
    }
}
