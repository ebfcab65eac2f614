//! A transaction that writes, with an end: nobody waits for ever on a server that was stopped in the middle.

use std::{fmt, sync::Arc};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    sqlx::{self, MySqlConnection, PgConnection, SqliteConnection},
};
use tokio::{sync::Mutex, time::Instant};

use crate::database::{
    TIMEOUT,
    client::{Client, Preparation, run_sql},
    connections::{Connections, Pool, closed, each, statement_error},
    error::is_stale_plan,
    in_time_until,
    lease::Lease,
};

/// A transaction that writes. It is rolled back unless it is committed, and fails with a timeout when it is not done by
/// its end: what is then known of a commit is as little as after a lost connection.
///
/// Its connection is used again only after a COMMIT or ROLLBACK that succeeded. In all other cases it is closed: when the
/// transaction is dropped, and when a statement is dropped before its answer has come.
pub struct Transaction {
    open: Open,
    end: Instant,
}

/// A transaction on whichever database it is.
enum Open {
    Sqlite(OpenOn<SqliteConnection>),
    Postgres(OpenOn<PgConnection>),
    MySql(OpenOn<MySqlConnection>),
}

struct OpenOn<C: Client> {
    pool: Arc<Connections<C>>,
    state: Mutex<State<C>>,
}

enum State<C: Client> {
    /// No statement has run yet.
    Begun(Lease<C>),
    Open(Lease<C>),
    /// A statement has failed, so that all that is left to do is to roll back.
    Failed(Lease<C>),
    /// A statement was dropped before its answer had come.
    Interrupted,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

impl Transaction {
    /// The time is for all of it: waiting for a connection, connecting, the statements, the commit.
    pub(super) async fn begin(pool: &Pool) -> Result<Self, DbErr> {
        let end = Instant::now() + TIMEOUT;
        let begin = async {
            Ok(match pool {
                Pool::Sqlite(connections) => Open::Sqlite(OpenOn::begin(connections).await?),
                Pool::Postgres(connections) => Open::Postgres(OpenOn::begin(connections).await?),
                Pool::MySql(connections) => Open::MySql(OpenOn::begin(connections).await?),
            })
        };
        let open = in_time_until(end, begin).await?;
        Ok(Self { open, end })
    }

    /// Makes it so.
    ///
    /// # Errors
    /// The driver's. When the answer did not come, it may have been committed.
    pub async fn commit(self) -> Result<(), DbErr> {
        in_time_until(self.end, async { each!(self.open, Open::open => open.commit().await) }).await
    }

    /// Undoes it, and says so at once.
    ///
    /// # Errors
    /// The driver's; it is undone all the same.
    pub async fn rollback(self) -> Result<(), DbErr> {
        in_time_until(self.end, async { each!(self.open, Open::open => open.rollback().await) }).await
    }
}

impl<C: Client> OpenOn<C> {
    async fn begin(pool: &Arc<Connections<C>>) -> Result<Self, DbErr> {
        let (lease, _) = pool.begin(C::BEGIN, run_sql).await?;
        Ok(Self { pool: Arc::clone(pool), state: Mutex::new(State::Begun(lease)) })
    }

    /// Runs one statement. While it runs, the state is `Interrupted`, and stays so if it is dropped.
    async fn run<T>(
        &self,
        statement: &Statement,
        run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let mut state = self.state.lock().await;
        let is_first = matches!(*state, State::Begun(_));
        let mut lease = std::mem::replace(&mut *state, State::Interrupted).open()?;
        let mut result = lease.run(statement, &run).await;
        // Nothing is lost with a transaction that has done nothing.
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
                self.pool.rules.renewal.writable();
            }
        }
        result.map_err(statement_error)
    }

    async fn run_observed<T>(
        &self,
        statement: Statement,
        run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        self.pool.observed(&statement, self.run(&statement, run)).await
    }

    async fn commit(self) -> Result<(), DbErr> {
        end(self.state.into_inner().open()?, "COMMIT").await
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
    lease.run(sql, &run_sql).await.map_err(statement_error)?;
    lease.give_back();
    Ok(())
}

/// Runs a statement without values, and without preparing it.
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
        match self.open {
            Open::Sqlite(_) => DbBackend::Sqlite,
            Open::Postgres(_) => DbBackend::Postgres,
            Open::MySql(_) => DbBackend::MySql,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let run = async { each!(&self.open, Open::open => open.run_observed(statement, Client::execute).await) };
        in_time_until(self.end, run).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let statement = Statement::from_string(self.get_database_backend(), sql);
        let run = async { each!(&self.open, Open::open => open.run(&statement, run_text).await) };
        in_time_until(self.end, run).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let run = async { each!(&self.open, Open::open => open.run_observed(statement, Client::query_one).await) };
        in_time_until(self.end, run).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let run = async { each!(&self.open, Open::open => open.run_observed(statement, Client::query_all).await) };
        in_time_until(self.end, run).await
    }
}
