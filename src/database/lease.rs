//! A connection in use, from the moment it is taken from the others until it is given back or closed.

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
    rules::Rules,
};

/// How long the place of a connection that was not returned stays taken at most, while the connection closes. On SQLite
/// its thread may still be waiting for the file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection, and what tells whether it may be used again.
pub(super) struct Opened<C: Client> {
    pub(super) connection: C,
    at: Instant,
    /// The count of renewals when it was opened.
    renewal: u64,
    /// Whether its node has refused a write.
    is_read_only: bool,
}

impl<C: Client> Opened<C> {
    pub(super) fn new(connection: C, renewal: u64) -> Self {
        Self { connection, at: Instant::now(), renewal, is_read_only: false }
    }

    pub(super) fn is_current(&self, rules: &Rules<C>) -> bool {
        !self.is_read_only
            && self.renewal == rules.renewal.count()
            && rules.max_age.is_none_or(|max_age| self.at.elapsed() < max_age)
    }
}

/// A connection in use, and the place that it takes. It is closed when it is dropped: nobody knows what state it is in.
pub(super) struct Lease<C: Client> {
    pool: Arc<Connections<C>>,
    opened: Option<Opened<C>>,
    place: Option<OwnedSemaphorePermit>,
    /// When the statement began that is running.
    running_since: Option<Instant>,
}

impl<C: Client> Lease<C> {
    pub(super) fn new(pool: Arc<Connections<C>>, opened: Option<Opened<C>>, place: OwnedSemaphorePermit) -> Self {
        Self { pool, opened, place: Some(place), running_since: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    /// Opens a new connection in this place, instead of the one that there may be.
    pub(super) async fn open(&mut self) -> Result<(), DbErr> {
        if let Some(opened) = self.opened.take() {
            close(opened, None);
        }
        // Boxed: it is big, and rarely needed.
        self.opened = Some(Box::pin(self.pool.open()).await.map_err(connection_error)?);
        Ok(())
    }

    /// Runs a statement, in a transaction of its own if the rules say so.
    pub(super) async fn run<S: ?Sized, T>(
        &mut self,
        statement: &S,
        run: &impl AsyncFn(&mut C, &S, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Rules { transaction, preparation, renewal, .. } = &self.pool.rules;
        let opened = self.opened.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        self.running_since = Some(Instant::now());
        let result = run_in(*transaction, &mut opened.connection, statement, *preparation, run).await;
        self.running_since = None;
        if let Err(error) = &result {
            if is_read_only(error) {
                opened.is_read_only = true;
                renewal.read_only();
            } else if is_stale_plan(error) {
                // All connections have prepared the same statements.
                renewal.renew();
            }
        }
        result
    }

    /// Keeps the connection, which is idle and outside of any transaction, for the next one.
    pub(super) fn give_back(mut self) {
        if let Some(opened) = self.opened.take() {
            self.pool.keep(opened);
        }
    }
}

impl<C: Client> Drop for Lease<C> {
    fn drop(&mut self) {
        let Some(opened) = self.opened.take() else {
            return;
        };
        if let (Some(start), Some(abandoned)) = (self.running_since, &self.pool.rules.abandoned)
            && Handle::try_current().is_ok()
        {
            abandoned.add(start);
        }
        close(opened, self.place.take());
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

/// Closes a connection in the background. Its place, if it has one, is free only then: threads of SQLite that wait for the
/// file must not add up.
pub(super) fn close<C: Client>(opened: Opened<C>, place: Option<OwnedSemaphorePermit>) {
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let closing = async move {
        let _ = timeout(CLOSE_TIMEOUT, opened.connection.close()).await;
        drop(place);
    };
    runtime.spawn(closing.in_current_span());
}
