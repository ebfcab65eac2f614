//! The reasons why a passkey ceremony is refused.

use std::fmt;

use super::cbor::CborError;

/// The reason why a response of a client, or a ceremony token, is refused.
///
/// For logs and tests. Clients get one error code for all reasons, since a correct client causes none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationError {
    /// The ceremony token is malformed or forged, or belongs to another relying party.
    InvalidCeremonyToken,
    /// The ceremony token has expired.
    ExpiredCeremonyToken,
    /// The ceremony token belongs to another purpose, user, session or challenge.
    OtherCeremony,
    /// The credential is not the JSON form of a `PublicKeyCredential`, or a part of it is too long.
    MalformedCredential,
    /// `type` is not `public-key`.
    CredentialType,
    /// `id`, `rawId` and the credential id in the authenticator data or in the database are not equal.
    CredentialId,
    /// `clientDataJSON` is malformed or too long, or has a duplicate key.
    MalformedClientData,
    /// `type` of the client data is that of another ceremony.
    ClientDataType,
    /// The challenge is not that of the ceremony.
    Challenge,
    /// The origin is not one of the expected ones.
    Origin,
    /// The credential was used in a frame of another origin.
    CrossOrigin,
    /// The attestation object is malformed.
    MalformedAttestation,
    /// The attestation is neither `none` nor a self attestation with the algorithm of the credential.
    AttestationFormat,
    /// The authenticator data is malformed.
    MalformedAuthenticatorData,
    /// A part of the response is not valid CBOR.
    Cbor(CborError),
    /// The RP id is not that of this relying party.
    RpId,
    /// The user was not present.
    UserNotPresent,
    /// The user was not verified.
    UserNotVerified,
    /// A credential is backed up although it is not eligible for backups.
    BackupState,
    /// The backup eligibility is not that of the registration.
    BackupEligibility,
    /// A registration contains no credential, or an authentication contains one.
    AttestedCredential,
    /// The algorithm of the public key was not offered.
    Algorithm,
    /// The public key is malformed or not valid for its algorithm.
    PublicKey,
    /// The signature is incorrect.
    Signature,
    /// The user handle is missing although the ceremony requires it.
    MissingUserHandle,
    /// The user handle is that of another user.
    UserHandle,
    /// The signature counter has not increased, so the authenticator may have been cloned.
    Counter {
        /// The stored counter.
        stored: u32,
        /// The counter of the response.
        presented: u32,
    },
}

impl From<CborError> for VerificationError {
    fn from(error: CborError) -> Self {
        Self::Cbor(error)
    }
}

impl fmt::Display for VerificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidCeremonyToken => "the ceremony token is invalid",
            Self::ExpiredCeremonyToken => "the ceremony token has expired",
            Self::OtherCeremony => "the ceremony token belongs to another ceremony",
            Self::MalformedCredential => "the credential is malformed",
            Self::CredentialType => "the credential type is not public-key",
            Self::CredentialId => "the credential ids differ",
            Self::MalformedClientData => "clientDataJSON is malformed",
            Self::ClientDataType => "clientDataJSON belongs to another kind of ceremony",
            Self::Challenge => "the challenge is not that of the ceremony",
            Self::Origin => "the origin is not allowed",
            Self::CrossOrigin => "the credential was used in a cross-origin frame",
            Self::MalformedAttestation => "the attestation object is malformed",
            Self::AttestationFormat => "the attestation is neither none nor a self attestation",
            Self::MalformedAuthenticatorData => "the authenticator data is malformed",
            Self::Cbor(error) => return write!(f, "invalid CBOR: {error}"),
            Self::RpId => "the RP id is not that of this server",
            Self::UserNotPresent => "the user was not present",
            Self::UserNotVerified => "the user was not verified",
            Self::BackupState => "the backup flags contradict each other",
            Self::BackupEligibility => "the backup eligibility has changed",
            Self::AttestedCredential => "attested credential data is missing or unexpected",
            Self::Algorithm => "the algorithm of the public key was not offered",
            Self::PublicKey => "the public key is invalid",
            Self::Signature => "the signature is incorrect",
            Self::MissingUserHandle => "the user handle is missing",
            Self::UserHandle => "the user handle is that of another user",
            Self::Counter { stored, presented } => {
                return write!(f, "the signature counter is {presented} but was {stored} before");
            }
        })
    }
}

impl std::error::Error for VerificationError {}
