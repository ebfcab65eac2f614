use hallpass::security::webauthn::{CreationOptions, CredentialDescriptor, PasskeyUser, RequestOptions, Transport};
use serde_json::json;
use uuid::Uuid;

fn descriptor() -> CredentialDescriptor {
    CredentialDescriptor::new(vec![0xfb, 0xff], vec![Transport::Internal, Transport::SmartCard])
}

#[test]
fn creation_options_require_discoverable_credentials_with_user_verification() {
    let user = PasskeyUser::new(Uuid::from_u128(1), "ada", "Ada Lovelace");
    let options = CreationOptions::new("example.org", "Example", user, &[7; 32], vec![descriptor()]);
    let expected = json!({
        "rp": {"id": "example.org", "name": "Example"},
        "user": {"id": "AAAAAAAAAAAAAAAAAAAAAQ", "name": "ada", "displayName": "Ada Lovelace"},
        "challenge": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -8},
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -257},
        ],
        "timeout": 900_000,
        "excludeCredentials": [{"id": "-_8", "type": "public-key", "transports": ["internal", "smart-card"]}],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "hints": [],
        "attestation": "none",
    });
    assert_eq!(serde_json::to_value(options).unwrap(), expected);
}

#[test]
fn request_options_require_user_verification() {
    let options = RequestOptions::new("example.org", &[7; 32], vec![descriptor()]);
    let expected = json!({
        "challenge": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "timeout": 900_000,
        "rpId": "example.org",
        "allowCredentials": [{"id": "-_8", "type": "public-key", "transports": ["internal", "smart-card"]}],
        "userVerification": "required",
        "hints": [],
    });
    assert_eq!(serde_json::to_value(options).unwrap(), expected);
}
