//! Sources of users: a file of JSON Lines or CSV, or a table of another database.
//!
//! A source reads records. The domain parses their columns in the same way for all sources.

mod csv;
mod json_lines;
mod table;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader, IsTerminal, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};

use self::{csv::Csv, json_lines::JsonLines, table::Table};
use crate::domain::users::import::{BATCH, Column, Line};

/// Maximum number of unknown columns that are reported.
const MAX_IGNORED: usize = 50;

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
    /// The bytes or rows that have been read, and their total if known.
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

enum Kind {
    JsonLines(JsonLines),
    Csv(Csv),
    Table(Table),
}

impl Source {
    /// Opens a file; without a path, or with `-`, standard input.
    pub(super) fn file(path: Option<&Path>, format: Option<Format>) -> Result<Self> {
        let path = path.filter(|path| *path != Path::new("-"));
        let read = Arc::<AtomicU64>::default();
        let (input, total): (Box<dyn Read + Send>, _) = match path {
            Some(path) => {
                let failed = || format!("{} can't be read", path.display());
                let file = File::open(path).with_context(failed)?;
                let metadata = file.metadata().with_context(failed)?;
                if metadata.is_dir() {
                    return Err(io::Error::from(io::ErrorKind::IsADirectory)).with_context(failed);
                }
                (Box::new(file), metadata.is_file().then_some(metadata.len()))
            }
            None if io::stdin().is_terminal() => bail!("name a file, or pipe the users to standard input"),
            None => (Box::new(io::stdin()), None),
        };
        let input = Counted { input, read: Arc::clone(&read) };
        let mut columns = Columns::default();
        let kind = match Format::of(format, path) {
            Format::Jsonl => Kind::JsonLines(JsonLines::new(BufReader::new(input))),
            Format::Csv => Kind::Csv(Csv::new(Box::new(input), &mut columns)?),
        };
        Ok(Self { kind, columns, read, total })
    }

    /// Opens a table of another database.
    pub(super) async fn table(url: &str, name: &str) -> Result<Self> {
        let mut columns = Columns::default();
        let (table, rows) = Table::open(url, name, &mut columns).await?;
        Ok(Self { kind: Kind::Table(table), columns, read: Arc::default(), total: Some(rows) })
    }

    /// Reads the next lines; none at the end.
    pub(super) async fn batch(&mut self) -> Result<Vec<Line>> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let line = match &mut self.kind {
                Kind::JsonLines(lines) => lines.next(&mut self.columns)?,
                Kind::Csv(csv) => csv.next()?,
                Kind::Table(table) => {
                    self.read.fetch_add(1, Ordering::Relaxed);
                    table.next().await?
                }
            };
            match line {
                Some(line) => batch.push(line),
                None => break,
            }
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
        self.columns.ignored.iter().map(String::as_str)
    }

    /// The word for a line in messages.
    pub(super) fn unit(&self) -> &'static str {
        if matches!(self.kind, Kind::Table(_)) { "row" } else { "line" }
    }
}

/// The columns of a source, and those that are ignored.
#[derive(Default)]
struct Columns {
    ignored: BTreeSet<String>,
}

impl Columns {
    fn named(&mut self, name: &str) -> Option<Column> {
        let column = Column::named(name);
        if column.is_none() && self.ignored.len() < MAX_IGNORED && !self.ignored.contains(name) {
            self.ignored.insert(name.to_owned());
        }
        column
    }

    /// Returns the columns of a header. Fails if a required one is missing.
    fn of_table<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<Vec<Option<Column>>> {
        let columns: Vec<_> = names.map(|name| self.named(name.trim())).collect();
        for (required, name) in [(Column::Username, "username"), (Column::PasswordHash, "hashed_password")] {
            ensure!(columns.contains(&Some(required)), "nothing was imported: there is no column `{name}`");
        }
        Ok(columns)
    }
}

/// A reader that counts bytes.
struct Counted {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
