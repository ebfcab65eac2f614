//! Keys, and the lifetimes of tokens and sessions.

use std::{fmt, path::PathBuf};

use chrono::TimeDelta;

use crate::config::{SecretKey, SecretString};

/// How tokens are signed, and how long they and their sessions last.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// The secret that all keys are derived from.
    pub secret_key: SecretKey,
    /// The previous secret, which verifies and never signs.
    pub secret_key_previous: Option<SecretString>,
    /// The algorithm that signs access tokens.
    pub jwt_algorithm: JwtAlgorithm,
    /// The folder of the private keys; set for all algorithms but HS256.
    pub jwt_keys: Option<PathBuf>,
    /// `aud` of access tokens.
    pub jwt_audience: String,
    /// Lifetime of an access token.
    pub access_lifetime: TimeDelta,
    /// Lifetime of a session that is not refreshed.
    pub refresh_lifetime: TimeDelta,
    /// How long a replaced refresh token still returns the same new token.
    pub refresh_grace: TimeDelta,
    /// Maximum lifetime of a session, however often it is refreshed.
    pub session_max_lifetime: TimeDelta,
}

/// The algorithm that signs access tokens (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// HMAC with a key derived from the secret: whoever can verify can sign.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// ECDSA over P-256.
    Es256,
    /// RSA, PKCS #1 v1.5, at least 2,048 bits.
    Rs256,
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        })
    }
}
