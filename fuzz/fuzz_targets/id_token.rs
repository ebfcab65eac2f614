//! ID tokens. The input is a token, or, with a signature that is made here, a header and claims in JSON with a line break between
//! them. Nothing is accepted that is not signed, and an accepted token has exactly the expected claims.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use hallpass::{
    config::SecretString,
    security::oidc::{ExpectedToken, Identity, Issuer, KeySet, OidcError, SigningAlgorithm, verify_id_token},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.org";
const NOW: i64 = 1_800_000_000;

struct Provider {
    key: Ed25519KeyPair,
    keys: KeySet,
    issuer: Issuer,
    nonce: SecretString,
    access_token: SecretString,
}

static PROVIDER: LazyLock<Provider> = LazyLock::new(|| {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let x = URL_SAFE_NO_PAD.encode(key.public_key());
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x }] });
    let keys = KeySet::parse(set.to_string().as_bytes()).unwrap();
    Provider { key, keys, issuer: Issuer::Exact(ISSUER.into()), nonce: "nonce".into(), access_token: "token".into() }
});

fn verify(token: &str) -> Result<Identity, OidcError> {
    let provider = &*PROVIDER;
    let expected = ExpectedToken {
        issuer: &provider.issuer,
        client_id: "hallpass",
        algorithms: &[SigningAlgorithm::EdDsa],
        nonce: &provider.nonce,
        access_token: &provider.access_token,
        now: DateTime::from_timestamp(NOW, 0).unwrap(),
    };
    verify_id_token(&token.into(), &provider.keys, expected)
}

fuzz_target!(|input: &str| {
    assert!(verify(input).is_err());
    let Some((header, claims)) = input.split_once('\n') else { return };
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(PROVIDER.key.sign(message.as_bytes())));
    let Ok(identity) = verify(&token) else { return };
    let header: Value = serde_json::from_str(header).unwrap();
    assert!(header["alg"] == "EdDSA" || header["alg"] == "Ed25519");
    assert!(header.get("crit").is_none());
    let claims: Value = serde_json::from_str(claims).unwrap();
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["sub"], identity.subject);
    assert!((1..=255).contains(&identity.subject.len()) && identity.subject.is_ascii());
    assert_eq!(claims["nonce"], "nonce");
    let audience = &claims["aud"];
    assert!(audience == "hallpass" || audience.as_array().unwrap().contains(&"hallpass".into()));
    assert!(claims.get("azp").is_none_or(|authorized| authorized == "hallpass"));
    assert!(claims["exp"].as_f64().unwrap() > 1_799_999_940.0);
    if identity.email.as_ref().is_some_and(|email| email.trusted(true).is_some()) {
        assert_eq!(claims["email_verified"], true);
    }
    // The signature covers everything.
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert!(verify(&format!("{message}A.{signature}")).is_err());
});
