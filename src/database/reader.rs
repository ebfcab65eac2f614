//! Single read statements. If the connection turns out to be lost, the read is retried on a new one, which is safe
//! because a read changes nothing.

use std::{sync::Arc, time::Instant};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, metric, sqlx};
use uuid::Uuid;

use crate::{
    database::{
        client::{Client, Preparation, SQLITE, in_span},
        connections::{Connections, Pool, dispatch},
        local_reads::{LocalReads, LocalRow, NotLocal},
        with_timeout,
    },
    traces,
};

/// Runs single read statements. Use [`super::Database::write`] for statements that write.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) pool: Pool,
    /// On SQLite.
    pub(super) local: Option<Arc<LocalReads>>,
}

impl Reader {
    /// Runs a query whose only parameter is a primary key on the current thread, if the database is an SQLite file, and
    /// reads its first row.
    ///
    /// # Errors
    /// [`NotLocal`] if the query must be run as a [`Statement`] instead.
    pub(crate) fn find_local<T>(
        &self,
        sql: &str,
        id: Uuid,
        read: impl FnOnce(&LocalRow<'_, '_>) -> Result<T, DbErr>,
    ) -> Result<Option<T>, NotLocal> {
        let local = self.local.as_ref().ok_or(NotLocal)?;
        let span = traces::begin_statement(SQLITE, sql);
        let start = Instant::now();
        let found = local.find(sql, id, read);
        span.end(found.as_ref().map(drop), |NotLocal| "not_local".into());
        let Some(observer) = self.pool.observer() else {
            return found;
        };
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [id.into()]);
        if found.is_ok() {
            observer(&metric::Info { elapsed: start.elapsed(), statement: &statement, failed: false });
        }
        found
    }
}

/// Runs one statement. If the request is dropped during the statement, the connection is closed.
async fn read<C: Client, T>(
    connections: &Arc<Connections<C>>,
    statement: Statement,
    run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
) -> Result<T, DbErr> {
    let reading = async {
        let (lease, value) = with_timeout(connections.begin(&statement, run)).await?;
        lease.release();
        Ok(value)
    };
    connections.run_observed(&statement, in_span(C::SYSTEM, &statement.sql, reading)).await
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        dispatch!(&self.pool, Pool::connections => read(connections, statement, Client::execute).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        dispatch!(&self.pool, Pool::connections => read(connections, statement, Client::query_one).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        dispatch!(&self.pool, Pool::connections => read(connections, statement, Client::query_all).await)
    }
}
