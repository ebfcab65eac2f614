//! Access tokens: JWTs by RFC 9068, signed with HS256 by a key that nothing else uses, or with a key pair whose public
//! half other services verify them with.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Result,
    config::{JwtAlgorithm, Settings},
    security::{
        key_ring::KeyRing,
        keys::{KeyUse, Keys},
        random,
    },
};

pub use super::key_ring::{KeyState, ListedKey};

/// `typ` of the header, RFC 9068 §2.1: no other token of ours can be taken for an access token.
const TYPE: &str = "at+jwt";

/// A token of ours has about 700 bytes, with sixteen long roles 1,700.
const MAX_TOKEN_LENGTH: usize = 4096;

/// Signs and checks access tokens.
pub struct AccessTokens {
    /// Replaced whole, so that no request sees half of a change.
    ring: RwLock<Arc<KeyRing>>,
    issuer: String,
    audience: String,
    lifetime: TimeDelta,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessTokens(for {})", self.audience)
    }
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `sub`
    pub user_id: Uuid,
    /// `sid`
    pub session_id: Uuid,
    /// `gen`
    pub generation: i32,
    /// `roles`
    pub roles: &'a [String],
    /// `preferred_username`
    pub username: &'a str,
}

/// What a good token says. Roles and names are left out: here the row decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whose it is.
    pub user_id: Uuid,
    /// The session it was made for.
    pub session_id: Uuid,
    /// How often the session had been refreshed when it was made.
    pub generation: i32,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It is not one of ours, or was altered.
    Invalid,
    /// It was good until its `exp`.
    Expired(Claims),
}

#[derive(Serialize)]
struct SignedClaims<'a> {
    iss: &'a str,
    sub: Uuid,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: Uuid,
    sid: Uuid,
    #[serde(rename = "gen")]
    generation: i32,
    client_id: &'a str,
    roles: &'a [String],
    preferred_username: &'a str,
}

/// The claims that are checked: each must be there, and of its type.
#[derive(Deserialize)]
struct CheckedClaims {
    iss: String,
    sub: Uuid,
    aud: String,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    sid: Uuid,
    #[serde(rename = "gen")]
    generation: i32,
}

impl AccessTokens {
    /// Tokens as the settings want them.
    ///
    /// # Errors
    /// Internal, with a cause for whoever starts the server: what is wrong with the keys.
    pub fn new(keys: &Keys, settings: &Settings, now: DateTime<Utc>) -> Result<Self> {
        Ok(Self {
            ring: RwLock::new(Arc::new(key_ring(keys, settings, now)?)),
            issuer: settings.server.public_url.clone(),
            audience: settings.tokens.jwt_audience.clone(),
            lifetime: settings.tokens.access_lifetime,
        })
    }

    /// Reads the keys again. Returns how many there are.
    ///
    /// # Errors
    /// Internal, with a cause for the operator: then the keys are those that were there before.
    pub fn reload(&self, keys: &Keys, settings: &Settings, now: DateTime<Utc>) -> Result<usize> {
        let ring = key_ring(keys, settings, now)?;
        let count = ring.len();
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(count)
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All keys, the youngest first, and what they do at this moment.
    #[must_use]
    pub fn keys(&self, now: DateTime<Utc>) -> Vec<ListedKey> {
        self.ring().list(now)
    }

    /// The public keys as a JWK Set (RFC 7517 §5). It is empty with HS256, which has none.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.ring().jwks().to_owned()
    }

    /// How long a token lives.
    #[must_use]
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// A new token.
    ///
    /// # Errors
    /// Internal, if no key has started or the library can't sign.
    pub fn sign(&self, subject: Subject<'_>, now: DateTime<Utc>) -> Result<String> {
        let claims = SignedClaims {
            iss: &self.issuer,
            sub: subject.user_id,
            aud: &self.audience,
            exp: (now + self.lifetime).timestamp(),
            iat: now.timestamp(),
            jti: random::id(now)?,
            sid: subject.session_id,
            generation: subject.generation,
            client_id: "first-party",
            roles: subject.roles,
            preferred_username: subject.username,
        };
        self.ring().sign(&claims, now)
    }

    /// Checks a token by RFC 8725 and RFC 9068 §4: one algorithm, a key, type, issuer and audience of ours, and a header
    /// that brings no key and no extension of its own.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Rejected> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(Rejected::Invalid);
        }
        let checked: CheckedClaims = self.ring().verify(token).ok_or(Rejected::Invalid)?;
        let now = now.timestamp();
        if checked.iss != self.issuer || checked.aud != self.audience || checked.nbf.is_some_and(|nbf| nbf > now) {
            return Err(Rejected::Invalid);
        }
        let claims = Claims {
            user_id: checked.sub,
            session_id: checked.sid,
            generation: checked.generation,
            issued_at: checked.iat,
            expires_at: checked.exp,
        };
        if checked.exp <= now { Err(Rejected::Expired(claims)) } else { Ok(claims) }
    }
}

/// Checks the key files, if the settings name any.
///
/// # Errors
/// As [`AccessTokens::new`].
pub fn check_key_files(settings: &Settings, now: DateTime<Utc>) -> Result<()> {
    match (settings.tokens.jwt_algorithm, &settings.tokens.jwt_keys) {
        (JwtAlgorithm::Hs256, _) | (_, None) => Ok(()),
        (algorithm, Some(folder)) => KeyRing::from_folder(folder, algorithm, TYPE, now).map(drop),
    }
}

fn key_ring(keys: &Keys, settings: &Settings, now: DateTime<Utc>) -> Result<KeyRing> {
    match (settings.tokens.jwt_algorithm, &settings.tokens.jwt_keys) {
        (JwtAlgorithm::Hs256, _) | (_, None) => {
            KeyRing::hs256(keys, TYPE, [KeyUse::AccessToken, KeyUse::AccessTokenId])
        }
        (algorithm, Some(folder)) => KeyRing::from_folder(folder, algorithm, TYPE, now),
    }
}
