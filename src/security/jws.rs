//! Signed tokens in compact serialization (RFC 7515 §7.1), for token types that only Hallpass creates and reads.
//!
//! A key writes one header and accepts exactly that header, compared as text. This rules out other algorithms, `crit`,
//! embedded keys and alternative encodings. Nothing is parsed before the signature is verified.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// A key that signs and verifies one type of token with one algorithm.
#[derive(Clone)]
pub(super) struct TokenKey {
    kid: String,
    /// The encoded header.
    header: String,
    algorithm: Algorithm,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl TokenKey {
    /// # Errors
    /// Internal if the header cannot be encoded.
    pub(super) fn new(
        token_type: &str,
        algorithm: Algorithm,
        kid: String,
        signing: EncodingKey,
        verifying: DecodingKey,
    ) -> Result<Self> {
        let header = Header { typ: Some(token_type.to_owned()), kid: Some(kid.clone()), ..Header::new(algorithm) };
        Ok(Self { kid, header: encode(&header)?, algorithm, signing, verifying })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a token with these claims.
    ///
    /// # Errors
    /// Internal if the claims cannot be encoded or signing fails.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let message = format!("{}.{}", self.header, encode(claims)?);
        let signature = crypto::sign(message.as_bytes(), &self.signing, self.algorithm).map_err(Error::internal)?;
        Ok(format!("{message}.{signature}"))
    }

    /// Verifies a token signed by this key and returns its claims. Returns `None` if the signature is invalid, or if a
    /// claim is missing or has the wrong type.
    pub(super) fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let (message, signature) = token.rsplit_once('.')?;
        let claims = message.strip_prefix(&self.header)?.strip_prefix('.')?;
        // Base64url can encode the same bytes in several ways. All but one are rejected, by the signature or by the
        // decoder.
        let is_signed = crypto::verify(signature, message.as_bytes(), &self.verifying, self.algorithm);
        if !is_signed.is_ok_and(|is_signed| is_signed) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

fn encode(value: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).map_err(Error::internal)?))
}
