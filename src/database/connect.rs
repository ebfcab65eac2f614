//! Connection options of the three databases.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database as Connector, DatabaseConnection, DbErr,
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
        renewal::Renewal,
        rules::Rules,
    },
};

/// How long SQLite waits for another process that writes: it ends before the transaction's time does.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection to a server is used. After a failover, readers that are never idle leave the old node by then.
const MAX_AGE: Duration = Duration::from_mins(5);

/// What a new connection to MariaDB or MySQL is told, each of which takes the other's settings for comments: to give up
/// before [`super::TIMEOUT`], when nobody waits for the answer any more. A statement that waits for a lock would otherwise
/// keep its connection, and each retry one more, until the server has none left. Most limits are whole seconds. The default
/// isolation level, REPEATABLE READ, would show a transaction a stale row that it then overwrites.
///
/// These belong to the session, as the driver's own time zone and character set do. MariaDB has no limits for one
/// transaction. Poolers for MySQL keep a session that has set variables on one connection, or set them again on the next.
const MYSQL_SETUP: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION lock_wait_timeout = 3, innodb_lock_wait_timeout = 3 \
    /*M! , max_statement_time = 3.5, idle_transaction_timeout = 3 */ /*!80000 , max_execution_time = 3500 */";

/// What reads, and what writes.
pub(super) fn open(url: &DatabaseUrl, max_connections: Option<u32>) -> Result<(Pool, Pool), DbErr> {
    let most = max_connections.unwrap_or_else(|| url.default_connections());
    // Readers are quick and many, but a sign-in must find a connection to write with, too.
    let (readers, writers) = (most.div_ceil(2), (most / 2).max(1));
    let renewal = Arc::new(Renewal::default());
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            create_private(path).map_err(|error| DbErr::Custom(format!("the file {}: {error}", path.display())))?;
            let options = sqlite(SqliteConnectOptions::new(), path);
            let of = |max| Pool::Sqlite(Connections::new(Rules::new(options.clone(), max, &renewal)));
            (of(most), of(1))
        }
        DatabaseUrl::Postgres(text) => {
            let options: PgConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = postgres(options, "").disable_statement_logging();
            let is_unnamed = is_unnamed(text);
            let preparation = if is_unnamed { Preparation::Unnamed } else { Preparation::Named };
            let of = |max| Rules { preparation, max_age: Some(MAX_AGE), ..Rules::new(options.clone(), max, &renewal) };
            let readers = Rules {
                // To prepare a statement and to run it are two round trips. Without a name, only a transaction keeps both
                // on one connection of the pooler.
                transaction: is_unnamed.then_some(POSTGRES_BEGIN_READ),
                abandoned: Some(AbandonedReads::new(options.clone(), cancel_abandoned(&options))),
                ..of(readers)
            };
            (Pool::Postgres(Connections::new(readers)), Pool::Postgres(Connections::new(of(writers))))
        }
        DatabaseUrl::MySql(text) => {
            let options: MySqlConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
            let options = options.disable_statement_logging();
            let of = |max| {
                let rules = Rules::new(options.clone(), max, &renewal);
                Pool::MySql(Connections::new(Rules { setup: MYSQL_SETUP, max_age: Some(MAX_AGE), ..rules }))
            };
            (of(readers), of(writers))
        }
    })
}

/// What a session on PostgreSQL begins with: only what every pooler takes, and keeps for the client. The name is the one by
/// which the server's own tools show us, unless the URL has another; `suffix` tells connections for other purposes apart.
fn postgres(options: PgConnectOptions, suffix: &str) -> PgConnectOptions {
    let name = format!("{}{suffix}", options.get_application_name().unwrap_or("hallpass"));
    // No floating-point number is stored, and poolers refuse the parameter.
    options.application_name(&name).extra_float_digits(None)
}

/// Whether the URL asks for statements without names, for a pooler in transaction mode.
fn is_unnamed(url: &SecretString) -> bool {
    let url = url::Url::parse(url.expose_secret());
    url.is_ok_and(|url| {
        let capacity = url.query_pairs().filter(|(name, _)| name == "statement-cache-capacity").last();
        capacity.is_some_and(|(_, capacity)| capacity.parse() == Ok(0))
    })
}

/// Cancels what has run for longer than any read is waited for. Writes, whose transactions have a limit, have a transaction
/// id as soon as they have written; migrations have another name.
fn cancel_abandoned(options: &PgConnectOptions) -> String {
    let name = options.get_application_name().unwrap_or_default().replace('\'', "''");
    format!(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
         AND usename = current_user AND application_name = CAST('{name}' AS name) AND pid <> pg_backend_pid() \
         AND state = 'active' AND backend_xid IS NULL AND clock_timestamp() - query_start > interval '3500 ms'"
    )
}

/// What a migration's transaction begins with on PostgreSQL: it may take its time, whatever limits its user has. Behind a
/// pooler, statements that an earlier migration left on the connection have the names that are given now.
pub(super) fn begin_migration(url: &DatabaseUrl) -> String {
    format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
         SET LOCAL idle_in_transaction_session_timeout = 0; {}",
        end_migration(url)
    )
}

/// What a migration's transaction ends with on PostgreSQL, before COMMIT.
pub(super) fn end_migration(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Postgres(url) if is_unnamed(url) => "DEALLOCATE ALL",
        _ => "",
    }
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
        .map_sqlx_postgres_opts(|options| postgres(options, " migration"))
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
