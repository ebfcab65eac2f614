use hallpass::security::webauthn::{Algorithm, Flags, Transport, VerificationError, cbor::CborError};
use serde_json::json;
use uuid::Uuid;

use crate::{
    authenticator::{
        Statement,
        cbor::{array, bytes, integer, map, text},
        encode,
    },
    support::{authenticator, creation_options, register_with, verify_registration_json},
};

#[test]
fn passkeys_of_all_offered_algorithms_are_registered() {
    for algorithm in Algorithm::OFFERED {
        let mut authenticator = authenticator(algorithm);
        let credential = authenticator.create(&creation_options(), |_| {});
        let registered = verify_registration_json(&credential).unwrap();
        assert_eq!(registered.id, authenticator.credential_id);
        assert_eq!((registered.counter, registered.aaguid), (0, Uuid::nil()));
        assert_eq!(registered.transports, [Transport::Internal, Transport::Hybrid]);
    }
}

#[test]
fn stored_key_has_the_bytes_that_came() {
    let mut sent = Vec::new();
    let registered = register_with(|statement| sent.clone_from(&statement.cose_key)).unwrap();
    assert_eq!(registered.public_key, sent);
}

#[test]
fn backup_flags_and_counter_are_returned() {
    for (flags, is_eligible, is_backed_up) in [
        (0, false, false),
        (Flags::BACKUP_ELIGIBLE, true, false),
        (Flags::BACKUP_ELIGIBLE | Flags::BACKED_UP, true, true),
    ] {
        let registered = register_with(|statement| {
            statement.flags |= flags;
            statement.counter = 7;
        })
        .unwrap();
        assert_eq!((registered.is_backup_eligible, registered.is_backed_up), (is_eligible, is_backed_up));
        assert_eq!(registered.counter, 7);
    }
}

#[test]
fn other_ceremony_type_is_refused() {
    let result = register_with(|statement| statement.client_data["type"] = json!("webauthn.get"));
    assert_eq!(result, Err(VerificationError::ClientDataType));
}

#[test]
fn other_challenge_is_refused() {
    for challenge in [encode(&[8; 32]), encode(&[7; 31]), json!("")] {
        let result = register_with(|statement| statement.client_data["challenge"] = challenge);
        assert_eq!(result, Err(VerificationError::Challenge));
    }
}

#[test]
fn other_origins_are_refused() {
    for origin in [
        "http://example.org",
        "https://example.org/",
        "https://example.org:443",
        "https://example.org.evil.example",
        "https://sub.example.org",
        "https://EXAMPLE.org",
        "null",
        "",
    ] {
        let result = register_with(|statement| statement.client_data["origin"] = json!(origin));
        assert_eq!(result, Err(VerificationError::Origin), "{origin}");
    }
}

#[test]
fn every_expected_origin_is_accepted() {
    assert!(register_with(|statement| statement.client_data["origin"] = json!("https://accounts.example.org")).is_ok());
}

#[test]
fn frames_of_other_origins_are_refused() {
    let result = register_with(|statement| statement.client_data["crossOrigin"] = json!(true));
    assert_eq!(result, Err(VerificationError::CrossOrigin));
    for top_origin in [json!("https://example.org"), json!(null)] {
        let result = register_with(|statement| {
            statement.client_data.insert("topOrigin".into(), top_origin);
        });
        assert_eq!(result, Err(VerificationError::CrossOrigin));
    }
}

#[test]
fn other_rp_id_is_refused() {
    let result = register_with(|statement| statement.rp_id = "example.com".into());
    assert_eq!(result, Err(VerificationError::RpId));
}

#[test]
fn user_must_be_present_and_verified() {
    let result = register_with(|statement| statement.flags &= !Flags::USER_PRESENT);
    assert_eq!(result, Err(VerificationError::UserNotPresent));
    let result = register_with(|statement| statement.flags &= !Flags::USER_VERIFIED);
    assert_eq!(result, Err(VerificationError::UserNotVerified));
}

#[test]
fn backed_up_passkey_must_be_eligible() {
    let result = register_with(|statement| statement.flags |= Flags::BACKED_UP);
    assert_eq!(result, Err(VerificationError::BackupState));
}

#[test]
fn registration_must_contain_a_credential() {
    let result = register_with(|statement| statement.flags &= !Flags::ATTESTED_CREDENTIAL);
    assert_eq!(result, Err(VerificationError::AttestedCredential));
}

#[test]
fn self_attestation_is_accepted() {
    for algorithm in Algorithm::OFFERED {
        let create = |statement: &mut Statement| statement.self_attestation = Some(algorithm.identifier());
        let credential = authenticator(algorithm).create(&creation_options(), create);
        verify_registration_json(&credential).unwrap();
    }
}

#[test]
fn self_attestation_states_the_algorithm_of_the_key() {
    for algorithm in [-8, -257, -35, 0] {
        let result = register_with(|statement| statement.self_attestation = Some(algorithm));
        assert_eq!(result, Err(VerificationError::AttestationFormat), "{algorithm}");
    }
}

#[test]
fn attestation_of_a_model_is_refused() {
    let entry = |name, value| (text(name), value);
    let (algorithm, signature) = (entry("alg", integer(-7)), entry("sig", bytes(&[1; 70])));
    for statement in [
        map(&[algorithm.clone(), signature.clone(), entry("x5c", array(&[bytes(&[1; 300])]))]),
        map(&[signature.clone(), entry("x5c", array(&[]))]),
        map(std::slice::from_ref(&algorithm)),
        map(&[algorithm.clone(), entry("sig", text("x"))]),
        map(&[entry("alg", text("x")), signature.clone()]),
        map(&[]),
    ] {
        let result = register_with(|stated| {
            stated.attestation_format = "packed".into();
            stated.attestation = statement;
        });
        assert_eq!(result, Err(VerificationError::AttestationFormat));
    }
    let result = register_with(|stated| {
        stated.attestation_format = "apple".into();
        stated.attestation = map(&[algorithm, signature]);
    });
    assert_eq!(result, Err(VerificationError::AttestationFormat));
}

#[test]
fn attestation_none_has_an_empty_statement() {
    let result = register_with(|statement| {
        statement.attestation = map(&[(text("alg"), integer(-7))]);
    });
    assert_eq!(result, Err(VerificationError::AttestationFormat));
    let result = register_with(|statement| statement.attestation = bytes(b""));
    assert_eq!(result, Err(VerificationError::MalformedAttestation));
}

#[test]
fn credential_id_has_1_to_1023_bytes() {
    assert!(register_with(|statement| statement.credential_id = vec![1]).is_ok());
    assert!(register_with(|statement| statement.credential_id = vec![1; 1023]).is_ok());
    let result = register_with(|statement| statement.credential_id = Vec::new());
    assert_eq!(result, Err(VerificationError::CredentialId));
    assert!(register_with(|statement| statement.credential_id = vec![1; 1024]).is_err());
}

#[test]
fn credential_ids_of_client_and_authenticator_must_be_equal() {
    let mut credential = authenticator(Algorithm::Es256).create(&creation_options(), |_| {});
    for id in ["id", "rawId"] {
        credential[id] = encode(b"another id");
    }
    assert_eq!(verify_registration_json(&credential), Err(VerificationError::CredentialId));
}

#[test]
fn extensions_are_ignored_if_they_are_announced() {
    let extensions = || map(&[(text("credProtect"), integer(2))]);
    let registered = register_with(|statement| {
        statement.flags |= Flags::EXTENSIONS;
        statement.extensions = extensions();
    });
    assert!(registered.is_ok());
    let result = register_with(|statement| statement.extensions = extensions());
    assert_eq!(result, Err(VerificationError::MalformedAuthenticatorData));
    let result = register_with(|statement| statement.flags |= Flags::EXTENSIONS);
    assert_eq!(result, Err(VerificationError::Cbor(CborError::Truncated)));
}

#[test]
fn extensions_must_be_one_map() {
    let result = register_with(|statement| {
        statement.flags |= Flags::EXTENSIONS;
        statement.extensions = integer(1);
    });
    assert_eq!(result, Err(VerificationError::MalformedAuthenticatorData));
    let result = register_with(|statement| {
        statement.flags |= Flags::EXTENSIONS;
        statement.extensions = [map(&[]), vec![0]].concat();
    });
    assert_eq!(result, Err(VerificationError::MalformedAuthenticatorData));
}

#[test]
fn reserved_flags_are_ignored() {
    assert!(register_with(|statement| statement.flags |= 0b0010_0010).is_ok());
}
