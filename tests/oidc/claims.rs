//! The claims of ID tokens: in each token, one of them is wrong.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use hallpass::security::oidc::{EmailVerification, OidcError};
use serde_json::{Value, json};

use crate::support::{
    ACCESS_TOKEN, ALGORITHMS, CLIENT_ID, ED25519, ISSUER, NONCE, Statement, encode, verify, verify_claims, verify_with,
    verify_without,
};

#[test]
fn identity_has_the_claims_of_the_token() {
    let claims = json!({
        "preferred_username": "ada", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
        "hd": "example.org", "tid": "x",
    });
    let identity = verify_claims(&claims).unwrap();
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (ISSUER, "248289761001"));
    assert_eq!(identity.username.as_deref(), Some("ada"));
    assert_eq!(identity.full_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(identity.first_name.as_deref(), Some("Ada"));
    assert_eq!(identity.last_name.as_deref(), Some("Lovelace"));
    assert_eq!(identity.email.unwrap().address, "ada@example.org");
}

#[test]
fn issuer_is_compared_exactly() {
    for issuer in [
        "https://id.example.org/",
        "https://ID.example.org",
        "http://id.example.org",
        "https://id.example.org.attacker.example",
        "id.example.org",
        "",
    ] {
        assert_eq!(verify_claims(&json!({ "iss": issuer })), Err(OidcError::Issuer), "{issuer}");
    }
    for issuer in [Value::Null, json!([ISSUER]), json!(1)] {
        assert_eq!(verify_claims(&json!({ "iss": issuer })), Err(OidcError::Claim("iss")));
    }
}

#[test]
fn each_required_claim_is_required() {
    for claim in ["iss", "sub", "aud", "exp", "iat", "nonce"] {
        assert_eq!(verify_without(claim), Err(OidcError::Claim(claim)));
    }
}

#[test]
fn audience_contains_the_client() {
    for audience in [json!("other"), json!(["other"]), json!([]), json!(""), json!("hallpass "), json!("Hallpass")] {
        assert_eq!(verify_claims(&json!({ "aud": audience })), Err(OidcError::Audience), "{audience}");
    }
    for audience in [Value::Null, json!(1), json!({ "a": CLIENT_ID }), json!([CLIENT_ID, 1]), json!([[CLIENT_ID]])] {
        assert_eq!(verify_claims(&json!({ "aud": audience })), Err(OidcError::Claim("aud")), "{audience}");
    }
    assert!(verify_claims(&json!({ "aud": [CLIENT_ID] })).is_ok());
}

#[test]
fn several_audiences_need_an_authorized_party() {
    let audiences = json!([CLIENT_ID, "other"]);
    assert_eq!(verify_claims(&json!({ "aud": audiences })), Err(OidcError::AuthorizedParty));
    assert_eq!(verify_claims(&json!({ "aud": audiences, "azp": "other" })), Err(OidcError::AuthorizedParty));
    assert!(verify_claims(&json!({ "aud": audiences, "azp": CLIENT_ID })).is_ok());
    let without_client = json!({ "aud": ["other", "third"], "azp": CLIENT_ID });
    assert_eq!(verify_claims(&without_client), Err(OidcError::Audience));
}

#[test]
fn authorized_party_is_the_client() {
    for party in [json!("other"), json!(""), json!([CLIENT_ID]), Value::Null] {
        assert_eq!(verify_claims(&json!({ "azp": party })), Err(OidcError::AuthorizedParty), "{party}");
    }
    assert!(verify_claims(&json!({ "azp": CLIENT_ID })).is_ok());
}

#[test]
fn nonce_is_that_of_the_flow() {
    for nonce in ["", "other", "the nonce of the flo", "the nonce of the flow ", "The nonce of the flow"] {
        assert_eq!(verify_claims(&json!({ "nonce": nonce })), Err(OidcError::Nonce), "{nonce}");
    }
    for nonce in [Value::Null, json!([NONCE])] {
        assert_eq!(verify_claims(&json!({ "nonce": nonce })), Err(OidcError::Claim("nonce")));
    }
}

#[test]
fn subject_is_1_to_255_ascii_characters() {
    for subject in ["x".to_owned(), "x".repeat(255), "a|b c/d".to_owned()] {
        assert_eq!(verify_claims(&json!({ "sub": subject })).unwrap().subject, subject);
    }
    for subject in [String::new(), "x".repeat(256), "é".to_owned(), "a\0".to_owned(), "a\n".to_owned()] {
        assert_eq!(verify_claims(&json!({ "sub": subject })), Err(OidcError::Subject), "{subject:?}");
    }
    for subject in [json!(1), Value::Null, json!(["x"])] {
        assert_eq!(verify_claims(&json!({ "sub": subject })), Err(OidcError::Claim("sub")));
    }
}

#[test]
fn subjects_that_differ_in_case_or_spaces_are_different() {
    let subject = |text: &str| verify_claims(&json!({ "sub": text })).unwrap().subject;
    assert_ne!(subject("a"), subject("A"));
    assert_ne!(subject("a"), subject("a "));
}

fn half_hash(algorithm: &str, text: &str) -> String {
    let hash = digest(
        match algorithm {
            "RS384" | "ES384" => &SHA384,
            "RS512" | "EdDSA" => &SHA512,
            _ => &SHA256,
        },
        text.as_bytes(),
    );
    encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

#[test]
fn access_token_hash_has_the_hash_of_the_algorithm() {
    for algorithm in ALGORITHMS {
        let mut token = Statement::new(algorithm);
        token.claims["at_hash"] = half_hash(algorithm, ACCESS_TOKEN).into();
        assert!(verify(&token.sign()).is_ok(), "{algorithm}");
        token.claims["at_hash"] = half_hash(algorithm, "another access token").into();
        assert_eq!(verify(&token.sign()), Err(OidcError::AccessTokenHash), "{algorithm}");
    }
}

#[test]
fn access_token_hash_is_the_whole_half() {
    let hash = half_hash("ES256", ACCESS_TOKEN);
    let full = encode(digest(&SHA256, ACCESS_TOKEN.as_bytes()).as_ref());
    for wrong in ["", &hash[..20], &full, &format!("{hash}=="), &half_hash("ES384", ACCESS_TOKEN)] {
        assert_eq!(verify_claims(&json!({ "at_hash": wrong })), Err(OidcError::AccessTokenHash), "{wrong}");
    }
    for wrong in [Value::Null, json!(1)] {
        assert_eq!(verify_claims(&json!({ "at_hash": wrong })), Err(OidcError::Claim("at_hash")));
    }
}

#[test]
fn only_the_boolean_true_verifies_an_address() {
    use EmailVerification::{NotStated, NotVerified, Verified};
    let verification = |value: Value| {
        let identity = verify_claims(&json!({ "email_verified": value })).unwrap();
        identity.email.unwrap().verification
    };
    assert_eq!(verification(json!(true)), Verified);
    for value in
        [json!(false), json!("true"), json!("false"), json!("True"), json!(1), json!("1"), json!([true]), Value::Null]
    {
        assert_eq!(verification(value.clone()), NotVerified, "{value}");
    }
    assert_eq!(verify_without("email_verified").unwrap().email.unwrap().verification, NotStated);
}

#[test]
fn address_is_trusted_if_the_operator_and_the_provider_say_so() {
    for (value, is_trusted) in [(json!(true), true), (json!(false), false), (json!("true"), false)] {
        let email = verify_claims(&json!({ "email_verified": value })).unwrap().email.unwrap();
        assert_eq!(email.trusted(true).is_some(), is_trusted, "{value}");
        assert_eq!(email.trusted(false), None, "{value}");
    }
    let email = verify_without("email_verified").unwrap().email.unwrap();
    assert_eq!(email.trusted(true), None);
}

#[test]
fn token_without_an_address_is_accepted() {
    assert_eq!(verify_without("email").unwrap().email, None);
    for value in [Value::Null, json!(1), json!(["a@example.org"]), json!(""), json!("a\nb"), json!("x".repeat(321))] {
        assert_eq!(verify_claims(&json!({ "email": value })).unwrap().email, None, "{value}");
    }
}

#[test]
fn unusable_names_are_ignored() {
    for value in [Value::Null, json!(1), json!(""), json!(" "), json!("a\u{7f}"), json!("x".repeat(321))] {
        let identity = verify_claims(&json!({ "name": value, "preferred_username": value })).unwrap();
        assert_eq!((identity.full_name, identity.username), (None, None), "{value}");
    }
    assert_eq!(verify_claims(&json!({ "name": " Ada " })).unwrap().full_name.as_deref(), Some("Ada"));
}

#[test]
fn every_claim_is_checked_after_the_signature() {
    let result = verify_with(|token| {
        token.claims["iss"] = "https://attacker.example".into();
        token.algorithm = "other".into();
        token.key = &ED25519;
    });
    assert_eq!(result, Err(OidcError::Signature));
}
