//! Refresh tokens: JWTs with their own type, always signed with HS256 and a dedicated key, independent of the access
//! token algorithm. The tokens are not stored: the session row determines which one is current.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Error, Result,
    security::{
        jws::TokenKey,
        key_ring::derive_hs256,
        keys::{KeyUse, Keys},
    },
};

/// `typ` header. It prevents other token types from being accepted as refresh tokens.
const TYPE: &str = "rt+jwt";

/// Hallpass tokens are about 300 bytes long.
const MAX_TOKEN_LENGTH: usize = 1024;

/// Signs and verifies refresh tokens.
pub struct RefreshTokens {
    /// All keys, the signing key first.
    keys: Vec<TokenKey>,
}

impl std::fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshTokens")
    }
}

/// The claims of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RefreshClaims {
    /// The session.
    #[serde(rename = "sid")]
    pub session_id: Uuid,
    /// The generation of the session, which each refresh increments.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// When this generation began.
    #[serde(rename = "iat", with = "chrono::serde::ts_seconds")]
    pub issued_at: DateTime<Utc>,
    /// When the session expires, as known at the time of issue. The session row is authoritative.
    #[serde(rename = "exp", with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl RefreshTokens {
    /// Derives the signing keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        Ok(Self { keys: derive_hs256(keys, TYPE, [KeyUse::RefreshToken, KeyUse::RefreshTokenId])? })
    }

    /// Signs a token. The same claims always produce the same token.
    ///
    /// # Errors
    /// Internal if signing fails.
    pub fn sign(&self, claims: RefreshClaims) -> Result<String> {
        self.keys.first().ok_or_else(|| Error::internal("no refresh token key"))?.sign(&claims)
    }

    /// Returns the claims of a token that Hallpass signed. Does not check whether it has expired.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<RefreshClaims> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        self.keys.iter().find_map(|key| key.verify(token))
    }
}
