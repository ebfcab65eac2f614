//! Passkeys: the relying party's part of Web Authentication Level 3, without the database and the transport.
//!
//! [`CeremonyTokens`] starts a ceremony, and [`CreationOptions`] and [`RequestOptions`] tell the client what to do. The
//! client returns a [`RegistrationResponse`] or an [`AuthenticationResponse`]. [`verify_registration`] (§7.1) and
//! [`verify_authentication`] (§7.2) decide whether it is valid.
//!
//! User verification is always required, so a passkey is two factors. Attestation is not requested: it says which model of
//! an authenticator was used, which matters to organizations that issue authenticators, and costs privacy.
//!
//! All inputs are untrusted. They are limited in size before they are parsed, and nothing here panics.

mod attestation;
mod authentication;
mod authenticator_data;
pub mod cbor;
mod ceremony_token;
mod client_data;
mod cose;
mod error;
mod options;
mod registration;
mod response;
mod transport;

pub use attestation::{AttestationObject, AttestationStatement};
pub use authentication::{StoredCredential, UserHandlePolicy, VerifiedAuthentication, verify_authentication};
pub use authenticator_data::{AttestedCredential, AuthenticatorData, Flags};
pub use ceremony_token::{Ceremony, CeremonyTokens, FormHash, StartedCeremony, VerifiedCeremony};
pub use client_data::{CeremonyType, ClientData};
pub use cose::{Algorithm, PublicKey};
pub use error::VerificationError;
pub use options::{CreationOptions, CredentialDescriptor, PasskeyUser, RequestOptions};
pub use registration::{RegisteredCredential, verify_registration};
pub use response::{AuthenticationResponse, RegistrationResponse};
pub use transport::Transport;

/// Maximum length of a credential id in bytes (WebAuthn §7.1, step 25).
pub const MAX_CREDENTIAL_ID_LENGTH: usize = 1023;

/// The server as clients know it.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// The domain that passkeys are bound to, without scheme and port.
    pub id: &'a str,
    /// The origins that may use passkeys, such as `https://example.org`. They are compared exactly.
    pub origins: &'a [&'a str],
}
