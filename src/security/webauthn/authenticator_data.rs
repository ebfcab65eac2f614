//! Authenticator data: what an authenticator says about a ceremony (WebAuthn §6.1).

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

use super::{MAX_CREDENTIAL_ID_LENGTH, RelyingParty, VerificationError, cbor};

/// Length of the aaguid in bytes.
const AAGUID_LENGTH: usize = 16;

/// Parsed authenticator data. It borrows from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticatorData<'a> {
    /// The SHA-256 hash of the RP id.
    pub rp_id_hash: &'a [u8; 32],
    /// The flags.
    pub flags: Flags,
    /// The signature counter (§6.1.1). Zero if the authenticator has none.
    pub counter: u32,
    /// The new credential, in registrations only.
    pub credential: Option<AttestedCredential<'a>>,
}

/// Attested credential data: a new credential (§6.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestedCredential<'a> {
    /// The model of the authenticator. Zero if the authenticator does not tell.
    pub aaguid: Uuid,
    /// The credential id, 1 to 1,023 bytes.
    pub id: &'a [u8],
    /// The public key, a COSE key. It is valid CBOR; nothing else has been checked.
    pub public_key: &'a [u8],
}

/// The flags. Reserved bits are ignored, so that later versions of the standard can use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// UP: the user was present.
    pub const USER_PRESENT: u8 = 1;
    /// UV: the authenticator verified the user, for example by fingerprint or PIN.
    pub const USER_VERIFIED: u8 = 1 << 2;
    /// BE: the credential may be backed up, for example synchronized between devices. It never changes (§6.1.3).
    pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
    /// BS: the credential is backed up.
    pub const BACKED_UP: u8 = 1 << 4;
    /// AT: attested credential data is included.
    pub const ATTESTED_CREDENTIAL: u8 = 1 << 6;
    /// ED: extension data is included.
    pub const EXTENSIONS: u8 = 1 << 7;

    /// Whether all bits of `flag` are set.
    #[must_use]
    pub const fn has(self, flag: u8) -> bool {
        self.0 & flag == flag
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Parses authenticator data. Extensions are read and ignored.
    ///
    /// # Errors
    /// MalformedAuthenticatorData, CredentialId if the credential id is too short or too long, or Cbor.
    pub fn parse(input: &'a [u8]) -> Result<Self, VerificationError> {
        let mut reader = Reader { rest: input };
        let rp_id_hash = reader.array::<32>()?;
        let flags = Flags(reader.byte()?);
        let counter = u32::from_be_bytes(*reader.array::<4>()?);
        let credential = if flags.has(Flags::ATTESTED_CREDENTIAL) { Some(reader.credential()?) } else { None };
        if flags.has(Flags::EXTENSIONS) {
            reader.extensions()?;
        }
        if !reader.rest.is_empty() {
            return Err(VerificationError::MalformedAuthenticatorData);
        }
        Ok(Self { rp_id_hash, flags, counter, credential })
    }

    /// Checks what both ceremonies require: the RP id, presence and verification of the user, and consistent backup flags
    /// (§7.1 steps 14 to 17, §7.2 steps 15 to 18).
    ///
    /// # Errors
    /// RpId, UserNotPresent, UserNotVerified or BackupState.
    pub(super) fn check(&self, relying_party: RelyingParty<'_>) -> Result<(), VerificationError> {
        if self.rp_id_hash.as_slice() != digest(&SHA256, relying_party.id.as_bytes()).as_ref() {
            return Err(VerificationError::RpId);
        }
        if !self.flags.has(Flags::USER_PRESENT) {
            return Err(VerificationError::UserNotPresent);
        }
        if !self.flags.has(Flags::USER_VERIFIED) {
            return Err(VerificationError::UserNotVerified);
        }
        if self.flags.has(Flags::BACKED_UP) && !self.flags.has(Flags::BACKUP_ELIGIBLE) {
            return Err(VerificationError::BackupState);
        }
        Ok(())
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], VerificationError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(VerificationError::MalformedAuthenticatorData)?;
        self.rest = rest;
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, VerificationError> {
        self.array::<1>().map(|[byte]| *byte)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], VerificationError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(VerificationError::MalformedAuthenticatorData)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn credential(&mut self) -> Result<AttestedCredential<'a>, VerificationError> {
        let aaguid = Uuid::from_bytes(*self.array::<AAGUID_LENGTH>()?);
        let length = usize::from(u16::from_be_bytes(*self.array()?));
        if !(1..=MAX_CREDENTIAL_ID_LENGTH).contains(&length) {
            return Err(VerificationError::CredentialId);
        }
        let id = self.take(length)?;
        let (_, after_key) = cbor::read_first(self.rest)?;
        let public_key = self.take(self.rest.len() - after_key.len())?;
        Ok(AttestedCredential { aaguid, id, public_key })
    }

    /// Skips the extensions, which are a map.
    fn extensions(&mut self) -> Result<(), VerificationError> {
        let (extensions, rest) = cbor::read_first(self.rest)?;
        extensions.as_map().ok_or(VerificationError::MalformedAuthenticatorData)?;
        self.rest = rest;
        Ok(())
    }
}
