//! The test vectors of Web Authentication Level 3 §16, in `vectors.json`: values without the private keys.

use std::{collections::BTreeMap, sync::LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use hallpass::security::webauthn::{
    AttestationObject, AuthenticationResponse, AuthenticatorData, Flags, PublicKey, RegistrationResponse, RelyingParty,
    StoredCredential, UserHandlePolicy, VerificationError, VerifiedAuthentication, verify_authentication,
    verify_registration,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::authenticator::cbor::{bytes, map, text};

const RELYING_PARTY: RelyingParty<'_> = RelyingParty { id: "example.org", origins: &["https://example.org"] };

/// The position of the flags in authenticator data.
const FLAGS: usize = 32;

#[derive(Deserialize)]
struct Vector {
    name: String,
    registration: BTreeMap<String, String>,
    authentication: BTreeMap<String, String>,
}

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| serde_json::from_str(include_str!("vectors.json")).unwrap());

/// The vectors with keys of the offered algorithms.
fn offered() -> impl Iterator<Item = &'static Vector> {
    VECTORS.iter().filter(|vector| !["packed.ES384", "packed.ES512", "packed.Ed448"].contains(&&*vector.name))
}

/// The offered vectors from pages that are not in frames.
fn valid() -> impl Iterator<Item = &'static Vector> {
    offered().filter(|vector| !vector.name.ends_with("Origin"))
}

fn vector(name: &str) -> &'static Vector {
    VECTORS.iter().find(|vector| vector.name == name).unwrap()
}

impl Vector {
    fn registration(&self, member: &str) -> Vec<u8> {
        hex::decode(&self.registration[member]).unwrap()
    }

    fn authentication(&self, member: &str) -> Vec<u8> {
        hex::decode(&self.authentication[member]).unwrap()
    }

    fn registration_response(&self) -> RegistrationResponse {
        RegistrationResponse {
            credential_id: self.registration("credential_id"),
            client_data_json: self.registration("clientDataJSON"),
            attestation_object: self.registration("attestationObject"),
            transports: Vec::new(),
        }
    }

    /// The registration without attestation and with a verified user. No signature covers this part of a registration.
    fn verified_registration_response(&self) -> RegistrationResponse {
        let mut response = self.registration_response();
        let attestation = AttestationObject::parse(&response.attestation_object).unwrap();
        let mut data = attestation.authenticator_data.to_vec();
        data[FLAGS] |= Flags::USER_VERIFIED;
        response.attestation_object =
            map(&[(text("fmt"), text("none")), (text("attStmt"), map(&[])), (text("authData"), bytes(&data))]);
        response
    }

    fn public_key(&self) -> Vec<u8> {
        let object = self.registration("attestationObject");
        let data = AttestationObject::parse(&object).unwrap().authenticator_data;
        AuthenticatorData::parse(data).unwrap().credential.unwrap().public_key.to_vec()
    }

    fn is_backup_eligible(&self) -> bool {
        let data = self.authentication("authenticatorData");
        AuthenticatorData::parse(&data).unwrap().flags.has(Flags::BACKUP_ELIGIBLE)
    }

    fn is_user_verified_in_authentication(&self) -> bool {
        self.authentication("authenticatorData")[FLAGS] & Flags::USER_VERIFIED != 0
    }

    fn authenticate(&self) -> Result<VerifiedAuthentication, VerificationError> {
        self.authenticate_with(|_| {})
    }

    fn authenticate_with(
        &self,
        change: impl FnOnce(&mut AuthenticationResponse),
    ) -> Result<VerifiedAuthentication, VerificationError> {
        let mut response = AuthenticationResponse {
            credential_id: self.registration("credential_id"),
            client_data_json: self.authentication("clientDataJSON"),
            authenticator_data: self.authentication("authenticatorData"),
            signature: self.authentication("signature"),
            user_handle: None,
        };
        change(&mut response);
        let stored = StoredCredential {
            id: &self.registration("credential_id"),
            public_key: &self.public_key(),
            counter: 0,
            is_backup_eligible: self.is_backup_eligible(),
            user_id: Uuid::nil(),
        };
        let challenge = self.authentication("challenge");
        verify_authentication(&response, &challenge, RELYING_PARTY, &stored, UserHandlePolicy::Optional)
    }
}

#[test]
fn registrations_are_accepted() {
    assert_eq!(valid().count(), 10);
    for vector in valid() {
        let challenge = vector.registration("challenge");
        let registered = verify_registration(&vector.verified_registration_response(), &challenge, RELYING_PARTY);
        let registered = registered.unwrap_or_else(|error| panic!("{}: {error:?}", vector.name));
        assert_eq!(registered.id, vector.registration("credential_id"), "{}", vector.name);
        assert_eq!(registered.public_key, vector.public_key(), "{}", vector.name);
        assert_eq!(registered.is_backup_eligible, vector.is_backup_eligible(), "{}", vector.name);
    }
}

#[test]
fn registrations_without_user_verification_or_with_attestation_are_refused() {
    for vector in valid().filter(|vector| vector.name != "packed-self.ES256") {
        let challenge = vector.registration("challenge");
        let result = verify_registration(&vector.registration_response(), &challenge, RELYING_PARTY);
        let data = vector.registration("attestationObject");
        let data = AttestationObject::parse(&data).unwrap().authenticator_data;
        let expected = if data[FLAGS] & Flags::USER_VERIFIED == 0 {
            VerificationError::UserNotVerified
        } else {
            VerificationError::AttestationFormat
        };
        assert_eq!(result, Err(expected), "{}", vector.name);
    }
}

#[test]
fn every_flipped_bit_of_a_self_attestation_is_refused() {
    let vector = vector("packed-self.ES256");
    let challenge = vector.registration("challenge");
    let verify = |response: &RegistrationResponse| verify_registration(response, &challenge, RELYING_PARTY);
    verify(&vector.registration_response()).unwrap();
    for bit in 0..vector.registration("attestationObject").len() * 8 {
        let mut response = vector.registration_response();
        response.attestation_object[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&response).is_err(), "{bit}");
    }
}

#[test]
fn signatures_are_accepted() {
    for vector in offered() {
        let hash = digest(&SHA256, &vector.authentication("clientDataJSON"));
        let signed = [&vector.authentication("authenticatorData"), hash.as_ref()].concat();
        let key = PublicKey::parse(&vector.public_key()).unwrap();
        key.verify(&signed, &vector.authentication("signature")).unwrap_or_else(|_| panic!("{}", vector.name));
    }
}

#[test]
fn authentications_are_accepted_if_the_user_is_verified() {
    let (verified, unverified): (Vec<_>, Vec<_>) =
        valid().partition(|vector| vector.is_user_verified_in_authentication());
    assert_eq!((verified.len(), unverified.len()), (3, 7));
    for vector in verified {
        assert!(vector.authenticate().is_ok(), "{}", vector.name);
    }
    for vector in unverified {
        assert_eq!(vector.authenticate(), Err(VerificationError::UserNotVerified), "{}", vector.name);
    }
}

#[test]
fn frames_of_other_origins_are_refused() {
    for name in ["none.ES256.crossOrigin", "none.ES256.topOrigin"] {
        let vector = vector(name);
        let challenge = vector.registration("challenge");
        let result = verify_registration(&vector.verified_registration_response(), &challenge, RELYING_PARTY);
        assert_eq!(result, Err(VerificationError::CrossOrigin));
        assert_eq!(vector.authenticate(), Err(VerificationError::CrossOrigin));
    }
}

#[test]
fn algorithms_that_were_not_offered_are_refused() {
    for name in ["packed.ES384", "packed.ES512", "packed.Ed448"] {
        let vector = vector(name);
        let challenge = vector.registration("challenge");
        let result = verify_registration(&vector.verified_registration_response(), &challenge, RELYING_PARTY);
        assert_eq!(result, Err(VerificationError::Algorithm), "{name}");
    }
}

#[test]
fn longest_credential_id_is_accepted() {
    let vector = vector("none.ES256.long-credential-id");
    assert_eq!(vector.registration("credential_id").len(), 1023);
    assert!(vector.authenticate().is_ok());
}

#[test]
fn every_flipped_bit_is_refused() {
    let vector = vector("packed.ES256");
    let members: [fn(&mut AuthenticationResponse) -> &mut Vec<u8>; 3] = [
        |response| &mut response.authenticator_data,
        |response| &mut response.client_data_json,
        |response| &mut response.signature,
    ];
    for member in members {
        let mut bits = 0;
        vector.authenticate_with(|response| bits = member(response).len() * 8).unwrap();
        for bit in 0..bits {
            let result = vector.authenticate_with(|response| member(response)[bit / 8] ^= 1 << (bit % 8));
            assert!(result.is_err(), "{bit}");
        }
    }
}

#[test]
fn every_shortened_attestation_object_is_refused() {
    for vector in valid() {
        let response = vector.verified_registration_response();
        let challenge = vector.registration("challenge");
        for length in 0..response.attestation_object.len() {
            let attestation_object = response.attestation_object[..length].to_vec();
            let shortened = RegistrationResponse { attestation_object, ..response.clone() };
            assert!(verify_registration(&shortened, &challenge, RELYING_PARTY).is_err(), "{} {length}", vector.name);
        }
    }
}
