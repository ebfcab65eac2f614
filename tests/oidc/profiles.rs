//! UserInfo responses.

use hallpass::security::oidc::{EmailVerification, Identity, OidcError};
use serde_json::{Value, json};

use crate::support::{verify_claims, verify_without};

fn add(identity: &mut Identity, members: &Value) -> Result<(), OidcError> {
    identity.add_user_info(members.to_string().as_bytes())
}

#[test]
fn missing_claims_are_added() {
    let mut identity = verify_without("email").unwrap();
    let members = json!({
        "sub": "248289761001", "email": "ada@example.org", "email_verified": true, "name": "Ada Lovelace",
        "given_name": "Ada", "family_name": "Lovelace", "preferred_username": "ada",
    });
    add(&mut identity, &members).unwrap();
    let email = identity.email.unwrap();
    assert_eq!((email.address.as_str(), email.verification), ("ada@example.org", EmailVerification::Verified));
    assert_eq!(identity.full_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(identity.first_name.as_deref(), Some("Ada"));
    assert_eq!(identity.last_name.as_deref(), Some("Lovelace"));
    assert_eq!(identity.username.as_deref(), Some("ada"));
}

#[test]
fn claims_of_the_id_token_are_kept() {
    let mut identity = verify_claims(&json!({ "name": "Ada" })).unwrap();
    add(&mut identity, &json!({ "sub": "248289761001", "email": "eve@example.org", "name": "Eve" })).unwrap();
    assert_eq!(identity.email.unwrap().address, "ada@example.org");
    assert_eq!(identity.full_name.as_deref(), Some("Ada"));
}

#[test]
fn one_document_does_not_verify_the_address_of_another() {
    let mut identity = verify_without("email_verified").unwrap();
    add(&mut identity, &json!({ "sub": "248289761001", "email": "eve@example.org", "email_verified": true })).unwrap();
    let email = identity.email.unwrap();
    assert_eq!((email.address.as_str(), email.verification), ("ada@example.org", EmailVerification::NotStated));
    let mut identity = verify_without("email").unwrap();
    add(&mut identity, &json!({ "sub": "248289761001", "email": "eve@example.org" })).unwrap();
    assert_eq!(identity.email.unwrap().verification, EmailVerification::NotStated);
}

#[test]
fn response_about_another_user_is_refused() {
    for sub in [json!("other"), json!("248289761001 "), json!(248_289_761_001_u64), Value::Null] {
        let mut identity = verify_without("email").unwrap();
        let result = add(&mut identity, &json!({ "sub": sub, "email": "ada@example.org", "email_verified": true }));
        assert_eq!((result, identity.email), (Err(OidcError::ProfileSubject), None), "{sub}");
    }
    let mut identity = verify_without("email").unwrap();
    assert_eq!(add(&mut identity, &json!({ "email": "ada@example.org" })), Err(OidcError::ProfileSubject));
}

#[test]
fn malformed_responses_are_refused() {
    let mut identity = verify_without("email").unwrap();
    let repeated = r#"{"sub":"248289761001","email":"a@example.org","email":"b@example.org"}"#;
    let long = format!(r#"{{"sub":"248289761001","x":"{}"}}"#, "x".repeat(64 * 1024));
    for json in ["", "[]", "eyJ.eyJ.x", repeated, &long] {
        let result = identity.add_user_info(json.as_bytes());
        assert_eq!(result, Err(OidcError::MalformedProfile), "{}", json.get(..80).unwrap_or(json));
    }
}
