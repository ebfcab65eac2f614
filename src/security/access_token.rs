//! Access tokens: JWTs according to RFC 9068. They are signed with HS256 and a dedicated key, or with a key pair whose
//! public key other services use to verify them.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::{UnitWeighter, sync::Cache};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Result,
    config::{CustomClaims, JwtAlgorithm, Settings},
    security::{
        custom_claims,
        key_ring::KeyRing,
        keys::{KeyUse, Keys},
        random,
    },
};

pub use super::key_ring::{KeyState, ListedKey};

/// `typ` header (RFC 9068 §2.1). It prevents other token types from being accepted as access tokens.
const TYPE: &str = "at+jwt";

/// Hallpass tokens are about 800 bytes long, or 1,800 bytes with sixteen long roles. `ACCESS_TOKEN_CLAIMS` adds at most 3,414
/// bytes.
const MAX_TOKEN_LENGTH: usize = 8192;

/// The maximum number of tokens whose signature is not verified again, about 200 bytes each, and the usual number.
const MAX_KNOWN_TOKENS: u64 = 4096;
const USUAL_KNOWN_TOKENS: usize = 64;

/// Signs and verifies access tokens.
pub struct AccessTokens {
    /// Replaced atomically, so that no request sees a partial reload.
    keys: RwLock<Arc<LoadedKeys>>,
    issuer: String,
    audience: String,
    lifetime: TimeDelta,
    custom_claims: CustomClaims,
}

/// The keys, and the tokens that they have verified. A reload of the keys forgets these tokens.
struct LoadedKeys {
    ring: KeyRing,
    /// By the token's hash, so that no token is kept. Nothing here depends on the time.
    known: Cache<[u8; SHA256_OUTPUT_LEN], KnownToken>,
}

impl LoadedKeys {
    fn new(ring: KeyRing) -> Arc<Self> {
        Arc::new(Self { ring, known: Cache::with_weighter(USUAL_KNOWN_TOKENS, MAX_KNOWN_TOKENS, UnitWeighter) })
    }
}

/// A token whose signature, issuer and audience are valid.
#[derive(Clone, Copy)]
struct KnownToken {
    claims: Claims,
    not_before: Option<i64>,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessTokens(for {})", self.audience)
    }
}

/// The subject of a token.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `sub`
    pub user_id: Uuid,
    /// `sid`
    pub session_id: Uuid,
    /// `gen`
    pub generation: i32,
    /// Whether the user must set up a second factor first. Other services do not see that the session is restricted, so the
    /// token has no custom claims.
    pub is_restricted: bool,
    /// `roles`
    pub roles: &'a [String],
    /// `preferred_username`
    pub username: &'a str,
    /// The address, if the user has verified it.
    pub verified_email: Option<&'a str>,
    /// The first name.
    pub first_name: Option<&'a str>,
    /// The last name.
    pub last_name: Option<&'a str>,
    /// `auth_time`
    pub authenticated_at: DateTime<Utc>,
    /// `amr`, by RFC 8176.
    pub methods: &'a [String],
    /// `acr`
    pub assurance_level: &'static str,
}

/// The claims of a valid token. Roles and names are omitted, because Hallpass reads them from the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub user_id: Uuid,
    /// The session that the token was issued for.
    pub session_id: Uuid,
    /// The generation of the session when the token was issued.
    pub generation: i32,
    /// The time of issue, in seconds since 1970.
    pub issued_at: i64,
    /// The expiry time, in seconds since 1970.
    pub expires_at: i64,
}

/// The reason why a token was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The token was not issued by Hallpass, or was modified.
    Invalid,
    /// The token was valid until its `exp`.
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
    auth_time: i64,
    acr: &'static str,
    amr: &'a [String],
    /// None of them has the name of another claim.
    #[serde(flatten)]
    custom: Map<String, Value>,
}

/// The claims that are checked. Each must be present and have the right type.
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
    /// Loads the signing keys that the settings select.
    ///
    /// # Errors
    /// Internal, with a cause for the operator that describes the problem with the keys.
    pub fn new(keys: &Keys, settings: &Settings, now: DateTime<Utc>) -> Result<Self> {
        Ok(Self {
            keys: RwLock::new(LoadedKeys::new(key_ring(keys, settings, now)?)),
            issuer: settings.server.public_url.clone(),
            audience: settings.tokens.jwt_audience.clone(),
            lifetime: settings.tokens.access_lifetime,
            custom_claims: settings.tokens.claims.clone(),
        })
    }

    /// Reloads the keys and returns how many there are.
    ///
    /// # Errors
    /// Internal, with a cause for the operator. The previous keys stay in use.
    pub fn reload(&self, keys: &Keys, settings: &Settings, now: DateTime<Utc>) -> Result<usize> {
        let ring = key_ring(keys, settings, now)?;
        let count = ring.len();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = LoadedKeys::new(ring);
        Ok(count)
    }

    fn loaded(&self) -> Arc<LoadedKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All keys and their current state, newest first.
    #[must_use]
    pub fn keys(&self, now: DateTime<Utc>) -> Vec<ListedKey> {
        self.loaded().ring.list(now)
    }

    /// The public keys as a JWK Set (RFC 7517 §5). The set is empty with HS256, which has no public keys.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.loaded().ring.jwks().to_owned()
    }

    /// The lifetime of a token.
    #[must_use]
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// Signs a new token.
    ///
    /// # Errors
    /// Internal if no key has started yet or signing fails.
    pub fn sign(&self, subject: Subject<'_>, now: DateTime<Utc>) -> Result<String> {
        let custom = if subject.is_restricted { &[][..] } else { &self.custom_claims.0 };
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
            auth_time: subject.authenticated_at.timestamp(),
            acr: subject.assurance_level,
            amr: subject.methods,
            custom: custom_claims::render(custom, &subject),
        };
        self.loaded().ring.sign(&claims, now)
    }

    /// Verifies a token according to RFC 8725 and RFC 9068 §4: one algorithm, a known key, the expected type, issuer
    /// and audience, and no other header fields, such as an embedded key or an extension.
    ///
    /// # Errors
    /// [`Rejected::Invalid`] if the token was not issued by Hallpass or was modified, [`Rejected::Expired`] if it was
    /// valid until its `exp`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Rejected> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(Rejected::Invalid);
        }
        let keys = self.loaded();
        let hash = digest(&SHA256, token.as_bytes());
        let hash: [u8; SHA256_OUTPUT_LEN] = hash.as_ref().try_into().map_err(|_| Rejected::Invalid)?;
        let verify = || self.verify_signature(&keys.ring, token).ok_or(Rejected::Invalid);
        let KnownToken { claims, not_before } = keys.known.get_or_insert_with(&hash, verify)?;
        let now = now.timestamp();
        if not_before.is_some_and(|not_before| not_before > now) {
            Err(Rejected::Invalid)
        } else if claims.expires_at <= now {
            Err(Rejected::Expired(claims))
        } else {
            Ok(claims)
        }
    }

    /// Checks everything about a token that does not depend on the time.
    fn verify_signature(&self, ring: &KeyRing, token: &str) -> Option<KnownToken> {
        let checked: CheckedClaims = ring.verify(token)?;
        if checked.iss != self.issuer || checked.aud != self.audience {
            return None;
        }
        let claims = Claims {
            user_id: checked.sub,
            session_id: checked.sid,
            generation: checked.generation,
            issued_at: checked.iat,
            expires_at: checked.exp,
        };
        Some(KnownToken { claims, not_before: checked.nbf })
    }
}

/// Checks the key files, if the settings use any.
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
