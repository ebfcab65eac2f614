//! Connection pools that replace the driver's pool.
//!
//! The driver's pool tests a connection before or after each use. That costs a round trip to the server, or on SQLite
//! two switches to the connection's thread, for every `me` query. The driver's pool also takes back a connection whose
//! last future was dropped during a statement or BEGIN, without knowing its state. These pools assume that a connection
//! works until its next use fails, and keep only connections that are known to be clean.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    DbBackend, DbErr, RuntimeErr, Statement, metric,
    sqlx::{self, Database as _, MySqlConnection, PgConnection, SqliteConnection},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    database::{
        client::{Client, Preparation},
        error::{closed, is_connection_lost, is_stale_plan},
        lease::{Lease, PooledConnection, close},
        pool_options::PoolOptions,
    },
    metrics::{PoolState, PoolWaits},
};

/// Maximum idle time of a connection. A firewall or proxy may silently drop a connection that is idle for longer, so it
/// is not used again.
pub(super) const MAX_IDLE: Duration = Duration::from_mins(1);

/// How long to wait for connections in use when the pool closes.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A callback for each statement, for tests and measurements.
pub(super) type Observer = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// A connection pool of any of the three databases.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(Arc<Connections<SqliteConnection>>),
    Postgres(Arc<Connections<PgConnection>>),
    MySql(Arc<Connections<MySqlConnection>>),
}

/// Evaluates the same expression for each variant of an enum that has one variant per database.
macro_rules! dispatch {
    ($on:expr, $type:ident::$inner:ident => $do:expr) => {
        match $on {
            $type::Sqlite($inner) => $do,
            $type::Postgres($inner) => $do,
            $type::MySql($inner) => $do,
        }
    };
}
pub(super) use dispatch;

impl Pool {
    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
            Self::MySql(_) => DbBackend::MySql,
        }
    }

    /// Sets the observer. Only the first call has an effect.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = dispatch!(self, Pool::connections => connections.observer.set(observer));
    }

    /// The observer, if it was set.
    pub(super) fn observer(&self) -> Option<&Observer> {
        dispatch!(self, Pool::connections => connections.observer.get())
    }

    /// Opens a connection to check that the database is reachable.
    pub(super) async fn connect(&self) -> Result<(), DbErr> {
        dispatch!(self, Pool::connections => {
            let (lease, ()) = connections.begin("", async |_, _, _| Ok(())).await?;
            lease.release();
        });
        Ok(())
    }

    /// The connections of the pool now, with the name of the pool.
    pub(super) fn state(&self, pool: &'static str) -> PoolState {
        dispatch!(self, Pool::connections => connections.state(pool))
    }

    /// Closes all connections and opens no new ones. Waits briefly for those in use.
    pub(super) async fn close(&self) {
        dispatch!(self, Pool::connections => connections.close().await);
    }
}

/// A pool of connections to one database, opened on demand.
pub(super) struct Connections<C: Client> {
    pub(super) options: PoolOptions<C>,
    /// Idle connections and when they were last used, the most recent at the end.
    idle: Mutex<Vec<(Instant, PooledConnection<C>)>>,
    /// One permit per connection, granted in the order of the requests.
    permits: Arc<Semaphore>,
    waits: PoolWaits,
    observer: OnceLock<Observer>,
}

impl<C: Client> fmt::Debug for Connections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({})", C::Database::NAME)
    }
}

impl<C: Client> Connections<C> {
    pub(super) fn new(options: PoolOptions<C>, waits: PoolWaits) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::new(Vec::new()),
            permits: Arc::new(Semaphore::new(usize::try_from(options.max_connections).unwrap_or(usize::MAX))),
            waits,
            observer: OnceLock::new(),
            options,
        })
    }

    /// Waits for a permit and runs a statement on the most recently used connection. If there is no idle connection, or
    /// it turns out to be lost or out of date, the statement runs on a new one. The statement must therefore change
    /// nothing, such as a read or BEGIN.
    pub(super) async fn begin<S: Sync + ?Sized, T>(
        self: &Arc<Self>,
        statement: &S,
        run: impl AsyncFn(&mut C, &S, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<(Lease<C>, T), DbErr> {
        let permit = self.permit().await?;
        self.options.check_file()?;
        let mut lease = Lease::new(Arc::clone(self), self.pop_idle(), permit);
        if lease.is_open() {
            match lease.run(statement, &run).await {
                Ok(value) => return Ok((lease, value)),
                Err(error) if is_connection_lost(&error) => {
                    // The other idle connections were most likely lost too.
                    self.idle().clear();
                }
                Err(error) if is_stale_plan(&error) => {}
                Err(error) => return Err(statement_error(error)),
            }
        }
        lease.open().await?;
        let value = lease.run(statement, &run).await.map_err(statement_error)?;
        Ok((lease, value))
    }

    /// Waits for a permit, and measures the wait if there is one.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        // There is no free permit while others wait, so this does not overtake them.
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _wait = self.waits.begin();
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())
    }

    fn state(&self, pool: &'static str) -> PoolState {
        let max = usize::try_from(self.options.max_connections).unwrap_or(usize::MAX);
        PoolState { pool, max, in_use: max - self.permits.available_permits().min(max), idle: self.idle().len() }
    }

    /// Runs a statement and reports its duration and result to the observer.
    pub(super) async fn run_observed<T>(
        &self,
        statement: &Statement,
        run: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let Some(observer) = self.observer.get() else {
            return run.await;
        };
        let start = Instant::now();
        let result = run.await;
        observer(&metric::Info { elapsed: start.elapsed(), statement, failed: result.is_err() });
        result
    }

    async fn close(&self) {
        // Requests that arrive from now on wait behind this one, until the semaphore is closed.
        let _ = timeout(DRAIN_TIMEOUT, self.permits.acquire_many(self.options.max_connections)).await;
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for (_, pooled) in idle {
            match timeout(DRAIN_TIMEOUT, pooled.connection.close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "failed to close a database connection"),
                Err(_) => tracing::warn!("timed out closing a database connection"),
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, PooledConnection<C>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the most recently used connection that may be used again.
    fn pop_idle(&self) -> Option<PooledConnection<C>> {
        loop {
            let (used, pooled) = self.idle().pop()?;
            if used.elapsed() < MAX_IDLE && pooled.is_current(&self.options) {
                return Some(pooled);
            }
            close(pooled, None);
        }
    }

    /// Returns a connection to the pool, or closes it if it must not be used again.
    pub(super) fn recycle(&self, pooled: PooledConnection<C>) {
        if self.permits.is_closed() || !pooled.is_current(&self.options) {
            close(pooled, None);
        } else {
            self.idle().push((Instant::now(), pooled));
        }
    }

    pub(super) async fn open(&self) -> Result<PooledConnection<C>, sqlx::Error> {
        let renewal = self.options.renewal.count();
        let mut connection = C::connect_with(&self.options.connect_options).await?;
        if !self.options.setup.is_empty() {
            connection.run(self.options.setup).await?;
        }
        Ok(PooledConnection::new(connection, renewal))
    }
}

pub(super) fn statement_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

#[cfg(test)]
mod tests {
    use sea_orm::sqlx::{SqliteConnection, sqlite::SqliteConnectOptions};

    use crate::{
        database::{client::run_sql, connections::*, renewal::Renewal},
        metrics::WaitMetrics,
    };

    /// A pool of in-memory databases. Each connection has its own database, so a marker table in it identifies the
    /// connection.
    fn connections(max_age: Duration) -> (Arc<Connections<SqliteConnection>>, Arc<Renewal>) {
        let renewal = Arc::new(Renewal::default());
        let connect_options = SqliteConnectOptions::new().in_memory(true);
        let options = PoolOptions { max_age: Some(max_age), ..PoolOptions::new(connect_options, 1, &renewal) };
        (Connections::new(options, WaitMetrics::default().of_pool("read")), renewal)
    }

    async fn run(connections: &Arc<Connections<SqliteConnection>>, sql: &str) -> Result<(), DbErr> {
        let (lease, _) = connections.begin(sql, run_sql).await?;
        lease.release();
        Ok(())
    }

    const CREATE_MARKER: &str = "CREATE TABLE marker (x)";
    const READ_MARKER: &str = "SELECT x FROM marker";

    #[tokio::test]
    async fn connection_is_reused_until_its_max_age() {
        for (max_age, is_reused) in [(Duration::from_mins(1), true), (Duration::ZERO, false)] {
            let (connections, _) = connections(max_age);
            run(&connections, CREATE_MARKER).await.unwrap();
            assert_eq!(run(&connections, READ_MARKER).await.is_ok(), is_reused, "{max_age:?}");
        }
    }

    #[tokio::test]
    async fn connection_in_use_during_renewal_is_not_reused() {
        let (connections, renewal) = connections(Duration::from_mins(1));
        run(&connections, CREATE_MARKER).await.unwrap();
        let (lease, _) = connections.begin(READ_MARKER, run_sql).await.unwrap();
        renewal.renew();
        lease.release();
        run(&connections, READ_MARKER).await.unwrap_err();
    }

    #[tokio::test]
    async fn renewal_replaces_idle_connections() {
        let (connections, renewal) = connections(Duration::from_mins(1));
        run(&connections, CREATE_MARKER).await.unwrap();
        renewal.renew();
        run(&connections, READ_MARKER).await.unwrap_err();
    }
}
