//! The authentication ceremony (WebAuthn §7.2).

use uuid::Uuid;

use super::{
    AuthenticationResponse, AuthenticatorData, CeremonyType, ClientData, Flags, PublicKey, RelyingParty,
    VerificationError, attestation::signed_message,
};

/// What is stored about a credential.
#[derive(Clone, Copy, Debug)]
pub struct StoredCredential<'a> {
    /// The credential id.
    pub id: &'a [u8],
    /// The public key, a COSE key.
    pub public_key: &'a [u8],
    /// The last signature counter.
    pub counter: u32,
    /// Whether the credential may be backed up.
    pub is_backup_eligible: bool,
    /// The user whose credential it is. The user handle is the 16 bytes of this id.
    pub user_id: Uuid,
}

/// Whether an authenticator must return the user handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserHandlePolicy {
    /// For sign-in without a username: the credential must be discoverable, and these always return it.
    Required,
    /// If the user is known already. A user handle that is present must be correct.
    Optional,
}

/// The result of a successful authentication. The caller stores the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedAuthentication {
    /// The new signature counter.
    pub counter: u32,
    /// Whether the credential is backed up now.
    pub is_backed_up: bool,
}

/// Verifies the response to request options with this challenge, by the stored credential with the response's id.
///
/// If the caller has sent a list of allowed credentials, it checks that the stored credential is one of them.
///
/// # Errors
/// The first requirement that is not met. Counter is the last one: everything else is correct then, so it indicates a
/// cloned authenticator.
pub fn verify_authentication(
    response: &AuthenticationResponse,
    challenge: &[u8],
    relying_party: RelyingParty<'_>,
    stored: &StoredCredential<'_>,
    user_handle: UserHandlePolicy,
) -> Result<VerifiedAuthentication, VerificationError> {
    if response.credential_id != stored.id {
        return Err(VerificationError::CredentialId);
    }
    check_user_handle(response, stored.user_id, user_handle)?;
    ClientData::parse(&response.client_data_json)?.check(CeremonyType::Get, challenge, relying_party)?;
    let data = AuthenticatorData::parse(&response.authenticator_data)?;
    data.check(relying_party)?;
    // Must not be set in assertions (§6.1).
    if data.credential.is_some() {
        return Err(VerificationError::AttestedCredential);
    }
    if data.flags.has(Flags::BACKUP_ELIGIBLE) != stored.is_backup_eligible {
        return Err(VerificationError::BackupEligibility);
    }
    let signed = signed_message(&response.authenticator_data, &response.client_data_json);
    PublicKey::parse(stored.public_key)?.verify(&signed, &response.signature)?;
    // Step 22: authenticators without a counter always return zero.
    let has_counter = data.counter != 0 || stored.counter != 0;
    if has_counter && data.counter <= stored.counter {
        return Err(VerificationError::Counter { stored: stored.counter, presented: data.counter });
    }
    Ok(VerifiedAuthentication { counter: data.counter, is_backed_up: data.flags.has(Flags::BACKED_UP) })
}

/// Step 6: the user handle identifies the owner of the credential.
fn check_user_handle(
    response: &AuthenticationResponse,
    user_id: Uuid,
    policy: UserHandlePolicy,
) -> Result<(), VerificationError> {
    match &response.user_handle {
        Some(user_handle) if *user_handle == user_id.as_bytes() => Ok(()),
        Some(_) => Err(VerificationError::UserHandle),
        None if policy == UserHandlePolicy::Required => Err(VerificationError::MissingUserHandle),
        None => Ok(()),
    }
}
