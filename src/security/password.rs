//! Password hashes: creation and verification.
//!
//! Plain bcrypt reads only 72 bytes and repeats its key. The end of a long password would be ignored, and `p`, NUL, `p`
//! would match `p`. Passwords are therefore hashed with passlib's `bcrypt-sha256` version 2: bcrypt over the Base64
//! text of HMAC-SHA256(key: the salt's text, message: the password), written as
//! `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`. `foreign_hash.rs` verifies hashes of other software.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};
use sea_orm::DeriveValueType;

use crate::{
    Error, Result,
    security::{foreign_hash::ForeignHash, random},
};

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
    /// bcrypt's 23 bytes in its Base64 alphabet.
    digest: String,
}

impl PasswordHash {
    /// Hashes a password. Takes about 250 ms at cost 12, so only [`super::hasher`] calls it.
    ///
    /// # Errors
    /// Internal if no random bytes are available or bcrypt rejects the cost.
    pub(super) fn create(password: &str, cost: u32) -> Result<Self> {
        let salt = random::bytes()?;
        let digest = digest(password, cost, salt)?;
        Ok(Self(format!("{PREFIX}{cost}${}${digest}", BCRYPT_BASE64.encode(salt))))
    }

    /// A hash that matches no password, to be verified when the user does not exist. It costs as much as a real one.
    ///
    /// # Errors
    /// Internal if no random bytes are available.
    pub fn dummy(cost: u32) -> Result<Self> {
        let salt = BCRYPT_BASE64.encode(random::bytes::<16>()?);
        let digest = BCRYPT_BASE64.encode(random::bytes::<23>()?);
        Ok(Self(format!("{PREFIX}{cost}${salt}${digest}")))
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

    /// Whether [`PasswordHash::create`] would produce this format at this cost. If not, the password should be
    /// rehashed.
    pub(super) fn is_current(&self, cost: u32) -> bool {
        self.parts().is_some_and(|parts| parts.cost == cost)
    }

    /// Whether this is the hash of `password`. For hashes made by [`PasswordHash::create`], it takes as long as that.
    ///
    /// # Errors
    /// Internal if the stored hash is malformed. SERVICE_UNAVAILABLE if there is not enough memory for a foreign
    /// Argon2id hash.
    pub(super) fn verify(&self, password: &str) -> Result<bool> {
        let Some(stored) = self.parts() else {
            let foreign = ForeignHash::parse(&self.0);
            return foreign.ok_or_else(|| Error::internal("a stored password hash is malformed"))?.verify(password);
        };
        let computed = digest(password, stored.cost, stored.salt)?;
        Ok(constant_time::verify_slices_are_equal(computed.as_bytes(), stored.digest.as_bytes()).is_ok())
    }

    fn parts(&self) -> Option<Parts> {
        let (cost, rest) = self.0.strip_prefix(PREFIX)?.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let cost = cost.parse().ok().filter(|cost| (MIN_COST..=MAX_COST).contains(cost))?;
        let salt = BCRYPT_BASE64.decode(salt).ok()?.try_into().ok()?;
        let is_digest = BCRYPT_BASE64.decode(digest).is_ok_and(|bytes| bytes.len() == 23);
        is_digest.then(|| Parts { cost, salt, digest: digest.to_owned() })
    }
}

fn digest(password: &str, cost: u32, salt: [u8; 16]) -> Result<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, BCRYPT_BASE64.encode(salt).as_bytes());
    let prehash = STANDARD.encode(hmac::sign(&key, password.as_bytes()));
    let hash = bcrypt::hash_with_salt(prehash, cost, salt).map_err(Error::internal)?;
    // Skips `$2b$12$` and 22 characters of salt.
    let text = hash.format_for_version(bcrypt::Version::TwoB);
    text.get(29..).map(ToOwned::to_owned).ok_or_else(|| Error::internal("bcrypt's output is malformed"))
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
            let stored = PasswordHash::create(&password, MIN_COST).unwrap();
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
        let shown = format!("{:?}", PasswordHash::create("password", MIN_COST).unwrap());
        assert!(!shown.contains('$'), "{shown}");
    }
}
