//! [`Schema`]: the only way in which a migration changes the database.

use std::collections::BTreeSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, prelude::Uuid},
    sea_query::{ColumnDef, Index, Query, Table, TableCreateStatement, UpdateStatement},
};

/// Rows of a table that a step reads at a time.
const PAGE: u64 = 1000;

/// Rows that a step writes by one statement: SQLite binds 32,766 values at most.
const MAX_ROWS: usize = 5000;

/// The tables of a database, as a migration sees them. Every step looks first and changes only what is not yet as it should
/// be, so that a migration can be run again from its start.
///
/// MySQL and MariaDB commit each change of a table at once. A process that is killed in the middle of a migration leaves the
/// steps that it has done, and the next process starts from the beginning.
pub struct Schema<'c> {
    manager: SchemaManager<'c>,
}

impl std::fmt::Debug for Schema<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Schema")
    }
}

impl<'c> Schema<'c> {
    /// The schema behind a connection or a transaction.
    pub fn new(connection: impl IntoSchemaManagerConnection<'c>) -> Self {
        Self { manager: SchemaManager::new(connection) }
    }

    pub(crate) fn connection(&self) -> &SchemaManagerConnection<'c> {
        self.manager.get_connection()
    }

    fn is_mysql(&self) -> bool {
        self.manager.get_database_backend() == DbBackend::MySql
    }

    /// A table to create. On MySQL it has an explicit character set, because MariaDB's default is latin1, and it compares
    /// by code point: what is compared in another way has a normalized column of its own.
    pub(crate) fn table(&self, name: impl IntoTableRef) -> TableCreateStatement {
        let mut table = Table::create();
        table.table(name);
        if self.is_mysql() {
            table.character_set("utf8mb4").collate("utf8mb4_bin");
        }
        table
    }

    /// A column for an instant in UTC, to the microsecond. MySQL's `timestamp` has whole seconds and ends in 2038.
    pub(crate) fn instant(&self, name: impl IntoIden) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.is_mysql() {
            column.custom("datetime(6)");
        } else {
            column.timestamp_with_time_zone();
        }
        column
    }

    /// Creates a table unless it exists. Its indexes and foreign keys belong into the same statement, or, for indexes that
    /// are not unique, into [`Schema::create_index`].
    pub(crate) async fn create_table(&self, mut table: TableCreateStatement) -> Result<(), DbErr> {
        self.manager.create_table(table.if_not_exists().take()).await
    }

    /// Drops a table if it exists.
    pub(crate) async fn drop_table(&self, table: &'static str) -> Result<(), DbErr> {
        self.manager.drop_table(Table::drop().table(table).if_exists().take()).await
    }

    /// Adds a column unless the table has it. It must be nullable or have a default.
    pub(crate) async fn add_column(&self, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
        if self.manager.has_column(table, column.get_column_name()).await? {
            return Ok(());
        }
        self.manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await
    }

    /// Drops a column if the table has it. Drop its indexes before: SQLite refuses a column with an index, and MySQL
    /// silently removes it from indexes of several columns.
    pub(crate) async fn drop_column(&self, table: &'static str, column: &'static str) -> Result<(), DbErr> {
        if !self.manager.has_column(table, column).await? {
            return Ok(());
        }
        self.manager.alter_table(Table::alter().table(table).drop_column(column).take()).await
    }

    /// Creates an index that is not unique, unless the table has one of this name.
    pub(crate) async fn create_index(
        &self,
        table: &'static str,
        name: &'static str,
        columns: &[&'static str],
    ) -> Result<(), DbErr> {
        if self.manager.has_index(table, name).await? {
            return Ok(());
        }
        let mut index = Index::create().name(name).table(table).take();
        for column in columns {
            index.col(*column);
        }
        self.manager.create_index(index).await
    }

    /// Drops an index if the table has it.
    pub(crate) async fn drop_index(&self, table: &'static str, name: &'static str) -> Result<(), DbErr> {
        if !self.manager.has_index(table, name).await? {
            return Ok(());
        }
        self.manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
    }

    /// Changes rows. The condition must exclude rows that are changed already, so that the statement can be run again.
    pub(crate) async fn update(&self, update: UpdateStatement) -> Result<(), DbErr> {
        self.manager.execute(update).await
    }

    /// Copies the rows of a table that has a column `id` into another one, unless it has them or the first table is gone.
    pub(crate) async fn copy_rows(
        &self,
        from: &'static str,
        to: &'static str,
        columns: Vec<(&'static str, Expr)>,
    ) -> Result<(), DbErr> {
        if !self.manager.has_table(from).await? {
            return Ok(());
        }
        let is_there = Query::select()
            .expr(Expr::val(1))
            .from_as(to, "copied")
            .and_where(Expr::col(("copied", "id")).equals((from, "id")))
            .take();
        let mut rows = Query::select().from(from).and_where(Expr::exists(is_there).not()).take();
        for (_, value) in &columns {
            rows.expr(value.clone());
        }
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let mut insert = Query::insert().into_table(to).columns(names).to_owned();
        let copied = insert.select_from(rows).map_err(|error| DbErr::Migration(error.to_string()))?;
        self.manager.execute(copied.to_owned()).await
    }
    /// Fills an empty table from a column that holds names with commas between them: a row for each name, with the `id` of the
    /// row that has it. Reads a page at a time, so that the table may have any size.
    pub(crate) async fn split_names(
        &self,
        from: &'static str,
        column: &'static str,
        to: &'static str,
        columns: [&'static str; 2],
    ) -> Result<(), DbErr> {
        let mut last: Option<Uuid> = None;
        loop {
            let rest = Cond::all().add_option(last.map(|id| Expr::col("id").gt(id)));
            let mut page = Query::select().columns(["id", column]).from(from).cond_where(rest).take();
            let page = self.connection().query_all(page.order_by("id", Order::Asc).limit(PAGE)).await?;
            let mut rows: Vec<(Uuid, String)> = Vec::new();
            for row in &page {
                let (id, names) = (row.try_get("", "id")?, row.try_get::<String>("", column)?);
                let names: BTreeSet<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
                rows.extend(names.into_iter().map(|name| (id, name.to_owned())));
                last = Some(id);
            }
            for rows in rows.chunks(MAX_ROWS) {
                let mut insert = Query::insert().into_table(to).columns(columns).take();
                for (id, name) in rows {
                    let values = [(*id).into(), name.as_str().into()];
                    insert.values(values).map_err(|error| DbErr::Migration(error.to_string()))?;
                }
                self.manager.execute(insert).await?;
            }
            if page.is_empty() {
                return Ok(());
            }
        }
    }
}
