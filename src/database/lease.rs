//! Leases of pooled connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{DbErr, sqlx};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};
use tracing::Instrument;

use crate::database::{
    client::{Client, Preparation},
    connections::{Connections, connection_error},
    error::{is_read_only, is_stale_plan},
    pool_options::PoolOptions,
};

/// How long a dropped connection keeps its permit while it closes. On SQLite, its thread may still be waiting for the
/// file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection with the data that decides whether it may be used again.
pub(super) struct PooledConnection<C: Client> {
    pub(super) connection: C,
    opened_at: Instant,
    /// The renewal count when the connection was opened.
    renewal: u64,
    /// Whether the node has refused a write.
    is_read_only: bool,
}

impl<C: Client> PooledConnection<C> {
    pub(super) fn new(connection: C, renewal: u64) -> Self {
        Self { connection, opened_at: Instant::now(), renewal, is_read_only: false }
    }

    pub(super) fn is_current(&self, options: &PoolOptions<C>) -> bool {
        !self.is_read_only
            && self.renewal == options.renewal.count()
            && options.max_age.is_none_or(|max_age| self.opened_at.elapsed() < max_age)
    }
}

/// A connection in use, with its permit. Dropping the lease closes the connection, because its state is unknown.
/// [`Lease::release`] returns it to the pool.
pub(super) struct Lease<C: Client> {
    pool: Arc<Connections<C>>,
    pooled: Option<PooledConnection<C>>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the running statement began.
    running_since: Option<Instant>,
}

impl<C: Client> Lease<C> {
    pub(super) fn new(
        pool: Arc<Connections<C>>,
        pooled: Option<PooledConnection<C>>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { pool, pooled, permit: Some(permit), running_since: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.pooled.is_some()
    }

    /// Opens a new connection, replacing the current one if present.
    pub(super) async fn open(&mut self) -> Result<(), DbErr> {
        if let Some(pooled) = self.pooled.take() {
            close(pooled, None);
        }
        // Boxed because the future is large and rarely needed.
        let pooled = Box::pin(self.pool.open()).await.map_err(connection_error)?;
        // The connection may have been opened to another file.
        self.pool.options.check_file()?;
        self.pooled = Some(pooled);
        Ok(())
    }

    /// Runs a statement, in its own transaction if the pool options say so.
    pub(super) async fn run<S: ?Sized, T>(
        &mut self,
        statement: &S,
        run: &impl AsyncFn(&mut C, &S, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let PoolOptions { transaction, preparation, renewal, .. } = &self.pool.options;
        let pooled = self.pooled.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        self.running_since = Some(Instant::now());
        let result = run_in(*transaction, &mut pooled.connection, statement, *preparation, run).await;
        self.running_since = None;
        if let Err(error) = &result {
            if is_read_only(error) {
                pooled.is_read_only = true;
                renewal.record_read_only();
            } else if is_stale_plan(error) {
                // All connections have prepared the same statements.
                renewal.renew();
            }
        }
        result
    }

    /// Returns the connection to the pool. It must be idle and outside any transaction.
    pub(super) fn release(mut self) {
        if let Some(pooled) = self.pooled.take() {
            self.pool.recycle(pooled);
        }
    }
}

impl<C: Client> Drop for Lease<C> {
    fn drop(&mut self) {
        let Some(pooled) = self.pooled.take() else {
            return;
        };
        if let (Some(start), Some(abandoned)) = (self.running_since, &self.pool.options.abandoned)
            && Handle::try_current().is_ok()
        {
            abandoned.add(start);
        }
        close(pooled, self.permit.take());
    }
}

async fn run_in<C: Client, S: ?Sized, T>(
    transaction: Option<&'static str>,
    connection: &mut C,
    statement: &S,
    preparation: Preparation,
    run: &impl AsyncFn(&mut C, &S, Preparation) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    let Some(begin) = transaction else {
        return run(connection, statement, preparation).await;
    };
    connection.run(begin).await?;
    let value = run(connection, statement, preparation).await?;
    connection.run("COMMIT").await?;
    Ok(value)
}

/// Closes a connection in the background and then releases its permit. This bounds the number of SQLite threads that
/// wait for the file.
pub(super) fn close<C: Client>(pooled: PooledConnection<C>, permit: Option<OwnedSemaphorePermit>) {
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let closing = async move {
        let _ = timeout(CLOSE_TIMEOUT, pooled.connection.close()).await;
        drop(permit);
    };
    runtime.spawn(closing.in_current_span());
}
