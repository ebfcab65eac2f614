//! Query plans.

use hallpass::database::Database;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

/// A query plan.
pub struct Plan {
    pub text: String,
    /// The steps, and whether each finds its rows by an index.
    steps: Vec<(String, bool)>,
}

impl Plan {
    /// The plan of a query on a table with few rows. The planner has to use an index if there is one.
    pub async fn by_index(database: &Database, statement: &Statement) -> Self {
        Self::of(database, statement, true).await
    }

    /// The plan that the planner chooses.
    pub async fn chosen(database: &Database, statement: &Statement) -> Self {
        Self::of(database, statement, false).await
    }

    pub fn uses_index(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|(_, uses_index)| *uses_index)
    }

    /// Whether a table with this name is read from its start to its end.
    pub fn scans(&self, table: &str) -> bool {
        let is_word = |step: &str| step.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == table);
        self.steps.iter().any(|(step, uses_index)| !uses_index && is_word(step))
    }

    async fn of(database: &Database, statement: &Statement, is_forced: bool) -> Self {
        let transaction = database.write().await.unwrap();
        let backend = transaction.get_database_backend();
        let explain = match backend {
            DbBackend::Sqlite => "EXPLAIN QUERY PLAN",
            _ => "EXPLAIN",
        };
        if is_forced && backend == DbBackend::Postgres {
            // Otherwise PostgreSQL scans a table with one row.
            transaction.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
        }
        let statement = Statement {
            sql: format!("{explain} {}", statement.sql),
            values: statement.values.clone(),
            db_backend: backend,
        };
        let rows = transaction.query_all_raw(statement).await.unwrap();
        let steps: Vec<(String, bool)> = rows.iter().map(|row| step(row, backend, is_forced)).collect();
        let text = steps.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>().join("\n");
        Self { text, steps }
    }
}

/// A line of a plan, and whether it finds its rows by an index.
fn step(row: &QueryResult, backend: DbBackend, is_forced: bool) -> (String, bool) {
    match backend {
        DbBackend::Sqlite => {
            let detail: String = row.try_get("", "detail").unwrap();
            // The lines that do not start with SCAN or SEARCH are about sorting.
            let uses_index = !detail.starts_with("SCAN");
            (detail, uses_index)
        }
        DbBackend::Postgres => {
            let line: String = row.try_get_by_index(0).unwrap();
            let uses_index = !line.contains("Seq Scan");
            (line, uses_index)
        }
        _ => {
            let table: Option<String> = row.try_get("", "table").unwrap();
            let access: Option<String> = row.try_get("", "type").unwrap();
            let extra: Option<String> = row.try_get("", "Extra").unwrap();
            // The optimizer has already looked up a unique key and found no row.
            let is_absent = extra.as_deref() == Some("Impossible WHERE noticed after reading const tables");
            // MySQL scans a table with a few rows although it has an index for the query.
            let keys: Option<String> = row.try_get("", "possible_keys").unwrap();
            let is_small = is_forced && access.as_deref() == Some("ALL") && keys.is_some();
            // A second index may filter the rows that the first one finds: `ref|filter`.
            let found_by = access.as_deref().and_then(|access| access.split('|').next());
            let uses_index = is_absent
                || is_small
                || matches!(
                    found_by,
                    Some("const" | "eq_ref" | "ref" | "range" | "unique_subquery" | "index_subquery")
                );
            (format!("{table:?} {access:?} {extra:?}"), uses_index)
        }
    }
}
