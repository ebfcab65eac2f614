//! Common code of the tests.

use bcrypt_lanes::{Digest, Error, Input, digests};

/// Computes the digests with a number of lanes that is only known at run time.
pub fn with_lanes(lanes: usize, inputs: &[Input<'_>]) -> Result<Vec<Digest>, Error> {
    match lanes {
        1 => digests::<1>(inputs),
        2 => digests::<2>(inputs),
        3 => digests::<3>(inputs),
        4 => digests::<4>(inputs),
        5 => digests::<5>(inputs),
        6 => digests::<6>(inputs),
        _ => unreachable!("the number of lanes is 1 to 6"),
    }
}

/// The password as `$2b$` hashes it: with a NUL, up to 72 bytes.
pub fn terminated(password: &[u8]) -> Vec<u8> {
    password.iter().copied().chain([0]).take(72).collect()
}
