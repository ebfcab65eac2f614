//! The input of a bcrypt computation, kept until a hashing thread has time for it.

use bcrypt_lanes::{Input, MAX_PASSWORD_LENGTH};
use zeroize::Zeroizing;

/// What is stored of a digest. bcrypt computes another byte, which no software uses.
pub(super) type Digest = [u8; 23];

/// The input of a bcrypt computation.
pub(super) struct BcryptTask {
    password: Zeroizing<[u8; MAX_PASSWORD_LENGTH]>,
    /// How many bytes of `password` are in use.
    length: usize,
    salt: [u8; 16],
    cost: u32,
}

impl BcryptTask {
    /// Hashes the password and a NUL. Bytes after the first 72 are not used. Without the NUL, `p` and `pp` would have the
    /// same digest, because bcrypt repeats the password.
    pub(super) fn new(password: &[u8], salt: [u8; 16], cost: u32) -> Self {
        let mut task =
            Self { password: Zeroizing::new([0; MAX_PASSWORD_LENGTH]), length: password.len() + 1, salt, cost };
        task.length = task.length.min(MAX_PASSWORD_LENGTH);
        for (to, from) in task.password.iter_mut().zip(password) {
            *to = *from;
        }
        task
    }

    /// The number of rounds, which the duration is proportional to.
    pub(super) fn rounds(&self) -> u32 {
        1 << self.cost
    }

    /// The input for [`bcrypt_lanes`].
    pub(super) fn input(&self) -> Input<'_> {
        Input { password: self.password(), salt: self.salt, cost: self.cost }
    }

    /// Computes the digest with the `bcrypt` crate.
    pub(super) fn digest(&self) -> Digest {
        stored(bcrypt::bcrypt(self.cost, self.salt, self.password()))
    }

    fn password(&self) -> &[u8] {
        self.password.get(..self.length).unwrap_or_default()
    }
}

/// The part of a digest that is stored.
pub(super) fn stored(digest: bcrypt_lanes::Digest) -> Digest {
    let [stored @ .., _] = digest;
    stored
}
