//! Which key of a set verifies a token.

use hallpass::security::oidc::OidcError;
use serde_json::{Value, json};

use crate::support::{ED25519, Key, P256, P384, RSA, Statement, key_set, token_with, verify_by};

fn without_key_id() -> String {
    token_with(|token| drop(token.header.as_object_mut().unwrap().remove("kid")))
}

#[test]
fn key_is_found_by_its_id() {
    let other = Key::p256();
    let keys = key_set(&[other.jwk("other"), P256.jwk("ES256")]);
    assert!(verify_by(&token_with(|_| {}), &keys).is_ok());
    let result = verify_by(&token_with(|token| token.header["kid"] = "other".into()), &keys);
    assert_eq!(result, Err(OidcError::Signature));
}

#[test]
fn unknown_key_id_is_told_apart_from_a_wrong_signature() {
    let keys = key_set(&[P256.jwk("old")]);
    assert_eq!(verify_by(&token_with(|_| {}), &keys), Err(OidcError::UnknownKey));
    assert_eq!(verify_by(&token_with(|_| {}), &key_set(&[])), Err(OidcError::UnknownKey));
    for id in ["es256", "ES256 ", ""] {
        let token = token_with(|token| token.header["kid"] = id.into());
        assert_eq!(verify_by(&token, &key_set(&[P256.jwk("ES256")])), Err(OidcError::UnknownKey), "{id}");
    }
}

#[test]
fn key_id_is_a_string() {
    for id in [Value::Null, json!(1), json!(["ES256"])] {
        let token = token_with(|token| token.header["kid"] = id);
        assert_eq!(verify_by(&token, &key_set(&[P256.jwk("ES256")])), Err(OidcError::MalformedToken));
    }
}

#[test]
fn token_without_key_id_is_accepted_if_exactly_one_key_fits() {
    let one_fits = key_set(&[RSA.jwk("a"), P256.jwk("b"), P384.jwk("c"), ED25519.jwk("d")]);
    assert!(verify_by(&without_key_id(), &one_fits).is_ok());
    let two_fit = key_set(&[P256.jwk("a"), Key::p256().jwk("b")]);
    assert_eq!(verify_by(&without_key_id(), &two_fit), Err(OidcError::AmbiguousKey));
    let none_fits = key_set(&[RSA.jwk("a")]);
    assert_eq!(verify_by(&without_key_id(), &none_fits), Err(OidcError::UnknownKey));
}

#[test]
fn token_with_key_id_needs_a_key_with_it() {
    let mut key = P256.jwk("ES256");
    key.as_object_mut().unwrap().remove("kid");
    assert_eq!(verify_by(&token_with(|_| {}), &key_set(&[key.clone()])), Err(OidcError::UnknownKey));
    assert!(verify_by(&without_key_id(), &key_set(&[key])).is_ok());
}

#[test]
fn two_keys_with_one_id_are_ambiguous_if_both_fit() {
    let token = token_with(|_| {});
    let both_fit = key_set(&[P256.jwk("ES256"), Key::p256().jwk("ES256")]);
    assert_eq!(verify_by(&token, &both_fit), Err(OidcError::AmbiguousKey));
    let one_fits = key_set(&[RSA.jwk("ES256"), P256.jwk("ES256")]);
    assert!(verify_by(&token, &one_fits).is_ok());
}

#[test]
fn key_of_another_type_does_not_fit() {
    for (algorithm, wrong) in [("ES256", &*RSA), ("ES256", &P384), ("EdDSA", &P256), ("RS256", &P256), ("ES384", &P256)]
    {
        let keys = key_set(&[wrong.jwk(algorithm)]);
        assert_eq!(verify_by(&Statement::new(algorithm).sign(), &keys), Err(OidcError::UnknownKey), "{algorithm}");
    }
}

#[test]
fn key_with_an_algorithm_is_used_with_this_one_only() {
    let mut key = RSA.jwk("PS256");
    let token = Statement::new("PS256").sign();
    assert!(verify_by(&token, &key_set(&[key.clone()])).is_ok());
    key["alg"] = "PS256".into();
    assert!(verify_by(&token, &key_set(&[key.clone()])).is_ok());
    key["alg"] = "RS256".into();
    assert_eq!(verify_by(&token, &key_set(&[key])), Err(OidcError::UnknownKey));
}
