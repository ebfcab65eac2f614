//! Proof Key for Code Exchange (RFC 7636): binds what a client asks for to the client that asked.
//!
//! The client keeps a random verifier, and sends its SHA-256 hash, the challenge, with the request. It sends the verifier with
//! the answer. Only the method `S256` is supported.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DeriveValueType;

use crate::config::{ExposeSecret, SecretString};

/// The length of a SHA-256 hash in base64url without padding.
const CHALLENGE_LENGTH: usize = 43;
/// The length of a verifier (§4.1).
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// A challenge of the method `S256` (§4.2): `BASE64URL(SHA256(verifier))`. It can be public.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct CodeChallenge(String);

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeChallenge(…)")
    }
}

impl CodeChallenge {
    /// Parses a challenge. `None` if it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (text.len() == CHALLENGE_LENGTH && text.bytes().all(is_base64url)).then(|| Self(text.to_owned()))
    }

    /// The challenge of a verifier. `None` if the text has not the form of one (§4.1).
    #[must_use]
    pub fn of_verifier(verifier: &SecretString) -> Option<Self> {
        let text = verifier.expose_secret();
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_verifier = VERIFIER_LENGTH.contains(&text.len()) && text.bytes().all(is_unreserved);
        is_verifier.then(|| Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))))
    }

    /// The challenge in base64url, as clients send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn challenge_is_that_of_the_standard() {
        assert!(CodeChallenge::of_verifier(&VERIFIER.into()) == CodeChallenge::parse(CHALLENGE));
    }

    #[test]
    fn only_the_hash_of_a_verifier_is_a_challenge() {
        for text in ["", VERIFIER.get(1..).unwrap(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", &"+".repeat(43)] {
            assert!(CodeChallenge::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn verifiers_have_enough_characters_of_the_alphabet() {
        for (text, is_verifier) in
            [("a".repeat(42), false), ("a.~_-".repeat(9), true), ("a".repeat(128), true), ("a".repeat(129), false)]
        {
            assert_eq!(CodeChallenge::of_verifier(&text.clone().into()).is_some(), is_verifier, "{text}");
        }
        assert!(CodeChallenge::of_verifier(&"é".repeat(43).into()).is_none());
    }
}
