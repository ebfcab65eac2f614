//! What `hallpass doctor` asks a database.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use crate::database::Database;

/// What a database says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The product and its version.
    pub server: String,
    /// The privileges that the user needs and does not have. On MySQL and MariaDB, those of roles are not known.
    pub missing_privileges: Vec<String>,
    /// How far the clock of the server is ahead of this machine's, in whole seconds. `None` on SQLite, which has none.
    pub clock_difference: Option<TimeDelta>,
}

/// What migrations and requests need on MySQL and MariaDB.
const MYSQL_PRIVILEGES: [&str; 9] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"];

impl Database {
    /// Asks the database for its version, its clock and the privileges of the user. Changes nothing.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn diagnose(&self, now: DateTime<Utc>) -> Result<Diagnosis, DbErr> {
        let (version, clock) = match self.reader.get_database_backend() {
            DbBackend::Postgres => {
                ("SELECT version()", Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)"))
            }
            DbBackend::MySql => ("SELECT VERSION()", Some("SELECT CAST(UNIX_TIMESTAMP() AS SIGNED)")),
            _ => ("SELECT 'SQLite ' || sqlite_version()", None),
        };
        let version: Vec<String> = self.texts(version).await?;
        let clock_difference = match clock {
            Some(clock) => self.rows(clock).await?.first().map(|row| row.try_get_by_index::<i64>(0)).transpose()?,
            None => None,
        };
        Ok(Diagnosis {
            server: version.into_iter().next().unwrap_or_default(),
            missing_privileges: self.missing_privileges().await?,
            clock_difference: clock_difference.map(|seconds| TimeDelta::seconds(seconds - now.timestamp())),
        })
    }

    async fn missing_privileges(&self) -> Result<Vec<String>, DbErr> {
        match self.reader.get_database_backend() {
            DbBackend::Postgres => {
                self.texts(
                    "SELECT 'CREATE on the schema ' || current_schema() \
                         WHERE NOT has_schema_privilege(current_schema(), 'CREATE') \
                     UNION ALL SELECT privilege || ' on ' || count(*) || ' tables, such as ' || min(tablename) \
                         FROM pg_tables CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege \
                         WHERE schemaname = current_schema() \
                         AND NOT has_table_privilege(format('%I.%I', schemaname, tablename), privilege) \
                         GROUP BY privilege",
                )
                .await
            }
            DbBackend::MySql => {
                let granted = self
                    .texts(
                        "SELECT CAST(privilege_type AS CHAR) FROM information_schema.user_privileges \
                             WHERE REPLACE(grantee, '''', '') = CURRENT_USER() \
                         UNION SELECT CAST(privilege_type AS CHAR) FROM information_schema.schema_privileges \
                             WHERE REPLACE(grantee, '''', '') = CURRENT_USER() \
                             AND DATABASE() LIKE table_schema",
                    )
                    .await?;
                let is_granted = |privilege: &&str| granted.iter().any(|granted| granted == privilege);
                Ok(MYSQL_PRIVILEGES.into_iter().filter(|name| !is_granted(name)).map(ToOwned::to_owned).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn texts(&self, sql: &str) -> Result<Vec<String>, DbErr> {
        self.rows(sql).await?.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        self.reader.query_all_raw(Statement::from_string(self.reader.get_database_backend(), sql)).await
    }
}
