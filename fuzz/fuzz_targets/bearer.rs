//! The `Authorization` header.
//!
//! An input contains header values, one per line. `$head`, `$claims` and `$signature` are placeholders for the parts of
//! Ada's token. An input that starts with a brace is a token that the target signs with the server's key, to reach the code
//! after the signature check. Its first line is the JOSE header, where `$kid` is the key ID. The rest are the claims, where
//! `$sub` and `$sid` are Ada's.
#![no_main]

use std::{str::FromStr, sync::LazyLock};

use aws_lc_rs::hmac;
use axum::http::HeaderValue;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass::{config::ExposeSecret, security::keys::Keys};
use hallpass_fuzz::{Answer, SERVER};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;
use uuid::Uuid;

/// The signing key and Ada's token: its encoded parts, its header and its claims.
struct Signer {
    key: hmac::Key,
    parts: [String; 3],
    header: Vec<u8>,
    claims: Value,
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let keys = Keys::load(&SERVER.app.settings.tokens.secret_key, None).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys.access_token_key().unwrap().expose_secret().as_bytes());
    let parts: Vec<String> = SERVER.ada.access_token.split('.').map(ToOwned::to_owned).collect();
    let [header, claims] = [0, 1].map(|part| URL_SAFE_NO_PAD.decode(&parts[part]).unwrap());
    let signer =
        Signer { key, claims: serde_json::from_slice(&claims).unwrap(), header, parts: parts.try_into().unwrap() };
    // Otherwise the server would reject every token signed here, and the target would find nothing.
    assert_eq!(signer.sign(&signer.header, &claims), SERVER.ada.access_token);
    signer
});

impl Signer {
    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, message.as_bytes()));
        format!("{message}.{signature}")
    }
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let first_line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match data.get(first_line.len() + 1..) {
        Some(claims) if data.starts_with(b"{") => signed(first_line, claims),
        _ => sent(data),
    }
});

/// Checks that only Ada's own token is accepted.
fn sent(data: &[u8]) -> Corpus {
    let [head, claims, signature] = &SIGNER.parts;
    let lines: Option<Vec<HeaderValue>> = data
        .split(|byte| *byte == b'\n')
        .map(|line| {
            let line = replace(line, b"$head", head);
            let line = replace(&line, b"$claims", claims);
            HeaderValue::from_bytes(&replace(&line, b"$signature", signature)).ok()
        })
        .collect();
    let Some(lines) = lines else { return Corpus::Reject };
    let answer = ask(&lines);
    let bearers: Vec<&[u8]> = lines
        .iter()
        .map(HeaderValue::as_bytes)
        .filter(|line| line.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer ")))
        .map(|line| line[7..].trim_ascii())
        .collect();
    match bearers[..] {
        [] => assert_eq!(reason(&answer), Some("TOKEN_MISSING")),
        [token] if token == SERVER.ada.access_token.as_bytes() => assert_eq!(reason(&answer), None),
        _ => assert_eq!(reason(&answer), Some("TOKEN_INVALID")),
    }
    Corpus::Keep
}

/// Checks that a correctly signed token is accepted only with the server's exact header and valid claims of Ada.
fn signed(header: &[u8], claims: &[u8]) -> Corpus {
    let ada_claims = &SIGNER.claims;
    let ada_header: Value = serde_json::from_slice(&SIGNER.header).unwrap();
    let header = replace(header, b"$kid", ada_header["kid"].as_str().unwrap());
    let claims = replace(claims, b"$sub", ada_claims["sub"].as_str().unwrap());
    let claims = replace(&claims, b"$sid", ada_claims["sid"].as_str().unwrap());
    let token = SIGNER.sign(&header, &claims);
    let answer = ask(&[HeaderValue::try_from(format!("Bearer {token}")).unwrap()]);
    let Some(reason) = reason(&answer) else {
        assert_eq!(header, SIGNER.header);
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let id = |name: &str| Uuid::from_str(claims[name].as_str().unwrap()).unwrap().to_string();
        assert_eq!((id("sub"), id("sid")), (text(ada_claims, "sub"), text(ada_claims, "sid")));
        assert_eq!((text(&claims, "iss"), text(&claims, "aud")), (text(ada_claims, "iss"), text(ada_claims, "aud")));
        assert!(claims["gen"].as_i64().is_some_and(|generation| i32::try_from(generation).is_ok()));
        let now = SERVER.app.clock.now().timestamp();
        assert!(claims["exp"].as_i64().unwrap() > now);
        assert!(claims["nbf"].is_null() || claims["nbf"].as_i64().unwrap() <= now);
        return Corpus::Keep;
    };
    assert!(["TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED"].contains(&reason));
    Corpus::Keep
}

fn text(claims: &Value, name: &str) -> String {
    claims[name].as_str().unwrap().to_owned()
}

fn ask(authorization: &[HeaderValue]) -> Answer {
    SERVER.post(&[], authorization, br#"{"query":"{me{username}}"}"#.to_vec())
}

/// The reason of the `UNAUTHENTICATED` error, or `None` if Ada was authenticated.
fn reason(answer: &Answer) -> Option<&str> {
    let challenge = answer.header("www-authenticate");
    let Some(error) = answer.errors().first() else {
        assert_eq!(answer.body["data"]["me"]["username"], "ada");
        assert_eq!(challenge, "");
        return None;
    };
    assert!(answer.body["data"]["me"].is_null());
    assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
    let reason = error["extensions"]["reason"].as_str().unwrap();
    let expected = if reason == "TOKEN_MISSING" { "" } else { r#"Bearer error="invalid_token""# };
    assert_eq!(challenge, expected);
    Some(reason)
}

/// Replaces the first `placeholder` in `bytes`.
fn replace(bytes: &[u8], placeholder: &[u8], with: &str) -> Vec<u8> {
    match bytes.windows(placeholder.len()).position(|window| window == placeholder) {
        Some(at) => [&bytes[..at], with.as_bytes(), &bytes[at + placeholder.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
