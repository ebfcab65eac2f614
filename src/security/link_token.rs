//! The tokens of links in mails: shown once, in the mail, and stored as a hash.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DeriveValueType;

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    security::random,
};

/// What is stored of a token: its SHA-256. Whoever reads the database can't make the link of it. A token has 256 bits of
/// chance, so that there is nothing to guess and no need for a slow hash.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct TokenHash(String);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl TokenHash {
    /// The hash of what somebody shows. Only the very text of a token has the hash of that token.
    #[must_use]
    pub fn of(token: &SecretString) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose_secret().as_bytes())))
    }
}

/// A new token, in characters that a URL takes as they are, and its hash.
///
/// # Errors
/// As [`random::bytes`].
pub fn generate() -> Result<(SecretString, TokenHash)> {
    let token = SecretString::from(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?));
    let hash = TokenHash::of(&token);
    Ok((token, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_found_by_its_hash_alone() {
        let (token, hash) = generate().unwrap();
        assert_eq!(token.expose_secret().len(), 43);
        assert!(TokenHash::of(&token) == hash && generate().unwrap().1 != hash);
        for other in [format!("{}=", token.expose_secret()), format!(" {}", token.expose_secret()), String::new()] {
            assert!(TokenHash::of(&other.into()) != hash);
        }
        assert!(!format!("{hash:?}{token:?}").contains(&hash.0));
        // FIPS 180-4, the message "abc".
        assert_eq!(TokenHash::of(&"abc".into()).0, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }
}
