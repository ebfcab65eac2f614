use hallpass::security::webauthn::{
    Algorithm, AuthenticationResponse, RegistrationResponse, Transport, VerificationError,
};
use serde_json::{Value, json};

use crate::{
    authenticator::encode,
    support::{authenticator, creation_options, request_options},
};

fn registration() -> Value {
    authenticator(Algorithm::Es256).create(&creation_options(), |_| {})
}

fn authentication() -> Value {
    authenticator(Algorithm::Es256).get(&request_options(), |_| {})
}

/// The error for both kinds of responses after a change.
fn errors(change: impl Fn(&mut Value)) -> [VerificationError; 2] {
    let [mut registration, mut authentication] = [registration(), authentication()];
    change(&mut registration);
    change(&mut authentication);
    [
        RegistrationResponse::parse(&registration).unwrap_err(),
        AuthenticationResponse::parse(&authentication).unwrap_err(),
    ]
}

#[test]
fn type_must_be_public_key() {
    assert_eq!(errors(|json| json["type"] = json!("password")), [VerificationError::CredentialType; 2]);
}

#[test]
fn id_and_raw_id_must_be_equal() {
    assert_eq!(errors(|json| json["id"] = encode(b"another id")), [VerificationError::CredentialId; 2]);
}

#[test]
fn required_members_must_be_present() {
    for member in ["id", "rawId", "type", "response"] {
        let errors = errors(|json| drop(json.as_object_mut().unwrap().remove(member)));
        assert_eq!(errors, [VerificationError::MalformedCredential; 2], "{member}");
    }
    for member in ["clientDataJSON", "attestationObject"] {
        let mut json = registration();
        json["response"].as_object_mut().unwrap().remove(member);
        assert_eq!(RegistrationResponse::parse(&json), Err(VerificationError::MalformedCredential), "{member}");
    }
    for member in ["clientDataJSON", "authenticatorData", "signature"] {
        let mut json = authentication();
        json["response"].as_object_mut().unwrap().remove(member);
        assert_eq!(AuthenticationResponse::parse(&json), Err(VerificationError::MalformedCredential), "{member}");
    }
}

#[test]
fn only_unpadded_base64url_is_accepted() {
    for text in ["AA==", "+/8", "AB", "A", "AA A", "ä"] {
        let errors = errors(|json| json["response"]["clientDataJSON"] = json!(text));
        assert_eq!(errors, [VerificationError::MalformedCredential; 2], "{text}");
    }
}

#[test]
fn json_of_another_shape_is_refused() {
    for json in [json!(null), json!([]), json!("{}"), json!({}), json!({"response": []})] {
        assert_eq!(RegistrationResponse::parse(&json), Err(VerificationError::MalformedCredential));
        assert_eq!(AuthenticationResponse::parse(&json), Err(VerificationError::MalformedCredential));
    }
}

#[test]
fn lengths_are_limited() {
    for (member, max_length) in
        [("clientDataJSON", 4096), ("authenticatorData", 4096), ("signature", 512), ("userHandle", 64)]
    {
        let mut json = authentication();
        json["response"][member] = encode(&vec![0; max_length]);
        assert!(AuthenticationResponse::parse(&json).is_ok(), "{member}");
        json["response"][member] = encode(&vec![0; max_length + 1]);
        assert_eq!(AuthenticationResponse::parse(&json), Err(VerificationError::MalformedCredential), "{member}");
    }
    let mut json = registration();
    json["response"]["attestationObject"] = encode(&vec![0; 16 * 1024]);
    assert!(RegistrationResponse::parse(&json).is_ok());
    json["response"]["attestationObject"] = encode(&vec![0; 16 * 1024 + 1]);
    assert_eq!(RegistrationResponse::parse(&json), Err(VerificationError::MalformedCredential));
}

#[test]
fn credential_id_is_limited() {
    let with_id = |id: &[u8]| {
        let mut json = authentication();
        json["id"] = encode(id);
        json["rawId"] = encode(id);
        AuthenticationResponse::parse(&json).map(|response| response.credential_id.len())
    };
    assert_eq!(with_id(&[1; 1023]), Ok(1023));
    assert_eq!(with_id(&[1; 1024]), Err(VerificationError::MalformedCredential));
    assert_eq!(with_id(&[]), Err(VerificationError::CredentialId));
}

#[test]
fn only_known_transports_are_kept_once() {
    let mut json = registration();
    json["response"]["transports"] = json!(["usb", "nfc", "telepathy", "usb", "", "smart-card", "ble", "USB"]);
    let transports = RegistrationResponse::parse(&json).unwrap().transports;
    assert_eq!(transports, [Transport::Usb, Transport::Nfc, Transport::SmartCard, Transport::Ble]);
}

#[test]
fn transports_may_be_missing() {
    let mut json = registration();
    json["response"].as_object_mut().unwrap().remove("transports");
    assert!(RegistrationResponse::parse(&json).unwrap().transports.is_empty());
}
