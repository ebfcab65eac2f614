//! What a copy does to its target.

use anyhow::{Context, Result, bail, ensure};
use migration::Compatibility;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, Statement,
    sea_query::{Alias, Expr, Query},
};

use crate::{
    Error,
    config::DatabaseUrl,
    database::{
        Database,
        copy::{
            Explain, RUN_AGAIN,
            connection::{CopyConnection, Role},
            is_postgres,
            progress::{self, Progress},
            scan::Page,
            table::Table,
        },
    },
};

/// A target that is ready for rows.
pub(super) struct Prepared {
    pub(super) connection: CopyConnection,
    /// Whether an interrupted copy continues.
    pub(super) is_continued: bool,
}

/// Creates the tables in an empty database, and marks it. In the target of an interrupted copy, it only checks that this
/// version can continue.
pub(super) async fn prepare(from: &DatabaseUrl, to: &DatabaseUrl, tables: &[Table]) -> Result<Prepared> {
    let database = Database::connect(to, None).await.explain("the target can't be opened")?;
    let is_continued = migrate(&database, tables).await;
    database.close().await;
    let is_continued = is_continued?;
    let connection = CopyConnection::open(to, Role::Target).await.explain("the target can't be opened")?;
    if is_continued {
        let source = progress::source(&connection).await.explain("the target can't be read")?;
        ensure!(
            source.is_empty() || source == from.to_string(),
            "the target is an unfinished copy of another database: {source}. Continue that copy, or delete the target and create \
             an empty database in its place"
        );
    } else {
        mark(&connection, from, tables).await?;
    }
    Ok(Prepared { connection, is_continued })
}

/// Applies the migrations to an empty database. Returns true if the database is the target of an interrupted copy.
async fn migrate(database: &Database, tables: &[Table]) -> Result<bool> {
    let history = database.history().await.explain("the target can't be read")?;
    if history.is_unfinished_copy() {
        ensure!(
            history.schema_compatibility() == Compatibility::Current,
            "another version of Hallpass has begun this copy. Continue it with that version, or delete the target and create an \
             empty database in its place"
        );
        return Ok(true);
    }
    let db = database.read();
    let existing = existing_tables(db, tables).await.explain("the target can't be read")?;
    ensure!(
        existing.is_empty() || history.has_records(),
        "nothing was copied: the target has tables of another application ({}). Create an empty database",
        existing.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ")
    );
    expect_empty(db, existing).await?;
    database.migrate().await.context("the target can't be migrated")?;
    Ok(false)
}

/// Marks an empty database as the target of this copy.
async fn mark(target: &CopyConnection, from: &DatabaseUrl, tables: &[Table]) -> Result<()> {
    const NOT_BEGUN: &str = "nothing was copied: the target can't be written";
    progress::create(target).await.explain(NOT_BEGUN)?;
    target.begin().await.explain(NOT_BEGUN)?;
    // Fails if another process has done the same.
    migration::mark_as_unfinished_copy(target).await.explain(NOT_BEGUN)?;
    expect_empty(target, tables).await?;
    progress::begin(target, tables, &from.to_string()).await.explain(NOT_BEGUN)?;
    target.commit().await.explain(NOT_BEGUN)
}

/// Removes the mark, and what recorded the progress.
pub(super) async fn unmark(target: &CopyConnection) -> Result<()> {
    const NOT_FINISHED: &str = "the mark of the copy can't be removed from the target; run the same command again";
    target.begin().await.explain(NOT_FINISHED)?;
    migration::unmark_as_unfinished_copy(target).await.explain(NOT_FINISHED)?;
    target.commit().await.explain(NOT_FINISHED)?;
    // Without the mark, a table that remains after an interruption has no meaning.
    progress::drop_table(target).await.explain(NOT_FINISHED)
}

/// Ends a copy of which all rows are there.
pub(super) async fn finish(target: &CopyConnection, tables: &[Table]) -> Result<()> {
    if is_postgres(target) {
        // Otherwise the first queries of a server would be planned for empty tables.
        for table in tables {
            target.run(&format!("ANALYZE \"{}\"", table.name)).await.explain(RUN_AGAIN)?;
        }
    }
    unmark(target).await
}

/// Those of the tables that exist.
async fn existing_tables<'a>(db: &impl ConnectionTrait, tables: &'a [Table]) -> Result<Vec<&'a Table>, DbErr> {
    let names = match db.get_database_backend() {
        DbBackend::Postgres => "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema()",
        DbBackend::MySql => {
            "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
        _ => "SELECT name FROM sqlite_schema WHERE type = 'table'",
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), names)).await?;
    let names = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(tables.iter().filter(|table| names.contains(&table.name)).collect())
}

/// Fails if one of the tables has a row.
async fn expect_empty<'a>(db: &impl ConnectionTrait, tables: impl IntoIterator<Item = &'a Table>) -> Result<()> {
    for table in tables {
        let one = Query::select().expr(Expr::val(1)).from(Alias::new(&table.name)).limit(1).take();
        let row = db.query_one(&one).await.explain("the target can't be read")?;
        if row.is_some() {
            bail!(
                "nothing was copied: the target is not empty, its table {} has rows. Create an empty database",
                table.name
            );
        }
    }
    Ok(())
}

/// Writes a page of rows, together with the progress.
pub(super) async fn write(target: &CopyConnection, table: &Table, page: &Page, done: &mut Progress) -> Result<()> {
    if is_postgres(target)
        && let Some((row, column)) = page.rows.iter().find_map(|row| Some((row, table.column_with_nul(row)?)))
    {
        let key = table.key_of(row).first().map(ToString::to_string).unwrap_or_default();
        bail!("the {column} of {key} contains the character NUL, which PostgreSQL cannot store");
    }
    let before = done.checksum;
    let mut after = Progress { checksum: before, last_key: page.rows.last().map(|row| table.key_of(row)) };
    page.add_to(&mut after.checksum);
    let write = async {
        target.begin().await?;
        let mut insert = Query::insert().into_table(Alias::new(&table.name)).take();
        insert.columns(table.columns.iter().map(|column| Alias::new(&column.name)));
        for row in &page.rows {
            let row = row.iter().map(|value| Expr::from(value.clone()));
            insert.values(row).map_err(|error| DbErr::Custom(error.to_string()))?;
        }
        target.execute(&insert).await?;
        let is_own = progress::write(target, table, before, &after).await?;
        if is_own {
            target.commit().await?;
        } else {
            target.rollback().await?;
        }
        Ok::<_, DbErr>(is_own)
    };
    let is_own = write.await.map_err(Error::from)?;
    ensure!(is_own, "another process copies to the same target");
    *done = after;
    Ok(())
}
