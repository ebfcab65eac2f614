//! Forged and altered tokens: the attacks of RFC 8725, for each algorithm.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass::{
    config::{ExposeSecret, JwtAlgorithm},
    security::{key_files, keys::Keys},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;

use crate::support::{Answer, KeyFolder, TestServer, decode_part, json, start_of_time};

fn encode_part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A holder of the server's signing key, so that only the contents can make a token invalid.
struct Forger {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Forger {
    fn of(server: &TestServer, key_file: Option<&PathBuf>) -> Self {
        let pem = || std::fs::read(key_file.unwrap()).unwrap();
        let (algorithm, key) = match server.app.settings.tokens.jwt_algorithm {
            JwtAlgorithm::Hs256 => {
                let keys = Keys::load(&server.app.settings.tokens.secret_key, None).unwrap();
                let key = keys.access_token_key().unwrap();
                (Algorithm::HS256, EncodingKey::from_secret(key.expose_secret().as_bytes()))
            }
            JwtAlgorithm::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_pem(&pem()).unwrap()),
            JwtAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_pem(&pem()).unwrap()),
            JwtAlgorithm::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(&pem()).unwrap()),
        };
        Self { algorithm, key }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{header}.{claims}");
        format!("{message}.{}", crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap())
    }
}

#[tokio::test]
async fn forged_and_altered_hs256_tokens_are_rejected() {
    forge_for(JwtAlgorithm::Hs256).await;
}

#[tokio::test]
async fn forged_and_altered_eddsa_tokens_are_rejected() {
    forge_for(JwtAlgorithm::EdDsa).await;
}

#[tokio::test]
async fn forged_and_altered_es256_tokens_are_rejected() {
    forge_for(JwtAlgorithm::Es256).await;
}

#[tokio::test]
async fn forged_and_altered_rs256_tokens_are_rejected() {
    forge_for(JwtAlgorithm::Rs256).await;
}

async fn forge_for(algorithm: JwtAlgorithm) {
    let keys = KeyFolder::new();
    let key_file = (algorithm != JwtAlgorithm::Hs256)
        .then(|| key_files::generate(keys.path(), algorithm, start_of_time()).unwrap());
    let server = TestServer::with(|settings| {
        settings.tokens.jwt_algorithm = algorithm;
        settings.tokens.jwt_keys = key_file.as_ref().map(|_| keys.path().to_owned());
    })
    .await;
    let (ada, refresh_token) = server.app_user("ada").await;
    let token = ada.bearer.clone().unwrap();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let forger = Forger::of(&server, key_file.as_ref());
    assert_eq!(decode_part(header)["alg"], format!("{:?}", forger.algorithm));
    // Valid, like the server's own.
    ada.with_bearer(&forger.sign(header, claims)).me().await.data("/me/id");

    let mut tokens = with_other_headers(&forger, &token);
    tokens.extend(with_other_claims(&forger, header, &decode_part(claims)));
    tokens.extend(malformed(header, claims, signature));
    tokens.extend(signed_with_public_keys(
        &server.anonymous().get("/.well-known/jwks.json").await.json(),
        header,
        claims,
    ));
    // Guards against shortened lists.
    assert!(tokens.len() >= 144, "{}", tokens.len());
    for bad in tokens {
        assert_ne!(bad, token);
        assert_rejected(&ada.with_bearer(&bad).me().await, &bad);
        assert_eq!(ada.refresh(&bad).await.code(), "SESSION_NOT_FOUND", "{bad}");
        // The same through REST.
        let answer = ada.with_bearer(&bad).get("/users/me").await;
        assert_eq!(answer.status, 401, "{bad}");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#), "{bad}");
        let answer = ada.json("/refresh", json!({ "refresh_token": bad })).await;
        assert_eq!(answer.status, 401, "{bad}: {}", answer.text);
    }
    assert_eq!(ada.get("/users/me").await.json()["username"], "ada");
    // Access and refresh tokens are not interchangeable.
    assert_rejected(&ada.with_bearer(&refresh_token).me().await, &refresh_token);
    assert_eq!(ada.refresh(&token).await.code(), "SESSION_NOT_FOUND");
    ada.refresh(&refresh_token).await.data("/refreshToken/accessToken");
}

fn assert_rejected(answer: &Answer, token: &str) {
    let extensions = answer.error()["extensions"].clone();
    assert_eq!(extensions["code"], "UNAUTHENTICATED", "{token}: {extensions}");
    assert_ne!(extensions["reason"], "TOKEN_MISSING", "{token}");
}

fn with_other_headers(forger: &Forger, token: &str) -> Vec<String> {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let good = decode_part(header);
    let signed = |header: &Value| forger.sign(&encode_part(header), claims);
    let mut tokens = Vec::new();
    for alg in
        ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "EdDSA", ""]
    {
        let mut header = good.clone();
        header["alg"] = json!(alg);
        if header == good {
            continue;
        }
        tokens.push(signed(&header));
        tokens.push(format!("{}.{claims}.", encode_part(&header)));
        tokens.push(format!("{}.{claims}.{signature}", encode_part(&header)));
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", json!(null)),
        ("typ", json!("AT+JWT")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("\u{0}")),
        ("kid", json!("k".repeat(10_000))),
        ("kid", json!(null)),
        ("kid", json!(7)),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jku", json!("http://127.0.0.1:1/")),
        ("x5u", json!("http://127.0.0.1:1/")),
        ("x5c", json!(["MIIB"])),
        ("cty", json!("JWT")),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("nonce", json!("1")),
        ("unknown", json!("1")),
    ] {
        let mut header = good.clone();
        header[name] = value;
        tokens.push(signed(&header));
    }
    tokens
}

fn with_other_claims(forger: &Forger, header: &str, good: &Value) -> Vec<String> {
    let signed = |claims: &Value| forger.sign(header, &encode_part(claims));
    let mut tokens = Vec::new();
    for (name, value) in [
        ("iss", json!("http://evil.example")),
        ("iss", json!("")),
        ("iss", json!(null)),
        ("iss", json!(["http://localhost:8000"])),
        ("aud", json!("other")),
        ("aud", json!("")),
        ("aud", json!(null)),
        ("aud", json!(["http://localhost:8000", "other"])),
        ("exp", json!("9999999999")),
        ("exp", json!(null)),
        ("exp", json!(1e30)),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("exp", json!(true)),
        ("exp", json!(start_of_time().timestamp())),
        ("exp", json!(start_of_time().timestamp() - 1)),
        ("gen", json!(null)),
        ("gen", json!("0")),
        ("gen", json!(1e30)),
        ("nbf", json!(4_000_000_000_i64)),
        ("nbf", json!("soon")),
        ("sub", json!("ada")),
        ("sub", json!(null)),
        ("sid", json!(null)),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
        ("sub", json!("00000000-0000-0000-0000-000000000000")),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        tokens.push(signed(&claims));
        if let Some(claims) = claims.as_object_mut() {
            claims.remove(name);
        }
        if name != "nbf" {
            tokens.push(signed(&claims));
        }
    }
    tokens
}

fn malformed(header: &str, claims: &str, signature: &str) -> Vec<String> {
    let token = format!("{header}.{claims}.{signature}");
    let mut tokens = Vec::new();
    // The last character of most signatures has unused bits, which must not allow a second encoding.
    let last = signature.chars().last().unwrap();
    let spare = char::from_u32(u32::from(last) + 1).unwrap();
    tokens.extend([
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a.b.c".into(),
        "\u{e9}.b.c".into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{token}."),
        format!("{token}.x"),
        format!("{token}.{signature}.x"),
        format!("{token}="),
        format!("{header}=.{claims}=.{signature}="),
        format!("{header}.{claims}.{}{spare}", &signature[..signature.len() - 1]),
        format!("{header} {claims}.{signature}"),
        format!("{header}.{claims}.{signature}x"),
        format!("{header}.{claims}x.{signature}"),
        format!("{header}x.{claims}.{signature}"),
        json!({ "protected": header, "payload": claims, "signature": signature }).to_string(),
        format!("{{\"protected\":\"{header}\"}}.{claims}.{signature}"),
        "x".repeat(10_000),
    ]);
    for alphabet in ["+", "/", "%2B", "\u{e9}"] {
        tokens.push(format!("{header}.{claims}.{alphabet}{}", &signature[1..]));
    }
    tokens.push(format!("{claims}.{header}.{signature}"));
    tokens.push(format!("{token} {token}"));
    tokens.push(format!("{token},{token}"));
    tokens.push(format!("Bearer {token}"));
    tokens.push(format!("{header}.{claims}.{}", signature.to_lowercase()));
    tokens.push(format!("{}.{claims}.{signature}", header.to_lowercase()));
    tokens
}

/// Signs with public keys used as HMAC secrets.
fn signed_with_public_keys(jwks: &Value, header: &str, claims: &str) -> Vec<String> {
    let mut secrets =
        vec![jwks.to_string().into_bytes(), Vec::new(), b"another key, also long enough for an HMAC".to_vec()];
    for key in jwks["keys"].as_array().unwrap() {
        secrets.push(key.to_string().into_bytes());
        for part in ["x", "y", "n", "kid"] {
            if let Some(text) = key[part].as_str() {
                secrets.push(text.as_bytes().to_vec());
                secrets.push(URL_SAFE_NO_PAD.decode(text).unwrap());
            }
        }
    }
    let mut hs256 = decode_part(header);
    hs256["alg"] = json!("HS256");
    let headers = [header.to_owned(), encode_part(&hs256)];
    let sign = |header: &String, secret: &[u8]| {
        let forger = Forger { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret) };
        forger.sign(header, claims)
    };
    secrets.iter().flat_map(|secret| headers.iter().map(|header| sign(header, secret))).collect()
}
