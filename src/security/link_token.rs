//! Tokens of links in mails. A token appears only in its mail; the database stores its hash.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DeriveValueType;

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    security::random,
};

/// The SHA-256 hash of a link token. A reader of the database cannot recover the link. A token has 256 random bits, so
/// it cannot be guessed and needs no slow hash.
#[derive(Clone, PartialEq, Eq, Hash, DeriveValueType)]
pub struct TokenHash(String);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl TokenHash {
    /// Hashes a presented token. Only the exact text of a token matches its hash.
    #[must_use]
    pub fn of(token: &SecretString) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose_secret().as_bytes())))
    }
}

impl TokenHash {
    /// Hashes the id of a credential, which is public, for a column with a limited length.
    #[must_use]
    pub fn of_credential_id(id: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, id)))
    }

    /// Hashes what identifies a user of a provider, which is public, for a column with a limited length.
    #[must_use]
    pub fn of_identity(issuer: &str, subject: &str) -> Self {
        // An issuer is a URL, so it contains no NUL.
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{issuer}\0{subject}").as_bytes())))
    }
}

/// Generates a token, in characters that need no escaping in URLs, and its hash.
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
    fn token_has_256_bits_and_only_its_exact_text_matches_the_hash() {
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
