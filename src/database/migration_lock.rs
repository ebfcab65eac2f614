//! The lock of migrations: one process changes the tables at a time.

use migration::Schema;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};

use crate::{Result, config::DatabaseUrl, database::connect};

/// A number of our own for PostgreSQL's advisory locks.
const ADVISORY_LOCK: i64 = 0x4861_6C6C_7061_7373;

/// MySQL's locks belong to the server, so the name tells the database; 64 characters at most.
const NAMED_LOCK: &str = "CONCAT('hallpass.', SHA1(DATABASE()))";

/// A change that is made under the lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// Completes the table that records migrations. It is a transaction of its own on PostgreSQL, where other instances
    /// cannot read a table that is being altered.
    Install,
    Up,
    Down(&'a [String]),
}

impl Change<'_> {
    /// Makes the change, and returns how many migrations it was about.
    async fn make(self, schema: Schema<'_>) -> Result<usize, DbErr> {
        match self {
            Self::Install => migration::install(&schema).await.map(|()| 0),
            Self::Up => migration::up(&schema).await,
            Self::Down(names) => migration::down(&schema, names).await.map(|()| names.len()),
        }
    }
}

/// Makes a change if the lock is free; `None` if another process has it.
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
    let count = change.make(Schema::new(&transaction)).await?;
    if connection.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(connect::end_migration(url)).await?;
    }
    transaction.commit().await?;
    Ok(Some(count))
}

/// A transaction that has the lock, which ends with it. On SQLite a transaction that writes is a lock already.
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

/// `None` if another process writes to the SQLite file.
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
    let changed = change.make(Schema::new(connection)).await;
    // If the connection was lost, the lock went with it.
    let _ = run(&format!("RELEASE_LOCK({NAMED_LOCK})")).await;
    Ok(Some(changed?))
}
