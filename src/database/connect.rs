//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
    sqlx::{
        ConnectOptions as _,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use super::{
    TIMEOUT,
    connections::{Connections, Pool, connection_error},
};
use crate::config::{DatabaseUrl, ExposeSecret};

/// How long SQLite waits for another process that writes: it ends before the transaction's time does.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// What a new connection to PostgreSQL is told: to give up before [`super::TIMEOUT`], when nobody waits for the answer any
/// more. A statement that waits for a lock would else keep its connection, and one more with each new try, until the server
/// has none left.
const POSTGRES_SETUP: &str = "SET statement_timeout = '3500ms'; SET idle_in_transaction_session_timeout = '3500ms'";

/// The same for MariaDB and MySQL, each of which takes the other's settings for comments. Most are whole seconds. The
/// default isolation level, REPEATABLE READ, would show a transaction a stale row that it then overwrites.
const MYSQL_SETUP: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION lock_wait_timeout = 3, innodb_lock_wait_timeout = 3 \
    /*M! , max_statement_time = 3.5, idle_transaction_timeout = 3 */ /*!80000 , max_execution_time = 3500 */";

const SQLITE_READERS: u32 = 4;
const SERVER_CONNECTIONS: u32 = 10;

/// What reads, and what writes.
pub(super) fn open(url: &DatabaseUrl, max_connections: Option<u32>) -> Result<(Pool, Pool), DbErr> {
    let most = max_connections.unwrap_or(SERVER_CONNECTIONS);
    // Readers are quick and many, but a sign-in must find a connection to write with, too.
    let (readers, writers) = (most.div_ceil(2), (most / 2).max(1));
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            create_private(path).map_err(|error| DbErr::Custom(format!("the file {}: {error}", path.display())))?;
            let options = sqlite(SqliteConnectOptions::new(), path);
            let of = |max| Pool::Sqlite(Connections::new(options.clone(), max, ""));
            (of(max_connections.unwrap_or(SQLITE_READERS)), of(1))
        }
        DatabaseUrl::Postgres(text) => {
            let options: PgConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = named(options).disable_statement_logging();
            let of = |max| Pool::Postgres(Connections::new(options.clone(), max, POSTGRES_SETUP));
            (of(readers), of(writers))
        }
        DatabaseUrl::MySql(text) => {
            let options: MySqlConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = options.disable_statement_logging();
            let of = |max| Pool::MySql(Connections::new(options.clone(), max, MYSQL_SETUP));
            (of(readers), of(writers))
        }
    })
}

/// As whom the server's own tools show us, unless the URL says otherwise.
fn named(options: PgConnectOptions) -> PgConnectOptions {
    if options.get_application_name().is_some() { options } else { options.application_name("hallpass") }
}

/// A pool of the driver's with one connection that may take its time, for migrations.
pub(super) async fn patient(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let mut options = match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            let mut options = ConnectOptions::new("sqlite:");
            options.map_sqlx_sqlite_opts(move |options| sqlite(options, &path));
            options
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => ConnectOptions::new(url.expose_secret()),
    };
    options
        .map_sqlx_postgres_opts(named)
        // Statements are not logged: their parameters are people's data.
        .sqlx_logging(false)
        .max_connections(1)
        .acquire_timeout(TIMEOUT)
        .connect_timeout(TIMEOUT);
    Connector::connect(options).await
}

/// Creates the file for its owner's eyes alone; SQLite gives its companions (`-wal`, `-shm`) the same rights.
fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn sqlite(options: SqliteConnectOptions, path: &Path) -> SqliteConnectOptions {
    options
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a power cut, not just a crash.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}
