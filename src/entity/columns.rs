//! Reading the columns of a row by position.

use sea_orm::{DbErr, QueryResult, TryGetable, sea_query::ValueType};

use crate::database::LocalRow;

/// The columns of a row, from left to right. SeaORM builds a name for each column and looks it up, which took an eighth of
/// all instructions of `me`.
pub(super) struct Columns<'a> {
    row: Source<'a>,
    next: usize,
}

enum Source<'a> {
    Driver(&'a QueryResult),
    Local(&'a LocalRow<'a, 'a>),
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a QueryResult) -> Self {
        Self { row: Source::Driver(row), next: 0 }
    }

    pub(super) fn of_local(row: &'a LocalRow<'a, 'a>) -> Self {
        Self { row: Source::Local(row), next: 0 }
    }

    /// Reads the next column.
    pub(super) fn read<T: TryGetable + ValueType>(&mut self) -> Result<T, DbErr> {
        let value = match self.row {
            Source::Driver(row) => row.try_get_by_index(self.next)?,
            Source::Local(row) => row.read(self.next)?,
        };
        self.next += 1;
        Ok(value)
    }
}

/// Defines the model of a table whose rows are read by position. `Model::read` reads the columns in the order of the fields,
/// in which SeaORM selects them.
macro_rules! model {
    (
        $(#[$attribute:meta])*
        pub struct Model {
            $($(#[$field_attribute:meta])* pub $field:ident: $field_type:ty,)*
        }
    ) => {
        $(#[$attribute])*
        pub struct Model {
            $($(#[$field_attribute])* pub $field: $field_type,)*
        }

        impl Model {
            /// Reads the columns of a row.
            pub(in crate::entity) fn read(columns: &mut $crate::entity::columns::Columns<'_>) -> Result<Self, DbErr> {
                Ok(Self { $($field: columns.read()?,)* })
            }
        }
    };
}

pub(super) use model;
