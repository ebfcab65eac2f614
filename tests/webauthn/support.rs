//! A relying party, and ceremonies between it and the software authenticator.

use hallpass::security::webauthn::{
    Algorithm, AuthenticationResponse, CreationOptions, PasskeyUser, RegisteredCredential, RegistrationResponse,
    RelyingParty, RequestOptions, StoredCredential, UserHandlePolicy, VerificationError, VerifiedAuthentication,
    verify_authentication, verify_registration,
};
use serde_json::Value;
use uuid::Uuid;

use crate::authenticator::{Authenticator, Statement};

pub const ORIGIN: &str = "https://example.org";
pub const CHALLENGE: [u8; 32] = [7; 32];
pub const USER: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef);
pub const RELYING_PARTY: RelyingParty<'_> =
    RelyingParty { id: "example.org", origins: &[ORIGIN, "https://accounts.example.org"] };

pub fn creation_options() -> Value {
    let user = PasskeyUser::new(USER, "ada", "Ada Lovelace");
    let options = CreationOptions::new(RELYING_PARTY.id, "Example", user, &CHALLENGE, Vec::new());
    serde_json::to_value(options).unwrap()
}

pub fn request_options() -> Value {
    serde_json::to_value(RequestOptions::new(RELYING_PARTY.id, &CHALLENGE, Vec::new())).unwrap()
}

/// An authenticator on the relying party's page.
pub fn authenticator(algorithm: Algorithm) -> Authenticator {
    Authenticator::new(algorithm, ORIGIN)
}

pub fn verify_registration_json(credential: &Value) -> Result<RegisteredCredential, VerificationError> {
    verify_registration(&RegistrationResponse::parse(credential)?, &CHALLENGE, RELYING_PARTY)
}

/// Registers a passkey of a new authenticator that lies.
pub fn register_with(lie: impl FnOnce(&mut Statement)) -> Result<RegisteredCredential, VerificationError> {
    verify_registration_json(&authenticator(Algorithm::Es256).create(&creation_options(), lie))
}

/// A registered passkey.
pub struct Passkey {
    pub authenticator: Authenticator,
    pub registered: RegisteredCredential,
}

impl Passkey {
    pub fn new(mut authenticator: Authenticator) -> Self {
        let credential = authenticator.create(&creation_options(), |_| {});
        let registered = verify_registration_json(&credential).unwrap();
        Self { authenticator, registered }
    }

    pub fn es256() -> Self {
        Self::new(authenticator(Algorithm::Es256))
    }

    /// An authentication of which nothing is wrong except what the authenticator lies about.
    pub fn authenticate_with(
        &mut self,
        lie: impl FnOnce(&mut Statement),
    ) -> Result<VerifiedAuthentication, VerificationError> {
        let credential = self.authenticator.get(&request_options(), lie);
        self.verify(&credential, UserHandlePolicy::Required)
    }

    pub fn verify(
        &self,
        credential: &Value,
        user_handle: UserHandlePolicy,
    ) -> Result<VerifiedAuthentication, VerificationError> {
        let response = AuthenticationResponse::parse(credential)?;
        let stored = StoredCredential {
            id: &self.registered.id,
            public_key: &self.registered.public_key,
            counter: self.registered.counter,
            is_backup_eligible: self.registered.is_backup_eligible,
            user_id: USER,
        };
        verify_authentication(&response, &CHALLENGE, RELYING_PARTY, &stored, user_handle)
    }
}
