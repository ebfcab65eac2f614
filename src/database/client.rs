//! A connection to one of the three databases: what can be sent to it, and how a transaction begins.

use sea_orm::{
    ExecResult, QueryResult, Statement,
    sqlx::{self, AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection, query::Query},
};
use sea_query_sqlx::SqlxValues;

/// How a statement with values is prepared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preparation {
    /// Once for each connection, under a name.
    Named,
    /// For each execution, without a name. Behind a pooler in transaction mode, the next transaction may run on another
    /// connection of the pooler, which does not know the name, or knows another statement by it.
    Unnamed,
}

/// A connection that statements can be sent to. They are SeaQuery's: values are bound, never part of the text.
pub trait Client: Connection + 'static {
    /// Begins a transaction that writes.
    const BEGIN: &'static str;

    /// Runs SQL without values, and without preparing it.
    fn run(&mut self, sql: &str) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement for its effect.
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
    ($connection:ty, $begin:expr) => {
        impl Client for $connection {
            const BEGIN: &'static str = $begin;

            async fn run(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, AssertSqlSafe(sql)).await.map(Into::into)
            }

            async fn execute(&mut self, statement: &Statement, how: Preparation) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, query(statement, how)).await.map(Into::into)
            }

            async fn query_one(
                &mut self,
                statement: &Statement,
                how: Preparation,
            ) -> Result<Option<QueryResult>, sqlx::Error> {
                Ok(self.fetch_optional(query(statement, how)).await?.map(Into::into))
            }

            async fn query_all(
                &mut self,
                statement: &Statement,
                how: Preparation,
            ) -> Result<Vec<QueryResult>, sqlx::Error> {
                Ok(self.fetch_all(query(statement, how)).await?.into_iter().map(Into::into).collect())
            }
        }
    };
}

/// Limits that PostgreSQL keeps for the rest of a transaction. They end a statement before [`super::TIMEOUT`]: one that
/// waits for a lock would otherwise keep its connection on the server, and each retry one more. They belong to the
/// transaction, because a pooler may give the next one of this session another connection, and refuses limits at the start
/// of a session. They follow BEGIN in one round trip.
macro_rules! with_limits {
    ($begin:literal) => {
        concat!(
            $begin,
            "; SET LOCAL statement_timeout = '3500ms'; SET LOCAL idle_in_transaction_session_timeout = '3500ms'"
        )
    };
}

/// Begins a transaction on PostgreSQL that only reads.
pub const POSTGRES_BEGIN_READ: &str = with_limits!("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY");

// A deferred transaction fails with "database is locked" when it turns from reading to writing.
client!(SqliteConnection, "BEGIN IMMEDIATE");
client!(PgConnection, with_limits!("BEGIN ISOLATION LEVEL READ COMMITTED"));
// Its connections are set to READ COMMITTED when they are opened.
client!(MySqlConnection, "BEGIN");

/// Runs SQL without values, as [`Client::run`].
pub async fn run_sql<C: Client>(connection: &mut C, sql: &str, _: Preparation) -> Result<ExecResult, sqlx::Error> {
    connection.run(sql).await
}

fn query<DB>(statement: &Statement, preparation: Preparation) -> Query<'_, DB, SqlxValues>
where
    DB: sqlx::Database + sqlx::database::HasStatementCache,
    SqlxValues: sqlx::IntoArguments<DB>,
{
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
        .persistent(preparation == Preparation::Named)
}
