//! The registration ceremony (WebAuthn §7.1).

use uuid::Uuid;

use super::{
    AttestationObject, AuthenticatorData, CeremonyType, ClientData, Flags, PublicKey, RegistrationResponse,
    RelyingParty, Transport, VerificationError,
};

/// A new credential, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredCredential {
    /// The credential id, 1 to 1,023 bytes. It must not be registered for any user yet; the caller's unique index decides.
    pub id: Vec<u8>,
    /// The public key as it came, a valid COSE key.
    pub public_key: Vec<u8>,
    /// The signature counter. Zero if the authenticator has none.
    pub counter: u32,
    /// Whether the credential may be backed up. It never changes.
    pub is_backup_eligible: bool,
    /// Whether the credential is backed up.
    pub is_backed_up: bool,
    /// The model of the authenticator. Zero if the authenticator does not tell. Not attested, so only good for a name.
    pub aaguid: Uuid,
    /// The transports, as the client states them.
    pub transports: Vec<Transport>,
}

/// Verifies the response to creation options with this challenge: steps 5 to 25, and the credential record of step 27.
///
/// Extensions are ignored, since none are requested.
///
/// # Errors
/// The first requirement that is not met.
pub fn verify_registration(
    response: &RegistrationResponse,
    challenge: &[u8],
    relying_party: RelyingParty<'_>,
) -> Result<RegisteredCredential, VerificationError> {
    ClientData::parse(&response.client_data_json)?.check(CeremonyType::Create, challenge, relying_party)?;
    let attestation = AttestationObject::parse(&response.attestation_object)?;
    let data = AuthenticatorData::parse(attestation.authenticator_data)?;
    data.check(relying_party)?;
    let credential = data.credential.ok_or(VerificationError::AttestedCredential)?;
    // Only offered algorithms can be parsed.
    let public_key = PublicKey::parse(credential.public_key)?;
    attestation.verify(&public_key, &response.client_data_json)?;
    if credential.id != response.credential_id {
        return Err(VerificationError::CredentialId);
    }
    Ok(RegisteredCredential {
        id: credential.id.to_vec(),
        public_key: credential.public_key.to_vec(),
        counter: data.counter,
        is_backup_eligible: data.flags.has(Flags::BACKUP_ELIGIBLE),
        is_backed_up: data.flags.has(Flags::BACKED_UP),
        aaguid: credential.aaguid,
        transports: response.transports.clone(),
    })
}
