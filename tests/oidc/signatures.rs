//! The signature and the header of ID tokens.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use hallpass::security::oidc::{ExpectedToken, OidcError, verify_id_token};
use serde_json::{Value, json};

use crate::support::{
    ALGORITHMS, Key, RSA, Statement, encode, expected, key_set, metadata, token_with, verify, verify_by, verify_with,
};

#[test]
fn each_accepted_algorithm_verifies_a_correct_token() {
    for algorithm in ALGORITHMS {
        let identity = verify(&Statement::new(algorithm).sign()).unwrap();
        assert_eq!(identity.subject, "248289761001", "{algorithm}");
    }
}

#[test]
fn ed25519_is_another_name_of_eddsa() {
    let result = verify_with(|token| {
        *token = Statement::new("EdDSA");
        token.header["alg"] = "Ed25519".into();
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn every_flipped_bit_is_refused() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let token = Statement::new(algorithm).sign();
        assert!(verify(&token).is_ok());
        for index in 0..token.len() {
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(verify(&changed).is_err(), "{algorithm} {index} {bit}: {changed}");
            }
        }
    }
}

#[test]
fn shortened_and_extended_tokens_are_refused() {
    let token = token_with(|_| {});
    for length in 0..token.len() {
        assert!(verify(&token[..length]).is_err(), "{length}");
    }
    for changed in
        [format!("{token}A"), format!("{token}="), format!("{token}."), format!(" {token}"), format!(".{token}")]
    {
        assert!(verify(&changed).is_err(), "{changed}");
    }
}

#[test]
fn signature_of_another_key_is_refused() {
    for algorithm in ALGORITHMS {
        let mut token = Statement::new(algorithm);
        token.key = Box::leak(Box::new(match token.key {
            Key::Rsa(_) => Key::rsa(),
            Key::P256(_) => Key::p256(),
            Key::P384(_) => Key::p384(),
            Key::Ed25519(_) => Key::ed25519(),
        }));
        assert_eq!(verify(&token.sign()), Err(OidcError::Signature), "{algorithm}");
    }
}

#[test]
fn signature_of_other_claims_is_refused() {
    let (one, other) = (token_with(|_| {}), token_with(|token| token.claims["sub"] = "other".into()));
    let (message, _) = one.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{message}.{signature}")), Err(OidcError::Signature));
}

#[test]
fn unsigned_tokens_are_refused() {
    for name in ["none", "None", "NONE", "", "nOnE"] {
        let mut token = Statement::new("ES256");
        token.header["alg"] = name.into();
        assert_eq!(verify(&format!("{}.", token.message())), Err(OidcError::Algorithm), "{name}");
        assert_eq!(verify(&token.sign()), Err(OidcError::Algorithm), "{name}");
    }
    let token = Statement::new("ES256");
    assert_eq!(verify(&format!("{}.", token.message())), Err(OidcError::Signature));
}

/// The public key as the secret of an HMAC, in each form that libraries have taken it in.
#[test]
fn shared_secrets_are_refused() {
    let public = RSA.public_key();
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(public));
    let jwk = RSA.jwk("RS256").to_string();
    for (name, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
    {
        for secret in [public, pem.as_bytes(), jwk.as_bytes(), b"the client's secret"] {
            let mut token = Statement::new("RS256");
            token.header["alg"] = name.into();
            let message = token.message();
            let signature = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
            let token = format!("{message}.{}", encode(signature.as_ref()));
            assert_eq!(verify(&token), Err(OidcError::Algorithm));
            // Even if the provider publishes the secret as a key, and announces the algorithm.
            let key = json!({ "kty": "oct", "kid": "RS256", "alg": name, "use": "sig", "k": encode(secret) });
            assert!(verify_by(&token, &key_set(&[key])).is_err());
        }
    }
    let announced = metadata(&json!({ "id_token_signing_alg_values_supported": ["HS256", "none", "RS256"] }));
    assert_eq!(announced.algorithms.len(), 1);
}

#[test]
fn other_algorithms_are_refused() {
    for name in ["PS384", "PS512", "ES512", "ES256K", "Ed448", "RS1", "rs256", "ES256 "] {
        let result = verify_with(|token| token.header["alg"] = name.into());
        assert_eq!(result, Err(OidcError::Algorithm), "{name}");
    }
    for value in [Value::Null, json!(["ES256"]), json!(1)] {
        assert_eq!(verify_with(|token| token.header["alg"] = value), Err(OidcError::MalformedToken));
    }
}

#[test]
fn algorithm_that_is_not_announced_is_refused() {
    let token = Statement::new("ES256").sign();
    let provider = metadata(&json!({ "id_token_signing_alg_values_supported": ["RS256", "EdDSA"] }));
    let expected = ExpectedToken { algorithms: &provider.algorithms, ..expected(&provider.issuer) };
    let keys = key_set(&[Key::of("ES256").jwk("ES256")]);
    let result = verify_id_token(&token.as_str().into(), &keys, expected);
    assert_eq!(result, Err(OidcError::Algorithm));
}

#[test]
fn key_in_the_header_is_not_used() {
    let stranger: &'static Key = Box::leak(Box::new(Key::p256()));
    for (name, value) in [
        ("jwk", stranger.jwk("ES256")),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/certificate")),
        ("x5c", json!(["MIIB"])),
    ] {
        let result = verify_with(|token| {
            token.header[name] = value;
            token.key = stranger;
        });
        assert_eq!(result, Err(OidcError::Signature), "{name}");
    }
}

#[test]
fn critical_extensions_are_refused() {
    for value in [json!(["b64"]), json!([]), Value::Null] {
        assert_eq!(verify_with(|token| token.header["crit"] = value), Err(OidcError::TokenHeader));
    }
}

#[test]
fn other_types_of_tokens_are_refused() {
    for value in [json!("at+jwt"), json!("logout+jwt"), json!(""), json!(1), Value::Null] {
        let result = verify_with(|token| token.header["typ"] = value.clone());
        assert_eq!(result, Err(OidcError::TokenHeader), "{value}");
    }
    assert!(verify_with(|token| token.header["typ"] = "jwt".into()).is_ok());
    assert!(verify_with(|token| drop(token.header.as_object_mut().unwrap().remove("typ"))).is_ok());
}

#[test]
fn token_has_three_parts() {
    let token = token_with(|_| {});
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let malformed = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{header}.{payload}.{payload}.{signature}"),
        format!("{header}.{payload}.{payload}.{payload}.{signature}"),
        format!("{header}..{signature}.{payload}"),
    ];
    for text in malformed {
        assert_eq!(verify(&text), Err(OidcError::MalformedToken), "{text}");
    }
}

#[test]
fn repeated_claims_are_refused() {
    let claims = Statement::new("ES256").claims.to_string();
    let start = claims.strip_suffix('}').unwrap();
    for repeated in [r#""sub":"other""#, r#""sub":"248289761001""#, r#""\u0073ub":"other""#, r#""x":{"a":1,"a":1}"#] {
        let result = verify_with(|token| token.claims_json = Some(format!("{start},{repeated}}}")));
        assert_eq!(result, Err(OidcError::MalformedToken), "{repeated}");
    }
    assert!(verify_with(|token| token.claims_json = Some(format!(r#"{start},"x":1}}"#))).is_ok());
}

#[test]
fn huge_and_deep_tokens_are_refused() {
    assert!(verify_with(|token| token.claims["x"] = "x".repeat(8000).into()).is_ok());
    assert_eq!(verify_with(|token| token.claims["x"] = "x".repeat(16_000).into()), Err(OidcError::MalformedToken));
    let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert!(verify_with(|token| token.claims["x"] = deep(15)).is_ok());
    assert_eq!(verify_with(|token| token.claims["x"] = deep(16)), Err(OidcError::MalformedToken));
    assert_eq!(verify_with(|token| token.header["x"] = deep(16)), Err(OidcError::MalformedToken));
    let nested = "[".repeat(10_000);
    assert_eq!(verify_with(|token| token.claims_json = Some(nested)), Err(OidcError::MalformedToken));
}

#[test]
fn claims_are_an_object() {
    for json in ["", "[]", "null", "\"x\"", "{", "{}{}", "\u{feff}{}"] {
        let result = verify_with(|token| token.claims_json = Some(json.to_owned()));
        assert_eq!(result, Err(OidcError::MalformedToken), "{json}");
    }
}
