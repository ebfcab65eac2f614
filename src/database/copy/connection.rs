//! The two connections of a copy. Unlike those of a server, their statements have no time limits.

use std::path::Path;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    sqlx::{
        ConnectOptions as _, Connection, MySqlConnection, PgConnection, SqliteConnection,
        mysql::MySqlConnectOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteLockingMode},
    },
};
use tokio::sync::Mutex;

use crate::{
    config::{DatabaseUrl, ExposeSecret},
    database::{
        client::{Client, Preparation},
        connect,
        connections::{connection_error, dispatch, statement_error},
    },
};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Source,
    Target,
}

/// A connection to the source or the target.
pub(super) struct CopyConnection {
    inner: Inner,
    preparation: Preparation,
}

enum Inner {
    Sqlite(Mutex<SqliteConnection>),
    Postgres(Mutex<PgConnection>),
    MySql(Mutex<MySqlConnection>),
}

/// Removes the time limits of a transaction on PostgreSQL.
macro_rules! without_limits {
    ($begin:literal) => {
        concat!(
            $begin,
            "; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0"
        )
    };
}

/// Session settings on MariaDB or MySQL. Each server treats the other's settings as comments.
const MYSQL_SETUP: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET SESSION wait_timeout = 28800 \
    /*M! , max_statement_time = 0, idle_transaction_timeout = 0 */ /*!80000 , max_execution_time = 0 */";

impl CopyConnection {
    /// Connects to a database, which must exist. An SQLite source is locked, so that no server changes it meanwhile.
    ///
    /// # Errors
    /// Returns an error if the database is unreachable, or if another process has opened an SQLite source.
    pub(super) async fn open(url: &DatabaseUrl, role: Role) -> Result<Self, DbErr> {
        let mut preparation = Preparation::Named;
        let inner = match url {
            DatabaseUrl::Sqlite(path) => {
                let options = sqlite(path, role);
                Inner::Sqlite(Mutex::new(SqliteConnection::connect_with(&options).await.map_err(connection_error)?))
            }
            DatabaseUrl::Postgres(text) => {
                if connect::is_unnamed(text) {
                    preparation = Preparation::Unnamed;
                }
                let options: PgConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
                let options = connect::postgres(options, " copy").disable_statement_logging();
                Inner::Postgres(Mutex::new(PgConnection::connect_with(&options).await.map_err(connection_error)?))
            }
            DatabaseUrl::MySql(text) => {
                let options: MySqlConnectOptions = text.expose_secret().parse().map_err(connection_error)?;
                let options = options.disable_statement_logging();
                let mut connection = MySqlConnection::connect_with(&options).await.map_err(connection_error)?;
                Client::run(&mut connection, MYSQL_SETUP).await.map_err(statement_error)?;
                Inner::MySql(Mutex::new(connection))
            }
        };
        Ok(Self { inner, preparation })
    }

    /// Begins a transaction that reads one state of the database.
    pub(super) async fn begin_snapshot(&self) -> Result<(), DbErr> {
        self.run(match self.get_database_backend() {
            DbBackend::Postgres => without_limits!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            DbBackend::MySql => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            _ => "BEGIN",
        })
        .await
    }

    /// Begins a transaction that writes. It is rolled back if the connection is closed.
    pub(super) async fn begin(&self) -> Result<(), DbErr> {
        self.run(match self.get_database_backend() {
            DbBackend::Postgres => without_limits!("BEGIN"),
            DbBackend::MySql => "BEGIN",
            _ => "BEGIN IMMEDIATE",
        })
        .await
    }

    /// Commits the transaction.
    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        self.run("COMMIT").await
    }

    /// Ends the transaction without its changes.
    pub(super) async fn rollback(&self) -> Result<(), DbErr> {
        self.run("ROLLBACK").await
    }

    /// Runs statements without values.
    pub(super) async fn run(&self, sql: &str) -> Result<(), DbErr> {
        self.execute_unprepared(sql).await.map(drop)
    }

    /// Closes the connection.
    pub(super) async fn close(self) -> Result<(), DbErr> {
        dispatch!(self.inner, Inner::connection => connection.into_inner().close().await).map_err(connection_error)
    }

    /// The number of other sessions that use the same database as the same user. `None` if it is not known.
    pub(super) async fn count_other_sessions(&self) -> Option<i64> {
        let backend = self.get_database_backend();
        let count = match backend {
            DbBackend::Postgres => {
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user \
                 AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            }
            DbBackend::MySql => {
                "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            }
            _ => return None,
        };
        self.query_one_raw(Statement::from_string(backend, count)).await.ok()??.try_get_by_index(0).ok()
    }
}

fn sqlite(path: &Path, role: Role) -> SqliteConnectOptions {
    let options = connect::sqlite(SqliteConnectOptions::new(), path);
    // In this mode, the connection keeps its lock until it is closed.
    if role == Role::Source { options.locking_mode(SqliteLockingMode::Exclusive) } else { options }
}

#[async_trait::async_trait]
impl ConnectionTrait for CopyConnection {
    fn get_database_backend(&self) -> DbBackend {
        match self.inner {
            Inner::Sqlite(_) => DbBackend::Sqlite,
            Inner::Postgres(_) => DbBackend::Postgres,
            Inner::MySql(_) => DbBackend::MySql,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let result = dispatch!(&self.inner, Inner::connection => {
            Client::execute(&mut *connection.lock().await, &statement, self.preparation).await
        });
        result.map_err(statement_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let result = dispatch!(&self.inner, Inner::connection => Client::run(&mut *connection.lock().await, sql).await);
        result.map_err(statement_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let result = dispatch!(&self.inner, Inner::connection => {
            Client::query_one(&mut *connection.lock().await, &statement, self.preparation).await
        });
        result.map_err(statement_error)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let result = dispatch!(&self.inner, Inner::connection => {
            Client::query_all(&mut *connection.lock().await, &statement, self.preparation).await
        });
        result.map_err(statement_error)
    }
}
