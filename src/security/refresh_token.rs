//! Refresh tokens: JWTs of a type of their own, always HS256 with a key that nothing else uses, whatever signs the
//! access tokens. Nothing of them is stored: the session's row says which one is good.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Error, Result,
    security::{
        jws::TokenKey,
        key_ring::derived,
        keys::{KeyUse, Keys},
    },
};

/// `typ` of the header: no other token of ours can be taken for a refresh token.
const TYPE: &str = "rt+jwt";

/// A token of ours has about 300 bytes.
const MAX_TOKEN_LENGTH: usize = 1024;

/// Signs and checks refresh tokens.
pub struct RefreshTokens {
    /// The one that signs first.
    keys: Vec<TokenKey>,
}

impl std::fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshTokens")
    }
}

/// What a refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RefreshClaims {
    /// The session it is for.
    #[serde(rename = "sid")]
    pub session_id: Uuid,
    /// Which of the session's tokens it is: each refresh counts one up.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// When this generation began.
    #[serde(rename = "iat", with = "chrono::serde::ts_seconds")]
    pub issued_at: DateTime<Utc>,
    /// When the session ends, as far as was known then: the row may know better.
    #[serde(rename = "exp", with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl RefreshTokens {
    /// # Errors
    /// Internal, if no key can be derived.
    pub fn new(keys: &Keys) -> Result<Self> {
        Ok(Self { keys: derived(keys, TYPE, [KeyUse::RefreshToken, KeyUse::RefreshTokenId])? })
    }

    /// The token: the same claims always give the same one.
    ///
    /// # Errors
    /// Internal, if the library can't sign.
    pub fn sign(&self, claims: RefreshClaims) -> Result<String> {
        self.keys.first().ok_or_else(|| Error::internal("no key for refresh tokens"))?.sign(&claims)
    }

    /// What a token says that we have signed, however old it is.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<RefreshClaims> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        self.keys.iter().find_map(|key| key.verify(token))
    }
}
