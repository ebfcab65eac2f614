//! The key ring of access tokens: one key signs, all keys verify.

use std::{ffi::OsStr, fs, io::ErrorKind, path::Path};

use chrono::{DateTime, NaiveDateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse, ThumbprintHash},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Result,
    config::JwtAlgorithm,
    security::{
        jws::TokenKey,
        key_files::FILE_NAME,
        keys::{KeyUse, Keys, derive, text},
    },
};

/// Length of a 2,048-bit modulus in base64url, the minimum of RFC 7518 §3.3.
const MIN_MODULUS_LENGTH: usize = 342;

/// All keys, oldest first, and their JWK Set.
pub(super) struct KeyRing {
    keys: Vec<RingKey>,
    jwks: String,
}

/// A key as shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key id in the token header.
    pub kid: String,
    /// The current state.
    pub state: KeyState,
}

/// The state of a key at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The key signs and verifies tokens.
    Signs,
    /// The key only verifies tokens that it signed earlier.
    Verifies,
    /// The key starts to sign at this time.
    SignsFrom(DateTime<Utc>),
}

struct RingKey {
    starts_at: DateTime<Utc>,
    key: TokenKey,
}

impl KeyRing {
    /// An HS256 ring with keys derived from the current and the previous secret. It has no public keys.
    pub(super) fn hs256(keys: &Keys, token_type: &str, uses: [KeyUse; 2]) -> Result<Self> {
        let keys = derive_hs256(keys, token_type, uses)?.into_iter().rev();
        let keys = keys.map(|key| RingKey { starts_at: DateTime::<Utc>::MIN_UTC, key }).collect();
        Ok(Self { keys, jwks: jwks(&[])? })
    }

    /// Loads all keys of a folder. File names have the format [`FILE_NAME`].
    ///
    /// # Errors
    /// Internal, with a cause that names the file, if a key cannot be read or does not fit the algorithm. Internal also
    /// if no key has started yet.
    pub(super) fn from_folder(
        folder: &Path,
        algorithm: JwtAlgorithm,
        token_type: &str,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let failed = |path: &Path, what: &dyn std::fmt::Display| {
            Error::internal(format!("JWT_KEYS: the key {} {what}", path.display()))
        };
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| {
            let folder = folder.display();
            Error::internal(if error.kind() == ErrorKind::NotFound {
                format!(
                    "JWT_KEYS: the folder {folder} does not exist; create it and a key with `hallpass key generate`"
                )
            } else {
                format!("JWT_KEYS: cannot read the folder {folder}: {error}")
            })
        })?;
        let mut found = Vec::new();
        for path in entries.iter().map(fs::DirEntry::path).filter(|path| path.extension() == Some(OsStr::new("pem"))) {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let starts_at = NaiveDateTime::parse_from_str(name, FILE_NAME)
                .map_err(|_| {
                    failed(&path, &"must be named by the UTC time at which it starts, such as 20260131T120000Z.pem")
                })?
                .and_utc();
            let pem = fs::read(&path).map_err(|error| failed(&path, &format_args!("cannot be read: {error}")))?;
            let (key, jwk) = from_pem(&pem, algorithm, token_type)
                .map_err(|reason| failed(&path, &format_args!("is not a private key for {algorithm}: {reason}")))?;
            found.push((RingKey { starts_at, key }, jwk));
        }
        found.sort_by_key(|(key, _)| key.starts_at);
        let (keys, public): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let ring = Self { keys, jwks: jwks(&public)? };
        if ring.signing(now).is_none() {
            return Err(Error::internal(format!(
                "JWT_KEYS: the folder {} has no key that has started; create one with `hallpass key generate`",
                folder.display()
            )));
        }
        Ok(ring)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The public keys as a JWK Set (RFC 7517 §5), including those that will sign later.
    pub(super) fn jwks(&self) -> &str {
        &self.jwks
    }

    fn signing(&self, now: DateTime<Utc>) -> Option<&TokenKey> {
        self.keys.iter().rev().find(|key| key.starts_at <= now).map(|key| &key.key)
    }

    /// All keys and their current state, newest first.
    pub(super) fn list(&self, now: DateTime<Utc>) -> Vec<ListedKey> {
        let signing = self.signing(now).map(TokenKey::kid);
        let state = |key: &RingKey| {
            if key.starts_at > now {
                KeyState::SignsFrom(key.starts_at)
            } else if signing == Some(key.key.kid()) {
                KeyState::Signs
            } else {
                KeyState::Verifies
            }
        };
        self.keys.iter().rev().map(|key| ListedKey { kid: key.key.kid().to_owned(), state: state(key) }).collect()
    }

    /// # Errors
    /// Internal if no key has started yet or signing fails.
    pub(super) fn sign(&self, claims: &impl Serialize, now: DateTime<Utc>) -> Result<String> {
        self.signing(now).ok_or_else(|| Error::internal("no signing key has started"))?.sign(claims)
    }

    pub(super) fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        self.keys.iter().rev().find_map(|key| key.key.verify(token))
    }
}

/// HS256 keys for one type of token, the current one first. The uses are those of the key and of its id.
pub(super) fn derive_hs256(keys: &Keys, token_type: &str, [key_use, id_use]: [KeyUse; 2]) -> Result<Vec<TokenKey>> {
    let derive_key = |secret| {
        let key = text(secret, key_use)?;
        let kid = hex::encode(derive::<8>(secret, id_use)?);
        let (signing, verifying) = (EncodingKey::from_secret(key.as_bytes()), DecodingKey::from_secret(key.as_bytes()));
        TokenKey::new(token_type, Algorithm::HS256, kid, signing, verifying)
    };
    keys.secrets().map(derive_key).collect()
}

/// Parses a private key. Returns it with its public JWK, whose key id is the thumbprint (RFC 7638).
fn from_pem(pem: &[u8], algorithm: JwtAlgorithm, token_type: &str) -> Result<(TokenKey, Jwk), String> {
    let text = |error: jsonwebtoken::errors::Error| error.to_string();
    let (algorithm, signing) = match algorithm {
        JwtAlgorithm::Hs256 => return Err("HS256 has no key files".to_owned()),
        JwtAlgorithm::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_pem(pem).map_err(text)?),
        JwtAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_pem(pem).map_err(text)?),
        JwtAlgorithm::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(pem).map_err(text)?),
    };
    let mut jwk = Jwk::from_encoding_key(&signing, algorithm).map_err(text)?;
    if matches!(&jwk.algorithm, AlgorithmParameters::RSA(rsa) if rsa.n.len() < MIN_MODULUS_LENGTH) {
        return Err("it has fewer than 2,048 bits".to_owned());
    }
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(text)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let verifying = DecodingKey::from_jwk(&jwk).map_err(text)?;
    let key = TokenKey::new(token_type, algorithm, kid, signing, verifying).map_err(|error| error.to_string())?;
    Ok((key, jwk))
}

fn jwks(keys: &[Jwk]) -> Result<String> {
    serde_json::to_string(&serde_json::json!({ "keys": keys })).map_err(Error::internal)
}
