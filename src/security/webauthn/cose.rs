//! Public keys of credentials in COSE format (RFC 9052 §7), with the algorithms that are offered at registration.

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};
use serde::{Serialize, Serializer};

use super::{
    VerificationError,
    cbor::{self, Map, Value},
};

/// COSE key parameters (RFC 9052 §7.1) and their values (RFC 9053 §7, RFC 8230 §4).
mod label {
    pub const KEY_TYPE: i64 = 1;
    pub const ALGORITHM: i64 = 3;
    pub const CURVE: i64 = -1;
    pub const X: i64 = -2;
    pub const Y: i64 = -3;
    pub const RSA_MODULUS: i64 = -1;
    pub const RSA_EXPONENT: i64 = -2;
}

const KEY_TYPE_OKP: i64 = 1;
const KEY_TYPE_EC2: i64 = 2;
const KEY_TYPE_RSA: i64 = 3;
const CURVE_P256: i64 = 1;
const CURVE_ED25519: i64 = 6;

/// Length of a coordinate of P-256, and of a key of Ed25519, in bytes.
const COORDINATE_LENGTH: usize = 32;

/// Minimum and maximum length of an RSA modulus in bits. Longer ones would only slow down the verification.
const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Maximum length of an RSA exponent in bytes.
const MAX_RSA_EXPONENT_LENGTH: usize = 4;

/// A signature algorithm (WebAuthn §5.8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// EdDSA with Ed25519 (RFC 9053 §2.2).
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 9053 §2.1).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8812 §2).
    Rs256,
}

impl Algorithm {
    /// All algorithms, the preferred one first. These are offered at registration.
    pub const OFFERED: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The COSE algorithm identifier.
    #[must_use]
    pub const fn identifier(self) -> i64 {
        match self {
            Self::EdDsa => -8,
            Self::Es256 => -7,
            Self::Rs256 => -257,
        }
    }

    fn from_identifier(identifier: i64) -> Option<Self> {
        Self::OFFERED.into_iter().find(|algorithm| algorithm.identifier() == identifier)
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.identifier())
    }
}

/// A public key, ready to verify signatures.
#[derive(Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl PublicKey {
    /// Parses a COSE key. It must have exactly the parameters that its algorithm requires (WebAuthn §6.5.1).
    ///
    /// A P-256 key must be a point on the curve, without point compression (WebAuthn §5.8.5). Whether an Ed25519 key is a
    /// point is decided by each verification, which fails if it is not.
    ///
    /// # Errors
    /// Cbor, Algorithm or PublicKey.
    pub fn parse(cose_key: &[u8]) -> Result<Self, VerificationError> {
        let key = cbor::read(cose_key)?;
        let key = key.as_map().ok_or(VerificationError::PublicKey)?;
        let algorithm = integer(key, label::ALGORITHM)?;
        let algorithm = Algorithm::from_identifier(algorithm).ok_or(VerificationError::Algorithm)?;
        let key = match algorithm {
            Algorithm::EdDsa => ed25519_key(key)?,
            Algorithm::Es256 => p256_key(key)?,
            Algorithm::Rs256 => rsa_key(key)?,
        };
        Ok(Self { algorithm, key })
    }

    /// The algorithm of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies a signature in the format of WebAuthn §6.5.5: DER for ES256, plain bytes for the others.
    ///
    /// # Errors
    /// Signature.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerificationError> {
        self.key.verify_sig(message, signature).map_err(|_| VerificationError::Signature)
    }
}

fn ed25519_key(key: &Map<'_>) -> Result<ParsedPublicKey, VerificationError> {
    check_kind(key, KEY_TYPE_OKP, 4)?;
    check_curve(key, CURVE_ED25519)?;
    parse(&signature::ED25519, coordinate(key, label::X)?)
}

fn p256_key(key: &Map<'_>) -> Result<ParsedPublicKey, VerificationError> {
    /// The first byte of an uncompressed point (SEC 1 §2.3.3).
    const UNCOMPRESSED: u8 = 4;
    check_kind(key, KEY_TYPE_EC2, 5)?;
    check_curve(key, CURVE_P256)?;
    let point = [&[UNCOMPRESSED], coordinate(key, label::X)?, coordinate(key, label::Y)?].concat();
    parse(&signature::ECDSA_P256_SHA256_ASN1, &point)
}

fn rsa_key(key: &Map<'_>) -> Result<ParsedPublicKey, VerificationError> {
    check_kind(key, KEY_TYPE_RSA, 4)?;
    let [n, e] = [label::RSA_MODULUS, label::RSA_EXPONENT].map(|label| bytes(key, label));
    let (n, e) = (n?, e?);
    // Both are encoded without leading zeros (RFC 8230 §4).
    let modulus_bits = match n.first() {
        None | Some(0) => return Err(VerificationError::PublicKey),
        Some(first) => n.len() * 8 - first.leading_zeros() as usize,
    };
    // At least 3, and odd. Otherwise anybody could compute signatures, or none would be valid.
    let is_exponent = e.len() <= MAX_RSA_EXPONENT_LENGTH
        && e != [1]
        && e.first().is_some_and(|first| *first != 0)
        && e.last().is_some_and(|last| last % 2 == 1);
    if !RSA_MODULUS_BITS.contains(&modulus_bits) || !is_exponent {
        return Err(VerificationError::PublicKey);
    }
    PublicKeyComponents { n, e }
        .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| VerificationError::PublicKey)
}

/// Checks the key type and the number of parameters.
fn check_kind(key: &Map<'_>, key_type: i64, parameters: usize) -> Result<(), VerificationError> {
    let is_valid = integer(key, label::KEY_TYPE)? == key_type && key.entries().len() == parameters;
    is_valid.then_some(()).ok_or(VerificationError::PublicKey)
}

fn check_curve(key: &Map<'_>, curve: i64) -> Result<(), VerificationError> {
    (integer(key, label::CURVE)? == curve).then_some(()).ok_or(VerificationError::PublicKey)
}

fn integer(key: &Map<'_>, label: i64) -> Result<i64, VerificationError> {
    key.integer_key(label).and_then(Value::as_integer).ok_or(VerificationError::PublicKey)
}

fn bytes<'a>(key: &Map<'a>, label: i64) -> Result<&'a [u8], VerificationError> {
    key.integer_key(label).and_then(Value::as_bytes).ok_or(VerificationError::PublicKey)
}

fn coordinate<'a>(key: &Map<'a>, label: i64) -> Result<&'a [u8], VerificationError> {
    bytes(key, label)
        .and_then(|bytes| if bytes.len() == COORDINATE_LENGTH { Ok(bytes) } else { Err(VerificationError::PublicKey) })
}

fn parse(algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Result<ParsedPublicKey, VerificationError> {
    ParsedPublicKey::new(algorithm, key).map_err(|_| VerificationError::PublicKey)
}
