//! Migrations under a lock, so that any number of instances may start at the same moment.

use migration::{IntoSchemaManagerConnection, Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use super::{Database, Transaction, connect};
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
        let connection = connect::patient(&self.url).await?;
        if connection.get_database_backend() == DbBackend::MySql {
            return change_under_named_lock(connection, change).await;
        }
        let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
        let options = TransactionOptions {
            isolation_level: is_postgres.then_some(IsolationLevel::ReadCommitted),
            // Which is a lock already.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "migrations may take longer than a transaction of Database::write"
        )]
        let transaction = connection.begin_with_options(options).await?;
        if is_postgres {
            transaction.execute_unprepared(&connect::begin_migration(&self.url)).await?;
            let lock = format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})");
            transaction.execute_unprepared(&lock).await?;
        }
        change.make(&transaction).await?;
        if is_postgres {
            transaction.execute_unprepared(connect::end_migration(&self.url)).await?;
        }
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// Begins a write that changes nothing, and rolls it back. BEGIN alone succeeds on a read-only database.
    pub(super) async fn try_write(&self) -> Result<(), DbErr> {
        let transaction = Transaction::begin(&self.writer).await?;
        let table = Migrator::migration_table_name().to_string();
        let nothing = format!("UPDATE {table} SET version = version WHERE 1 = 0");
        transaction.execute_raw(Statement::from_string(transaction.get_database_backend(), nothing)).await?;
        transaction.rollback().await
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

async fn change_under_named_lock(connection: DatabaseConnection, change: Change) -> Result<()> {
    let locked = connection
        .query_one_raw(Statement::from_string(
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
