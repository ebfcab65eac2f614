//! Reading, through connections kept here instead of in the driver's pool.
//!
//! The pool asks a connection whether it still lives before or after each use: a journey to the server and back, on
//! SQLite two visits to the connection's thread, for every `me`. Here a connection is taken to live. When a read finds
//! that it did not, it is read again through a new one, which is safe because reading changes nothing.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, metric,
    sqlx::{
        self, AssertSqlSafe, Connection, Database, Executor, IntoArguments, MySql, Postgres, Sqlite,
        database::HasStatementCache,
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Semaphore;

use super::error::is_connection_lost;

/// A connection that was idle for longer may have been forgotten by something between here and the server, without a
/// word: it is not used again.
const LONGEST_IDLE: Duration = Duration::from_mins(1);

type Query<'a, DB> = sqlx::query::Query<'a, DB, SqlxValues>;
type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// What is called for each statement, for tests and measurements.
pub(super) type Observer = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// Something to read from. Statements that write belong to [`super::Database::write`].
#[derive(Clone, Debug)]
pub enum Reader {
    /// Connections to an SQLite file.
    Sqlite(Arc<Readers<Sqlite>>),
    /// Connections to PostgreSQL.
    Postgres(Arc<Readers<Postgres>>),
    /// Connections to MySQL or MariaDB.
    MySql(Arc<Readers<MySql>>),
}

/// A few connections to one database, opened when they are first needed.
pub struct Readers<DB: Database> {
    options: Options<DB>,
    /// The one used last at the end, and when that was.
    idle: Mutex<Vec<(Instant, DB::Connection)>>,
    places: Semaphore,
    timeout: Duration,
    /// What a new connection runs first.
    first: Option<&'static str>,
    observer: OnceLock<Observer>,
}

impl<DB: Database> fmt::Debug for Readers<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({})", DB::NAME)
    }
}

impl<DB: Database + HasStatementCache> Readers<DB>
where
    SqlxValues: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// `timeout` is for one read with all that it takes: waiting for its turn, connecting, the answer. A new connection
    /// runs `first`.
    pub(super) fn new(options: Options<DB>, connections: u32, timeout: Duration, first: Option<&'static str>) -> Self {
        Self {
            options,
            idle: Mutex::new(Vec::new()),
            places: Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX)),
            timeout,
            first,
            observer: OnceLock::new(),
        }
    }

    /// Closes the idle connections, and gives out no more.
    async fn close(&self) -> Result<(), DbErr> {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for (_, connection) in idle {
            connection.close().await.map_err(connection_error)?;
        }
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, DB::Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, unless that is too long ago: then it is for the others, too.
    fn take_idle(&self) -> Option<DB::Connection> {
        let mut idle = self.idle();
        let (used, connection) = idle.pop()?;
        if used.elapsed() < LONGEST_IDLE {
            return Some(connection);
        }
        idle.clear();
        None
    }

    /// Runs one statement.
    async fn run<T>(
        &self,
        statement: Statement,
        run: impl AsyncFn(&mut DB::Connection, Query<'_, DB>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let Some(observer) = self.observer.get() else {
            return self.run_in_time(statement.sql.as_str(), statement.values, run).await;
        };
        let start = Instant::now();
        let result = self.run_in_time(statement.sql.as_str(), statement.values.clone(), run).await;
        observer(&metric::Info { elapsed: start.elapsed(), statement: &statement, failed: result.is_err() });
        result
    }

    async fn run_in_time<T>(
        &self,
        sql: &str,
        values: Option<sea_orm::Values>,
        run: impl AsyncFn(&mut DB::Connection, Query<'_, DB>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let result = tokio::time::timeout(self.timeout, self.run_on_some_connection(sql, values, run)).await;
        result.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    /// If the request goes away meanwhile, its connection goes too: nobody knows what state it is in.
    async fn run_on_some_connection<T>(
        &self,
        sql: &str,
        values: Option<sea_orm::Values>,
        run: impl AsyncFn(&mut DB::Connection, Query<'_, DB>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let closed = |_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        let _place = self.places.acquire().await.map_err(closed)?;
        let values = values.unwrap_or_else(|| sea_orm::Values(Vec::new()));
        // The text comes from SeaQuery: values are bound, never part of it.
        let query = |values| sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values));
        if let Some(mut connection) = self.take_idle() {
            match run(&mut connection, query(values.clone())).await {
                Err(error) if is_connection_lost(&error) => self.idle().clear(),
                result => return self.finish(connection, result),
            }
        }
        let mut connection = self.connect().await.map_err(connection_error)?;
        let result = run(&mut connection, query(values)).await;
        self.finish(connection, result)
    }

    async fn connect(&self) -> Result<DB::Connection, sqlx::Error> {
        let mut connection = DB::Connection::connect_with(&self.options).await?;
        if let Some(first) = self.first {
            connection.execute(first).await?;
        }
        Ok(connection)
    }

    /// After an error it is cheaper to open another connection than to find out how this one is.
    fn finish<T>(&self, connection: DB::Connection, result: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        if result.is_ok() {
            self.idle().push((Instant::now(), connection));
        }
        result.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }

    async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr>
    where
        ExecResult: From<DB::QueryResult>,
    {
        self.run(statement, async |connection, query| query.execute(connection).await).await.map(Into::into)
    }

    async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr>
    where
        QueryResult: From<DB::Row>,
    {
        let row = self.run(statement, async |connection, query| connection.fetch_optional(query).await).await?;
        Ok(row.map(Into::into))
    }

    async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr>
    where
        QueryResult: From<DB::Row>,
    {
        let rows = self.run(statement, async |connection, query| connection.fetch_all(query).await).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// The same for whichever database it is.
macro_rules! each {
    ($reader:expr, $readers:ident => $do:expr) => {
        match $reader {
            Reader::Sqlite($readers) => $do,
            Reader::Postgres($readers) => $do,
            Reader::MySql($readers) => $do,
        }
    };
}

impl Reader {
    /// The first observer stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = each!(self, readers => readers.observer.set(observer));
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        each!(self, readers => readers.close().await)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
            Self::MySql(_) => DbBackend::MySql,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        each!(self, readers => readers.execute(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        each!(self, readers => readers.query_one(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        each!(self, readers => readers.query_all(statement).await)
    }
}
