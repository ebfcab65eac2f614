//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
    sqlx::{
        ConnectOptions as _,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use super::reader::{Reader, SqliteReader};
use crate::config::{DatabaseUrl, ExposeSecret};

/// How long a request waits for a free connection before it is answered SERVICE_UNAVAILABLE.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

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
    match url {
        DatabaseUrl::Sqlite(path) => {
            create_private(path).map_err(|error| DbErr::Custom(format!("the file {}: {error}", path.display())))?;
            let options = sqlite(SqliteConnectOptions::new(), path);
            let reader = SqliteReader::new(options, max_connections.unwrap_or(SQLITE_READERS), ACQUIRE_TIMEOUT);
            Ok((Reader::Sqlite(Arc::new(reader)), writer(url).await?))
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => {
            let mut options = options(url.expose_secret());
            options.max_connections(max_connections.unwrap_or(SERVER_CONNECTIONS));
            let pool = Connector::connect(options).await?;
            Ok((Reader::Pool(pool.clone()), pool))
        }
    }
}

/// A pool of one connection: SQLite's writer, or for what must run on the same connection from start to end.
pub(super) async fn writer(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let mut options = match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            let mut options = options("sqlite:");
            options.map_sqlx_sqlite_opts(move |options| sqlite(options, &path));
            options
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => options(url.expose_secret()),
    };
    options.max_connections(1);
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
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT);
    options
}
