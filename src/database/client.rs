//! A connection to one of the three databases: what can be sent to it, and how a transaction begins.

use sea_orm::{
    ExecResult, QueryResult, Statement,
    sqlx::{self, AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection, query::Query},
};
use sea_query_sqlx::SqlxValues;

/// A connection that statements can be sent to. They are SeaQuery's: values are bound, never part of the text.
pub trait Client: Connection + 'static {
    /// Begins a transaction that writes.
    const BEGIN: &'static str;

    /// Runs SQL without values, and without preparing it.
    fn run(&mut self, sql: &str) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement for its effect.
    fn execute(&mut self, statement: &Statement) -> impl Future<Output = Result<ExecResult, sqlx::Error>> + Send;

    /// Runs a statement and returns its first row.
    fn query_one(
        &mut self,
        statement: &Statement,
    ) -> impl Future<Output = Result<Option<QueryResult>, sqlx::Error>> + Send;

    /// Runs a statement and returns all of its rows.
    fn query_all(
        &mut self,
        statement: &Statement,
    ) -> impl Future<Output = Result<Vec<QueryResult>, sqlx::Error>> + Send;
}

macro_rules! client {
    ($connection:ty, $begin:literal) => {
        impl Client for $connection {
            const BEGIN: &'static str = $begin;

            async fn run(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, AssertSqlSafe(sql)).await.map(Into::into)
            }

            async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, sqlx::Error> {
                Executor::execute(self, query(statement)).await.map(Into::into)
            }

            async fn query_one(&mut self, statement: &Statement) -> Result<Option<QueryResult>, sqlx::Error> {
                Ok(self.fetch_optional(query(statement)).await?.map(Into::into))
            }

            async fn query_all(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, sqlx::Error> {
                Ok(self.fetch_all(query(statement)).await?.into_iter().map(Into::into).collect())
            }
        }
    };
}

// A deferred transaction fails with "database is locked" when it turns from reading to writing.
client!(SqliteConnection, "BEGIN IMMEDIATE");
client!(PgConnection, "BEGIN ISOLATION LEVEL READ COMMITTED");
// Its connections are set to READ COMMITTED when they are opened.
client!(MySqlConnection, "BEGIN");

fn query<DB>(statement: &Statement) -> Query<'_, DB, SqlxValues>
where
    DB: sqlx::Database + sqlx::database::HasStatementCache,
    SqlxValues: sqlx::IntoArguments<DB>,
{
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
