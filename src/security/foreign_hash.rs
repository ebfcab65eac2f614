//! Password hashes that other software made, so that its users can sign in here: bcrypt, PBKDF2 as passlib writes it, and
//! Argon2id. They are checked and never made; a sign-in replaces them.
//!
//! What a hash costs stands in the hash. None may cost more than bcrypt at 15, the most that can be set here: some two
//! seconds, which leaves a request the time to make a hash anew.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, pbkdf2};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD},
};

use crate::{Error, Result};

/// bcrypt's own Base64. Some software filled the bits that a salt leaves over; bcrypt never reads them.
const BCRYPT_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// What bcrypt reads of a password.
const BCRYPT_KEY: usize = 72;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=15;

/// Seventy times passlib's own, four times what OWASP wants.
const MAX_ROUNDS: u32 = 2_000_000;

/// In KiB, for each thread that hashes: 256 MiB, four times what argon2-cffi takes by itself.
const MAX_MEMORY: u32 = 256 * 1024;
/// In KiB, over all passes: what has to be computed.
const MAX_WORK: u64 = 2 * 1024 * 1024;

/// Seconds after which there may be memory again.
const RETRY_AFTER: u32 = 5;

/// Someone else's hash of a password, taken apart.
pub(super) enum ForeignHash {
    Bcrypt { cost: u32, salt: [u8; 16], digest: [u8; 23] },
    Pbkdf2Sha256 { rounds: NonZeroU32, salt: Vec<u8>, digest: [u8; 32] },
    Argon2id { params: Params, salt: Vec<u8>, digest: Vec<u8> },
}

impl ForeignHash {
    /// `None` for what is none of these, is malformed, or would cost too much.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.strip_prefix('$')?.split_once('$')?;
        match scheme {
            // One and the same, but for mistakes of some implementations, which Python's did not make. Their hashes are
            // `2x`; each of them is of several passwords.
            "2a" | "2b" | "2y" => Self::bcrypt(rest),
            "pbkdf2-sha256" => Self::pbkdf2_sha256(rest),
            "argon2id" => Self::argon2id(rest),
            _ => None,
        }
    }

    /// `12$`, 22 characters of salt, 31 of digest.
    fn bcrypt(text: &str) -> Option<Self> {
        let (cost, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_at_checked(22)?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| is_cost && BCRYPT_COSTS.contains(cost))?;
        let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
        let digest = BCRYPT_BASE64.decode(digest).ok()?.try_into().ok()?;
        Some(Self::Bcrypt { cost, salt, digest })
    }

    /// `29000$<salt>$<digest>`, in Base64 with `.` for `+`.
    fn pbkdf2_sha256(text: &str) -> Option<Self> {
        let (rounds, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let decode = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
        let rounds = number(rounds).filter(|rounds| *rounds <= MAX_ROUNDS).and_then(NonZeroU32::new)?;
        Some(Self::Pbkdf2Sha256 { rounds, salt: decode(salt)?, digest: decode(digest)?.try_into().ok()? })
    }

    /// `v=19$m=65536,t=3,p=4$<salt>$<digest>`: 19 is version 1.3, the first that has Argon2id.
    fn argon2id(text: &str) -> Option<Self> {
        let (costs, rest) = text.strip_prefix("v=19$")?.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let (memory, rest) = costs.strip_prefix("m=")?.split_once(",t=")?;
        let (passes, lanes) = rest.split_once(",p=")?;
        let (memory, passes, lanes) = (number(memory)?, number(passes)?, number(lanes)?);
        // Lanes cost nothing more: they are computed one after the other, and there are few for the memory.
        if memory > MAX_MEMORY || u64::from(memory) * u64::from(passes) > MAX_WORK {
            return None;
        }
        let salt = STANDARD_NO_PAD.decode(salt).ok().filter(|salt| salt.len() >= argon2::MIN_SALT_LEN)?;
        // As short as 4 bytes are allowed, and easily hit.
        let digest = STANDARD_NO_PAD.decode(digest).ok().filter(|digest| (16..=64).contains(&digest.len()))?;
        let params = Params::new(memory, passes, lanes, Some(digest.len())).ok()?;
        Some(Self::Argon2id { params, salt, digest })
    }

    /// Whether this is the hash of `password`.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when there is no memory for Argon2id.
    pub(super) fn verify(&self, password: &str) -> Result<bool> {
        match self {
            Self::Bcrypt { cost, salt, digest } => {
                // With the NUL at its end, or the key of `p` would be that of `pp`: bcrypt repeats it. Who moves in may
                // have a longer password than was read, and gets in by what was read; the hash that takes this one's place
                // is of all that was typed.
                let key: Vec<u8> = password.bytes().chain([0]).take(BCRYPT_KEY).collect();
                let computed = bcrypt::bcrypt(*cost, *salt, &key);
                let computed = computed.split_last().map_or(&[][..], |(_, computed)| computed);
                let is_right = constant_time::verify_slices_are_equal(computed, digest).is_ok();
                // `p`, NUL, `p` has the key of `p`. Whoever made the hash took no NUL.
                Ok(is_right && !password.contains('\0'))
            }
            Self::Pbkdf2Sha256 { rounds, salt, digest } => {
                let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
                let is_right = pbkdf2::verify(algorithm, *rounds, salt, password.as_bytes(), digest).is_ok();
                // HMAC fills its key up with NULs: those at the end of a password do not count.
                Ok(is_right && !password.ends_with('\0'))
            }
            Self::Argon2id { params, salt, digest } => {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut computed = vec![0; digest.len()];
                argon2.hash_password_into(password.as_bytes(), salt, &mut computed).map_err(|error| match error {
                    argon2::Error::OutOfMemory => Error::unavailable(RETRY_AFTER, "no memory for a hash of Argon2id"),
                    error => Error::internal(error),
                })?;
                Ok(constant_time::verify_slices_are_equal(&computed, digest).is_ok())
            }
        }
    }
}

/// A number without a sign and without zeros before it: one spelling.
fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}
