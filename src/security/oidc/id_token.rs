//! The validation of ID tokens (OpenID Connect Core §3.1.3.7).

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest::digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    Identity, Issuer, KeySet, OidcError, SigningAlgorithm,
    json::{Object, string},
    jws::{self, SignedToken},
};

/// The maximum difference between the clocks of the provider and of this server.
const MAX_SKEW: Duration = Duration::minutes(1);

/// The maximum age of a token. The provider has just issued it, but Microsoft dates tokens back by five minutes.
const MAX_AGE: Duration = Duration::minutes(10);

/// What an ID token must be.
#[derive(Clone, Copy)]
pub struct ExpectedToken<'a> {
    /// The issuer in the provider's metadata.
    pub issuer: &'a Issuer,
    /// The id of this client at the provider.
    pub client_id: &'a str,
    /// The algorithms in the provider's metadata.
    pub algorithms: &'a [SigningAlgorithm],
    /// The nonce of the flow.
    pub nonce: &'a SecretString,
    /// The access token of the same response.
    pub access_token: &'a SecretString,
    /// The current time.
    pub now: DateTime<Utc>,
}

/// Verifies an ID token, and returns who the user is.
///
/// Claims about a hosted domain (`hd`) or a tenant (`tid`) do not restrict who may sign in.
///
/// # Errors
/// UnknownKey if the key set may be outdated, so that the caller may fetch it and try again. Otherwise what is wrong.
pub fn verify_id_token(
    token: &SecretString,
    keys: &KeySet,
    expected: ExpectedToken<'_>,
) -> Result<Identity, OidcError> {
    // Steps 6 to 8. The token came from the provider over TLS, where step 6 permits to skip the signature; it is verified anyway.
    let SignedToken { claims, algorithm, key } = jws::verify(token.expose_secret(), keys, expected.algorithms)?;
    // Step 2.
    let issuer = expected.issuer.check(&claims, key.issuer())?;
    check_audience(&claims, expected.client_id)?;
    check_times(&claims, expected.now)?;
    check_nonce(&claims, expected.nonce)?;
    check_access_token_hash(&claims, algorithm, expected.access_token)?;
    Identity::from_claims(issuer, &claims)
}

/// Steps 3 to 5. Other audiences make a token for several clients. It is accepted only if it was issued to this one: `azp`.
fn check_audience(claims: &Object, client_id: &str) -> Result<(), OidcError> {
    const MALFORMED: OidcError = OidcError::Claim("aud");
    let audiences: Vec<&str> = match claims.get("aud").ok_or(MALFORMED)? {
        Value::String(audience) => vec![audience],
        Value::Array(audiences) => audiences.iter().map(Value::as_str).collect::<Option<_>>().ok_or(MALFORMED)?,
        _ => return Err(MALFORMED),
    };
    if !audiences.contains(&client_id) {
        return Err(OidcError::Audience);
    }
    match claims.get("azp") {
        Some(authorized) if authorized == client_id => Ok(()),
        None if audiences.len() == 1 => Ok(()),
        _ => Err(OidcError::AuthorizedParty),
    }
}

/// Steps 9 and 10, and `nbf` (RFC 7519 §4.1.5).
fn check_times(claims: &Object, now: DateTime<Utc>) -> Result<(), OidcError> {
    let expires_at = time(claims, "exp")?.ok_or(OidcError::Claim("exp"))?;
    let issued_at = time(claims, "iat")?.ok_or(OidcError::Claim("iat"))?;
    let valid_from = time(claims, "nbf")?;
    let (earliest, latest) = (seconds(now - MAX_SKEW), seconds(now + MAX_SKEW));
    if expires_at <= earliest {
        Err(OidcError::Expired)
    } else if issued_at > latest || issued_at < seconds(now - MAX_AGE) {
        Err(OidcError::IssuedAt)
    } else if valid_from.is_some_and(|valid_from| valid_from > latest) {
        Err(OidcError::NotYetValid)
    } else {
        Ok(())
    }
}

/// A time in seconds since 1970, which may have a fraction (RFC 7519 §2).
fn time(claims: &Object, name: &'static str) -> Result<Option<f64>, OidcError> {
    claims.get(name).map(|value| value.as_f64().ok_or(OidcError::Claim(name))).transpose()
}

#[expect(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp() as f64
}

/// Step 11.
fn check_nonce(claims: &Object, expected: &SecretString) -> Result<(), OidcError> {
    let nonce = string(claims, "nonce").ok_or(OidcError::Claim("nonce"))?;
    verify_slices_are_equal(nonce.as_bytes(), expected.expose_secret().as_bytes()).map_err(|_| OidcError::Nonce)
}

/// §3.1.3.8: the left half of the hash of the access token, if there is one.
fn check_access_token_hash(
    claims: &Object,
    algorithm: SigningAlgorithm,
    access_token: &SecretString,
) -> Result<(), OidcError> {
    let Some(presented) = claims.get("at_hash") else { return Ok(()) };
    let presented = presented.as_str().ok_or(OidcError::Claim("at_hash"))?;
    let hash = digest(algorithm.hash(), access_token.expose_secret().as_bytes());
    let half = hash.as_ref().get(..hash.as_ref().len() / 2).unwrap_or_default();
    let expected = URL_SAFE_NO_PAD.encode(half);
    let is_equal = verify_slices_are_equal(presented.as_bytes(), expected.as_bytes());
    is_equal.map_err(|_| OidcError::AccessTokenHash)
}
