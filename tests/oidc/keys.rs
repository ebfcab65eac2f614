//! Key sets.

use aws_lc_rs::{
    rsa::KeySize,
    signature::{KeyPair, RsaKeyPair},
};
use hallpass::security::oidc::{KeySet, OidcError};
use serde_json::{Value, json};

use crate::support::{ED25519, Key, P256, P384, RSA, Statement, encode, key_set, verify_by};

/// The number of keys of a set with one key that can be used.
fn usable(key: &Value) -> usize {
    key_set(std::slice::from_ref(key)).len()
}

fn with(key: &Key, name: &str, value: Value) -> Value {
    let mut jwk = key.jwk("a");
    jwk[name] = value;
    jwk
}

#[test]
fn keys_for_signatures_are_used() {
    for key in [&*RSA, &P256, &P384, &ED25519] {
        let mut jwk = key.jwk("a");
        assert_eq!(usable(&jwk), 1);
        jwk.as_object_mut().unwrap().remove("use");
        assert_eq!(usable(&jwk), 1);
        jwk["key_ops"] = json!(["verify"]);
        assert_eq!(usable(&jwk), 1);
    }
}

#[test]
fn keys_for_other_purposes_are_left_out() {
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("use", Value::Null),
        ("use", json!(["sig"])),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!(1)),
        ("kid", json!(1)),
    ] {
        assert_eq!(usable(&with(&RSA, name, value.clone())), 0, "{name} {value}");
    }
}

#[test]
fn symmetric_and_private_keys_are_left_out() {
    assert_eq!(usable(&json!({ "kty": "oct", "kid": "a", "use": "sig", "alg": "HS256", "k": "c2VjcmV0" })), 0);
    assert_eq!(usable(&json!({ "kty": "oct", "kid": "a", "k": "c2VjcmV0" })), 0);
    for key in [&*RSA, &P256, &ED25519] {
        assert_eq!(usable(&with(key, "d", json!("c2VjcmV0"))), 0);
        assert_eq!(usable(&with(key, "k", json!("c2VjcmV0"))), 0);
    }
}

#[test]
fn weak_rsa_keys_are_left_out() {
    let modulus = |length: usize, first: u8| {
        let mut bytes = vec![0xff; length];
        bytes[0] = first;
        with(&RSA, "n", encode(&bytes).into())
    };
    assert_eq!(usable(&modulus(256, 0x80)), 1);
    assert_eq!(usable(&modulus(1024, 0xff)), 1);
    for (length, first) in [(128, 0xff), (255, 0xff), (256, 0x7f), (256, 0), (257, 0), (1025, 0xff)] {
        assert_eq!(usable(&modulus(length, first)), 0, "{length} {first}");
    }
    assert_eq!(usable(&with(&RSA, "n", json!(""))), 0);
    assert_eq!(usable(&with(&RSA, "e", json!("A"))), 0);
}

#[test]
fn large_rsa_keys_are_used() {
    let key = Key::Rsa(RsaKeyPair::generate(KeySize::Rsa4096).unwrap());
    let public = match &key {
        Key::Rsa(key) => key.public_key().as_ref().to_vec(),
        _ => Vec::new(),
    };
    // In the DER of a key with 4,096 bits, the modulus follows nine bytes too.
    let jwk = json!({ "kty": "RSA", "kid": "RS256", "n": encode(&public[9..521]), "e": "AQAB" });
    let mut token = Statement::new("RS256");
    token.key = Box::leak(Box::new(key));
    assert!(verify_by(&token.sign(), &key_set(&[jwk])).is_ok());
}

#[test]
fn coordinates_have_the_length_of_the_curve() {
    for (key, name) in [(&*P256, "x"), (&P256, "y"), (&P384, "x"), (&P384, "y"), (&ED25519, "x")] {
        let text = key.jwk("a")[name].as_str().unwrap().to_owned();
        for wrong in [String::new(), text[4..].to_owned(), format!("AAAA{text}"), format!("{text}=")] {
            assert_eq!(usable(&with(key, name, wrong.clone().into())), 0, "{name} {wrong}");
        }
        assert_eq!(usable(&with(key, name, Value::Null)), 0);
    }
}

#[test]
fn curves_are_not_mixed_up() {
    for (key, curve) in [
        (&*P256, "P-384"),
        (&P384, "P-256"),
        (&P256, "P-521"),
        (&P256, "secp256k1"),
        (&P256, "Ed25519"),
        (&ED25519, "X25519"),
        (&ED25519, "Ed448"),
        (&ED25519, "P-256"),
        (&RSA, "P-256"),
    ] {
        assert_eq!(usable(&with(key, "crv", curve.into())), 0, "{curve}");
    }
    assert_eq!(usable(&with(&P256, "kty", json!("OKP"))), 0);
    assert_eq!(usable(&with(&P256, "kty", json!("AKP"))), 0);
}

#[test]
fn unknown_keys_do_not_spoil_the_set() {
    let set = key_set(&[json!({ "kty": "AKP", "pub": "x" }), json!("x"), json!({}), Value::Null, P256.jwk("a")]);
    assert_eq!(set.len(), 1);
    assert!(key_set(&[]).is_empty());
}

#[test]
fn number_of_keys_is_limited() {
    let set = |count| json!({ "keys": vec![P256.jwk("a"); count] }).to_string();
    assert_eq!(KeySet::parse(set(64).as_bytes()).unwrap().len(), 64);
    assert_eq!(KeySet::parse(set(65).as_bytes()).unwrap_err(), OidcError::MalformedKeySet);
}

#[test]
fn malformed_sets_are_refused() {
    let key = P256.jwk("a").to_string();
    let deep = format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(20), "]".repeat(20));
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(256 * 1024));
    let repeated = format!(r#"{{"keys":[],"keys":[{key}]}}"#);
    let repeated_member = r#"{"keys":[{"kid":"a","kid":"b"}]}"#.to_owned();
    for json in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "null",
        "<html>",
        &deep,
        &long,
        &repeated,
        &repeated_member,
    ] {
        let result = KeySet::parse(json.as_bytes());
        assert_eq!(result.unwrap_err(), OidcError::MalformedKeySet, "{}", json.get(..80).unwrap_or(json));
    }
}
