//! Migrations under a lock, so that any number of instances may start at the same moment.

use migration::{IntoSchemaManagerConnection, Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::{Database, connect, transaction};
use crate::{Error, Result};

/// A number of our own for PostgreSQL's advisory locks.
const ADVISORY_LOCK: i64 = 0x4861_6C6C_7061_7373;

/// MySQL's locks belong to the server, so the name tells the database; 64 characters at most.
const NAMED_LOCK: &str = "CONCAT('hallpass.', SHA1(DATABASE()))";

/// Which way to go, and how far.
#[derive(Clone, Copy, Debug)]
enum Change {
    Up,
    Down(u32),
}

impl Change {
    async fn make(self, connection: impl IntoSchemaManagerConnection<'_>) -> Result<(), DbErr> {
        match self {
            Self::Up => Migrator::up(connection, None).await,
            Self::Down(steps) => Migrator::down(connection, Some(steps)).await,
        }
    }
}

impl Database {
    /// Applies the pending migrations, all or none where the database can roll tables back (MySQL can't). Another
    /// instance that is at it is waited for.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when the database can't be reached, else internal with the driver's text.
    pub async fn migrate(&self) -> Result<()> {
        self.change(Change::Up).await
    }

    /// Takes the latest `steps` migrations back, and with them what is in the tables and columns that they made.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn migrate_down(&self, steps: u32) -> Result<()> {
        self.change(Change::Down(steps)).await
    }

    async fn change(&self, change: Change) -> Result<()> {
        match self.writer.get_database_backend() {
            DbBackend::MySql => self.change_under_named_lock(change).await,
            DbBackend::Postgres => {
                let connection = connect::patient(&self.url).await?;
                let transaction = transaction::begin(&connection).await?;
                let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
                transaction.execute_unprepared(&lock).await?;
                change.make(&transaction).await?;
                transaction.commit().await?;
                Ok(connection.close().await?)
            }
            _ => {
                // SQLite's transaction is IMMEDIATE, which is a lock already.
                let transaction = transaction::begin(&self.writer).await?;
                change.make(&transaction).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    async fn change_under_named_lock(&self, change: Change) -> Result<()> {
        let connection = connect::patient(&self.url).await?;
        let locked = connection
            .query_one_raw(sea_orm::Statement::from_string(
                DbBackend::MySql,
                format!("SELECT GET_LOCK({NAMED_LOCK}, 300) AS locked"),
            ))
            .await?
            .map(|row| row.try_get::<Option<i64>>("", "locked"))
            .transpose()?;
        if locked.flatten() != Some(1) {
            return Err(Error::unavailable(30, "another instance has been migrating for 5 minutes"));
        }
        let changed = change.make(&connection).await;
        // The lock goes with its connection.
        connection.close().await?;
        Ok(changed?)
    }

    /// The names of the migrations that this version knows and the database lacks.
    ///
    /// # Errors
    /// The driver's; also when the database has a migration that this version does not know.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        let pending = Migrator::get_pending_migrations_read_only(self.read()).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// The names of the migrations that the database has.
    ///
    /// # Errors
    /// As [`Database::pending_migrations`].
    pub async fn applied_migrations(&self) -> Result<Vec<String>, DbErr> {
        let applied = Migrator::get_applied_migrations_read_only(self.read()).await?;
        Ok(applied.iter().map(|migration| migration.name().to_owned()).collect())
    }
}
