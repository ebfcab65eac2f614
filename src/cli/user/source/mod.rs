//! Sources of users: a file of JSON Lines or CSV, an export of another system, or a table of another database.
//!
//! A source reads records. The domain parses their columns in the same way for all sources. Only a part of a file is in memory: a
//! record of at most 1 MiB, and a batch of records.

mod columns;
mod csv;
mod elements;
mod input;
mod json_lines;
mod profile;
mod table;

use std::{
    io::BufRead,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

pub(super) use self::profile::{Companions, System};
use self::{
    columns::Columns, csv::Csv, elements::Elements, input::Input, json_lines::JsonLines, profile::Profile, table::Table,
};
use crate::domain::{
    Context,
    users::import::{BATCH, Line, RecordError},
};

/// The length of a batch in bytes, beyond which no record is added to it.
const MAX_BATCH_LENGTH: u64 = 16 * 1024 * 1024;

/// The number of a row, and its values by name or the error that prevented reading it.
type Row = (u64, Result<Map<String, Value>, RecordError>);

/// The format of a file of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON Lines: one JSON object per line.
    Jsonl,
    /// Comma-separated values; the first line names the columns.
    Csv,
}

impl Format {
    /// Returns the format from the argument, or from the extension of the file.
    pub(super) fn of(argument: Option<Self>, path: Option<&Path>) -> Self {
        let extension = path.and_then(Path::extension).unwrap_or_default();
        argument.unwrap_or(if extension.eq_ignore_ascii_case("csv") { Self::Csv } else { Self::Jsonl })
    }
}

/// The context of an error in the middle of a file.
const UNREADABLE: &str = "the rest can't be read";

/// A source of users.
pub(super) struct Source {
    kind: Kind,
    columns: Columns,
    /// Maps the rows of another system; otherwise `columns` does.
    profile: Option<Profile>,
    /// The bytes or rows that have been read, and their total if known.
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

enum Kind {
    JsonLines(JsonLines),
    Csv(Box<Csv>),
    Elements(Elements),
    Table(Table),
}

impl Source {
    /// Opens a file; without a path, or with `-`, standard input.
    pub(super) fn file(path: Option<&Path>, format: Option<Format>) -> Result<Self> {
        let read = Arc::<AtomicU64>::default();
        let (input, total) = input::open(path, &read)?;
        let mut columns = Columns::default();
        let kind = match Format::of(format, path) {
            Format::Jsonl => Kind::JsonLines(JsonLines::new(input)),
            Format::Csv => {
                let csv = Csv::new(input)?;
                columns.of_table(csv.names.iter().map(String::as_str))?;
                Kind::Csv(Box::new(csv))
            }
        };
        Ok(Self { kind, columns, profile: None, read, total })
    }

    /// Opens an export of another system: CSV, JSON Lines, or a JSON array.
    pub(super) fn export(
        context: &Context,
        (system, path): (System, &Path),
        format: Option<Format>,
        companions: &Companions,
    ) -> Result<Self> {
        let profile = Profile::new(system, companions, context.settings(), context.now())?;
        let read = Arc::<AtomicU64>::default();
        let (input, total) = input::open(Some(path), &read)?;
        let kind = match Format::of(format, Some(path)) {
            Format::Csv => Kind::Csv(Box::new(Csv::new(input)?)),
            Format::Jsonl => json(input, system.has_lines())?,
        };
        Ok(Self { kind, columns: Columns::default(), profile: Some(profile), read, total })
    }

    /// Opens a table of another database.
    pub(super) async fn table(url: &str, name: &str) -> Result<Self> {
        let mut columns = Columns::default();
        let (table, rows) = Table::open(url, name, &mut columns).await?;
        Ok(Self { kind: Kind::Table(table), columns, profile: None, read: Arc::default(), total: Some(rows) })
    }

    /// Reads the next lines; none at the end.
    pub(super) async fn batch(&mut self) -> Result<Vec<Line>> {
        let (mut batch, start) = (Vec::new(), self.position());
        while batch.len() < BATCH && self.position() - start < MAX_BATCH_LENGTH {
            let row = match &mut self.kind {
                Kind::JsonLines(lines) => lines.next()?,
                Kind::Csv(csv) => csv.next()?,
                Kind::Elements(elements) => elements.next()?,
                Kind::Table(table) => {
                    self.read.fetch_add(1, Ordering::Relaxed);
                    match table.next().await? {
                        Some(line) => batch.push(line),
                        None => break,
                    }
                    continue;
                }
            };
            let Some((number, row)) = row else { break };
            let record = match (row, &mut self.profile) {
                (Ok(row), Some(profile)) => match profile.record(row)? {
                    Ok(Some(record)) => Ok(record),
                    Ok(None) => continue,
                    Err(error) => Err(error),
                },
                (row, _) => row.map(|row| self.columns.record(row)),
            };
            batch.push((number, record));
        }
        Ok(batch)
    }

    /// The bytes or rows that have been read.
    pub(super) fn position(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The bytes of the file or the rows of the table, if known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The names of columns that are ignored.
    pub(super) fn ignored(&self) -> impl Iterator<Item = &str> {
        self.columns.ignored()
    }

    /// The word for a line in messages.
    pub(super) fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "row",
            Kind::Elements(_) => "user",
            Kind::JsonLines(_) | Kind::Csv(_) => "line",
        }
    }

    /// What an export has that does not come along, and how often.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.profile.iter().flat_map(Profile::notes)
    }
}

/// Opens JSON. An object is a line if the export has lines, otherwise it contains the array of users.
fn json(mut input: Input, has_lines: bool) -> Result<Kind> {
    let start = input.fill_buf().context(UNREADABLE)?;
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') || !has_lines {
        return Ok(Kind::Elements(Elements::new(input)?));
    }
    Ok(Kind::JsonLines(JsonLines::new(input)))
}
