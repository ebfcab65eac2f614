//! Connection options of the three databases.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{self, Path},
    sync::Arc,
    time::Duration,
};

use rustix::process::geteuid;
use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        ConnectOptions as _,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use secrecy::SecretString;

use crate::{
    config::{DatabaseUrl, ExposeSecret},
    database::{
        TIMEOUT,
        abandoned::AbandonedReads,
        client::{POSTGRES_BEGIN_READ, Preparation},
        connections::{Connections, Pool, connection_error},
        local_reads::LocalReads,
        pool_options::PoolOptions,
        reader::Reader,
        renewal::Renewal,
        watched_file::WatchedFile,
    },
    metrics::WaitMetrics,
};

/// The names of the pools in the metrics.
pub(super) const READ_POOL: &str = "read";
pub(super) const WRITE_POOL: &str = "write";

/// How long SQLite waits for another process that is writing. It is shorter than the transaction timeout.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum age of a server connection. After a failover, busy readers leave the old node within this time.
const MAX_AGE: Duration = Duration::from_mins(5);

/// Session settings of a new connection to MariaDB or MySQL. Each server treats the other's settings as comments.
///
/// The limits end a statement before [`super::TIMEOUT`], after which the request has been answered. Otherwise a
/// statement that waits for a lock would keep its server connection, and each retry would occupy one more, until the
/// server has none left. Most limits are whole seconds. The default isolation level, REPEATABLE READ, would show a
/// transaction a stale row that it then overwrites.
///
/// The settings belong to the session, as do the time zone and character set that the driver sets. MariaDB has no
/// limits for a single transaction. Poolers for MySQL keep a session that has set variables on one connection, or set
/// the variables again on the next one.
const MYSQL_SETUP: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION lock_wait_timeout = 3, innodb_lock_wait_timeout = 3 \
    /*M! , max_statement_time = 3.5, idle_transaction_timeout = 3 */ /*!80000 , max_execution_time = 3500 */";

/// Creates the reader and the pool for writes, and on SQLite, what watches the file.
pub(super) fn open(
    url: &DatabaseUrl,
    max_connections: Option<u32>,
    waits: &WaitMetrics,
) -> Result<(Reader, Pool, Option<Arc<WatchedFile>>), DbErr> {
    let max = max_connections.unwrap_or_else(|| url.default_connections());
    // Reads are short but frequent. The split guarantees that a sign-in still finds a connection for its writes.
    let (readers, writers) = (max.div_ceil(2), (max / 2).max(1));
    let (read_waits, write_waits) = (waits.of_pool(READ_POOL), waits.of_pool(WRITE_POOL));
    let renewal = Arc::new(Renewal::default());
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            let file = create_private(path).and_then(|()| WatchedFile::new(path));
            let file = file.map_err(|error| cannot_open(path, &error))?;
            let options = sqlite(SqliteConnectOptions::new(), path);
            let pool = |max, waits| {
                let options = PoolOptions::new(options.clone(), max, &renewal);
                Pool::Sqlite(Connections::new(PoolOptions { file: Some(Arc::clone(&file)), ..options }, waits))
            };
            let local = Some(LocalReads::new(path, &renewal, &file));
            (Reader { pool: pool(max, read_waits), local }, pool(1, write_waits), Some(file))
        }
        DatabaseUrl::Postgres(text) => {
            let options: PgConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = postgres(options, "").disable_statement_logging();
            let is_unnamed = is_unnamed(text);
            let preparation = if is_unnamed { Preparation::Unnamed } else { Preparation::Named };
            let pool_options = |max| PoolOptions {
                preparation,
                max_age: Some(MAX_AGE),
                ..PoolOptions::new(options.clone(), max, &renewal)
            };
            let readers = PoolOptions {
                // Preparing and running a statement takes two round trips. Without a name, only a transaction keeps
                // both on one connection of the pooler.
                transaction: is_unnamed.then_some(POSTGRES_BEGIN_READ),
                abandoned: Some(AbandonedReads::new(options.clone(), cancel_abandoned(&options))),
                ..pool_options(readers)
            };
            let pool = |options, waits| Pool::Postgres(Connections::new(options, waits));
            (Reader { pool: pool(readers, read_waits), local: None }, pool(pool_options(writers), write_waits), None)
        }
        DatabaseUrl::MySql(text) => {
            let options: MySqlConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = options.disable_statement_logging();
            let pool = |max, waits| {
                let options = PoolOptions::new(options.clone(), max, &renewal);
                let options = PoolOptions { setup: MYSQL_SETUP, max_age: Some(MAX_AGE), ..options };
                Pool::MySql(Connections::new(options, waits))
            };
            (Reader { pool: pool(readers, read_waits), local: None }, pool(writers, write_waits), None)
        }
    })
}

/// Adjusts the startup parameters of a PostgreSQL session to those that every pooler accepts and keeps for the client.
/// The application name identifies Hallpass in the server's tools, unless the URL sets another name. `suffix`
/// distinguishes connections with other purposes.
pub(super) fn postgres(options: PgConnectOptions, suffix: &str) -> PgConnectOptions {
    let name = format!("{}{suffix}", options.get_application_name().unwrap_or("hallpass"));
    // No floating-point numbers are stored, and poolers refuse this parameter.
    options.application_name(&name).extra_float_digits(None)
}

/// Whether the URL disables named statements, for a pooler in transaction mode.
pub(super) fn is_unnamed(url: &SecretString) -> bool {
    let url = url::Url::parse(url.expose_secret());
    url.is_ok_and(|url| {
        let capacity = url.query_pairs().filter(|(name, _)| name == "statement-cache-capacity").last();
        capacity.is_some_and(|(_, capacity)| capacity.parse() == Ok(0))
    })
}

/// SQL that cancels reads that have run longer than their time limit. Write transactions, which have their own limit,
/// get a transaction id with their first write and are skipped. Migrations use another application name.
fn cancel_abandoned(options: &PgConnectOptions) -> String {
    let name = options.get_application_name().unwrap_or_default().replace('\'', "''");
    format!(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
         AND usename = current_user AND application_name = CAST('{name}' AS name) AND pid <> pg_backend_pid() \
         AND state = 'active' AND backend_xid IS NULL AND clock_timestamp() - query_start > interval '3500 ms'"
    )
}

/// SQL that begins a migration's transaction on PostgreSQL. It removes the time limits of the session, because a
/// migration may take long. It also deallocates statements that an earlier migration left on a pooler's connection,
/// because their names would conflict.
pub(super) fn begin_migration(url: &DatabaseUrl) -> String {
    format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
         SET LOCAL idle_in_transaction_session_timeout = 0; {}",
        end_migration(url)
    )
}

/// SQL that ends a migration's transaction on PostgreSQL, before COMMIT.
pub(super) fn end_migration(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Postgres(url) if is_unnamed(url) => "DEALLOCATE ALL",
        _ => "",
    }
}

/// Opens a driver pool with one connection without statement limits, for migrations.
pub(super) async fn connect_for_migration(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
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
        .map_sqlx_postgres_opts(|options| postgres(options, " migration"))
        // Statements are not logged, because their parameters contain personal data.
        .sqlx_logging(false)
        .max_connections(1)
        .acquire_timeout(TIMEOUT)
        .connect_timeout(TIMEOUT);
    Connector::connect(options).await
}

/// Opens an SQLite file that no process changes, without creating other files beside it.
pub(super) async fn connect_immutable(path: &Path) -> Result<DatabaseConnection, DbErr> {
    let path = path.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .map_sqlx_sqlite_opts(move |options| options.filename(&path).read_only(true).immutable(true))
        .sqlx_logging(false)
        .max_connections(1);
    Connector::connect(options).await
}

/// Creates the file readable by its owner only. SQLite gives the `-wal` and `-shm` files the same permissions.
fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

/// Names the whole path and the user: in a container, the folder is often a volume that belongs to another user.
fn cannot_open(path: &Path, error: &io::Error) -> DbErr {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let what_to_do = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!(". The user {} must be able to write to its folder", geteuid().as_raw())
        }
        _ => String::new(),
    };
    DbErr::Conn(RuntimeErr::Internal(format!("cannot open the file {}: {error}{what_to_do}", path.display())))
}

pub(super) fn sqlite(options: SqliteConnectOptions, path: &Path) -> SqliteConnectOptions {
    options
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Committed data survives a power failure, not only a crash.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}
