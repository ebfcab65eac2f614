//! Tables of other software, read row by row. Columns are selected by name, and values are read as text.

use futures_util::TryStreamExt;
use sea_orm::sqlx::{
    AssertSqlSafe, ColumnIndex, Connection, Database, Decode, Error, Executor, IntoArguments, PgConnection, Row,
    SqliteConnection, Type, postgres::PgConnectOptions, query_scalar, sqlite::SqliteConnectOptions,
};
use tokio::sync::mpsc;

use crate::{
    Result,
    config::{DatabaseUrl, ExposeSecret},
};

/// Number of rows that are read ahead.
const READ_AHEAD_ROWS: usize = 2000;

/// The values of one row, in the order of the requested columns.
pub type Texts = Vec<Option<String>>;

/// A read-only connection to one table.
#[derive(Debug)]
pub struct ForeignTable {
    connection: AnyConnection,
    /// The quoted table name.
    table: String,
    /// The column names, in table order.
    pub columns: Vec<String>,
    /// The number of rows.
    pub rows: u64,
}

#[derive(Debug)]
enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl ForeignTable {
    /// Connects read-only and looks up the table's columns.
    ///
    /// # Errors
    /// Internal if the database cannot be opened, has no such table, or is MySQL.
    pub async fn open(url: &DatabaseUrl, table: &str) -> Result<Self> {
        let quoted = quote(table);
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {quoted}"));
        let no_such_table = || crate::Error::internal(format_args!("it has no table {quoted}"));
        let (connection, columns, rows): (_, Vec<String>, i64) = match url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                let mut connection = SqliteConnection::connect_with(&options).await.map_err(internal)?;
                let columns = query_scalar("SELECT name FROM pragma_table_info(?)").bind(table);
                let columns = columns.fetch_all(&mut connection).await.map_err(internal)?;
                if columns.is_empty() {
                    return Err(no_such_table());
                }
                let rows = query_scalar(count).fetch_one(&mut connection).await.map_err(internal)?;
                (AnyConnection::Sqlite(connection), columns, rows)
            }
            DatabaseUrl::Postgres(text) => {
                let options: PgConnectOptions = text.expose_secret().parse().map_err(internal)?;
                // The driver sets UTC and ISO 8601, so all timestamps have one format. Poolers refuse this parameter.
                let options = options.extra_float_digits(None);
                let mut connection = PgConnection::connect_with(&options).await.map_err(internal)?;
                let columns = "SELECT attname::text FROM pg_attribute \
                               WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
                let columns = query_scalar(columns)
                    .bind(&quoted)
                    .persistent(false)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(internal)?;
                if columns.is_empty() {
                    return Err(no_such_table());
                }
                let rows = query_scalar(count).persistent(false).fetch_one(&mut connection).await.map_err(internal)?;
                (AnyConnection::Postgres(connection), columns, rows)
            }
            DatabaseUrl::MySql(_) => return Err(crate::Error::internal("only SQLite and PostgreSQL can be read")),
        };
        Ok(Self { connection, table: quoted, columns, rows: u64::try_from(rows).unwrap_or_default() })
    }

    /// Reads these columns, ordered by the first one. Reading pauses while the receiver is full.
    #[must_use]
    pub fn read(self, columns: &[String]) -> mpsc::Receiver<Result<Texts>> {
        let (sender, receiver) = mpsc::channel(READ_AHEAD_ROWS);
        let texts: Vec<_> = columns.iter().map(|name| format!("CAST({} AS text)", quote(name))).collect();
        // Orders by the column itself, not by its value cast to text.
        let order = columns.first().map(|name| format!(" ORDER BY source.{}", quote(name))).unwrap_or_default();
        let select = format!("SELECT {} FROM {} AS source{order}", texts.join(", "), self.table);
        match self.connection {
            AnyConnection::Sqlite(connection) => tokio::spawn(send(connection, select, sender)),
            AnyConnection::Postgres(connection) => tokio::spawn(send(connection, select, sender)),
        };
        receiver
    }
}

async fn send<C: Connection>(mut connection: C, select: String, sender: mpsc::Sender<Result<Texts>>)
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
    <C::Database as Database>::Arguments: IntoArguments<C::Database>,
    usize: ColumnIndex<<C::Database as Database>::Row>,
    for<'r> Option<String>: Decode<'r, C::Database> + Type<C::Database>,
{
    let mut rows = (&mut connection).fetch(AssertSqlSafe(select));
    loop {
        let texts = match rows.try_next().await {
            Ok(None) => return,
            Ok(Some(row)) => (0..row.len()).map(|index| row.try_get(index)).collect::<Result<Texts, Error>>(),
            Err(error) => Err(error),
        };
        let is_last = texts.is_err();
        // The receiver may have been dropped.
        if sender.send(texts.map_err(internal)).await.is_err() || is_last {
            return;
        }
    }
}

fn internal(error: Error) -> crate::Error {
    crate::Error::internal(error)
}

/// Quotes an identifier for SQLite and PostgreSQL.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
