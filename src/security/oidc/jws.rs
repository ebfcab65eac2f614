//! The signature of an ID token: JWS Compact Serialization (RFC 7515 §7.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    KeySet, OidcError, SigningAlgorithm,
    json::{self, Object, string},
    keys::ProviderKey,
};

/// The maximum length of a token. Those of Microsoft with many groups have a few thousand bytes.
const MAX_TOKEN_LENGTH: usize = 16 * 1024;

/// A token whose signature is correct.
pub(super) struct SignedToken<'a> {
    /// The members of the payload.
    pub(super) claims: Object,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) key: &'a ProviderKey,
}

/// Verifies the signature of a token. The header names the algorithm, but only one of `algorithms` is accepted, and the key must be
/// of its type. Keys that the header contains or refers to (`jwk`, `jku`, `x5c`, `x5u`) are never used.
///
/// # Errors
/// MalformedToken, TokenHeader, Algorithm, UnknownKey, AmbiguousKey or Signature.
pub(super) fn verify<'a>(
    token: &str,
    keys: &'a KeySet,
    algorithms: &[SigningAlgorithm],
) -> Result<SignedToken<'a>, OidcError> {
    const MALFORMED: OidcError = OidcError::MalformedToken;
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(MALFORMED);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
    let (header, payload) = message.split_once('.').ok_or(MALFORMED)?;
    // An encrypted token has five parts.
    if payload.contains('.') {
        return Err(MALFORMED);
    }
    let (algorithm, key_id) = parse_header(&members(header)?)?;
    if !algorithms.contains(&algorithm) {
        return Err(OidcError::Algorithm);
    }
    let key = keys.find(key_id.as_deref(), algorithm)?;
    if !key.verifies(message, signature, algorithm) {
        return Err(OidcError::Signature);
    }
    Ok(SignedToken { claims: members(payload)?, algorithm, key })
}

/// The algorithm, and the id of the key.
fn parse_header(header: &Object) -> Result<(SigningAlgorithm, Option<String>), OidcError> {
    let name = string(header, "alg").ok_or(OidcError::MalformedToken)?;
    let algorithm = SigningAlgorithm::from_name(name).ok_or(OidcError::Algorithm)?;
    // Extensions that a recipient must understand (RFC 7515 §4.1.11). None is understood here.
    if header.contains_key("crit") {
        return Err(OidcError::TokenHeader);
    }
    // Access tokens and logout tokens have types of their own (RFC 8725 §3.11). Many providers leave out that of ID tokens.
    if header.get("typ").is_some_and(|typ| !typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))) {
        return Err(OidcError::TokenHeader);
    }
    let key_id = match header.get("kid") {
        None => None,
        Some(id) => Some(id.as_str().ok_or(OidcError::MalformedToken)?.to_owned()),
    };
    Ok((algorithm, key_id))
}

fn members(part: &str) -> Result<Object, OidcError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| OidcError::MalformedToken)?;
    json::object(&json, MAX_TOKEN_LENGTH).ok_or(OidcError::MalformedToken)
}
