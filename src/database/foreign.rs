//! A table of other software, read row by row: its columns go by their names, and their values are texts.

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

/// Rows that are read ahead.
const AHEAD: usize = 2000;

/// A value in each of the columns that were asked for.
pub type Texts = Vec<Option<String>>;

/// A connection to read one table by.
#[derive(Debug)]
pub struct ForeignTable {
    connection: Either,
    /// In quotes.
    table: String,
    /// The names of its columns, in their order.
    pub columns: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
}

#[derive(Debug)]
enum Either {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl ForeignTable {
    /// Connects, to read only.
    ///
    /// # Errors
    /// Internal, for whoever named the database: it is not there, or it has no such table.
    pub async fn open(url: &DatabaseUrl, table: &str) -> Result<Self> {
        let quoted = quoted(table);
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {quoted}"));
        let none = || crate::Error::internal(format_args!("it has no table {quoted}"));
        let (connection, columns, rows): (_, Vec<String>, i64) = match url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
                let columns = query_scalar("SELECT name FROM pragma_table_info(?)").bind(table);
                let columns = columns.fetch_all(&mut connection).await.map_err(failed)?;
                if columns.is_empty() {
                    return Err(none());
                }
                let rows = query_scalar(count).fetch_one(&mut connection).await.map_err(failed)?;
                (Either::Sqlite(connection), columns, rows)
            }
            DatabaseUrl::Postgres(text) => {
                let options: PgConnectOptions = text.expose_secret().parse().map_err(failed)?;
                // The driver sets UTC and ISO 8601, so that all instants are written in one way. Poolers refuse the parameter.
                let options = options.extra_float_digits(None);
                let mut connection = PgConnection::connect_with(&options).await.map_err(failed)?;
                let columns = "SELECT attname::text FROM pg_attribute \
                               WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
                let columns = query_scalar(columns)
                    .bind(&quoted)
                    .persistent(false)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(failed)?;
                if columns.is_empty() {
                    return Err(none());
                }
                let rows = query_scalar(count).persistent(false).fetch_one(&mut connection).await.map_err(failed)?;
                (Either::Postgres(connection), columns, rows)
            }
            DatabaseUrl::MySql(_) => return Err(crate::Error::internal("only SQLite and PostgreSQL can be read")),
        };
        Ok(Self { connection, table: quoted, columns, rows: u64::try_from(rows).unwrap_or_default() })
    }

    /// Reads these columns, in the order of the first one, no faster than the rows are taken.
    #[must_use]
    pub fn read(self, columns: &[String]) -> mpsc::Receiver<Result<Texts>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let texts: Vec<_> = columns.iter().map(|name| format!("CAST({} AS text)", quoted(name))).collect();
        // The column of the table, and not the text that is made of it.
        let order = columns.first().map(|name| format!(" ORDER BY theirs.{}", quoted(name))).unwrap_or_default();
        let select = format!("SELECT {} FROM {} AS theirs{order}", texts.join(", "), self.table);
        match self.connection {
            Either::Sqlite(connection) => tokio::spawn(send(connection, select, sender)),
            Either::Postgres(connection) => tokio::spawn(send(connection, select, sender)),
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
        // Nobody may be listening any more.
        if sender.send(texts.map_err(failed)).await.is_err() || is_last {
            return;
        }
    }
}

fn failed(error: Error) -> crate::Error {
    crate::Error::internal(error)
}

/// A name as both databases take it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
