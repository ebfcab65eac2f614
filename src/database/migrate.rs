//! Migrations under a lock, so that any number of instances may start at the same moment.

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

/// How long another process that migrates is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_mins(5);

/// How long to wait between two attempts to get the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(200);

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
                Compatibility::Current | Compatibility::Newer(_) if !history.is_installed() => {}
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
                    && let Some(count) = Box::pin(try_change(connection, &self.url, *change)).await?
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
