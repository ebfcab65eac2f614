//! Access tokens: JWTs by RFC 9068, signed with HS256 by a key that nothing else uses.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    keys::{KeyUse, Keys, hex},
    random,
};
use crate::{Error, Result, error::UnauthenticatedReason};

/// `typ` of the header, RFC 9068 §2.1: no other token of ours can be taken for an access token.
const TYPE: &str = "at+jwt";

/// A token of ours has about 700 bytes, with sixteen long roles 1,700.
const LONGEST_TOKEN: usize = 4096;

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    header: Header,
    signing_key: EncodingKey,
    verifying_key: DecodingKey,
    validation: Validation,
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
    nbf: Option<i64>,
    sid: Uuid,
}

impl AccessTokens {
    /// Tokens of `issuer` for `audience` that live for `lifetime`.
    ///
    /// # Errors
    /// Internal, if no key can be derived.
    pub fn new(keys: &Keys, issuer: String, audience: String, lifetime: TimeDelta) -> Result<Self> {
        // The key is used as its hexadecimal text, so that it can be pasted into any JWT tool as it stands.
        let key = hex(&keys.derive::<32>(KeyUse::AccessToken)?);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(hex(&keys.derive::<8>(KeyUse::AccessTokenId)?));
        let mut validation = Validation::new(Algorithm::HS256);
        // All claims are checked below, against our clock and without leeway.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self {
            header,
            signing_key: EncodingKey::from_secret(key.as_bytes()),
            verifying_key: DecodingKey::from_secret(key.as_bytes()),
            validation,
            issuer,
            audience,
            lifetime,
        })
    }

    /// How long a token lives.
    #[must_use]
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// A new token.
    ///
    /// # Errors
    /// Internal, if the library can't sign.
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
        encode(&self.header, &claims, &self.signing_key).map_err(Error::internal)
    }

    /// Checks a token by RFC 8725 and RFC 9068 §4: one algorithm, our key, type, issuer and audience, and a header
    /// that brings no key and no extension of its own.
    ///
    /// # Errors
    /// `TokenExpired` for a token that was good until its `exp`, else `TokenInvalid`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, UnauthenticatedReason> {
        let invalid = UnauthenticatedReason::TokenInvalid;
        if token.len() > LONGEST_TOKEN {
            return Err(invalid);
        }
        let token = decode::<CheckedClaims>(token, &self.verifying_key, &self.validation).map_err(|_| invalid)?;
        let claims = token.claims;
        let now = now.timestamp();
        // Any header but ours, field by field, is not ours: no `crit`, `jwk`, `jku`, `x5u`, `x5c`, other `kid`.
        if token.header != self.header
            || claims.iss != self.issuer
            || claims.aud != self.audience
            || claims.nbf.is_some_and(|nbf| nbf > now)
        {
            return Err(invalid);
        }
        if claims.exp <= now {
            return Err(UnauthenticatedReason::TokenExpired);
        }
        Ok(Claims { user_id: claims.sub, session_id: claims.sid })
    }
}
