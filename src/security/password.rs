//! Password hashes: creation and verification.
//!
//! Plain bcrypt reads only 72 bytes and repeats its key. The end of a long password would be ignored, and `p`, NUL, `p`
//! would match `p`. Passwords are therefore hashed with passlib's `bcrypt-sha256` version 2: bcrypt over the Base64
//! text of HMAC-SHA256(key: the salt's text, message: the password), written as
//! `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`. `foreign_hash.rs` verifies hashes of other software.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};
use sea_orm::DeriveValueType;
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    security::{
        bcrypt_task::{BcryptTask, Digest},
        foreign_hash::{ForeignHash, OtherHash},
        random,
    },
};

pub use crate::security::foreign_hash::FirebaseParameters;

/// bcrypt's Base64 alphabet, without padding.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";

/// Length of the database column.
const MAX_LENGTH: usize = 255;

/// The maximum cost of a stored hash. Cost 31 would take days.
const MAX_COST: u32 = 15;
const MIN_COST: u32 = 4;

/// A password hash. Its debug output does not show the hash.
#[derive(Clone, PartialEq, Eq, Hash, DeriveValueType)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// The parts of a `bcrypt-sha256` hash.
struct Parts {
    cost: u32,
    salt: [u8; 16],
    digest: Digest,
}

/// How a password is compared with a hash.
pub(super) enum Verification {
    /// By a bcrypt digest.
    Bcrypt {
        /// Computes the digest of the password.
        task: BcryptTask,
        /// The digest of the right password.
        expected: Digest,
        /// Whether the password is right if the digests are equal. The digest is computed in any case, so that the time is
        /// the same.
        may_match: bool,
    },
    /// By another algorithm.
    Other(OtherHash),
}

impl PasswordHash {
    /// The computation of the digest of `password`; see [`PasswordHash::new`].
    pub(super) fn task(password: &str, salt: [u8; 16], cost: u32) -> BcryptTask {
        let key = hmac::Key::new(hmac::HMAC_SHA256, BCRYPT_BASE64.encode(salt).as_bytes());
        let prehash = Zeroizing::new(STANDARD.encode(hmac::sign(&key, password.as_bytes())));
        BcryptTask::new(prehash.as_bytes(), salt, cost)
    }

    /// The hash of the password whose digest this is.
    pub(super) fn new(salt: [u8; 16], cost: u32, digest: Digest) -> Self {
        Self(format!("{PREFIX}{cost}${}${}", BCRYPT_BASE64.encode(salt), BCRYPT_BASE64.encode(digest)))
    }

    /// A hash that matches no password, to be verified when the user does not exist. It costs as much as a real one.
    ///
    /// # Errors
    /// Internal if no random bytes are available.
    pub fn dummy(cost: u32) -> Result<Self> {
        Ok(Self::new(random::bytes()?, cost, random::bytes()?))
    }

    /// Accepts a hash from other software. Returns `None` if Hallpass cannot verify it, if it costs too much, or if it
    /// is longer than 255 characters.
    #[must_use]
    pub fn import(text: &str) -> Option<Self> {
        let hash = Self(text.to_owned());
        let is_known = text.len() <= MAX_LENGTH && (hash.parts().is_some() || ForeignHash::parse(text).is_some());
        is_known.then_some(hash)
    }

    /// The stored hash, for exports. Anyone who has it can try to guess the password.
    #[must_use]
    pub fn export(&self) -> &str {
        &self.0
    }

    /// Whether [`PasswordHash::new`] would produce this format at this cost. If not, the password should be
    /// rehashed.
    pub(super) fn is_current(&self, cost: u32) -> bool {
        self.parts().is_some_and(|parts| parts.cost == cost)
    }

    /// How to find out whether this is the hash of `password`.
    ///
    /// # Errors
    /// Internal if the stored hash is malformed.
    pub(super) fn verification(&self, password: &str) -> Result<Verification> {
        if let Some(Parts { cost, salt, digest }) = self.parts() {
            let task = Self::task(password, salt, cost);
            return Ok(Verification::Bcrypt { task, expected: digest, may_match: true });
        }
        let foreign =
            ForeignHash::parse(&self.0).ok_or_else(|| Error::internal("a stored password hash is malformed"))?;
        Ok(foreign.verification(password))
    }

    fn parts(&self) -> Option<Parts> {
        let (cost, rest) = self.0.strip_prefix(PREFIX)?.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let cost = cost.parse().ok().filter(|cost| (MIN_COST..=MAX_COST).contains(cost))?;
        let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
        let digest = BCRYPT_BASE64.decode(digest).ok()?.try_into().ok()?;
        Some(Parts { cost, salt, digest })
    }
}

/// As [`super::hasher`], on the thread of a test.
#[cfg(test)]
impl PasswordHash {
    pub(super) fn create(password: &str, cost: u32) -> Self {
        let salt = random::bytes().unwrap();
        Self::new(salt, cost, Self::task(password, salt, cost).digest())
    }

    pub(super) fn verify(&self, password: &str) -> Result<bool> {
        match self.verification(password)? {
            Verification::Bcrypt { task, expected, may_match } => Ok(task.digest() == expected && may_match),
            Verification::Other(hash) => hash.verify(password),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Created with passlib 1.7.4, `bcrypt_sha256.using(rounds=4).hash(…)`.
    #[test]
    fn verifies_passlib_hashes_with_the_exact_password_only() {
        for (password, stored) in [
            (
                "correct horse battery staple".to_owned(),
                "$bcrypt-sha256$v=2,t=2b,r=4$JoQZgD8ePP4HY.cR1FuMmO$./qYLwWETtL8x4L.V5jemmwPbQ0Jr0u",
            ),
            ("p\0p".to_owned(), "$bcrypt-sha256$v=2,t=2b,r=4$gfoTcmB4bUmen2Av.YO/ie$SvGqC/2K5uTPmNmZwHpq7UpDsUlN.ua"),
            ("😀".repeat(64), "$bcrypt-sha256$v=2,t=2b,r=4$z41nbHF7/E7aoGzE7jdVsu$Wcd.oanuNjoeuQz6q6ei.MtEn8Keczi"),
        ] {
            let stored = PasswordHash(stored.to_owned());
            assert!(stored.verify(&password).unwrap(), "{password}");
            for other in [format!("{password} "), password.repeat(2), format!("{password}\0{password}")] {
                assert!(!stored.verify(&other).unwrap(), "{other}");
            }
            let shorter: String = password.chars().skip(1).collect();
            assert!(!stored.verify(&shorter).unwrap());
        }
    }

    #[test]
    fn every_character_of_a_long_password_is_significant() {
        for length in [54, 55, 56, 71, 72, 73, 128] {
            let password = "x".repeat(length);
            let stored = PasswordHash::create(&password, MIN_COST);
            assert!(stored.verify(&password).unwrap());
            assert!(!stored.verify(&"x".repeat(length - 1)).unwrap(), "{length} against one less");
            assert!(!stored.verify(&"x".repeat(length + 1)).unwrap(), "{length} against one more");
        }
    }

    #[test]
    fn rejects_malformed_and_too_expensive_hashes() {
        let good = "$bcrypt-sha256$v=2,t=2b,r=4$JoQZgD8ePP4HY.cR1FuMmO$./qYLwWETtL8x4L.V5jemmwPbQ0Jr0u";
        for bad in [
            String::new(),
            "secret".to_owned(),
            good.replace("r=4", "r=31"),
            good.replace("r=4", "r=-4"),
            good.replace("v=2", "v=1"),
            good[..good.len() - 1].to_owned(),
            format!("{good}x"),
            good.replace("JoQZ", "Jo$Z"),
            good.replace("JoQZ", "Jöß"),
        ] {
            assert!(PasswordHash(bad.clone()).verify("password").is_err(), "{bad}");
        }
    }

    #[test]
    fn dummy_hash_has_the_same_cost_and_matches_nothing() {
        let dummy = PasswordHash::dummy(MIN_COST).unwrap();
        assert_eq!(dummy.parts().unwrap().cost, MIN_COST);
        assert!(!dummy.verify("").unwrap());
    }

    #[test]
    fn debug_output_hides_the_hash() {
        let shown = format!("{:?}", PasswordHash::create("password", MIN_COST));
        assert!(!shown.contains('$'), "{shown}");
    }
}
