//! Responses of clients: the JSON that `PublicKeyCredential.toJSON()` returns (WebAuthn §5.1).

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::{MAX_CREDENTIAL_ID_LENGTH, Transport, VerificationError, cbor, client_data};

/// Maximum length of the authenticator data of an authentication in bytes: 37 without extensions.
const MAX_AUTHENTICATOR_DATA_LENGTH: usize = 4096;

/// Maximum length of a signature in bytes: that of an RSA key with 4,096 bits.
const MAX_SIGNATURE_LENGTH: usize = 512;

/// Maximum length of a user handle in bytes (§5.4.3).
const MAX_USER_HANDLE_LENGTH: usize = 64;

/// The response to creation options: a new credential. Nothing has been verified except the form and the lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationResponse {
    /// The credential id, 1 to 1,023 bytes.
    pub credential_id: Vec<u8>,
    /// The exact bytes of the client data.
    pub client_data_json: Vec<u8>,
    /// The attestation object. The other members of the JSON repeat parts of it (§5.2.1.1), so they are ignored.
    pub attestation_object: Vec<u8>,
    /// The known transports, as the client states them. Only a hint; not covered by any signature.
    pub transports: Vec<Transport>,
}

/// The response to request options: an assertion. Nothing has been verified except the form and the lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationResponse {
    /// The credential id, 1 to 1,023 bytes. The caller finds the stored credential by it.
    pub credential_id: Vec<u8>,
    /// The exact bytes of the client data.
    pub client_data_json: Vec<u8>,
    /// The authenticator data.
    pub authenticator_data: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The user handle, `user.id` of the creation options. An empty one counts as absent.
    pub user_handle: Option<Vec<u8>>,
}

/// Members of `RegistrationResponseJSON` and `AuthenticationResponseJSON`. Unknown members are ignored, because clients add
/// members in later versions of the standard.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialJson<'a, R> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    raw_id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    credential_type: Cow<'a, str>,
    response: R,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationResponseJson<'a> {
    #[serde(borrow, rename = "clientDataJSON")]
    client_data_json: Cow<'a, str>,
    #[serde(borrow)]
    attestation_object: Cow<'a, str>,
    /// Some clients omit it.
    #[serde(borrow, default)]
    transports: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponseJson<'a> {
    #[serde(borrow, rename = "clientDataJSON")]
    client_data_json: Cow<'a, str>,
    #[serde(borrow)]
    authenticator_data: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
    #[serde(borrow)]
    user_handle: Option<Cow<'a, str>>,
}

impl RegistrationResponse {
    /// Parses a `RegistrationResponseJSON`.
    ///
    /// # Errors
    /// MalformedCredential, CredentialType, or CredentialId if `id` and `rawId` differ.
    pub fn parse(credential: &Value) -> Result<Self, VerificationError> {
        let credential = parse::<AttestationResponseJson<'_>>(credential)?;
        let credential_id = credential_id(&credential)?;
        let response = &credential.response;
        Ok(Self {
            credential_id,
            client_data_json: decode(&response.client_data_json, client_data::MAX_LENGTH)?,
            attestation_object: decode(&response.attestation_object, cbor::MAX_LENGTH)?,
            transports: Transport::parse_known(response.transports.iter().map(|transport| &**transport)),
        })
    }
}

impl AuthenticationResponse {
    /// Parses an `AuthenticationResponseJSON`.
    ///
    /// # Errors
    /// MalformedCredential, CredentialType, or CredentialId if `id` and `rawId` differ.
    pub fn parse(credential: &Value) -> Result<Self, VerificationError> {
        let credential = parse::<AssertionResponseJson<'_>>(credential)?;
        let credential_id = credential_id(&credential)?;
        let response = &credential.response;
        let user_handle = response.user_handle.as_deref().filter(|handle| !handle.is_empty());
        Ok(Self {
            credential_id,
            client_data_json: decode(&response.client_data_json, client_data::MAX_LENGTH)?,
            authenticator_data: decode(&response.authenticator_data, MAX_AUTHENTICATOR_DATA_LENGTH)?,
            signature: decode(&response.signature, MAX_SIGNATURE_LENGTH)?,
            user_handle: user_handle.map(|handle| decode(handle, MAX_USER_HANDLE_LENGTH)).transpose()?,
        })
    }
}

fn parse<'a, R: Deserialize<'a>>(credential: &'a Value) -> Result<CredentialJson<'a, R>, VerificationError> {
    CredentialJson::deserialize(credential).map_err(|_| VerificationError::MalformedCredential)
}

/// Checks the type and both forms of the id, and returns the id.
fn credential_id<R>(credential: &CredentialJson<'_, R>) -> Result<Vec<u8>, VerificationError> {
    if credential.credential_type != "public-key" {
        return Err(VerificationError::CredentialType);
    }
    if credential.id != credential.raw_id {
        return Err(VerificationError::CredentialId);
    }
    let id = decode(&credential.raw_id, MAX_CREDENTIAL_ID_LENGTH)?;
    if id.is_empty() { Err(VerificationError::CredentialId) } else { Ok(id) }
}

/// Decodes base64url without padding (RFC 4648 §5). Each value has exactly one encoding.
fn decode(text: &str, max_length: usize) -> Result<Vec<u8>, VerificationError> {
    // Bounds the work for a long text.
    if text.len() > max_length.div_ceil(3) * 4 {
        return Err(VerificationError::MalformedCredential);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= max_length);
    bytes.ok_or(VerificationError::MalformedCredential)
}
