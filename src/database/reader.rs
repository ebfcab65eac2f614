//! Reading.
//!
//! On PostgreSQL and MySQL through the driver's pool. On SQLite through connections kept here, because the pool asks a
//! connection whether it still lives before and after each use, which is two of three visits to its thread: a file does
//! not go away between two reads, and `me` costs a third less without.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, metric,
    sqlx::{
        self, AssertSqlSafe, Connection, Executor,
        sqlite::{SqliteConnectOptions, SqliteConnection},
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{Semaphore, SemaphorePermit};

type Query<'a> = sqlx::query::Query<'a, sqlx::Sqlite, SqlxValues>;

/// What is called for each statement, for tests and measurements.
pub(super) type Observer = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// Something to read from. Statements that write belong to [`super::Database::write`].
#[derive(Clone, Debug)]
pub enum Reader {
    /// The driver's pool, of PostgreSQL or MySQL.
    Pool(DatabaseConnection),
    /// Connections to an SQLite file.
    Sqlite(Arc<SqliteReader>),
}

/// A few connections to an SQLite file, opened when they are first needed.
pub struct SqliteReader {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    places: Semaphore,
    acquire_timeout: Duration,
    observer: OnceLock<Observer>,
}

impl fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteReader")
    }
}

impl SqliteReader {
    pub(super) fn new(options: SqliteConnectOptions, connections: u32, acquire_timeout: Duration) -> Self {
        Self {
            options,
            idle: Mutex::new(Vec::new()),
            places: Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX)),
            acquire_timeout,
            observer: OnceLock::new(),
        }
    }

    /// The first observer stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// Closes the idle connections, and gives out no more.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.close().await.map_err(connection_error)?;
        }
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, DbErr> {
        match tokio::time::timeout(self.acquire_timeout, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// Runs one statement. If the request goes away meanwhile, its connection goes too: nobody knows what state it is in.
    async fn run<T>(
        &self,
        mut statement: Statement,
        run: impl AsyncFnOnce(&mut SqliteConnection, Query<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let _place = self.place().await?;
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.options).await.map_err(connection_error)?,
        };
        let observer = self.observer.get();
        let start = Instant::now();
        let values = if observer.is_some() { statement.values.clone() } else { statement.values.take() };
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        // The text comes from SeaQuery: values are bound, never part of it.
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values);
        let result = run(&mut connection, query).await;
        // After an error, too, it is cheaper to open another one than to find out how this one is.
        if result.is_ok() {
            self.idle().push(connection);
        }
        if let Some(observer) = observer {
            observer(&metric::Info { elapsed: start.elapsed(), statement: &statement, failed: result.is_err() });
        }
        result.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Pool(pool) => pool.get_database_backend(),
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Pool(pool) => pool.execute_raw(statement).await,
            Self::Sqlite(reader) => {
                let run = async |connection: &mut SqliteConnection, query: Query<'_>| query.execute(connection).await;
                reader.run(statement, run).await.map(Into::into)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Pool(pool) => pool.execute_unprepared(sql).await,
            Self::Sqlite(_) => self.execute_raw(Statement::from_string(DbBackend::Sqlite, sql)).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_one_raw(statement).await,
            Self::Sqlite(reader) => {
                let run =
                    async |connection: &mut SqliteConnection, query: Query<'_>| connection.fetch_optional(query).await;
                reader.run(statement, run).await.map(|row| row.map(Into::into))
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_all_raw(statement).await,
            Self::Sqlite(reader) => {
                let run = async |connection: &mut SqliteConnection, query: Query<'_>| connection.fetch_all(query).await;
                reader.run(statement, run).await.map(|rows| rows.into_iter().map(Into::into).collect())
            }
        }
    }
}
