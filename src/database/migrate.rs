//! Migrations under a lock, so that several instances can start at the same time.

use std::{sync::PoisonError, time::Duration};

use migration::{Compatibility, History, MigrationState};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::time::Instant;

use crate::{
    Error, Result,
    database::{
        Database, Transaction, connect,
        migration_lock::{Change, try_change, unless_locked},
    },
};

/// How long to wait for another process that is migrating.
const LOCK_TIMEOUT: Duration = Duration::from_mins(5);

/// Delay between attempts to acquire the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(200);

impl Database {
    /// Applies the missing migrations and returns how many were applied. On SQLite and PostgreSQL, all or none are
    /// applied. MySQL cannot roll back schema changes, so the next call completes an interrupted migration. Waits up to
    /// five minutes while another process migrates.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable or another process holds the lock for too long. Internal,
    /// with the reason, if the database is too new for this version or a statement fails.
    pub async fn migrate(&self) -> Result<usize> {
        self.migrate_within(LOCK_TIMEOUT).await
    }

    /// Applies the migrations like [`Database::migrate`], but waits for another process for at most `timeout`.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn migrate_within(&self, timeout: Duration) -> Result<usize> {
        // This read may fail while another process migrates.
        if let Ok(history) = self.history().await {
            match history.compatibility() {
                Compatibility::TooNew(names) => return Err(Error::internal(too_new(&names))),
                Compatibility::UnfinishedCopy => return Err(Error::internal(UNFINISHED_COPY)),
                Compatibility::Missing(_) => {}
                Compatibility::Current | Compatibility::Newer(_) if !history.is_installed() => {}
                Compatibility::Current | Compatibility::Newer(_) => return Ok(0),
            }
        }
        self.change(&[Change::Install, Change::Up], timeout).await
    }

    /// Reverts the latest `steps` migrations and deletes the contents of the tables and columns that they created.
    ///
    /// # Errors
    /// As [`Database::revert`].
    pub async fn migrate_down(&self, steps: u32) -> Result<()> {
        self.revert(&self.migrations_to_revert(steps).await?).await
    }

    /// The migrations that [`Database::migrate_down`] would revert, latest first. After an interrupted revert, these
    /// are the remaining migrations of that revert.
    ///
    /// # Errors
    /// Internal, with the reason, if the database has a migration that this version does not know.
    pub async fn migrations_to_revert(&self, steps: u32) -> Result<Vec<String>> {
        let history = self.history().await?;
        history.to_revert(steps).map_err(|unknown| {
            Error::internal(if history.is_unfinished_copy() { UNFINISHED_COPY.to_owned() } else { too_new(&unknown) })
        })
    }

    /// Reverts the migrations that [`Database::migrations_to_revert`] returned.
    ///
    /// # Errors
    /// As [`Database::migrate`]. Internal also if other migrations have become the latest ones.
    pub async fn revert(&self, names: &[String]) -> Result<()> {
        self.change(&[Change::Install, Change::Down(names)], LOCK_TIMEOUT).await.map(drop)
    }

    /// Applies changes one after the other, each under the lock. Returns the result of the last one.
    async fn change(&self, changes: &[Change<'_>], timeout: Duration) -> Result<usize> {
        let mut connection = None;
        let deadline = Instant::now() + timeout;
        let (mut count, mut has_logged) = (0, false);
        for change in changes {
            count = loop {
                if connection.is_none() {
                    connection = unless_locked(connect::connect_for_migration(&self.url).await)?;
                }
                if let Some(connection) = &connection
                    && let Some(count) = Box::pin(try_change(connection, &self.url, *change)).await?
                {
                    break count;
                }
                if Instant::now() >= deadline {
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

    /// Begins a write that changes nothing and rolls it back. A plain BEGIN would succeed on a read-only database.
    pub(super) async fn try_write(&self) -> Result<(), DbErr> {
        let transaction = Transaction::begin(&self.writer).await?;
        let no_op = format!("UPDATE {} SET version = version WHERE 1 = 0", migration::HISTORY_TABLE);
        transaction.execute_raw(Statement::from_string(transaction.get_database_backend(), no_op)).await?;
        transaction.rollback().await
    }

    pub(super) async fn history(&self) -> Result<History, DbErr> {
        History::read(self.read()).await
    }

    /// Compares the migrations of the database with those of this version. A newer database is logged once for the same
    /// set of migrations.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn compatibility(&self) -> Result<Compatibility, DbErr> {
        let compatibility = self.history().await?.compatibility();
        match &compatibility {
            Compatibility::Newer(names) if self.is_new(names) => tracing::info!(
                migrations = names.join(", "),
                "the database was migrated by a later version; this version continues to serve requests because these \
                 migrations are additive"
            ),
            Compatibility::TooNew(names) if self.is_new(names) => tracing::warn!("{}", too_new(names)),
            Compatibility::UnfinishedCopy if self.is_new(&[migration::UNFINISHED_COPY.to_owned()]) => {
                tracing::warn!("{UNFINISHED_COPY}");
            }
            _ => {}
        }
        Ok(compatibility)
    }

    /// Whether these migrations of a later version have not been logged yet. Marks them as logged.
    fn is_new(&self, newer: &[String]) -> bool {
        let mut logged = self.logged_newer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *logged != newer;
        newer.clone_into(&mut logged);
        is_new
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

    /// All migrations of this version, oldest first, followed by those of later versions.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn migrations(&self) -> Result<Vec<(String, MigrationState)>, DbErr> {
        Ok(self.history().await?.all())
    }
}

/// The error message for the target of a copy that has not been finished.
pub(crate) const UNFINISHED_COPY: &str = "the database is an unfinished copy of another one, so rows are missing. Run the \
                                          same `hallpass copy` again to finish it";

/// The error message for a database that is newer than this version.
pub(crate) fn too_new(names: &[String]) -> String {
    format!(
        "the database is newer than this version of Hallpass ({}). Unknown migrations: {}. Use the version that \
         applied them",
        env!("CARGO_PKG_VERSION"),
        names.join(", ")
    )
}

fn lock_timeout(timeout: Duration) -> String {
    format!(
        "another process has been migrating the database for {} seconds. If it is still running, try again when it has \
         finished. If it hangs, stop it or terminate its database connection",
        timeout.as_secs()
    )
}
