//! The state of one bcrypt computation, and rounds on several of them at once.
#![expect(
    clippy::inline_always,
    reason = "the speed depends on it, and the compiler decides differently for each number of lanes"
)]

use core::{array, mem};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Digest, Input,
    pi::{INITIAL_SUBKEYS, INITIAL_TABLES, SUBKEYS},
};

/// Rounds of Blowfish's encryption of a block.
const ROUNDS: usize = SUBKEYS - 2;
/// The text that bcrypt encrypts 64 times: `OrpheanBeholderScryDoubt`.
const TEXT: [[u32; 2]; 3] = [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]];

/// One computation. The tables of all lanes are in one allocation, so that a constant offset from one pointer leads to
/// each of them. They do not share cache lines.
#[repr(align(64))]
pub(crate) struct Lane {
    tables: [[u32; 256]; 4],
    subkeys: [u32; SUBKEYS],
    /// The password, repeated to the length of the subkeys.
    password: [u32; SUBKEYS],
    salt: [u32; 4],
    /// How many rounds are missing.
    pub(crate) remaining: u32,
}

impl Lane {
    pub(crate) const EMPTY: Self =
        Self { tables: [[0; 256]; 4], subkeys: [0; SUBKEYS], password: [0; SUBKEYS], salt: [0; 4], remaining: 0 };

    /// Starts a computation. The input has been checked.
    pub(crate) fn start(&mut self, input: &Input<'_>) {
        self.tables = INITIAL_TABLES;
        self.subkeys = INITIAL_SUBKEYS;
        let mut bytes = input.password.iter().copied().cycle();
        self.password = array::from_fn(|_| u32::from_be_bytes(array::from_fn(|_| bytes.next().unwrap_or_default())));
        let mut bytes = input.salt.into_iter();
        self.salt = array::from_fn(|_| u32::from_be_bytes(array::from_fn(|_| bytes.next().unwrap_or_default())));
        self.remaining = 1 << input.cost;
        self.expand_salt_and_password();
    }

    /// The first expansion, which mixes the password and the salt.
    fn expand_salt_and_password(&mut self) {
        self.mix_password();
        let [a, b, c, d] = self.salt;
        let mut salt = [[a, b], [c, d]].into_iter().cycle();
        let mut block = [0; 2];
        let mut next = |lane: &Self| {
            let [left, right] = salt.next().unwrap_or_default();
            [block] = encrypt(array::from_ref(lane), [[block[0] ^ left, block[1] ^ right]]);
            block
        };
        for index in 0..SUBKEYS / 2 {
            let block = next(self);
            self.set_subkeys(index, block);
        }
        for table in 0..4 {
            for index in 0..128 {
                let block = next(self);
                self.set_entries(table, index, block);
            }
        }
    }

    #[inline(always)]
    fn mix_password(&mut self) {
        for (subkey, word) in self.subkeys.iter_mut().zip(self.password) {
            *subkey ^= word;
        }
    }

    #[inline(always)]
    fn mix_salt(&mut self) {
        for (subkey, word) in self.subkeys.iter_mut().zip(self.salt.into_iter().cycle()) {
            *subkey ^= word;
        }
    }

    /// Sets a pair of subkeys.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "callers iterate over the pairs")]
    fn set_subkeys(&mut self, index: usize, [left, right]: [u32; 2]) {
        self.subkeys[2 * index] = left;
        self.subkeys[2 * index + 1] = right;
    }

    /// Sets a pair of entries of a table.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "callers iterate over the pairs")]
    fn set_entries(&mut self, table: usize, index: usize, [left, right]: [u32; 2]) {
        self.tables[table][2 * index] = left;
        self.tables[table][2 * index + 1] = right;
    }

    /// Blowfish's round function.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte is a valid index of 256 entries, so there is no check")]
    fn substitute(&self, word: u32) -> u32 {
        let [d, c, b, a] = word.to_le_bytes().map(usize::from);
        let [first, second, third, fourth] = &self.tables;
        (first[a].wrapping_add(second[b]) ^ third[c]).wrapping_add(fourth[d])
    }

    /// Encrypts the text. All rounds have been computed.
    pub(crate) fn digest(&self) -> Digest {
        let mut digest = [0; 24];
        for (mut block, bytes) in TEXT.into_iter().zip(digest.chunks_exact_mut(8)) {
            for _ in 0..64 {
                [block] = encrypt(array::from_ref(self), [block]);
            }
            for (word, bytes) in block.into_iter().zip(bytes.chunks_exact_mut(4)) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
        }
        digest
    }
}

impl Zeroize for Lane {
    fn zeroize(&mut self) {
        self.tables.zeroize();
        self.subkeys.zeroize();
        self.password.zeroize();
        self.salt.zeroize();
        self.remaining.zeroize();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Lane {}

/// Computes `count` rounds of all lanes. No lane has fewer rounds left.
pub(crate) fn rounds(lanes: &mut [Lane], count: u32) {
    match lanes.len() {
        0 => {}
        1 => rounds_of::<1>(lanes, count),
        2 => rounds_of::<2>(lanes, count),
        3 => rounds_of::<3>(lanes, count),
        4 => rounds_of::<4>(lanes, count),
        5 => rounds_of::<5>(lanes, count),
        _ => rounds_of::<6>(lanes, count),
    }
}

fn rounds_of<const N: usize>(lanes: &mut [Lane], count: u32) {
    let Some(lanes) = lanes.first_chunk_mut::<N>() else { return };
    for _ in 0..count {
        lanes.iter_mut().for_each(Lane::mix_password);
        expand(lanes);
        lanes.iter_mut().for_each(Lane::mix_salt);
        expand(lanes);
    }
    for lane in lanes {
        lane.remaining -= count;
    }
}

/// Replaces the subkeys and tables of each lane by a chain of encrypted blocks.
#[inline(never)]
fn expand<const N: usize>(lanes: &mut [Lane; N]) {
    let mut blocks = [[0; 2]; N];
    for index in 0..SUBKEYS / 2 {
        blocks = encrypt(lanes, blocks);
        for (lane, block) in lanes.iter_mut().zip(blocks) {
            lane.set_subkeys(index, block);
        }
    }
    for table in 0..4 {
        for index in 0..128 {
            blocks = encrypt(lanes, blocks);
            for (lane, block) in lanes.iter_mut().zip(blocks) {
                lane.set_entries(table, index, block);
            }
        }
    }
}

/// Encrypts one block with each lane. Each round is computed for all lanes before the next one, so that the processor works
/// on one lane while it waits for the tables of another.
#[inline(always)]
fn encrypt<const N: usize>(lanes: &[Lane; N], mut blocks: [[u32; 2]; N]) -> [[u32; 2]; N] {
    for (lane, [left, _]) in lanes.iter().zip(&mut blocks) {
        *left ^= subkey(lane, 0);
    }
    for round in (0..ROUNDS).step_by(2) {
        for (lane, [left, right]) in lanes.iter().zip(&mut blocks) {
            *right ^= subkey(lane, round + 1);
            *right ^= lane.substitute(*left);
        }
        for (lane, [left, right]) in lanes.iter().zip(&mut blocks) {
            *left ^= subkey(lane, round + 2);
            *left ^= lane.substitute(*right);
        }
    }
    for (lane, [left, right]) in lanes.iter().zip(&mut blocks) {
        *right ^= subkey(lane, ROUNDS + 1);
        mem::swap(left, right);
    }
    blocks
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "callers iterate over the subkeys")]
fn subkey(lane: &Lane, index: usize) -> u32 {
    lane.subkeys[index]
}

#[cfg(test)]
impl Lane {
    pub(crate) fn is_zero(&self) -> bool {
        let words = [self.tables.as_flattened(), &self.subkeys, &self.password, &self.salt, &[self.remaining]];
        words.into_iter().flatten().all(|word| *word == 0)
    }
}
