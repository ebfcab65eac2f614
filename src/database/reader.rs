//! Reading: one statement at a time. A read whose connection turns out to be lost is read again through a new one, which
//! is safe because reading changes nothing.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, sqlx};

use crate::database::{
    client::{Client, Preparation},
    connections::{Connections, Pool, each},
    in_time,
};

/// Something to read from. Statements that write belong to [`super::Database::write`].
#[derive(Clone, Debug)]
pub struct Reader(pub(super) Pool);

/// Runs one statement. If the request goes away meanwhile, its connection is closed.
async fn read<C: Client, T>(
    connections: &Arc<Connections<C>>,
    statement: Statement,
    run: impl AsyncFn(&mut C, &Statement, Preparation) -> Result<T, sqlx::Error>,
) -> Result<T, DbErr> {
    let reading = async {
        let (lease, value) = in_time(connections.begin(&statement, run)).await?;
        lease.give_back();
        Ok(value)
    };
    connections.observed(&statement, reading).await
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        each!(&self.0, Pool::connections => read(connections, statement, Client::execute).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        each!(&self.0, Pool::connections => read(connections, statement, Client::query_one).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        each!(&self.0, Pool::connections => read(connections, statement, Client::query_all).await)
    }
}
