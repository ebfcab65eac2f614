//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::config::{DatabaseUrl, ExposeSecret};

/// How long a request waits for a free connection before it is answered SERVICE_UNAVAILABLE.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SQLITE_READERS: u32 = 4;
const SERVER_CONNECTIONS: u32 = 10;

/// The pools for reading and for writing.
pub(super) async fn pools(
    url: &DatabaseUrl,
    max_connections: Option<u32>,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            create_private(path).map_err(|error| DbErr::Custom(format!("the file {}: {error}", path.display())))?;
            let writer = Connector::connect(sqlite(path, 1)).await?;
            let reader = Connector::connect(sqlite(path, max_connections.unwrap_or(SQLITE_READERS))).await?;
            Ok((reader, writer))
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => {
            let mut options = options(url.expose_secret());
            options.max_connections(max_connections.unwrap_or(SERVER_CONNECTIONS));
            let pool = Connector::connect(options).await?;
            Ok((pool.clone(), pool))
        }
    }
}

/// One connection of its own, for what must run on the same connection from start to end.
pub(super) async fn single(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    Ok(pools(url, Some(1)).await?.1)
}

/// Creates the file for its owner's eyes alone; SQLite gives its companions (`-wal`, `-shm`) the same rights.
fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn sqlite(path: &Path, connections: u32) -> ConnectOptions {
    let path = path.to_owned();
    let mut options = options("sqlite:");
    options.max_connections(connections).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives a power cut, not just a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
    });
    options
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // Statements are not logged: their parameters are people's data.
    options.sqlx_logging(false).acquire_timeout(ACQUIRE_TIMEOUT).connect_timeout(ACQUIRE_TIMEOUT);
    options
}
