//! [`Schema`]: the only way for a migration to change the database.

use sea_orm_migration::{
    prelude::*,
    sea_orm::DbBackend,
    sea_query::{ColumnDef, Index, Query, Table, TableCreateStatement, UpdateStatement},
};

pub(crate) use sea_orm_migration::sea_orm::{QueryResult, prelude::Uuid};

/// Rows per query.
const PAGE: u64 = 1000;

/// Maximum number of rows per statement. SQLite binds at most 32,766 values.
const MAX_ROWS: usize = 5000;

/// The schema of a database. Every step first checks the current state and changes only what is missing, so that a migration
/// can be run again from its start.
///
/// MySQL and MariaDB commit each schema change at once. If a process is killed during a migration, the completed steps stay,
/// and the next process runs the migration again from its start.
pub struct Schema<'c> {
    manager: SchemaManager<'c>,
}

impl std::fmt::Debug for Schema<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Schema")
    }
}

impl<'c> Schema<'c> {
    /// Creates the schema of a connection or a transaction.
    pub fn new(connection: impl IntoSchemaManagerConnection<'c>) -> Self {
        Self { manager: SchemaManager::new(connection) }
    }

    pub(crate) fn connection(&self) -> &SchemaManagerConnection<'c> {
        self.manager.get_connection()
    }

    fn is_mysql(&self) -> bool {
        self.manager.get_database_backend() == DbBackend::MySql
    }

    /// Starts the definition of a table. On MySQL, sets the character set, because MariaDB's default is latin1, and a
    /// collation that compares code points. Values that are compared otherwise have a separate normalized column.
    pub(crate) fn table(&self, name: impl IntoTableRef) -> TableCreateStatement {
        let mut table = Table::create();
        table.table(name);
        if self.is_mysql() {
            table.character_set("utf8mb4").collate("utf8mb4_bin");
        }
        table
    }

    /// Starts the definition of a table that is stored by its primary key, as MySQL always does. This saves an index on SQLite.
    pub(crate) fn keyed_table(&self, name: impl IntoTableRef) -> TableCreateStatement {
        let mut table = self.table(name);
        if self.manager.get_database_backend() == DbBackend::Sqlite {
            table.extra("WITHOUT ROWID");
        }
        table
    }

    /// A column for a time in UTC with microseconds. MySQL's `timestamp` has whole seconds and ends in 2038.
    pub(crate) fn instant(&self, name: impl IntoIden) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.is_mysql() {
            column.custom("datetime(6)");
        } else {
            column.timestamp_with_time_zone();
        }
        column
    }

    /// Creates a table unless it exists. The statement must contain its unique indexes and foreign keys. Create other indexes
    /// with [`Schema::create_index`].
    pub(crate) async fn create_table(&self, mut table: TableCreateStatement) -> Result<(), DbErr> {
        self.manager.create_table(table.if_not_exists().take()).await
    }

    /// Drops a table if it exists.
    pub(crate) async fn drop_table(&self, table: &'static str) -> Result<(), DbErr> {
        self.manager.drop_table(Table::drop().table(table).if_exists().take()).await
    }

    /// Adds a column unless it exists. It must be nullable or have a default.
    pub(crate) async fn add_column(&self, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
        if self.manager.has_column(table, column.get_column_name()).await? {
            return Ok(());
        }
        self.manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await
    }

    /// Drops a column if it exists. Drop its indexes first: SQLite does not drop a column with an index, and MySQL silently
    /// removes the column from indexes of several columns.
    pub(crate) async fn drop_column(&self, table: &'static str, column: &'static str) -> Result<(), DbErr> {
        if !self.manager.has_column(table, column).await? {
            return Ok(());
        }
        self.manager.alter_table(Table::alter().table(table).drop_column(column).take()).await
    }

    /// Creates an index that is not unique, unless the table has an index with this name.
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

    /// Creates an index like [`Schema::create_index`], in which null precedes all values of the first column. This is the
    /// default everywhere except on PostgreSQL.
    pub(crate) async fn create_index_nulls_first(
        &self,
        table: &'static str,
        name: &'static str,
        [first, second, third]: [&'static str; 3],
    ) -> Result<(), DbErr> {
        if self.manager.get_database_backend() != DbBackend::Postgres {
            return self.create_index(table, name, &[first, second, third]).await;
        }
        let columns = format!("\"{first}\" NULLS FIRST, \"{second}\", \"{third}\"");
        let sql = format!("CREATE INDEX IF NOT EXISTS \"{name}\" ON \"{table}\" ({columns})");
        self.connection().execute_unprepared(&sql).await.map(drop)
    }

    /// Drops an index if it exists.
    pub(crate) async fn drop_index(&self, table: &'static str, name: &'static str) -> Result<(), DbErr> {
        if !self.manager.has_index(table, name).await? {
            return Ok(());
        }
        self.manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
    }

    /// Updates rows. The condition must exclude rows that are already updated, so that the statement can be run again.
    pub(crate) async fn update(&self, update: UpdateStatement) -> Result<(), DbErr> {
        self.manager.execute(update).await
    }

    /// Deletes the rows in which a column is not null. Does nothing if the column does not exist.
    pub(crate) async fn delete_rows(&self, table: &'static str, column: &'static str) -> Result<(), DbErr> {
        if !self.manager.has_column(table, column).await? {
            return Ok(());
        }
        let rows = Query::delete().from_table(table).and_where(Expr::col(column).is_not_null()).take();
        self.manager.execute(rows).await
    }

    /// Deletes the rows in which a column has a value.
    pub(crate) async fn delete_rows_with(
        &self,
        table: &'static str,
        column: &'static str,
        value: &'static str,
    ) -> Result<(), DbErr> {
        let rows = Query::delete().from_table(table).and_where(Expr::col(column).eq(value)).take();
        self.manager.execute(rows).await
    }

    /// Copies the rows of a table with a column `id` to another table. Skips rows that are already copied. Does nothing if
    /// the first table no longer exists.
    pub(crate) async fn copy_rows(
        &self,
        from: &'static str,
        to: &'static str,
        columns: Vec<(&'static str, Expr)>,
    ) -> Result<(), DbErr> {
        if !self.manager.has_table(from).await? {
            return Ok(());
        }
        let copied = Query::select()
            .expr(Expr::val(1))
            .from_as(to, "copied")
            .and_where(Expr::col(("copied", "id")).equals((from, "id")))
            .take();
        let mut rows = Query::select().from(from).and_where(Expr::exists(copied).not()).take();
        for (_, value) in &columns {
            rows.expr(value.clone());
        }
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let mut insert = Query::insert().into_table(to).columns(names).to_owned();
        let insert = insert.select_from(rows).map_err(|error| DbErr::Migration(error.to_string()))?;
        self.manager.execute(insert.to_owned()).await
    }

    /// Fills an empty table with rows that are derived from the rows of a table with a column `id`. `values` gets the columns
    /// `id` and `sources`. Reads page by page, so that the table may have any size.
    pub(crate) async fn derive_rows<const N: usize>(
        &self,
        from: &'static str,
        sources: &[&'static str],
        to: &'static str,
        columns: [&'static str; N],
        values: impl Fn(&QueryResult) -> Result<Vec<[Value; N]>, DbErr> + Send + Sync,
    ) -> Result<(), DbErr> {
        let mut last_id: Option<Uuid> = None;
        loop {
            let rest = Cond::all().add_option(last_id.map(|id| Expr::col("id").gt(id)));
            let selected = std::iter::once("id").chain(sources.iter().copied());
            let mut page = Query::select().columns(selected).from(from).cond_where(rest).take();
            let page = self.connection().query_all(page.order_by("id", Order::Asc).limit(PAGE)).await?;
            let rows = page.iter().map(&values).collect::<Result<Vec<_>, _>>()?;
            let rows: Vec<[Value; N]> = rows.into_iter().flatten().collect();
            for rows in rows.chunks(MAX_ROWS) {
                let mut insert = Query::insert().into_table(to).columns(columns).take();
                for row in rows {
                    let row = row.iter().cloned().map(Expr::from);
                    insert.values(row).map_err(|error| DbErr::Migration(error.to_string()))?;
                }
                self.manager.execute(insert).await?;
            }
            match page.last() {
                Some(row) => last_id = Some(row.try_get("", "id")?),
                None => return Ok(()),
            }
        }
    }
}
