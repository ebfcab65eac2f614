//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, ConnectOptions as _, Connection as _, Executor as _,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use super::reader::{Reader, Readers};
use crate::config::{DatabaseUrl, ExposeSecret};

/// How long one read, or one transaction, may take with all that belongs to it, before the request is answered
/// SERVICE_UNAVAILABLE.
pub(super) const TIMEOUT: Duration = Duration::from_secs(4);

/// How long SQLite waits for another process that writes: it ends before the transaction's time does.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// What a new connection to PostgreSQL is told: to give up when nobody waits for the answer any more. A statement that
/// waits for a lock would else keep its connection, and one more with each new try, until the server has none left.
const POSTGRES_LIMITS: &str = "SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '10s'";

/// The same for MariaDB and MySQL, each of which takes the other's settings for comments.
const MYSQL_LIMITS: &str = "SET SESSION lock_wait_timeout = 4, innodb_lock_wait_timeout = 4 \
    /*M! , max_statement_time = 4, idle_transaction_timeout = 10 */ /*!80000 , max_execution_time = 4000 */";

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
            let readers = Readers::new(options, max_connections.unwrap_or(SQLITE_READERS), TIMEOUT, None);
            Ok((Reader::Sqlite(Arc::new(readers)), patient(url).await?))
        }
        DatabaseUrl::Postgres(text) => {
            let options: PgConnectOptions = text.expose_secret().parse().map_err(unreadable)?;
            let options = named(options).disable_statement_logging();
            let readers = Readers::new(options, readers, TIMEOUT, Some(POSTGRES_LIMITS));
            Ok((Reader::Postgres(Arc::new(readers)), pool(limited(url), writers).await?))
        }
        DatabaseUrl::MySql(text) => {
            let options: MySqlConnectOptions = text.expose_secret().parse().map_err(unreadable)?;
            let readers = Readers::new(options.disable_statement_logging(), readers, TIMEOUT, Some(MYSQL_LIMITS));
            Ok((Reader::MySql(Arc::new(readers)), pool(limited(url), writers).await?))
        }
    }
}

/// As whom the server's own tools show us, unless the URL says otherwise.
fn named(options: PgConnectOptions) -> PgConnectOptions {
    if options.get_application_name().is_some() { options } else { options.application_name("hallpass") }
}

fn unreadable(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// A pool of one connection that may take its time: for migrations, and SQLite's writer, whose limit is `BUSY_TIMEOUT`.
pub(super) async fn patient(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    pool(options(url), 1).await
}

async fn pool(mut options: ConnectOptions, connections: u32) -> Result<DatabaseConnection, DbErr> {
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

/// Every connection is told its limits once, when it is new.
fn limited(url: &DatabaseUrl) -> ConnectOptions {
    let mut options = options(url);
    options
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.after_connect(|connection, _| Box::pin(async { connection.execute(POSTGRES_LIMITS).await.map(drop) }))
        })
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| Box::pin(async { connection.execute(MYSQL_LIMITS).await.map(drop) }))
        });
    options
}

fn options(url: &DatabaseUrl) -> ConnectOptions {
    let mut options = match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            let mut options = ConnectOptions::new("sqlite:");
            options.map_sqlx_sqlite_opts(move |options| sqlite(options, &path)).map_sqlx_sqlite_before_acquire(
                // When the disk is full, SQLite rolls a transaction back by itself; the driver does not notice, and puts
                // what follows into savepoints that are never committed. Such a connection is not used again.
                |connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }),
            );
            options
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => ConnectOptions::new(url.expose_secret()),
    };
    options
        .map_sqlx_postgres_opts(named)
        // Statements are not logged: their parameters are people's data.
        .sqlx_logging(false)
        // A connection that was used a moment ago is still there; asking costs a journey to the server and back.
        .test_before_acquire_if_idle_for(IDLE_BEFORE_TEST)
        .acquire_timeout(TIMEOUT)
        .connect_timeout(TIMEOUT);
    options
}
