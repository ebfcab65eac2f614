//! A transaction that writes, with an end: nobody waits for ever on a server that was stopped in the middle.

use std::{fmt, time::Duration};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    IsolationLevel, QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::time::{Instant, timeout_at};

use super::error::is_connection_lost;

/// Connections in a row that may turn out to be lost, when a transaction begins: more than a pool has by default.
const MOST_LOST: u32 = 12;

/// A transaction that writes. It is rolled back unless it is committed, and fails with a timeout when it is not done by
/// its end: what is then known of a commit is as little as after a lost connection.
pub struct Transaction {
    inner: DatabaseTransaction,
    end: Instant,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

impl Transaction {
    /// `time` is for all of it: waiting for a connection, connecting, the statements, the commit.
    pub(super) async fn begin(pool: &DatabaseConnection, time: Duration) -> Result<Self, DbErr> {
        let end = Instant::now() + time;
        let mut lost = 0;
        loop {
            match in_time(end, begin(pool)).await {
                Ok(inner) => return Ok(Self { inner, end }),
                // Nothing has been done yet, so that another connection may do it.
                Err(DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)))
                    if is_connection_lost(&error) && lost < MOST_LOST =>
                {
                    lost += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes it so.
    ///
    /// # Errors
    /// The driver's. When the answer did not come, it may have been committed.
    pub async fn commit(self) -> Result<(), DbErr> {
        in_time(self.end, self.inner.commit()).await
    }

    /// Undoes it, and says so at once.
    ///
    /// # Errors
    /// The driver's; it is undone all the same.
    pub async fn rollback(self) -> Result<(), DbErr> {
        in_time(self.end, self.inner.rollback()).await
    }
}

/// Begins a transaction without an end, for migrations.
pub(super) async fn begin(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = match pool.get_database_backend() {
        // A deferred transaction fails with "database is locked" when it turns from reading to writing.
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        // MySQL's default, REPEATABLE READ, would show a transaction a stale row that it then overwrites.
        _ => {
            TransactionOptions { isolation_level: Some(IsolationLevel::ReadCommitted), ..TransactionOptions::default() }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    pool.begin_with_options(options).await
}

async fn in_time<T>(end: Instant, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    timeout_at(end, work).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        in_time(self.end, self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        in_time(self.end, self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        in_time(self.end, self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        in_time(self.end, self.inner.query_all_raw(statement)).await
    }
}
