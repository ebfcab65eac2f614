//! Migrations under a lock, so that any number of instances may start at the same moment.

use std::{sync::PoisonError, time::Duration};

use migration::{Compatibility, History, MigrationState, Schema};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};
use tokio::time::Instant;

use super::{Database, Transaction, connect};
use crate::{Error, Result};

/// A number of our own for PostgreSQL's advisory locks.
const ADVISORY_LOCK: i64 = 0x4861_6C6C_7061_7373;

/// MySQL's locks belong to the server, so the name tells the database; 64 characters at most.
const NAMED_LOCK: &str = "CONCAT('hallpass.', SHA1(DATABASE()))";

/// How long another process that migrates is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_mins(5);

/// How long to wait between two attempts to get the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(200);

/// A change that is made under the lock.
#[derive(Clone, Copy, Debug)]
enum Change<'a> {
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

impl Database {
    /// Applies the migrations that the database lacks, and returns how many. On SQLite and PostgreSQL all or none are
    /// applied; MySQL cannot roll back tables, so there an interrupted migration is completed by the next call. Waits up to
    /// five minutes while another process migrates.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database can't be reached or another process has the lock for too long. Internal, with the
    /// reason, if the database is too new for this version or a statement fails.
    pub async fn migrate(&self) -> Result<usize> {
        self.migrate_within(LOCK_TIMEOUT).await
    }

    /// Applies the migrations like [`Database::migrate`], but waits for another process no longer than this.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn migrate_within(&self, timeout: Duration) -> Result<usize> {
        // While another process migrates, this read may fail.
        if let Ok(history) = self.history().await {
            match history.compatibility() {
                Compatibility::TooNew(names) => return Err(Error::internal(too_new(&names))),
                Compatibility::Missing(_) => {}
                Compatibility::Current | Compatibility::Newer(_) if !history.has_all_columns() => {}
                Compatibility::Current | Compatibility::Newer(_) => return Ok(0),
            }
        }
        self.change(&[Change::Install, Change::Up], timeout).await
    }

    /// Takes the latest `steps` migrations back, and with them what is in the tables and columns that they made.
    ///
    /// # Errors
    /// As [`Database::revert`].
    pub async fn migrate_down(&self, steps: u32) -> Result<()> {
        self.revert(&self.migrations_to_revert(steps).await?).await
    }

    /// The migrations that [`Database::migrate_down`] would take back, the latest first. If such a command was interrupted, it
    /// is the rest of what that one was to take back.
    ///
    /// # Errors
    /// Internal, with the reason, if the database has a migration that this version does not know.
    pub async fn migrations_to_revert(&self, steps: u32) -> Result<Vec<String>> {
        self.history().await?.to_revert(steps).map_err(|unknown| Error::internal(too_new(&unknown)))
    }

    /// Takes back the migrations that [`Database::migrations_to_revert`] has named.
    ///
    /// # Errors
    /// As [`Database::migrate`]; also internal if other migrations have become the latest ones.
    pub async fn revert(&self, names: &[String]) -> Result<()> {
        self.change(&[Change::Install, Change::Down(names)], LOCK_TIMEOUT).await.map(drop)
    }

    /// Makes changes one after the other, each under the lock. Returns what the last one returns.
    async fn change(&self, changes: &[Change<'_>], timeout: Duration) -> Result<usize> {
        let mut connection = None;
        let end = Instant::now() + timeout;
        let (mut count, mut has_logged) = (0, false);
        for change in changes {
            count = loop {
                if connection.is_none() {
                    connection = unless_locked(connect::patient(&self.url).await)?;
                }
                if let Some(connection) = &connection
                    && let Some(count) = Box::pin(try_change(connection, *change)).await?
                {
                    break count;
                }
                if Instant::now() >= end {
                    return Err(Error::unavailable(30, lock_timeout(timeout)));
                }
                if !std::mem::replace(&mut has_logged, true) {
                    tracing::info!("waiting for another process that is migrating the database");
                }
                tokio::time::sleep(LOCK_INTERVAL).await;
            };
        }
        if let Some(connection) = connection {
            connection.close().await?;
        }
        Ok(count)
    }

    /// Begins a write that changes nothing, and rolls it back. BEGIN alone succeeds on a read-only database.
    pub(super) async fn try_write(&self) -> Result<(), DbErr> {
        let transaction = Transaction::begin(&self.writer).await?;
        let nothing = format!("UPDATE {} SET version = version WHERE 1 = 0", migration::HISTORY_TABLE);
        transaction.execute_raw(Statement::from_string(transaction.get_database_backend(), nothing)).await?;
        transaction.rollback().await
    }

    async fn history(&self) -> Result<History, DbErr> {
        History::read(self.read()).await
    }

    /// How the database and this version fit together. If the database is newer, that is logged, once for the same
    /// migrations.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn compatibility(&self) -> Result<Compatibility, DbErr> {
        let compatibility = self.history().await?.compatibility();
        match &compatibility {
            Compatibility::Newer(names) if self.is_news(names) => tracing::info!(
                migrations = names.join(", "),
                "the database was migrated by a later version; this version goes on serving, because these migrations are \
                 additive"
            ),
            Compatibility::TooNew(names) if self.is_news(names) => tracing::warn!("{}", too_new(names)),
            _ => {}
        }
        Ok(compatibility)
    }

    /// Whether these migrations of a later version were not logged yet.
    fn is_news(&self, newer: &[String]) -> bool {
        let mut logged = self.newer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *logged != newer;
        newer.clone_into(&mut logged);
        is_news
    }

    /// The names of the migrations that this version knows and the database lacks.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        Ok(self.history().await?.pending())
    }

    /// The names of the migrations that this version knows and the database has.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn applied_migrations(&self) -> Result<Vec<String>, DbErr> {
        Ok(self.history().await?.applied())
    }

    /// All migrations of this version, oldest first, and behind them those of a later one.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn migrations(&self) -> Result<Vec<(String, MigrationState)>, DbErr> {
        Ok(self.history().await?.all())
    }
}

/// Why this version does not work with the database.
pub(crate) fn too_new(names: &[String]) -> String {
    format!(
        "the database is newer than this version of Hallpass ({}), which does not know these migrations: {}. Use the \
         version that made them",
        env!("CARGO_PKG_VERSION"),
        names.join(", ")
    )
}

fn lock_timeout(timeout: Duration) -> String {
    format!(
        "another process has been migrating the database for {} seconds. If it is still at work, try again when it has \
         finished; if it hangs, end it or its connection to the database",
        timeout.as_secs()
    )
}

/// Makes a change if the lock is free; `None` if another process has it.
async fn try_change(connection: &DatabaseConnection, change: Change<'_>) -> Result<Option<usize>> {
    if connection.get_database_backend() == DbBackend::MySql {
        return try_change_on_mysql(connection, change).await;
    }
    let Some(transaction) = begin_locked(connection).await? else {
        return Ok(None);
    };
    let count = change.make(Schema::new(&transaction)).await?;
    transaction.commit().await?;
    Ok(Some(count))
}

/// A transaction that has the lock, which ends with it. On SQLite a transaction that writes is a lock already.
async fn begin_locked(connection: &DatabaseConnection) -> Result<Option<DatabaseTransaction>, DbErr> {
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
