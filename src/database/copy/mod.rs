//! Copies all rows of one database to another one, of the same or another product.
//!
//! The target decides how far a copy is: each batch of rows is written in one transaction with the progress of its table. Until
//! the copy is finished, a mark in the table of migrations keeps every version of Hallpass from serving from the target. The
//! copy can be interrupted at any time, and continues when it is run again. Before it continues, and at the end, it compares
//! the source and the target by checksums that it computes from the values, not in the databases.

mod checksum;
mod connection;
mod progress;
mod scan;
mod table;
mod target;

use anyhow::{Context, Result, bail, ensure};
use migration::{Compatibility, History};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr,
    sea_query::{Alias, Expr, Query},
};

pub use self::table::{Column, Kind, Table};
use self::{
    checksum::Checksum,
    connection::{CopyConnection, Role},
    scan::{Page, Scan},
};
use crate::{
    Error,
    config::DatabaseUrl,
    database::{UNFINISHED_COPY, migration_lock::unless_locked, too_new},
};

/// What happens during a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Other sessions use the source, of which some may belong to a server.
    SourceInUse(i64),
    /// An interrupted copy continues.
    Continuing,
    /// This many rows of a table are copied, of so many in total.
    Copied {
        /// The table.
        table: &'a str,
        /// All rows that are in the target.
        rows: u64,
        /// All rows of the source.
        total: u64,
    },
    /// This many rows of each database were compared.
    Compared {
        /// The table.
        table: &'a str,
        /// All rows that were compared.
        rows: u64,
        /// All rows of the source.
        total: u64,
    },
}

/// The context of errors after which the command can be run again.
const RUN_AGAIN: &str = "the copy was interrupted; run the same command to continue";

/// The error if the source is not as it was when a part of it was copied.
const SOURCE_CHANGED: &str = "the source has changed since the copy began, so the target is not equal to it. Stop every Hallpass that \
                              uses the source, delete the target, create an empty database in its place, and copy again";

/// Copies the rows of all tables, and returns how many rows each has.
///
/// # Errors
/// Returns an error if a database cannot be used, if the target contains other rows than those of an interrupted copy of the
/// same source, if the source changes in the meantime, or if a statement fails.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    tables: &[Table],
    mut observe: impl FnMut(Event<'_>),
) -> Result<Vec<(String, u64)>> {
    ensure!(!is_same_file(from, to), SAME_DATABASE);
    let source = open_source(from).await?;
    if let Some(sessions @ 1..) = source.count_other_sessions().await {
        observe(Event::SourceInUse(sessions));
    }
    let prepared = target::prepare(from, to, tables).await?;
    if prepared.is_continued {
        observe(Event::Continuing);
    }
    let target = prepared.connection;
    source.begin_snapshot().await.explain("the source can't be read")?;
    if History::read(&source).await.explain("the source can't be read")?.is_unfinished_copy() {
        // It was not before the target was marked.
        target::unmark(&target).await?;
        bail!(SAME_DATABASE);
    }
    let total = count_rows(&source, tables).await.explain("the source can't be read")?;
    let mut copy = Copy { source: &source, target: &target, total, rows: 0, observe };
    let mut copied = Vec::new();
    for table in tables {
        copied.push(copy.copy_table(table).await?);
    }
    // A new snapshot, so that changes during the copy are found.
    source.commit().await.explain(RUN_AGAIN)?;
    source.begin_snapshot().await.explain(RUN_AGAIN)?;
    copy.rows = 0;
    for (table, copied) in tables.iter().zip(&copied) {
        copy.compare(table, *copied).await?;
    }
    source.commit().await.explain(RUN_AGAIN)?;
    target::finish(&target, tables).await?;
    target.close().await.explain("the target can't be closed")?;
    let _ = source.close().await;
    Ok(tables.iter().zip(copied).map(|(table, copied)| (table.name.clone(), copied.rows)).collect())
}

/// The error if nothing would be copied.
const SAME_DATABASE: &str = "nothing was copied: the source and the target are the same database";

/// Whether both are the same SQLite file, perhaps by different paths.
fn is_same_file(from: &DatabaseUrl, to: &DatabaseUrl) -> bool {
    let (DatabaseUrl::Sqlite(from), DatabaseUrl::Sqlite(to)) = (from, to) else { return false };
    matches!((from.canonicalize(), to.canonicalize()), (Ok(from), Ok(to)) if from == to)
}

/// Connects to the source, and checks that it has exactly the migrations of this version.
async fn open_source(from: &DatabaseUrl) -> Result<CopyConnection> {
    let opened = unless_locked(CopyConnection::open(from, Role::Source).await).explain("the source can't be opened")?;
    let Some(source) = opened else {
        bail!("nothing was copied: another process has opened {from}. Stop Hallpass, and copy again");
    };
    let history = History::read(&source).await.explain("the source can't be read")?;
    match history.compatibility() {
        Compatibility::Current => Ok(source),
        Compatibility::Missing(_) => bail!("the source lacks migrations; run `hallpass migrate` first"),
        Compatibility::Newer(names) | Compatibility::TooNew(names) => bail!("{}", too_new(&names)),
        Compatibility::UnfinishedCopy => bail!("the source can't be copied: {UNFINISHED_COPY}"),
    }
}

async fn count_rows(source: &CopyConnection, tables: &[Table]) -> Result<u64, DbErr> {
    let mut total = 0;
    for table in tables {
        let count = Query::select().expr(Expr::cust("COUNT(*)")).from(Alias::new(&table.name)).take();
        let row = source.query_one(&count).await?;
        total += row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?.unwrap_or_default().unsigned_abs();
    }
    Ok(total)
}

/// A copy that is being made.
struct Copy<'a, F> {
    source: &'a CopyConnection,
    target: &'a CopyConnection,
    /// The rows of the source.
    total: u64,
    /// The rows that are finished.
    rows: u64,
    observe: F,
}

impl<F: FnMut(Event<'_>)> Copy<'_, F> {
    /// Copies the rows that are not in the target yet, and returns the checksum of all rows.
    async fn copy_table(&mut self, table: &Table) -> Result<Checksum> {
        let failed = || format!("{RUN_AGAIN}: the table {}", table.name);
        let mut done = progress::read(self.target, table).await.explain(failed())?;
        if let Some(last_key) = done.last_key.clone() {
            let mut scan = Scan::until(self.source, table, last_key);
            let mut unchanged = Checksum::default();
            loop {
                let page = scan.next().await.explain(failed())?;
                if page.rows.is_empty() {
                    break;
                }
                page.add_to(&mut unchanged);
                self.report_copied(table, &page);
            }
            ensure!(unchanged == done.checksum, SOURCE_CHANGED);
        }
        let mut scan = Scan::new(self.source, table, done.last_key.clone());
        let mut page = scan.next().await.explain(failed())?;
        while !page.rows.is_empty() {
            let (written, next) = tokio::join!(target::write(self.target, table, &page, &mut done), scan.next());
            written.with_context(failed)?;
            self.report_copied(table, &page);
            page = next.explain(failed())?;
        }
        Ok(done.checksum)
    }

    fn report_copied(&mut self, table: &Table, page: &Page) {
        self.rows += page.rows.len() as u64;
        (self.observe)(Event::Copied { table: &table.name, rows: self.rows, total: self.total });
    }

    /// Fails unless both databases have the rows that were copied.
    async fn compare(&mut self, table: &Table, copied: Checksum) -> Result<()> {
        let failed = || format!("{RUN_AGAIN}: the table {}", table.name);
        let mut scans = (Scan::new(self.source, table, None), Scan::new(self.target, table, None));
        let (mut source, mut target) = (Checksum::default(), Checksum::default());
        loop {
            let (from, to) = tokio::join!(scans.0.next(), scans.1.next());
            let (from, to) = (from.explain(failed())?, to.explain(failed())?);
            from.add_to(&mut source);
            to.add_to(&mut target);
            if from.rows.is_empty() && to.rows.is_empty() {
                break;
            }
            self.rows += from.rows.len() as u64;
            (self.observe)(Event::Compared { table: &table.name, rows: self.rows, total: self.total });
        }
        ensure!(source == copied, SOURCE_CHANGED);
        ensure!(
            target == copied,
            "the table {} of the target is not equal to the source, because something has changed it. Delete the target, create an \
             empty database in its place, and copy again",
            table.name
        );
        Ok(())
    }
}

/// Adds a context to errors of databases.
trait Explain<T> {
    /// Adds what could not be done, and what helps operators with an error of the driver.
    fn explain(self, context: impl Into<String>) -> Result<T>;
}

impl<T> Explain<T> for Result<T, DbErr> {
    fn explain(self, context: impl Into<String>) -> Result<T> {
        self.map_err(Error::from).with_context(|| context.into())
    }
}

/// Whether a database is PostgreSQL.
fn is_postgres(connection: &CopyConnection) -> bool {
    connection.get_database_backend() == DbBackend::Postgres
}
