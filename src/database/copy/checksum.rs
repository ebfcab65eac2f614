//! Checksums of tables, which do not depend on the database and on the order of the rows.

use aws_lc_rs::digest::{SHA256, digest};
use sea_orm::DbErr;

/// The number of rows, and the sum of their SHA-256 hashes as four numbers of 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) rows: u64,
    sums: [u64; 4],
}

impl Checksum {
    /// Adds a row in its canonical form.
    pub(super) fn add(&mut self, row: &[u8]) {
        let hash = digest(&SHA256, row);
        let (numbers, _) = hash.as_ref().as_chunks();
        for (sum, number) in self.sums.iter_mut().zip(numbers) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*number));
        }
        self.rows += 1;
    }

    /// The sums as text.
    pub(super) fn to_text(self) -> String {
        hex::encode(self.sums.map(u64::to_be_bytes).concat())
    }

    /// Reads the sums from their text.
    pub(super) fn from_text(rows: u64, text: &str) -> Result<Self, DbErr> {
        let bytes = hex::decode(text).unwrap_or_default();
        let (numbers, _) = bytes.as_chunks();
        let numbers: Vec<u64> = numbers.iter().copied().map(u64::from_be_bytes).collect();
        let sums = numbers.try_into().map_err(|_| DbErr::Type("the progress of the copy cannot be read".to_owned()))?;
        Ok(Self { rows, sums })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&str]) -> Checksum {
        let mut checksum = Checksum::default();
        for row in rows {
            checksum.add(row.as_bytes());
        }
        checksum
    }

    #[test]
    fn checksum_depends_on_every_row_but_not_on_their_order() {
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        for other in [of(&["a"]), of(&["a", "c"]), of(&["a", "b", "b"]), of(&[])] {
            assert_ne!(of(&["a", "b"]), other);
        }
    }

    #[test]
    fn checksum_survives_its_text() {
        let checksum = of(&["a", "b"]);
        assert_eq!(Checksum::from_text(2, &checksum.to_text()).unwrap(), checksum);
        Checksum::from_text(2, "00").unwrap_err();
    }
}
