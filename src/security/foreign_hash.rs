//! Password hashes created by other software, so that imported users can sign in: bcrypt, PBKDF2 in passlib's format,
//! and Argon2id. They are only verified, never created; the next sign-in replaces them.
//!
//! The cost of a hash is part of the hash. Hashes that cost more than bcrypt at 15, the maximum of BCRYPT_COST, are
//! rejected. That is about two seconds, which leaves a request enough time to rehash the password.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, pbkdf2};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD},
};

use crate::{
    Error, Result,
    security::{
        bcrypt_task::{BcryptTask, Digest},
        password::Verification,
    },
};

/// bcrypt's Base64 alphabet. Some software sets the unused trailing bits of the salt, which bcrypt ignores.
const BCRYPT_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=15;

/// Seventy times passlib's default, four times OWASP's recommendation.
const MAX_ROUNDS: u32 = 2_000_000;

/// Memory limit per hashing thread in KiB: 256 MiB, four times argon2-cffi's default.
const MAX_MEMORY: u32 = 256 * 1024;
/// Limit of memory times passes, in KiB: the amount of computation.
const MAX_WORK: u64 = 2 * 1024 * 1024;

/// Suggested retry delay in seconds when memory is exhausted.
const RETRY_AFTER: u32 = 5;

/// A parsed password hash of other software.
pub(super) enum ForeignHash {
    Bcrypt { cost: u32, salt: [u8; 16], digest: Digest },
    Other(OtherHash),
}

/// A hash by another algorithm than bcrypt.
pub(super) enum OtherHash {
    Pbkdf2Sha256 { rounds: NonZeroU32, salt: Vec<u8>, digest: [u8; 32] },
    Argon2id { params: Params, salt: Vec<u8>, digest: Vec<u8> },
}

impl ForeignHash {
    /// Parses a hash. Returns `None` if the format is unknown or malformed, or if the hash would cost too much.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.strip_prefix('$')?.split_once('$')?;
        match scheme {
            // These versions are equivalent, except for bugs in some implementations, which Python's did not have.
            // Hashes made with such a bug are marked `2x`; each of them matches several passwords.
            "2a" | "2b" | "2y" => Self::bcrypt(rest),
            "pbkdf2-sha256" => Self::pbkdf2_sha256(rest),
            "argon2id" => Self::argon2id(rest),
            _ => None,
        }
    }

    /// Parses `12$`, 22 characters of salt, 31 of digest.
    fn bcrypt(text: &str) -> Option<Self> {
        let (cost, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_at_checked(22)?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| is_cost && BCRYPT_COSTS.contains(cost))?;
        let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
        let digest = BCRYPT_BASE64.decode(digest).ok()?.try_into().ok()?;
        Some(Self::Bcrypt { cost, salt, digest })
    }

    /// Parses `29000$<salt>$<digest>`, in Base64 with `.` instead of `+`.
    fn pbkdf2_sha256(text: &str) -> Option<Self> {
        let (rounds, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let decode = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
        let rounds = parse_number(rounds).filter(|rounds| *rounds <= MAX_ROUNDS).and_then(NonZeroU32::new)?;
        let (salt, digest) = (decode(salt)?, decode(digest)?.try_into().ok()?);
        Some(Self::Other(OtherHash::Pbkdf2Sha256 { rounds, salt, digest }))
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
            // An imported user's password may be longer than bcrypt reads, and signs in by the first 72 bytes. The hash
            // that replaces this one covers the whole password. `p`, NUL, `p` has the same digest as `p`. The software
            // that created the hash did not accept NUL.
            Self::Bcrypt { cost, salt, digest } => Verification::Bcrypt {
                task: BcryptTask::new(password.as_bytes(), salt, cost),
                expected: digest,
                may_match: !password.contains('\0'),
            },
            Self::Other(hash) => Verification::Other(hash),
        }
    }
}

impl OtherHash {
    /// Whether this is the hash of `password`.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if there is not enough memory for Argon2id.
    pub(super) fn verify(&self, password: &str) -> Result<bool> {
        match self {
            Self::Pbkdf2Sha256 { rounds, salt, digest } => {
                let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
                let is_match = pbkdf2::verify(algorithm, *rounds, salt, password.as_bytes(), digest).is_ok();
                // HMAC pads its key with NULs, so trailing NULs of a password would be ignored.
                Ok(is_match && !password.ends_with('\0'))
            }
            Self::Argon2id { params, salt, digest } => {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut computed = vec![0; digest.len()];
                argon2.hash_password_into(password.as_bytes(), salt, &mut computed).map_err(|error| match error {
                    argon2::Error::OutOfMemory => {
                        Error::unavailable(RETRY_AFTER, "not enough memory to compute an Argon2id hash")
                    }
                    error => Error::internal(error),
                })?;
                Ok(constant_time::verify_slices_are_equal(&computed, digest).is_ok())
            }
        }
    }
}

/// Parses a number without a sign or leading zeros, so that each number has one spelling.
fn parse_number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}
