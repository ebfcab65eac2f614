//! Write transactions with a deadline, so that a request does not wait forever for a server that has stopped
//! responding.

use std::{fmt, sync::Arc};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    sqlx::{self, MySqlConnection, PgConnection, SqliteConnection},
};
use tokio::{sync::Mutex, time::Instant};

use crate::database::{
    TIMEOUT,
    client::{Client, Preparation, in_span, run_sql},
    connections::{Connections, Pool, dispatch, statement_error},
    error::{closed, is_stale_plan},
    lease::Lease,
    with_deadline,
};

/// A write transaction. It is rolled back unless it is committed, and fails with a timeout at its deadline. After a
/// timeout during commit, the outcome is unknown, as after a lost connection.
///
/// The connection is reused only after a successful COMMIT or ROLLBACK. Otherwise it is closed: when the transaction is
/// dropped, or when a statement is dropped before its response arrives.
pub struct Transaction {
    inner: Inner,
    deadline: Instant,
}

/// A transaction on any of the three databases.
enum Inner {
    Sqlite(TransactionOn<SqliteConnection>),
    Postgres(TransactionOn<PgConnection>),
    MySql(TransactionOn<MySqlConnection>),
}

struct TransactionOn<C: Client> {
    pool: Arc<Connections<C>>,
    state: Mutex<State<C>>,
}

enum State<C: Client> {
    /// No statement has run yet.
    Begun(Lease<C>),
    Open(Lease<C>),
    /// A statement has failed. Only a rollback is possible.
    Failed(Lease<C>),
    /// A statement was dropped before its response arrived.
    Interrupted,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

impl Transaction {
    /// Begins a transaction. The time limit covers waiting for a connection, connecting, the statements and the commit.
    pub(super) async fn begin(pool: &Pool) -> Result<Self, DbErr> {
        let deadline = Instant::now() + TIMEOUT;
        let begin = async {
            Ok(match pool {
                Pool::Sqlite(connections) => Inner::Sqlite(TransactionOn::begin(connections).await?),
                Pool::Postgres(connections) => Inner::Postgres(TransactionOn::begin(connections).await?),
                Pool::MySql(connections) => Inner::MySql(TransactionOn::begin(connections).await?),
            })
        };
        let inner = with_deadline(deadline, begin).await?;
        Ok(Self { inner, deadline })
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// Returns an error if the commit fails or times out. If the connection was lost or timed out, the transaction may
    /// have been committed.
    pub async fn commit(self) -> Result<(), DbErr> {
        with_deadline(self.deadline, async { dispatch!(self.inner, Inner::transaction => transaction.commit().await) })
            .await
    }

    /// Rolls the transaction back and waits for the result.
    ///
    /// # Errors
    /// Returns an error if the statement fails. The changes are discarded in any case.
    pub async fn rollback(self) -> Result<(), DbErr> {
        with_deadline(self.deadline, async {
            dispatch!(self.inner, Inner::transaction => transaction.rollback().await)
        })
        .await
    }
}

impl<C: Client> TransactionOn<C> {
    async fn begin(pool: &Arc<Connections<C>>) -> Result<Self, DbErr> {
        let (lease, _) = in_span(C::SYSTEM, C::BEGIN, pool.begin(C::BEGIN, run_sql)).await?;
        Ok(Self { pool: Arc::clone(pool), state: Mutex::new(State::Begun(lease)) })
    }

    /// Runs one statement. The state is `Interrupted` while it runs, and stays so if the future is dropped.
    async fn run<T>(
        &self,
        statement: &Statement,
        run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let mut state = self.state.lock().await;
        let is_first = matches!(*state, State::Begun(_));
        let mut lease = std::mem::replace(&mut *state, State::Interrupted).open()?;
        let mut result = lease.run(statement, &run).await;
        // The transaction has done nothing yet, so it can be repeated on a new connection.
        if is_first && result.as_ref().is_err_and(is_stale_plan) {
            lease.open().await?;
            lease.run(C::BEGIN, &run_sql).await.map_err(statement_error)?;
            result = lease.run(statement, &run).await;
        }
        if result.is_err() {
            *state = State::Failed(lease);
        } else {
            *state = State::Open(lease);
            if !statement.sql.starts_with("SELECT") {
                self.pool.options.renewal.record_write();
            }
        }
        result.map_err(statement_error)
    }

    async fn run_observed<T>(
        &self,
        statement: Statement,
        run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let running = in_span(C::SYSTEM, &statement.sql, self.run(&statement, run));
        self.pool.run_observed(&statement, running).await
    }

    async fn commit(self) -> Result<(), DbErr> {
        end(self.state.into_inner().open()?, "COMMIT").await?;
        // What was written to a file that is not in its place is lost, so it must not be acknowledged.
        self.pool.options.check_file()
    }

    async fn rollback(self) -> Result<(), DbErr> {
        match self.state.into_inner() {
            State::Begun(lease) | State::Open(lease) | State::Failed(lease) => end(lease, "ROLLBACK").await,
            State::Interrupted => Err(closed()),
        }
    }
}

impl<C: Client> State<C> {
    fn open(self) -> Result<Lease<C>, DbErr> {
        match self {
            Self::Begun(lease) | Self::Open(lease) => Ok(lease),
            Self::Failed(_) => Err(DbErr::Custom("a statement of this transaction has failed".to_owned())),
            Self::Interrupted => Err(closed()),
        }
    }
}

async fn end<C: Client>(mut lease: Lease<C>, sql: &str) -> Result<(), DbErr> {
    in_span(C::SYSTEM, sql, async { lease.run(sql, &run_sql).await.map_err(statement_error) }).await?;
    lease.release();
    Ok(())
}

/// Runs a statement without values and without preparing it.
async fn run_text<C: Client>(
    connection: &mut C,
    statement: &Statement,
    _: Preparation,
) -> Result<ExecResult, sqlx::Error> {
    connection.run(&statement.sql).await
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match self.inner {
            Inner::Sqlite(_) => DbBackend::Sqlite,
            Inner::Postgres(_) => DbBackend::Postgres,
            Inner::MySql(_) => DbBackend::MySql,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let run = async {
            dispatch!(&self.inner, Inner::transaction => transaction.run_observed(statement, Client::execute).await)
        };
        with_deadline(self.deadline, run).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let statement = Statement::from_string(self.get_database_backend(), sql);
        let run = async { dispatch!(&self.inner, Inner::transaction => transaction.run(&statement, run_text).await) };
        with_deadline(self.deadline, run).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let run = async {
            dispatch!(&self.inner, Inner::transaction => transaction.run_observed(statement, Client::query_one).await)
        };
        with_deadline(self.deadline, run).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let run = async {
            dispatch!(&self.inner, Inner::transaction => transaction.run_observed(statement, Client::query_all).await)
        };
        with_deadline(self.deadline, run).await
    }
}
