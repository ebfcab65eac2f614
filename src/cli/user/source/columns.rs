//! The columns of files and tables in the format of the import.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

use crate::domain::users::import::{Column, Record};

/// Maximum number of unknown columns that are reported, and of their characters.
const MAX_IGNORED: usize = 50;
const MAX_NAME_LENGTH: usize = 100;

/// The columns of a source, and those that are ignored.
#[derive(Default)]
pub(super) struct Columns {
    ignored: BTreeSet<String>,
}

impl Columns {
    /// The names of columns that are ignored.
    pub(super) fn ignored(&self) -> impl Iterator<Item = &str> {
        self.ignored.iter().map(String::as_str)
    }

    fn named(&mut self, name: &str) -> Option<Column> {
        let column = Column::named(name);
        if column.is_none() && self.ignored.len() < MAX_IGNORED {
            let name: String = name.chars().take(MAX_NAME_LENGTH).collect();
            self.ignored.insert(name);
        }
        column
    }

    /// Returns the columns of a header. Fails if a required one is missing.
    pub(super) fn of_table<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<Vec<Option<Column>>> {
        let columns: Vec<_> = names.map(|name| self.named(name.trim())).collect();
        let has = |column| columns.contains(&Some(column));
        ensure!(has(Column::Username) || has(Column::Email), "nothing was imported: there is no column `username`");
        ensure!(has(Column::PasswordHash), "nothing was imported: there is no column `hashed_password`");
        Ok(columns)
    }

    /// The record of a row.
    pub(super) fn record(&mut self, row: Map<String, Value>) -> Record {
        let mut record = Record::default();
        for (name, value) in row {
            let Some(column) = self.named(&name) else {
                continue;
            };
            match value {
                Value::Null => {}
                Value::String(text) => record.set(column, text),
                value => record.set(column, value.to_string()),
            }
        }
        record
    }
}
