use hallpass::security::webauthn::{Algorithm, Flags, UserHandlePolicy, VerificationError, VerifiedAuthentication};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    authenticator::{decode, encode},
    support::{Passkey, authenticator, request_options},
};

#[test]
fn passkeys_of_all_offered_algorithms_authenticate() {
    for algorithm in Algorithm::OFFERED {
        let mut passkey = Passkey::new(authenticator(algorithm));
        let verified = passkey.authenticate_with(|_| {}).unwrap();
        assert_eq!(verified, VerifiedAuthentication { counter: 0, is_backed_up: false });
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for algorithm in Algorithm::OFFERED {
        let mut passkey = Passkey::new(authenticator(algorithm));
        let credential = passkey.authenticator.get(&request_options(), |_| {});
        passkey.verify(&credential, UserHandlePolicy::Required).unwrap();
        for member in ["authenticatorData", "clientDataJSON", "signature"] {
            let honest = decode(&credential["response"][member]);
            for bit in 0..honest.len() * 8 {
                let mut flipped = honest.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let mut credential = credential.clone();
                credential["response"][member] = encode(&flipped);
                let result = passkey.verify(&credential, UserHandlePolicy::Required);
                assert!(result.is_err(), "{algorithm:?}: {member}, bit {bit}");
            }
        }
    }
}

#[test]
fn shortened_and_extended_parts_are_refused() {
    let mut passkey = Passkey::es256();
    let credential = passkey.authenticator.get(&request_options(), |_| {});
    for member in ["authenticatorData", "clientDataJSON", "signature"] {
        let honest = decode(&credential["response"][member]);
        let prefixes = (0..honest.len()).map(|length| honest[..length].to_vec());
        for changed in prefixes.chain([[&honest[..], &[0]].concat(), [&honest[..], b" "].concat()]) {
            let mut credential = credential.clone();
            credential["response"][member] = encode(&changed);
            assert!(passkey.verify(&credential, UserHandlePolicy::Required).is_err(), "{member}: {changed:02x?}");
        }
    }
}

#[test]
fn signature_of_another_key_is_refused() {
    let (passkey, mut other) = (Passkey::es256(), Passkey::es256());
    let credential = other.authenticator.get(&request_options(), |statement| {
        statement.credential_id.clone_from(&passkey.registered.id);
    });
    let result = passkey.verify(&credential, UserHandlePolicy::Required);
    assert_eq!(result, Err(VerificationError::Signature));
}

#[test]
fn another_credential_is_refused() {
    let (passkey, mut other) = (Passkey::es256(), Passkey::es256());
    let credential = other.authenticator.get(&request_options(), |_| {});
    let result = passkey.verify(&credential, UserHandlePolicy::Required);
    assert_eq!(result, Err(VerificationError::CredentialId));
}

#[test]
fn lies_in_client_data_are_refused() {
    let mut passkey = Passkey::es256();
    for (member, value, expected) in [
        ("type", json!("webauthn.create"), VerificationError::ClientDataType),
        ("challenge", encode(&[8; 32]), VerificationError::Challenge),
        ("origin", json!("https://evil.example"), VerificationError::Origin),
        ("crossOrigin", json!(true), VerificationError::CrossOrigin),
        ("topOrigin", json!("https://evil.example"), VerificationError::CrossOrigin),
    ] {
        let result = passkey.authenticate_with(|statement| {
            statement.client_data.insert(member.into(), value);
        });
        assert_eq!(result, Err(expected), "{member}");
    }
}

#[test]
fn other_rp_id_is_refused() {
    let result = Passkey::es256().authenticate_with(|statement| statement.rp_id = "evil.example".into());
    assert_eq!(result, Err(VerificationError::RpId));
}

#[test]
fn user_must_be_present_and_verified() {
    let mut passkey = Passkey::es256();
    let result = passkey.authenticate_with(|statement| statement.flags &= !Flags::USER_PRESENT);
    assert_eq!(result, Err(VerificationError::UserNotPresent));
    let result = passkey.authenticate_with(|statement| statement.flags &= !Flags::USER_VERIFIED);
    assert_eq!(result, Err(VerificationError::UserNotVerified));
}

#[test]
fn assertion_must_not_contain_a_credential() {
    let result = Passkey::es256().authenticate_with(|statement| statement.flags |= Flags::ATTESTED_CREDENTIAL);
    assert_eq!(result, Err(VerificationError::AttestedCredential));
}

#[test]
fn extra_bytes_after_authenticator_data_are_refused() {
    let result = Passkey::es256().authenticate_with(|statement| statement.extensions = vec![0xa0]);
    assert_eq!(result, Err(VerificationError::MalformedAuthenticatorData));
}

#[test]
fn backup_eligibility_must_not_change() {
    let mut passkey = Passkey::es256();
    let result = passkey.authenticate_with(|statement| statement.flags |= Flags::BACKUP_ELIGIBLE);
    assert_eq!(result, Err(VerificationError::BackupEligibility));
    let mut eligible = authenticator(Algorithm::Es256);
    eligible.backup_flags = Flags::BACKUP_ELIGIBLE;
    let result = Passkey::new(eligible).authenticate_with(|statement| statement.flags &= !Flags::BACKUP_ELIGIBLE);
    assert_eq!(result, Err(VerificationError::BackupEligibility));
}

#[test]
fn backed_up_passkey_must_be_eligible() {
    let result = Passkey::es256().authenticate_with(|statement| statement.flags |= Flags::BACKED_UP);
    assert_eq!(result, Err(VerificationError::BackupState));
}

#[test]
fn backup_state_may_change() {
    let mut eligible = authenticator(Algorithm::Es256);
    eligible.backup_flags = Flags::BACKUP_ELIGIBLE;
    let mut passkey = Passkey::new(eligible);
    for is_backed_up in [true, false] {
        let flag = if is_backed_up { Flags::BACKED_UP } else { 0 };
        let verified = passkey.authenticate_with(|statement| statement.flags |= flag).unwrap();
        assert_eq!(verified.is_backed_up, is_backed_up);
    }
}

#[test]
fn user_handle_of_another_user_is_refused() {
    let mut passkey = Passkey::es256();
    for handle in [Uuid::from_u128(2).as_bytes().to_vec(), vec![1]] {
        let credential =
            passkey.authenticator.get(&request_options(), |statement| statement.user_handle = Some(handle));
        for policy in [UserHandlePolicy::Required, UserHandlePolicy::Optional] {
            assert_eq!(passkey.verify(&credential, policy), Err(VerificationError::UserHandle));
        }
    }
}

#[test]
fn user_handle_may_be_missing_only_if_the_user_is_known() {
    let mut passkey = Passkey::es256();
    let absent = passkey.authenticator.get(&request_options(), |statement| statement.user_handle = None);
    let empty = passkey.authenticator.get(&request_options(), |statement| statement.user_handle = Some(Vec::new()));
    let mut null = absent.clone();
    null["response"]["userHandle"] = Value::Null;
    for credential in [absent, empty, null] {
        assert!(passkey.verify(&credential, UserHandlePolicy::Optional).is_ok());
        let result = passkey.verify(&credential, UserHandlePolicy::Required);
        assert_eq!(result, Err(VerificationError::MissingUserHandle));
    }
}

#[test]
fn counter_must_increase_unless_both_are_zero() {
    let mut passkey = Passkey::es256();
    for (stored, presented, is_valid) in
        [(0, 0, true), (0, 1, true), (5, 6, true), (5, u32::MAX, true), (5, 5, false), (5, 4, false), (5, 0, false)]
    {
        passkey.registered.counter = stored;
        let result = passkey.authenticate_with(|statement| statement.counter = presented);
        let expected = if is_valid {
            Ok(VerifiedAuthentication { counter: presented, is_backed_up: false })
        } else {
            Err(VerificationError::Counter { stored, presented })
        };
        assert_eq!(result, expected);
    }
}

#[test]
fn counter_is_reported_only_with_a_correct_signature() {
    let mut passkey = Passkey::es256();
    passkey.registered.counter = 5;
    let mut credential = passkey.authenticator.get(&request_options(), |statement| statement.counter = 4);
    credential["response"]["signature"] = encode(b"no signature");
    let result = passkey.verify(&credential, UserHandlePolicy::Required);
    assert_eq!(result, Err(VerificationError::Signature));
}

#[test]
fn counter_of_the_authenticator_increases_by_itself() {
    let mut counting = authenticator(Algorithm::Es256);
    counting.counter = 1;
    let mut passkey = Passkey::new(counting);
    for counter in [2, 3] {
        let verified = passkey.authenticate_with(|_| {}).unwrap();
        assert_eq!(verified.counter, counter);
        passkey.registered.counter = counter;
    }
}
