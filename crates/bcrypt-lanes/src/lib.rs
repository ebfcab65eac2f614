#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod lane;
mod pi;

use alloc::{boxed::Box, vec, vec::Vec};
use core::{fmt, ops::RangeInclusive};

use zeroize::Zeroize;

use crate::lane::Lane;

/// The maximum number of lanes. More would not fit into the registers and the first-level cache of common processors.
pub const MAX_LANES: usize = 6;
/// The maximum length of a password in bytes.
pub const MAX_PASSWORD_LENGTH: usize = 72;
/// The costs that bcrypt allows.
pub const COSTS: RangeInclusive<u32> = 4..=31;

/// What bcrypt computes. Most software stores only the first 23 bytes.
pub type Digest = [u8; 24];

/// The input of one computation.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The password, 1 to 72 bytes. Nothing is appended to it and nothing is cut off. Software that stores `$2b$` hashes
    /// appends a NUL, and then uses the first 72 bytes.
    pub password: &'a [u8],
    /// The salt.
    pub salt: [u8; 16],
    /// The binary logarithm of the number of rounds.
    pub cost: u32,
}

impl Input<'_> {
    fn check(&self) -> Result<(), Error> {
        if !(1..=MAX_PASSWORD_LENGTH).contains(&self.password.len()) {
            return Err(Error::PasswordLength);
        }
        if !COSTS.contains(&self.cost) {
            return Err(Error::Cost);
        }
        Ok(())
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// Why a computation was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The password is empty or longer than 72 bytes.
    PasswordLength,
    /// The cost is not in [`COSTS`].
    Cost,
    /// All lanes are in use.
    Full,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PasswordLength => "expected a password of 1 to 72 bytes",
            Self::Cost => "expected a cost from 4 to 31",
            Self::Full => "all lanes are in use",
        })
    }
}

impl core::error::Error for Error {}

/// Up to `N` computations that run at the same time, 1 to [`MAX_LANES`]. Each has a tag, which is returned with its digest.
///
/// Computations may start and finish independently of each other and may have different costs. An empty lane costs
/// nothing. The memory of a computation is zeroized when it is finished or dropped.
pub struct Lanes<T, const N: usize> {
    /// Those in use are first.
    lanes: Box<[Lane; N]>,
    /// The tags of the lanes in use.
    tags: Vec<T>,
}

impl<T, const N: usize> Lanes<T, N> {
    /// Allocates the lanes, 4 KiB each.
    #[must_use]
    pub fn new() -> Self {
        const { assert!(N >= 1 && N <= MAX_LANES, "the number of lanes is 1 to 6") };
        Self { lanes: Box::new([Lane::EMPTY; N]), tags: Vec::with_capacity(N) }
    }

    /// The number of lanes in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no lane is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether all lanes are in use.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == N
    }

    /// Starts a computation.
    ///
    /// # Errors
    /// Any [`Error`]. The other computations are not affected.
    pub fn start(&mut self, tag: T, input: &Input<'_>) -> Result<(), Error> {
        input.check()?;
        let lane = self.lanes.get_mut(self.tags.len()).ok_or(Error::Full)?;
        lane.start(input);
        self.tags.push(tag);
        Ok(())
    }

    /// Computes up to `max_rounds` rounds of each computation, and stops as soon as one is finished. Returns how many
    /// rounds it computed of each, which is 0 if there is nothing to compute or a finished one has not been taken.
    pub fn run(&mut self, max_rounds: u32) -> u32 {
        let lanes = self.used();
        let count = lanes.iter().map(|lane| lane.remaining).min().unwrap_or(0).min(max_rounds);
        lane::rounds(lanes, count);
        count
    }

    /// Removes a finished computation. Call it until it returns `None`.
    pub fn take(&mut self) -> Option<(T, Digest)> {
        let lanes = self.used();
        let index = lanes.iter().position(|lane| lane.remaining == 0)?;
        let digest = lanes.get(index)?.digest();
        let last = lanes.len() - 1;
        lanes.swap(index, last);
        lanes.last_mut()?.zeroize();
        Some((self.tags.swap_remove(index), digest))
    }

    fn used(&mut self) -> &mut [Lane] {
        self.lanes.get_mut(..self.tags.len()).unwrap_or_default()
    }
}

impl<T, const N: usize> Default for Lanes<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for Lanes<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {N} lanes in use", self.len())
    }
}

/// Computes the digests of all inputs with `N` lanes. Inputs that wait start as soon as a lane is free.
///
/// # Errors
/// [`Error::PasswordLength`] or [`Error::Cost`] if an input is not valid.
pub fn digests<const N: usize>(inputs: &[Input<'_>]) -> Result<Vec<Digest>, Error> {
    inputs.iter().try_for_each(Input::check)?;
    let mut digests = vec![[0; 24]; inputs.len()];
    let mut waiting = digests.iter_mut().zip(inputs);
    let mut lanes = Lanes::<_, N>::new();
    loop {
        for (digest, input) in waiting.by_ref().take(N - lanes.len()) {
            lanes.start(digest, input)?;
        }
        if lanes.is_empty() {
            drop(lanes);
            return Ok(digests);
        }
        lanes.run(u32::MAX);
        while let Some((slot, digest)) = lanes.take() {
            *slot = digest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_zeroized_when_its_digest_is_taken() {
        let mut lanes = Lanes::<_, 2>::new();
        for tag in 0..2 {
            lanes.start(tag, &Input { password: b"correct horse", salt: [1; 16], cost: 4 }).unwrap();
        }
        lanes.run(16);
        assert!(lanes.take().is_some());
        let [first, second] = &*lanes.lanes;
        assert!(!first.is_zero() && second.is_zero());
        assert!(lanes.take().is_some());
        assert!(lanes.lanes.iter().all(Lane::is_zero));
    }
}
