//! bcrypt, of the password itself or of its SHA-256 digest.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::BCRYPT_BASE64;
use crate::security::{
    bcrypt_task::{BcryptTask, Digest},
    password::Verification,
};

const COSTS: std::ops::RangeInclusive<u32> = 4..=15;

/// What bcrypt is computed of.
#[derive(Clone, Copy)]
pub(super) enum Prehash {
    /// The password.
    None,
    /// The SHA-256 digest of the password as hexadecimal text, by Django.
    Hex,
    /// The SHA-256 digest of the password as Base64, by passlib.
    Base64,
}

/// A bcrypt hash.
pub(in crate::security) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    digest: Digest,
    prehash: Prehash,
}

impl Bcrypt {
    /// Parses `12$`, 22 characters of salt, 31 of digest.
    pub(super) fn parse(text: &str, prehash: Prehash) -> Option<Self> {
        let (cost, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_at_checked(22)?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| is_cost && COSTS.contains(cost))?;
        let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
        let digest = BCRYPT_BASE64.decode(digest).ok()?.try_into().ok()?;
        Some(Self { cost, salt, digest, prehash })
    }

    /// How to find out whether this is the hash of `password`.
    pub(super) fn verification(self, password: &str) -> Verification {
        let Self { cost, salt, digest, prehash } = self;
        let (task, may_match) = match prehash {
            // An imported user's password may be longer than bcrypt reads, and signs in by the first 72 bytes. The hash
            // that replaces this one covers the whole password. `p`, NUL, `p` has the same digest as `p`. The software
            // that created the hash did not accept NUL.
            Prehash::None => (BcryptTask::new(password.as_bytes(), salt, cost), !password.contains('\0')),
            // The text of a SHA-256 digest has no NUL, and fewer than 72 bytes.
            Prehash::Hex => (BcryptTask::new(&sha256(password, |bytes| hex::encode(bytes)), salt, cost), true),
            Prehash::Base64 => (BcryptTask::new(&sha256(password, |bytes| STANDARD.encode(bytes)), salt, cost), true),
        };
        Verification::Bcrypt { task, expected: digest, may_match }
    }
}

/// The SHA-256 digest of a password as text.
fn sha256(password: &str, encode: impl FnOnce(&[u8]) -> String) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(encode(digest(&SHA256, password.as_bytes()).as_ref()).into_bytes())
}
