//! Forward-auth tokens: JWTs with their own type and key, which a browser sends in the cookie of forward-auth. They are accepted
//! by that endpoint only, so a proxied app that receives one cannot use it as an access token or refresh token.

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

/// `typ` header. It prevents other token types from being accepted as forward-auth tokens.
const TYPE: &str = "fa+jwt";

/// Hallpass tokens are about 250 bytes long.
const MAX_TOKEN_LENGTH: usize = 1024;

/// Signs and verifies forward-auth tokens.
pub struct ForwardAuthTokens {
    /// All keys, the signing key first.
    keys: Vec<TokenKey>,
}

impl std::fmt::Debug for ForwardAuthTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForwardAuthTokens")
    }
}

/// The claims of a forward-auth token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ForwardAuthClaims {
    /// The session.
    #[serde(rename = "sid")]
    pub session_id: Uuid,
    /// The generation of the session when the token was issued.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// When the session expires, as known at the time of issue.
    #[serde(rename = "exp", with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl ForwardAuthTokens {
    /// Derives the signing keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        Ok(Self { keys: derive_hs256(keys, TYPE, [KeyUse::ForwardAuthToken, KeyUse::ForwardAuthTokenId])? })
    }

    /// Signs a token.
    ///
    /// # Errors
    /// Internal if signing fails.
    pub fn sign(&self, claims: ForwardAuthClaims) -> Result<String> {
        self.keys.first().ok_or_else(|| Error::internal("no forward-auth token key"))?.sign(&claims)
    }

    /// Returns the claims of a token that Hallpass signed and that has not expired.
    #[must_use]
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<ForwardAuthClaims> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        let claims: Option<ForwardAuthClaims> = self.keys.iter().find_map(|key| key.verify(token));
        claims.filter(|claims| claims.expires_at > now)
    }
}
