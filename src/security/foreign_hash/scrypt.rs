//! scrypt (RFC 7914), and Firebase's variant of it.

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time,
    iv::FixedLength,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use scrypt::Params;
use zeroize::Zeroizing;

use super::{out_of_memory, parse_number};
use crate::{Error, Result};

/// Memory limit per hashing thread in bytes, as for Argon2id.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// Limit of memory times `p`, in bytes: the amount of computation.
const MAX_WORK: u64 = 512 * 1024 * 1024;

/// The key of AES-256, which is the first half of what Firebase derives.
const AES_KEY: std::ops::RangeTo<usize> = ..32;

/// A scrypt hash.
pub(in crate::security) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
    is_firebase: bool,
}

impl Scrypt {
    /// A hash with the costs `N`, `r` and `p`.
    pub(super) fn new([n, r, p]: [&str; 3], salt: &[u8], digest: Vec<u8>) -> Option<Self> {
        let n = parse_number(n).filter(|n| n.is_power_of_two() && *n > 1)?;
        Self::with(n.ilog2(), [parse_number(r)?, parse_number(p)?], salt.to_owned(), digest)
    }

    fn with(log_n: u32, [r, p]: [u32; 2], salt: Vec<u8>, digest: Vec<u8>) -> Option<Self> {
        let memory = 1_u64.checked_shl(log_n)?.checked_mul(128 * u64::from(r))?;
        let is_cheap = memory <= MAX_MEMORY && memory.checked_mul(u64::from(p))? <= MAX_WORK;
        if !is_cheap || log_n == 0 || ![32, 64].contains(&digest.len()) {
            return None;
        }
        let params = Params::new(u8::try_from(log_n).ok()?, r, p).ok()?;
        Some(Self { params, salt, digest, is_firebase: false })
    }

    /// Parses `ln=16,r=8,p=1$<salt>$<digest>`, the format of the Password Hashing Competition.
    pub(super) fn phc(text: &str) -> Option<Self> {
        let (costs, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let (log_n, rest) = costs.strip_prefix("ln=")?.split_once(",r=")?;
        let (r, p) = rest.split_once(",p=")?;
        let (salt, digest) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(digest).ok()?);
        Self::with(parse_number(log_n)?, [parse_number(r)?, parse_number(p)?], salt, digest)
    }

    /// Parses what [`FirebaseParameters::hash`] creates, without the scheme.
    pub(super) fn firebase(text: &str) -> Option<Self> {
        Self::phc(text).filter(|hash| hash.digest.len() == 64).map(|hash| Self { is_firebase: true, ..hash })
    }

    /// Whether the digest is that of `password`.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if there is not enough memory.
    pub(super) fn verify(&self, password: &[u8]) -> Result<bool> {
        // The crate aborts the process if it cannot allocate.
        let memory = (128_usize << self.params.log_n()).saturating_mul(usize::try_from(self.params.r()).unwrap_or(0));
        Vec::<u8>::new().try_reserve_exact(memory).map_err(|_| out_of_memory())?;
        let mut computed = Zeroizing::new(vec![0; self.digest.len()]);
        scrypt::scrypt(password, &self.salt, &self.params, &mut computed).map_err(Error::internal)?;
        if self.is_firebase {
            computed = keystream(&computed)?;
        }
        Ok(constant_time::verify_slices_are_equal(&computed, &self.digest).is_ok())
    }
}

/// The first 64 bytes that AES-256 in counter mode combines with the text, from the counter 0.
fn keystream(key: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |_| Error::internal("AES failed");
    let key = key.get(AES_KEY).ok_or_else(|| Error::internal("a derived key is too short"))?;
    let key = UnboundCipherKey::new(&AES_256, key).and_then(EncryptingKey::ctr).map_err(failed)?;
    let mut text = Zeroizing::new(vec![0; 64]);
    key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from([0; 16]))).map_err(failed)?;
    Ok(text)
}

/// The parameters of the hashes of a Firebase project, as its console shows them.
#[derive(Clone)]
pub struct FirebaseParameters {
    signer_key: Vec<u8>,
    salt_separator: Vec<u8>,
    rounds: u32,
    memory_cost: u32,
}

impl FirebaseParameters {
    /// Creates the parameters from `base64_signer_key`, `base64_salt_separator`, `rounds` and `mem_cost`. Returns `None` if one
    /// of them is malformed or too large.
    #[must_use]
    pub fn new(signer_key: &str, salt_separator: &str, rounds: &str, memory_cost: &str) -> Option<Self> {
        let signer_key = STANDARD.decode(signer_key).ok().filter(|key| key.len() == 64)?;
        let salt_separator = STANDARD.decode(salt_separator).ok()?;
        let (rounds, memory_cost) = (parse_number(rounds)?, parse_number(memory_cost)?);
        Scrypt::with(memory_cost, [rounds, 1], Vec::new(), vec![0; 64])?;
        Some(Self { signer_key, salt_separator, rounds, memory_cost })
    }

    /// The hash of a user, from `passwordHash` and `salt` in the export: `$firebase-scrypt$ln=14,r=8,p=1$<salt>$<digest>`.
    ///
    /// Firebase encrypts the signer key of the project with a key that scrypt derives from the password: the hash is the signer
    /// key XOR a keystream. Stored is the keystream, which is the hash XOR the signer key, and the salt with its separator. So
    /// nothing but the hash is needed to verify the password, and the signer key is not stored.
    #[must_use]
    pub fn hash(&self, password_hash: &str, salt: &str) -> Option<String> {
        // Exports by the API have URL-safe Base64, those by the command line tool do not.
        let decode = |text: &str| {
            let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            URL_SAFE_NO_PAD.decode(text).ok()
        };
        let hash = decode(password_hash).filter(|hash| hash.len() == self.signer_key.len())?;
        let keystream: Vec<u8> = hash.iter().zip(&self.signer_key).map(|(hash, key)| hash ^ key).collect();
        let salt = [decode(salt)?, self.salt_separator.clone()].concat();
        let (salt, keystream) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(keystream));
        Some(format!("$firebase-scrypt$ln={},r={},p=1${salt}${keystream}", self.memory_cost, self.rounds))
    }
}

impl std::fmt::Debug for FirebaseParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirebaseParameters(…)")
    }
}
