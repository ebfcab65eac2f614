//! PBKDF2 with HMAC.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::parse_number;

/// Limit of the rounds times the blocks of the digest: four times OWASP's recommendation for SHA-256.
const MAX_ROUNDS: u32 = 2_000_000;

/// The digest length of software that derives the same length with each algorithm, such as Keycloak.
const LONG_DIGEST: usize = 64;

/// The hash function of the HMAC.
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// Bytes of a block, which costs all rounds.
    const fn block(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn implementation(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// A PBKDF2 hash.
pub(in crate::security) struct Pbkdf2 {
    algorithm: Algorithm,
    rounds: NonZeroU32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Pbkdf2 {
    /// A hash with this number of rounds. The digest must have the length of the hash function, or 64 bytes.
    pub(super) fn new(algorithm: Algorithm, rounds: &str, salt: &[u8], digest: Vec<u8>) -> Option<Self> {
        if ![algorithm.block(), LONG_DIGEST].contains(&digest.len()) {
            return None;
        }
        let blocks = u32::try_from(digest.len().div_ceil(algorithm.block())).ok()?;
        let rounds = parse_number(rounds).filter(|rounds| *rounds <= MAX_ROUNDS / blocks).and_then(NonZeroU32::new)?;
        Some(Self { algorithm, rounds, salt: salt.to_owned(), digest })
    }

    /// Parses `29000$<salt>$<digest>`, in Base64 with `.` instead of `+`.
    pub(super) fn passlib(algorithm: Algorithm, text: &str) -> Option<Self> {
        let (rounds, rest) = text.split_once('$')?;
        let (salt, digest) = rest.split_once('$')?;
        let decode = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
        Self::new(algorithm, rounds, &decode(salt)?, decode(digest)?)
    }

    /// Whether the digest is that of `password`.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        pbkdf2::verify(self.algorithm.implementation(), self.rounds, &self.salt, password, &self.digest).is_ok()
    }
}
