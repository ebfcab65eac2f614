//! The public keys of a provider (RFC 7517).
//!
//! The members are read here rather than by `jsonwebtoken::jwk`: there, one key with an unknown form makes the whole set invalid,
//! and the curve of a key is not compared with its coordinates.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, crypto};
use serde_json::Value;

use super::{
    MAX_KEY_SET_LENGTH, OidcError, SigningAlgorithm,
    json::{self, Object, string, strings},
};

/// The maximum number of keys in a set.
const MAX_KEYS: usize = 64;

/// The lengths of RSA moduli in bytes: 2,048 bits are the minimum of RFC 7518 §3.3.
const MODULUS_LENGTH: std::ops::RangeInclusive<usize> = 256..=1024;

/// Members of private and symmetric keys. A key that was published with one of them is not a secret any more.
const PRIVATE_MEMBERS: [&str; 2] = ["d", "k"];

/// The keys of a provider that can verify signatures.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<ProviderKey>,
}

/// A public key.
#[derive(Clone, Debug)]
pub(super) struct ProviderKey {
    id: Option<String>,
    key_type: KeyType,
    /// The only algorithm of the key.
    algorithm: Option<SigningAlgorithm>,
    /// Microsoft's name of the issuer, or of a template.
    issuer: Option<String>,
    key: DecodingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl KeySet {
    /// Parses a JWK Set. Keys for other purposes, of other types and with mistakes are left out, as RFC 7517 §5 demands; so are
    /// symmetric keys, private keys, and RSA keys with fewer than 2,048 bits.
    ///
    /// # Errors
    /// MalformedKeySet if this is no set, or if it is too long or has too many keys.
    pub fn parse(json: &[u8]) -> Result<Self, OidcError> {
        let members = json::object(json, MAX_KEY_SET_LENGTH).ok_or(OidcError::MalformedKeySet)?;
        let keys = members.get("keys").and_then(Value::as_array).ok_or(OidcError::MalformedKeySet)?;
        if keys.len() > MAX_KEYS {
            return Err(OidcError::MalformedKeySet);
        }
        Ok(Self { keys: keys.iter().filter_map(|key| ProviderKey::parse(key.as_object()?)).collect() })
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that signed a token by this header. Without `kid`, exactly one key must fit (OpenID Connect Core §10.1).
    pub(super) fn find(&self, id: Option<&str>, algorithm: SigningAlgorithm) -> Result<&ProviderKey, OidcError> {
        let has_id = |key: &&ProviderKey| id.is_none() || key.id.as_deref() == id;
        let mut fitting = self.keys.iter().filter(has_id).filter(|key| key.fits(algorithm));
        let key = fitting.next().ok_or(OidcError::UnknownKey)?;
        if fitting.next().is_some() { Err(OidcError::AmbiguousKey) } else { Ok(key) }
    }
}

impl ProviderKey {
    fn parse(members: &Object) -> Option<Self> {
        let is_private = PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name));
        let is_for_signatures = members.get("use").is_none_or(|key_use| key_use == "sig");
        let verifies = !members.contains_key("key_ops") || strings(members, "key_ops")?.contains(&"verify");
        if is_private || !is_for_signatures || !verifies {
            return None;
        }
        let (key_type, key) = public_key(members)?;
        let key = Self {
            id: optional_string(members, "kid")?,
            key_type,
            algorithm: match optional_string(members, "alg")? {
                None => None,
                Some(name) => Some(SigningAlgorithm::from_name(&name)?),
            },
            issuer: optional_string(members, "issuer")?,
            key,
        };
        Some(key)
    }

    /// Whether this key can have made a signature with this algorithm.
    fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Rs256, Rs384, Rs512};
        let key_type = match algorithm {
            Rs256 | Rs384 | Rs512 | Ps256 => KeyType::Rsa,
            Es256 => KeyType::P256,
            Es384 => KeyType::P384,
            EdDsa => KeyType::Ed25519,
        };
        self.key_type == key_type && self.algorithm.is_none_or(|only| only == algorithm)
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether `signature`, in base64url, is that of `message`.
    pub(super) fn verifies(&self, message: &str, signature: &str, algorithm: SigningAlgorithm) -> bool {
        let is_signed = crypto::verify(signature, message.as_bytes(), &self.key, algorithm.to_jwt());
        is_signed.is_ok_and(|is_signed| is_signed)
    }
}

/// A member that may be missing, but must be a string. The outer `None` means that it is something else.
#[expect(clippy::option_option, reason = "a missing member and a wrong one differ")]
fn optional_string(members: &Object, name: &str) -> Option<Option<String>> {
    members.get(name).map_or(Some(None), |value| value.as_str().map(|text| Some(text.to_owned())))
}

fn public_key(members: &Object) -> Option<(KeyType, DecodingKey)> {
    let coordinate = |name, length| {
        let text = string(members, name)?;
        (URL_SAFE_NO_PAD.decode(text).ok()?.len() == length).then_some(text)
    };
    let ec = |length| DecodingKey::from_ec_components(coordinate("x", length)?, coordinate("y", length)?).ok();
    match (string(members, "kty")?, string(members, "crv")) {
        ("RSA", None) => {
            let (modulus, exponent) = (string(members, "n")?, string(members, "e")?);
            let bytes = URL_SAFE_NO_PAD.decode(modulus).ok()?;
            let is_strong = MODULUS_LENGTH.contains(&bytes.len()) && bytes.first().is_some_and(|byte| *byte >= 0x80);
            let key = DecodingKey::from_rsa_components(modulus, exponent).ok()?;
            is_strong.then_some((KeyType::Rsa, key))
        }
        ("EC", Some("P-256")) => Some((KeyType::P256, ec(32)?)),
        ("EC", Some("P-384")) => Some((KeyType::P384, ec(48)?)),
        ("OKP", Some("Ed25519")) => {
            Some((KeyType::Ed25519, DecodingKey::from_ed_components(coordinate("x", 32)?).ok()?))
        }
        _ => None,
    }
}
