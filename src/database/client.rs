//! Driver connections: how statements are sent, and how a transaction begins.

use std::convert::identity;

use futures_util::FutureExt;
use sea_orm::{
    DbErr, ExecResult, QueryResult, Statement, Value,
    sqlx::{self, AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection, query::Query},
};
use sea_query_sqlx::SqlxValues;

use crate::{database::error::error_type, traces};

/// How a statement with values is prepared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preparation {
    /// Once per connection, as a named statement.
    Named,
    /// For each execution, as an unnamed statement. Behind a pooler in transaction mode, the next transaction may run
    /// on another server connection, where the name is unknown or refers to another statement.
    Unnamed,
}

/// A connection that runs SeaQuery statements. Values are always bound, never part of the SQL text.
pub trait Client: Connection + 'static {
    /// SQL that begins a write transaction.
    const BEGIN: &'static str;

    /// The name of the database in traces (OpenTelemetry semantic conventions, `db.system.name`).
    const SYSTEM: &'static str;

    /// Runs SQL without values and without preparing it.
    fn run(&mut self, sql: &str) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement and returns its result, such as the number of affected rows.
    fn execute(
        &mut self,
        statement: &Statement,
        preparation: Preparation,
    ) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement and returns its first row.
    fn query_one(
        &mut self,
        statement: &Statement,
        preparation: Preparation,
    ) -> impl Future<Output = Result<Option<QueryResult>, sqlx::Error>> + Send;

    /// Runs a statement and returns all of its rows.
    fn query_all(
        &mut self,
        statement: &Statement,
        preparation: Preparation,
    ) -> impl Future<Output = Result<Vec<QueryResult>, sqlx::Error>> + Send;
}

macro_rules! client {
    ($connection:ty, $system:expr, $begin:expr, $bind:expr) => {
        impl Client for $connection {
            const BEGIN: &'static str = $begin;
            const SYSTEM: &'static str = $system;

            async fn run(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, AssertSqlSafe(sql)).await.map(Into::into)
            }

            async fn execute(
                &mut self,
                statement: &Statement,
                preparation: Preparation,
            ) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, query(statement, preparation, $bind)).await.map(Into::into)
            }

            async fn query_one(
                &mut self,
                statement: &Statement,
                preparation: Preparation,
            ) -> Result<Option<QueryResult>, sqlx::Error> {
                Ok(self.fetch_optional(query(statement, preparation, $bind)).await?.map(Into::into))
            }

            async fn query_all(
                &mut self,
                statement: &Statement,
                preparation: Preparation,
            ) -> Result<Vec<QueryResult>, sqlx::Error> {
                Ok(self.fetch_all(query(statement, preparation, $bind)).await?.into_iter().map(Into::into).collect())
            }
        }
    };
}

/// Adds time limits for the rest of a PostgreSQL transaction.
///
/// The limits end a statement before [`super::TIMEOUT`]. Otherwise a statement that waits for a lock would keep its
/// server connection, and each retry would occupy one more. The limits are set per transaction because a pooler may
/// switch to another connection between transactions, and refuses limits at the start of a session. They are sent with
/// BEGIN in one round trip.
macro_rules! with_limits {
    ($begin:literal) => {
        concat!(
            $begin,
            "; SET LOCAL statement_timeout = '3500ms'; SET LOCAL idle_in_transaction_session_timeout = '3500ms'"
        )
    };
}

/// SQL that begins a read-only transaction on PostgreSQL.
pub const POSTGRES_BEGIN_READ: &str = with_limits!("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY");

/// The name of SQLite in traces.
pub const SQLITE: &str = "sqlite";

// A deferred transaction fails with "database is locked" when it changes from reading to writing.
client!(SqliteConnection, SQLITE, "BEGIN IMMEDIATE", identity);
client!(PgConnection, "postgresql", with_limits!("BEGIN ISOLATION LEVEL READ COMMITTED"), identity);
// Connections are set to READ COMMITTED when they are opened.
client!(MySqlConnection, "mysql", "BEGIN", without_time_zone);

/// Runs SQL without values, like [`Client::run`]. Its signature fits [`super::connections::Connections::begin`].
pub async fn run_sql<C: Client>(connection: &mut C, sql: &str, _: Preparation) -> Result<ExecResult, sqlx::Error> {
    connection.run(sql).await
}

/// Runs a statement in a span of the current trace, if there is one.
pub fn in_span<T, F: Future<Output = Result<T, DbErr>>>(
    system: &'static str,
    sql: &str,
    run: F,
) -> impl Future<Output = Result<T, DbErr>> + use<T, F> {
    let span = traces::begin_statement(system, sql);
    run.map(move |result| {
        span.end(result.as_ref().map(drop), error_type);
        result
    })
}

/// Binds a time in UTC as a `datetime`. The driver binds one with a time zone as a `timestamp`, which ends in 2038: MariaDB would
/// store NULL.
fn without_time_zone(value: Value) -> Value {
    match value {
        Value::ChronoDateTimeUtc(time) => Value::ChronoDateTime(time.map(|time| time.naive_utc())),
        value => value,
    }
}

fn query<DB>(statement: &Statement, preparation: Preparation, bind: fn(Value) -> Value) -> Query<'_, DB, SqlxValues>
where
    DB: sqlx::Database + sqlx::database::HasStatementCache,
    SqlxValues: sqlx::IntoArguments<DB>,
{
    let values = statement.values.as_ref().map_or_else(Vec::new, |values| values.iter().cloned().map(bind).collect());
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(sea_orm::Values(values)))
        .persistent(preparation == Preparation::Named)
}
