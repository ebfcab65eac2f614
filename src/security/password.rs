//! How passwords are stored and checked.
//!
//! bcrypt alone reads 72 bytes and repeats its key, so that a password's tail does not count and `p`, NUL, `p` opens
//! the account of `p`. Passwords are therefore hashed in passlib's `bcrypt-sha256` version 2:
//! bcrypt over the Base64 text of HMAC-SHA256(key: the salt's text, message: the password), written as
//! `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`. What came from elsewhere is in `foreign_hash.rs`.

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

/// bcrypt's own Base64, without padding.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";

/// Characters that the column takes.
const MAX_LENGTH: usize = 255;

/// The most that a stored hash may cost; 31 would take days.
const MAX_COST: u32 = 15;
const MIN_COST: u32 = 4;

/// A stored password: never the password itself, and never shown.
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
    /// bcrypt's 23 bytes in its Base64.
    digest: String,
}

impl PasswordHash {
    /// Hashes a password; takes about 250 ms at cost 12, so only [`super::hasher`] calls it.
    ///
    /// # Errors
    /// Internal, when there is no randomness for a salt or bcrypt refuses the cost.
    pub(super) fn create(password: &str, cost: u32) -> Result<Self> {
        let salt = random::bytes()?;
        let digest = digest(password, cost, salt)?;
        Ok(Self(format!("{PREFIX}{cost}${}${digest}", BCRYPT_BASE64.encode(salt))))
    }

    /// A hash that no password has, to be checked where there is no user: it costs what a real one costs.
    ///
    /// # Errors
    /// Internal, when there is no randomness.
    pub fn dummy(cost: u32) -> Result<Self> {
        let salt = BCRYPT_BASE64.encode(random::bytes::<16>()?);
        let digest = BCRYPT_BASE64.encode(random::bytes::<23>()?);
        Ok(Self(format!("{PREFIX}{cost}${salt}${digest}")))
    }

    /// A hash that other software made, as it stands; `None` if it is none that Hallpass can check, costs too much, or is
    /// longer than 255 characters.
    #[must_use]
    pub fn import(text: &str) -> Option<Self> {
        let hash = Self(text.to_owned());
        let is_known = text.len() <= MAX_LENGTH && (hash.parts().is_some() || ForeignHash::parse(text).is_some());
        is_known.then_some(hash)
    }

    /// The hash as it is stored, for whoever moves away with it. Who has it can guess at the password.
    #[must_use]
    pub fn export(&self) -> &str {
        &self.0
    }

    /// Whether this is what [`PasswordHash::create`] makes at this cost; if not, it is time to make it anew.
    pub(super) fn is_current(&self, cost: u32) -> bool {
        self.parts().is_some_and(|parts| parts.cost == cost)
    }

    /// Whether this is the hash of `password`; takes as long as [`PasswordHash::create`], if that made it.
    ///
    /// # Errors
    /// Internal, when the stored text is no hash that Hallpass knows.
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
    // `$2b$12$`, 22 characters of salt, and the digest.
    let text = hash.format_for_version(bcrypt::Version::TwoB);
    text.get(29..).map(ToOwned::to_owned).ok_or_else(|| Error::internal("bcrypt's output is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by passlib 1.7.4, `bcrypt_sha256.using(rounds=4).hash(…)`.
    #[test]
    fn opens_what_passlib_stored_and_nothing_else() {
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
    fn a_password_counts_to_its_last_character() {
        for length in [54, 55, 56, 71, 72, 73, 128] {
            let password = "x".repeat(length);
            let stored = PasswordHash::create(&password, MIN_COST).unwrap();
            assert!(stored.verify(&password).unwrap());
            assert!(!stored.verify(&"x".repeat(length - 1)).unwrap(), "{length} against one less");
            assert!(!stored.verify(&"x".repeat(length + 1)).unwrap(), "{length} against one more");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know_or_could_not_afford() {
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
    fn a_dummy_costs_like_a_real_one_and_opens_to_nobody() {
        let dummy = PasswordHash::dummy(MIN_COST).unwrap();
        assert_eq!(dummy.parts().unwrap().cost, MIN_COST);
        assert!(!dummy.verify("").unwrap());
    }

    #[test]
    fn is_not_shown() {
        let shown = format!("{:?}", PasswordHash::create("password", MIN_COST).unwrap());
        assert!(!shown.contains('$'), "{shown}");
    }
}
