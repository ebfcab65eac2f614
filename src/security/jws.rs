//! Signed tokens in compact form (RFC 7515 §7.1), of the kinds that are made and read here alone.
//!
//! A key writes one header and accepts that header only, compared as text: there is no other algorithm, no `crit`, no
//! key brought along, no second spelling to think about, and nothing is parsed before its signature is good.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// What signs and verifies one type of token with one algorithm.
#[derive(Clone)]
pub(super) struct TokenKey {
    kid: String,
    /// As it stands in the token.
    header: String,
    algorithm: Algorithm,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl TokenKey {
    /// # Errors
    /// Internal, if the header can't be written.
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

    /// A token with these claims.
    ///
    /// # Errors
    /// Internal, if the library can't sign.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let message = format!("{}.{}", self.header, encode(claims)?);
        let signature = crypto::sign(message.as_bytes(), &self.signing, self.algorithm).map_err(Error::internal)?;
        Ok(format!("{message}.{signature}"))
    }

    /// The claims of a token that this key has signed and that has all of them, each of its type.
    pub(super) fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let (message, signature) = token.rsplit_once('.')?;
        let claims = message.strip_prefix(&self.header)?.strip_prefix('.')?;
        // What base64url writes in two ways is refused in all but one: by the signature, or as one by the decoder.
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
