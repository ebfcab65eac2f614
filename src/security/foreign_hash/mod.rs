//! Password hashes created by other software, so that imported users can sign in: bcrypt, PBKDF2, Argon2id and scrypt in
//! the formats of passlib, Django, Werkzeug and others. They are only verified, never created; the next sign-in replaces
//! them.
//!
//! The cost of a hash is part of the hash. Hashes that cost more than bcrypt at 15, the maximum of BCRYPT_COST, are
//! rejected. That is about two seconds, which leaves a request enough time to rehash the password.

mod bcrypt;
mod formats;
mod pbkdf2;
mod scrypt;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time;
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD},
};

pub use self::scrypt::FirebaseParameters;
use self::{bcrypt::Bcrypt, pbkdf2::Pbkdf2, scrypt::Scrypt};
use crate::{Error, Result, security::password::Verification};

/// bcrypt's Base64 alphabet. Some software sets the unused trailing bits of the salt, which bcrypt ignores.
const BCRYPT_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// Memory limit per hashing thread in KiB: 256 MiB, four times argon2-cffi's default.
const MAX_MEMORY: u32 = 256 * 1024;
/// Limit of memory times passes, in KiB: the amount of computation.
const MAX_WORK: u64 = 2 * 1024 * 1024;

/// Suggested retry delay in seconds when memory is exhausted.
const RETRY_AFTER: u32 = 5;

/// A parsed password hash of other software.
pub(super) enum ForeignHash {
    Bcrypt(Bcrypt),
    Other(OtherHash),
}

/// A hash by another algorithm than bcrypt.
pub(super) enum OtherHash {
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
    Argon2id { params: Params, salt: Vec<u8>, digest: Vec<u8> },
}

impl ForeignHash {
    /// Parses a hash. Returns `None` if the format is unknown or malformed, or if the hash would cost too much.
    pub(super) fn parse(text: &str) -> Option<Self> {
        formats::parse(text)
    }

    /// Parses `v=19$m=65536,t=3,p=4$<salt>$<digest>`. 19 is version 1.3, the first version with Argon2id.
    fn argon2id(text: &str) -> Option<Self> {
        let (costs, rest) = text.strip_prefix("v=19$")?.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let (memory, rest) = costs.strip_prefix("m=")?.split_once(",t=")?;
        let (passes, lanes) = rest.split_once(",p=")?;
        let (memory, passes, lanes) = (parse_number(memory)?, parse_number(passes)?, parse_number(lanes)?);
        // Lanes add no cost: they are computed sequentially, and the memory size limits their number.
        if memory > MAX_MEMORY || u64::from(memory) * u64::from(passes) > MAX_WORK {
            return None;
        }
        let salt = STANDARD_NO_PAD.decode(salt).ok().filter(|salt| salt.len() >= argon2::MIN_SALT_LEN)?;
        // Argon2 allows digests as short as 4 bytes, which are easy to guess.
        let digest = STANDARD_NO_PAD.decode(digest).ok().filter(|digest| (16..=64).contains(&digest.len()))?;
        let params = Params::new(memory, passes, lanes, Some(digest.len())).ok()?;
        Some(Self::Other(OtherHash::Argon2id { params, salt, digest }))
    }

    /// How to find out whether this is the hash of `password`.
    pub(super) fn verification(self, password: &str) -> Verification {
        match self {
            Self::Bcrypt(hash) => hash.verification(password),
            Self::Other(hash) => Verification::Other(hash),
        }
    }
}

impl OtherHash {
    /// Whether this is the hash of `password`.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if there is not enough memory for Argon2id or scrypt.
    pub(super) fn verify(&self, password: &str) -> Result<bool> {
        match self {
            Self::Pbkdf2(hash) => Ok(hash.verify(password.as_bytes()) && !ends_with_nul(password)),
            Self::Scrypt(hash) => Ok(hash.verify(password.as_bytes())? && !ends_with_nul(password)),
            Self::Argon2id { params, salt, digest } => {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut computed = vec![0; digest.len()];
                argon2.hash_password_into(password.as_bytes(), salt, &mut computed).map_err(|error| match error {
                    argon2::Error::OutOfMemory => out_of_memory(),
                    error => Error::internal(error),
                })?;
                Ok(constant_time::verify_slices_are_equal(&computed, digest).is_ok())
            }
        }
    }
}

/// Whether a password ends with NUL. HMAC, which PBKDF2 and scrypt begin with, pads its key with NULs, so trailing NULs of a
/// password would be ignored.
fn ends_with_nul(password: &str) -> bool {
    password.ends_with('\0')
}

fn out_of_memory() -> Error {
    Error::unavailable(RETRY_AFTER, "not enough memory to verify a password hash")
}

/// Parses a number without a sign or leading zeros, so that each number has one spelling.
fn parse_number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}
