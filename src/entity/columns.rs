//! Reading a row's columns in their order.

use sea_orm::{DbErr, QueryResult, TryGetable};

/// The columns of a row, from left to right. SeaORM looks each up by a name that it puts together each time, which took
/// an eighth of all instructions of `me`.
pub(super) struct Columns<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn read<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }
}
