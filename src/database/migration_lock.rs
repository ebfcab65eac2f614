//! The migration lock: only one process changes the schema at a time.

use migration::Schema;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};

use crate::{Result, config::DatabaseUrl, database::connect};

/// Hallpass's key for PostgreSQL's advisory locks.
const ADVISORY_LOCK: i64 = 0x4861_6C6C_7061_7373;

/// MySQL's named locks belong to the whole server, so the name includes the database. The maximum length is 64
/// characters.
const NAMED_LOCK: &str = "CONCAT('hallpass.', SHA1(DATABASE()))";

/// A schema change that is applied under the lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// Creates or completes the table that records migrations. On PostgreSQL it runs in its own transaction, because
    /// other instances cannot read a table that is being altered.
    Install,
    Up,
    Down(&'a [String]),
}

impl Change<'_> {
    /// Applies the change and returns the number of migrations affected.
    async fn apply(self, schema: Schema<'_>) -> Result<usize, DbErr> {
        match self {
            Self::Install => migration::install(&schema).await.map(|()| 0),
            Self::Up => migration::up(&schema).await,
            Self::Down(names) => migration::down(&schema, names).await.map(|()| names.len()),
        }
    }
}

/// Applies a change if the lock is free. Returns `None` if another process holds it.
pub(super) async fn try_change(
    connection: &DatabaseConnection,
    url: &DatabaseUrl,
    change: Change<'_>,
) -> Result<Option<usize>> {
    if connection.get_database_backend() == DbBackend::MySql {
        return try_change_on_mysql(connection, change).await;
    }
    let Some(transaction) = begin_locked(connection, url).await? else {
        return Ok(None);
    };
    let count = change.apply(Schema::new(&transaction)).await?;
    if connection.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(connect::end_migration(url)).await?;
    }
    transaction.commit().await?;
    Ok(Some(count))
}

/// Begins a transaction that holds the lock until it ends. On SQLite, a write transaction itself excludes other
/// writers.
async fn begin_locked(
    connection: &DatabaseConnection,
    url: &DatabaseUrl,
) -> Result<Option<DatabaseTransaction>, DbErr> {
    let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
    let options = TransactionOptions {
        isolation_level: is_postgres.then_some(IsolationLevel::ReadCommitted),
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    #[expect(clippy::disallowed_methods, reason = "migrations may take longer than a transaction of Database::write")]
    let Some(transaction) = unless_locked(connection.begin_with_options(options).await)? else {
        return Ok(None);
    };
    if is_postgres {
        transaction.execute_unprepared(&connect::begin_migration(url)).await?;
        let lock = format!("SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK}) AS locked");
        let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, lock)).await?;
        if !row.map_or(Ok(false), |row| row.try_get("", "locked"))? {
            transaction.rollback().await?;
            return Ok(None);
        }
    }
    Ok(Some(transaction))
}

/// Converts the error that another process is writing to the SQLite file into `None`.
pub(super) fn unless_locked<T>(result: Result<T, DbErr>) -> Result<Option<T>, DbErr> {
    match result {
        Err(error) if is_locked(&error) => Ok(None),
        result => result.map(Some),
    }
}

fn is_locked(error: &DbErr) -> bool {
    let (DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = error else { return false };
    let RuntimeErr::SqlxError(error) = error else { return false };
    let sqlx::Error::Database(error) = &**error else { return false };
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
        // The primary result code is the low byte: SQLITE_BUSY.
        && error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xFF == 5)
}

async fn try_change_on_mysql(connection: &DatabaseConnection, change: Change<'_>) -> Result<Option<usize>> {
    let run = async |function: &str| {
        let statement = Statement::from_string(DbBackend::MySql, format!("SELECT {function} AS done"));
        let row = connection.query_one_raw(statement).await?;
        Ok::<_, DbErr>(row.map(|row| row.try_get::<Option<i64>>("", "done")).transpose()?.flatten() == Some(1))
    };
    if !run(&format!("GET_LOCK({NAMED_LOCK}, 0)")).await? {
        return Ok(None);
    }
    let changed = change.apply(Schema::new(connection)).await;
    // If the connection was lost, the server has released the lock.
    let _ = run(&format!("RELEASE_LOCK({NAMED_LOCK})")).await;
    Ok(Some(changed?))
}
