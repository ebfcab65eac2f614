//! Keys, and the lifetimes of tokens and sessions.

use std::{fmt, path::PathBuf};

use chrono::TimeDelta;

use crate::config::{
    CustomClaims, DatabaseSettings, SecretKey, SecretString, ServerSettings, secret_key, setting::Setting, vars::Vars,
};

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
    /// Further claims of access tokens.
    pub claims: CustomClaims,
    /// Lifetime of an access token.
    pub access_lifetime: TimeDelta,
    /// Lifetime of a session that is not refreshed.
    pub refresh_lifetime: TimeDelta,
    /// How long a replaced refresh token still returns the same new token.
    pub refresh_grace: TimeDelta,
    /// Maximum lifetime of a session, however often it is refreshed.
    pub session_max_lifetime: TimeDelta,
}

impl TokenSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings, database: &DatabaseSettings) -> Self {
        vars.section("tokens", "Tokens and sessions");
        let secret_key = SecretKey::read(vars, server, database);
        let secret_key_previous = secret_key::read_previous(vars);
        let (jwt_algorithm, jwt_keys) = read_jwt(vars);
        let jwt_audience = Setting::new("JWT_AUDIENCE", "The claim `aud` of access tokens.")
            .text("a name without spaces, such as `https://api.example.org`", |text| {
                (!text.contains(char::is_whitespace)).then(|| text.to_owned())
            })
            .read_or_computed(vars, server.public_url.clone(), "`PUBLIC_URL`");
        let claims = CustomClaims::read(vars);
        let access_minutes = Setting::new("ACCESS_TOKEN_EXPIRE_MINUTES", "Lifetime of an access token.")
            .number(1..=60)
            .read_or(vars, 30);
        let refresh_days = Setting::new("REFRESH_TOKEN_EXPIRE_DAYS", "Lifetime of a session that is not refreshed.")
            .number(1..=365)
            .read_or(vars, 7);
        let grace_seconds = Setting::new(
            "REFRESH_GRACE_SECONDS",
            "How long a replaced refresh token still returns the same new token.",
        )
        .number(0..=300)
        .read_or(vars, 30);
        let session_days =
            Setting::new("SESSION_MAX_DAYS", "Maximum lifetime of a session.").number(1..=3650).read_or(vars, 90);
        Self {
            secret_key,
            secret_key_previous,
            jwt_algorithm,
            jwt_keys,
            jwt_audience,
            claims,
            access_lifetime: TimeDelta::minutes(access_minutes),
            refresh_lifetime: TimeDelta::days(refresh_days),
            refresh_grace: TimeDelta::seconds(grace_seconds),
            session_max_lifetime: TimeDelta::days(session_days),
        }
    }
}

/// Reads the algorithm and the folder of its keys, which all algorithms but HS256 need.
fn read_jwt(vars: &mut Vars) -> (JwtAlgorithm, Option<PathBuf>) {
    let algorithm = Setting::new("JWT_ALGORITHM", "The algorithm that signs access tokens.")
        .one_of(&[
            ("HS256", JwtAlgorithm::Hs256),
            ("EdDSA", JwtAlgorithm::EdDsa),
            ("ES256", JwtAlgorithm::Es256),
            ("RS256", JwtAlgorithm::Rs256),
        ])
        .read_or(vars, JwtAlgorithm::Hs256);
    let folder = Setting::new(
        "JWT_KEYS",
        "For all algorithms but HS256: the folder of the private keys in PEM format, each named by the UTC time at which it \
         starts to sign (`20260131T120000Z.pem`). All of them verify. See [Tokens](tokens.md).",
    )
    .text("a folder", |text| Some(text.to_owned()))
    .read_optional(vars)
    .map(PathBuf::from);
    match (algorithm, &folder) {
        (JwtAlgorithm::Hs256, Some(_)) => vars.mistake(
            "JWT_KEYS: expected no folder with JWT_ALGORITHM=HS256, which has no key files. Set JWT_ALGORITHM to EdDSA, \
             ES256 or RS256",
        ),
        (JwtAlgorithm::EdDsa | JwtAlgorithm::Es256 | JwtAlgorithm::Rs256, None) => vars.mistake(
            "JWT_KEYS: required with this JWT_ALGORITHM. Set it to a folder, and run `hallpass key generate`",
        ),
        _ => {}
    }
    (algorithm, folder)
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
