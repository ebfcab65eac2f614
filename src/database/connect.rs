//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, ConnectOptions as _,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use super::reader::{Reader, Readers};
use crate::config::{DatabaseUrl, ExposeSecret};

/// How long a request waits for a connection, or for what it reads, before it is answered SERVICE_UNAVAILABLE.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may have been idle without being tested before its next use.
const IDLE_BEFORE_TEST: Duration = Duration::from_secs(5);

const SQLITE_READERS: u32 = 4;
const SERVER_CONNECTIONS: u32 = 10;

/// What reads, and what writes.
pub(super) async fn open(
    url: &DatabaseUrl,
    max_connections: Option<u32>,
) -> Result<(Reader, DatabaseConnection), DbErr> {
    let most = max_connections.unwrap_or(SERVER_CONNECTIONS);
    // Readers are quick and many, but a sign-in must find a connection to write with, too.
    let (readers, writers) = (most.div_ceil(2), (most / 2).max(1));
    match url {
        DatabaseUrl::Sqlite(path) => {
            create_private(path).map_err(|error| DbErr::Custom(format!("the file {}: {error}", path.display())))?;
            let options = sqlite(SqliteConnectOptions::new(), path);
            let readers = Readers::new(options, max_connections.unwrap_or(SQLITE_READERS), TIMEOUT);
            Ok((Reader::Sqlite(Arc::new(readers)), writer(url).await?))
        }
        DatabaseUrl::Postgres(text) => {
            let options: PgConnectOptions = text.expose_secret().parse().map_err(unreadable)?;
            let readers = Readers::new(options.disable_statement_logging(), readers, TIMEOUT);
            Ok((Reader::Postgres(Arc::new(readers)), pool(url, writers).await?))
        }
        DatabaseUrl::MySql(text) => {
            let options: MySqlConnectOptions = text.expose_secret().parse().map_err(unreadable)?;
            let readers = Readers::new(options.disable_statement_logging(), readers, TIMEOUT);
            Ok((Reader::MySql(Arc::new(readers)), pool(url, writers).await?))
        }
    }
}

fn unreadable(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// A pool of one connection: SQLite's writer, or for what must run on the same connection from start to end.
pub(super) async fn writer(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    pool(url, 1).await
}

async fn pool(url: &DatabaseUrl, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            let mut options = options("sqlite:");
            options.map_sqlx_sqlite_opts(move |options| sqlite(options, &path));
            options
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => options(url.expose_secret()),
    };
    options.max_connections(connections);
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

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        // Statements are not logged: their parameters are people's data.
        .sqlx_logging(false)
        // A connection that was used a moment ago is still there; asking costs a journey to the server and back.
        .test_before_acquire_if_idle_for(IDLE_BEFORE_TEST)
        .acquire_timeout(TIMEOUT)
        .connect_timeout(TIMEOUT);
    options
}
