//! Connections that are kept here instead of in the driver's pool.
//!
//! The driver's pool asks a connection whether it still lives before or after each use: a round trip to the server, on
//! SQLite two visits to the connection's thread, for every `me`. And it takes a connection back whose last future was
//! dropped in the middle of a statement or of BEGIN, without knowing what state it is in. Here a connection is taken to
//! live until its next use shows otherwise, and only one that is known to be clean is kept.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, DbBackend, DbErr, RuntimeErr, Statement, metric,
    sqlx::{self, Database as _, MySqlConnection, PgConnection, SqliteConnection},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{client::Client, error::is_connection_lost};

/// A connection that was idle for longer may have been forgotten by something between here and the server, without a
/// word: it is not used again.
const MAX_IDLE: Duration = Duration::from_mins(1);

/// How long the place of a connection that was not returned stays taken at most, while the connection closes. On SQLite
/// its thread may still be waiting for the file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// How long connections in use are waited for when all are to be closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What is called for each statement, for tests and measurements.
pub(super) type Observer = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// Connections to whichever database it is.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(Arc<Connections<SqliteConnection>>),
    Postgres(Arc<Connections<PgConnection>>),
    MySql(Arc<Connections<MySqlConnection>>),
}

/// Does the same for each variant of an enum that has one for each database.
macro_rules! each {
    ($on:expr, $type:ident::$inner:ident => $do:expr) => {
        match $on {
            $type::Sqlite($inner) => $do,
            $type::Postgres($inner) => $do,
            $type::MySql($inner) => $do,
        }
    };
}
pub(super) use each;

impl Pool {
    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
            Self::MySql(_) => DbBackend::MySql,
        }
    }

    /// The first observer stays.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = each!(self, Pool::connections => connections.observer.set(observer));
    }

    /// Opens a connection, to see whether the database can be reached.
    pub(super) async fn connect(&self) -> Result<(), DbErr> {
        each!(self, Pool::connections => connections.begin("", async |_, _| Ok(())).await.map(|(lease, ())| lease.give_back()))
    }

    /// Closes all connections and opens no more. Those in use are waited for, but not for long.
    pub(super) async fn close(&self) {
        each!(self, Pool::connections => connections.close().await);
    }
}

/// A few connections to one database, opened when they are first needed.
pub(super) struct Connections<C: Client> {
    options: C::Options,
    max: u32,
    /// What a new connection runs first.
    setup: &'static str,
    /// The one used last at the end, and when that was.
    idle: Mutex<Vec<(Instant, C)>>,
    /// Handed out in the order in which they were asked for.
    places: Arc<Semaphore>,
    observer: OnceLock<Observer>,
}

impl<C: Client> fmt::Debug for Connections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({})", C::Database::NAME)
    }
}

impl<C: Client> Connections<C> {
    /// At most `max` connections, each of which runs `setup` when it is new.
    pub(super) fn new(options: C::Options, max: u32, setup: &'static str) -> Arc<Self> {
        Arc::new(Self {
            options,
            max,
            setup,
            idle: Mutex::new(Vec::new()),
            places: Arc::new(Semaphore::new(usize::try_from(max).unwrap_or(usize::MAX))),
            observer: OnceLock::new(),
        })
    }

    /// Waits for a place and runs a statement on the connection that was used last. If that connection turns out to be
    /// lost, or there is none, it runs on a new one: so it must change nothing, such as a read or BEGIN.
    pub(super) async fn begin<S: Sync + ?Sized, T>(
        self: &Arc<Self>,
        statement: &S,
        run: impl AsyncFn(&mut C, &S) -> Result<T, sqlx::Error>,
    ) -> Result<(Lease<C>, T), DbErr> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let mut lease = Lease { pool: Arc::clone(self), connection: self.take_idle(), place: Some(place) };
        if let Some(connection) = &mut lease.connection {
            match run(connection, statement).await {
                Ok(value) => return Ok((lease, value)),
                Err(error) if is_connection_lost(&error) => {
                    lease.connection = None;
                    // The others have most likely been lost with it.
                    self.idle().clear();
                }
                Err(error) => return Err(statement_error(error)),
            }
        }
        // Boxed: it is big, and rarely needed.
        let connection = lease.connection.insert(Box::pin(self.connect()).await.map_err(connection_error)?);
        let value = run(connection, statement).await.map_err(statement_error)?;
        Ok((lease, value))
    }

    /// Tells the observer how a statement went.
    pub(super) async fn observed<T>(
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
        // Whoever asks for a place from now on waits behind this.
        let _ = timeout(DRAIN_TIMEOUT, self.places.acquire_many(self.max)).await;
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for (_, connection) in idle {
            match timeout(DRAIN_TIMEOUT, connection.close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a database connection did not close"),
                Err(_) => tracing::warn!("a database connection did not close in time"),
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, C)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, unless that is too long ago: then it is for the others, too.
    fn take_idle(&self) -> Option<C> {
        let mut idle = self.idle();
        let (used, connection) = idle.pop()?;
        if used.elapsed() < MAX_IDLE {
            return Some(connection);
        }
        idle.clear();
        None
    }

    async fn connect(&self) -> Result<C, sqlx::Error> {
        let mut connection = C::connect_with(&self.options).await?;
        if !self.setup.is_empty() {
            connection.run(self.setup).await?;
        }
        Ok(connection)
    }
}

/// A connection in use, and the place that it takes. It is closed when it is dropped: nobody knows what state it is in.
pub(super) struct Lease<C: Client> {
    pool: Arc<Connections<C>>,
    connection: Option<C>,
    place: Option<OwnedSemaphorePermit>,
}

impl<C: Client> Lease<C> {
    pub(super) async fn run<T>(&mut self, run: impl AsyncFnOnce(&mut C) -> Result<T, sqlx::Error>) -> Result<T, DbErr> {
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        run(connection).await.map_err(statement_error)
    }

    /// Keeps the connection, which is idle and outside of any transaction, for the next one.
    pub(super) fn give_back(mut self) {
        if let Some(connection) = self.connection.take()
            && !self.pool.places.is_closed()
        {
            self.pool.idle().push((Instant::now(), connection));
        }
    }
}

impl<C: Client> Drop for Lease<C> {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) else {
            return;
        };
        let place = self.place.take();
        runtime.spawn(async move {
            // The place is free only now: threads of SQLite that wait for the file must not add up.
            let _ = timeout(CLOSE_TIMEOUT, connection.close()).await;
            drop(place);
        });
    }
}

/// There is no connection any more.
pub(super) fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

fn statement_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}
