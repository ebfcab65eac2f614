//! Single read statements. If the connection turns out to be lost, the read is retried on a new one, which is safe
//! because a read changes nothing.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, sqlx};

use crate::database::{
    client::{Client, Preparation},
    connections::{Connections, Pool, dispatch},
    with_timeout,
};

/// Runs single read statements. Use [`super::Database::write`] for statements that write.
#[derive(Clone, Debug)]
pub struct Reader(pub(super) Pool);

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
    connections.run_observed(&statement, reading).await
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        dispatch!(&self.0, Pool::connections => read(connections, statement, Client::execute).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        dispatch!(&self.0, Pool::connections => read(connections, statement, Client::query_one).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        dispatch!(&self.0, Pool::connections => read(connections, statement, Client::query_all).await)
    }
}
