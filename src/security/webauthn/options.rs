//! Options of ceremonies: the JSON for `PublicKeyCredential.parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON` (WebAuthn §5.1.8 and §5.1.9).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::{Algorithm, Transport, ceremony_token};

/// The only type of credentials.
const PUBLIC_KEY: &str = "public-key";

/// Options for creating a passkey: a `PublicKeyCredentialCreationOptionsJSON`.
///
/// The passkey must be discoverable, so that users can sign in without a username. The authenticator must verify the user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: RelyingPartyEntity,
    user: PasskeyUser,
    challenge: Base64Url,
    pub_key_cred_params: [CredentialParameters; Algorithm::OFFERED.len()],
    timeout: i64,
    exclude_credentials: Vec<CredentialDescriptor>,
    authenticator_selection: AuthenticatorSelection,
    hints: [&'static str; 0],
    attestation: &'static str,
}

/// Options for using a passkey: a `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    challenge: Base64Url,
    timeout: i64,
    rp_id: String,
    allow_credentials: Vec<CredentialDescriptor>,
    user_verification: &'static str,
    hints: [&'static str; 0],
}

/// The user that a passkey is created for. Authenticators show the names and store all three values.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    id: Base64Url,
    name: String,
    display_name: String,
}

/// A registered credential in a list.
#[derive(Clone, Debug, Serialize)]
pub struct CredentialDescriptor {
    id: Base64Url,
    #[serde(rename = "type")]
    credential_type: &'static str,
    transports: Vec<Transport>,
}

#[derive(Clone, Debug, Serialize)]
struct RelyingPartyEntity {
    id: String,
    name: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct CredentialParameters {
    #[serde(rename = "type")]
    credential_type: &'static str,
    alg: Algorithm,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticatorSelection {
    resident_key: &'static str,
    /// For clients of Level 1, which do not know `residentKey` (§5.4.4).
    require_resident_key: bool,
    user_verification: &'static str,
}

#[derive(Clone, Debug)]
struct Base64Url(Vec<u8>);

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl PasskeyUser {
    /// A user. `name` distinguishes accounts, such as the username; `display_name` is for people.
    #[must_use]
    pub fn new(id: Uuid, name: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self { id: Base64Url(id.as_bytes().to_vec()), name: name.into(), display_name: display_name.into() }
    }
}

impl CredentialDescriptor {
    /// A credential with the transports of its registration.
    #[must_use]
    pub fn new(credential_id: Vec<u8>, transports: Vec<Transport>) -> Self {
        Self { id: Base64Url(credential_id), credential_type: PUBLIC_KEY, transports }
    }
}

impl CreationOptions {
    /// Options for a user. `service_name` is shown by some clients; `registered` are the user's credentials, whose
    /// authenticators must not create another one.
    #[must_use]
    pub fn new(
        rp_id: impl Into<String>,
        service_name: impl Into<String>,
        user: PasskeyUser,
        challenge: &[u8],
        registered: Vec<CredentialDescriptor>,
    ) -> Self {
        Self {
            rp: RelyingPartyEntity { id: rp_id.into(), name: service_name.into() },
            user,
            challenge: Base64Url(challenge.to_vec()),
            pub_key_cred_params: Algorithm::OFFERED
                .map(|alg| CredentialParameters { credential_type: PUBLIC_KEY, alg }),
            timeout: timeout(),
            exclude_credentials: registered,
            authenticator_selection: AuthenticatorSelection {
                resident_key: "required",
                require_resident_key: true,
                user_verification: "required",
            },
            hints: [],
            attestation: "none",
        }
    }
}

impl RequestOptions {
    /// Options with a list of credentials. The list must be empty before a first factor: it would reveal which accounts
    /// exist. With an empty list, any discoverable credential can be used.
    #[must_use]
    pub fn new(rp_id: impl Into<String>, challenge: &[u8], allowed: Vec<CredentialDescriptor>) -> Self {
        Self {
            challenge: Base64Url(challenge.to_vec()),
            timeout: timeout(),
            rp_id: rp_id.into(),
            allow_credentials: allowed,
            user_verification: "required",
            hints: [],
        }
    }
}

/// The time that clients should allow, in milliseconds: the lifetime of the challenge.
fn timeout() -> i64 {
    ceremony_token::LIFETIME.num_milliseconds()
}
