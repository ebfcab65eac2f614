//! The table of users in the database of another system.

use anyhow::{Context, Result, anyhow};
use tokio::sync::mpsc::Receiver;

use crate::{
    cli::user::source::columns::Columns,
    config::DatabaseUrl,
    database::foreign::{ForeignTable, Texts},
    domain::users::import::{Column, Line, Record},
};

pub(super) struct Table {
    rows: Receiver<crate::Result<Texts>>,
    columns: Vec<Column>,
    number: u64,
}

impl Table {
    /// Opens the table, and counts its rows.
    pub(super) async fn open(url: &str, name: &str, columns: &mut Columns) -> Result<(Self, u64)> {
        let url = DatabaseUrl::parse(&url.into());
        let url = url.map_err(|mistake| anyhow!("nothing was imported: --from: {mistake}"))?;
        let table = ForeignTable::open(&url, name).await.context("the database to import from can't be read")?;
        let found = columns.of_table(table.columns.iter().map(String::as_str))?;
        let mut known: Vec<_> =
            table.columns.iter().zip(found).filter_map(|(name, column)| Some((column?, name.clone()))).collect();
        // The rows are ordered by the first column: by id, or by username. So a row has the same number in each run.
        let rank = |column| match column {
            Column::Id => 0,
            Column::Username => 1,
            _ => 2,
        };
        known.sort_by_key(|(column, _)| rank(*column));
        let (columns, names): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        let count = table.rows;
        Ok((Self { rows: table.read(&names), columns, number: 0 }, count))
    }

    pub(super) async fn next(&mut self) -> Result<Option<Line>> {
        let Some(row) = self.rows.recv().await else {
            return Ok(None);
        };
        let texts = row.context("the rest of the table can't be read")?;
        self.number += 1;
        let mut record = Record::default();
        for (column, text) in self.columns.iter().zip(texts) {
            if let Some(text) = text {
                record.set(*column, text);
            }
        }
        Ok(Some((self.number, Ok(record))))
    }
}
