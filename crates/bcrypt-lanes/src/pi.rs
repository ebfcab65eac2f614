//! The initial tables of Blowfish: the fractional part of π in base 2³².

/// Number of subkeys: one per round, and two at the end.
pub(crate) const SUBKEYS: usize = 18;
/// Number of words in `pi.txt`.
const WORDS: usize = SUBKEYS + 4 * 256;

/// The first 8,336 hexadecimal digits of π after the point, 64 in a line.
const DIGITS: &[u8] = include_bytes!("pi.txt");

/// The initial subkeys.
pub(crate) const INITIAL_SUBKEYS: [u32; SUBKEYS] = subkeys();
/// The initial substitution tables.
pub(crate) static INITIAL_TABLES: [[u32; 256]; 4] = tables();

const PI: [u32; WORDS] = words();

#[expect(
    clippy::indexing_slicing,
    reason = "it is evaluated by the compiler, which reports an index that is out of bounds"
)]
const fn words() -> [u32; WORDS] {
    let mut words = [0; WORDS];
    let (mut digits, mut position) = (0, 0);
    while position < DIGITS.len() {
        let digit = match DIGITS[position] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit => digit.wrapping_sub(b'a').wrapping_add(10),
        };
        if digit < 16 {
            words[digits / 8] = words[digits / 8] << 4 | digit as u32;
            digits += 1;
        }
        position += 1;
    }
    assert!(digits == 8 * WORDS, "pi.txt has another number of digits");
    words
}

#[expect(
    clippy::indexing_slicing,
    reason = "it is evaluated by the compiler, which reports an index that is out of bounds"
)]
const fn subkeys() -> [u32; SUBKEYS] {
    let mut subkeys = [0; SUBKEYS];
    let mut position = 0;
    while position < SUBKEYS {
        subkeys[position] = PI[position];
        position += 1;
    }
    subkeys
}

#[expect(
    clippy::indexing_slicing,
    reason = "it is evaluated by the compiler, which reports an index that is out of bounds"
)]
const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut position = SUBKEYS;
    while position < WORDS {
        tables[(position - SUBKEYS) / 256][(position - SUBKEYS) % 256] = PI[position];
        position += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// A number below 2³²: the integer part, and the fraction in base 2³². It has two words more than the tables, for the
    /// errors of rounding.
    type Number = Vec<u32>;
    const LENGTH: usize = 1 + WORDS + 2;

    /// Divides in place. Returns whether the quotient is zero.
    fn divide(number: &mut Number, divisor: u32) -> bool {
        let (mut remainder, mut is_zero) = (0, true);
        for word in number {
            let dividend = u64::from(remainder) << 32 | u64::from(*word);
            *word = u32::try_from(dividend / u64::from(divisor)).unwrap();
            remainder = u32::try_from(dividend % u64::from(divisor)).unwrap();
            is_zero &= *word == 0;
        }
        is_zero
    }

    /// Adds or subtracts in place.
    fn add(sum: &mut Number, other: &Number, is_negative: bool) {
        let mut carry = 0;
        for (word, other) in sum.iter_mut().zip(other).rev() {
            let other = if is_negative { -i64::from(*other) } else { i64::from(*other) };
            let total = i64::from(*word) + other + carry;
            *word = u32::try_from(total.rem_euclid(1 << 32)).unwrap();
            carry = total.div_euclid(1 << 32);
        }
    }

    /// Adds `factor` · arctan(1 / `inverse`) by its power series.
    fn add_arctan(sum: &mut Number, factor: u32, inverse: u32, is_negative: bool) {
        let mut power = vec![0; LENGTH];
        power[0] = factor;
        divide(&mut power, inverse);
        for index in 0.. {
            let mut term = power.clone();
            divide(&mut term, 2 * index + 1);
            add(sum, &term, is_negative ^ (index % 2 == 1));
            if divide(&mut power, inverse * inverse) {
                return;
            }
        }
    }

    /// By Machin's formula, π = 16 arctan(1/5) − 4 arctan(1/239).
    #[test]
    fn tables_are_the_digits_of_pi() {
        let mut pi = vec![0; LENGTH];
        add_arctan(&mut pi, 16, 5, false);
        add_arctan(&mut pi, 4, 239, true);
        let tables: Vec<u32> = INITIAL_SUBKEYS.into_iter().chain(INITIAL_TABLES.into_iter().flatten()).collect();
        assert_eq!(pi[0], 3);
        assert_eq!(pi[1..=WORDS], tables);
    }
}
