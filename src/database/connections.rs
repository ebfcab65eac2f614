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
use tokio::{sync::Semaphore, time::timeout};

use crate::database::{
    client::{Client, Preparation},
    error::{is_connection_lost, is_stale_plan},
    lease::{Lease, Opened, close},
    rules::Rules,
};

/// A connection that was idle for longer may have been forgotten by something between here and the server, without a
/// word: it is not used again.
const MAX_IDLE: Duration = Duration::from_mins(1);

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
        each!(self, Pool::connections => connections.begin("", async |_, _, _| Ok(())).await.map(|(lease, ())| lease.give_back()))
    }

    /// Closes all connections and opens no more. Those in use are waited for, but not for long.
    pub(super) async fn close(&self) {
        each!(self, Pool::connections => connections.close().await);
    }
}

/// A few connections to one database, opened when they are first needed.
pub(super) struct Connections<C: Client> {
    pub(super) rules: Rules<C>,
    /// The one used last at the end, and when that was.
    idle: Mutex<Vec<(Instant, Opened<C>)>>,
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
    pub(super) fn new(rules: Rules<C>) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::new(Vec::new()),
            places: Arc::new(Semaphore::new(usize::try_from(rules.max).unwrap_or(usize::MAX))),
            observer: OnceLock::new(),
            rules,
        })
    }

    /// Waits for a place and runs a statement on the connection that was used last. If that connection turns out to be
    /// lost or out of date, or there is none, it runs on a new one: so it must change nothing, such as a read or BEGIN.
    pub(super) async fn begin<S: Sync + ?Sized, T>(
        self: &Arc<Self>,
        statement: &S,
        run: impl AsyncFn(&mut C, &S, Preparation) -> Result<T, sqlx::Error>,
    ) -> Result<(Lease<C>, T), DbErr> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let mut lease = Lease::new(Arc::clone(self), self.take_idle(), place);
        if lease.is_open() {
            match lease.run(statement, &run).await {
                Ok(value) => return Ok((lease, value)),
                Err(error) if is_connection_lost(&error) => {
                    // The others have most likely been lost with it.
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
        let _ = timeout(DRAIN_TIMEOUT, self.places.acquire_many(self.rules.max)).await;
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for (_, opened) in idle {
            match timeout(DRAIN_TIMEOUT, opened.connection.close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a database connection did not close"),
                Err(_) => tracing::warn!("a database connection did not close in time"),
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Opened<C>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last and may be used again.
    fn take_idle(&self) -> Option<Opened<C>> {
        loop {
            let (used, opened) = self.idle().pop()?;
            if used.elapsed() < MAX_IDLE && opened.is_current(&self.rules) {
                return Some(opened);
            }
            close(opened, None);
        }
    }

    /// Keeps a connection for the next one who needs it.
    pub(super) fn keep(&self, opened: Opened<C>) {
        if self.places.is_closed() || !opened.is_current(&self.rules) {
            close(opened, None);
        } else {
            self.idle().push((Instant::now(), opened));
        }
    }

    pub(super) async fn open(&self) -> Result<Opened<C>, sqlx::Error> {
        let renewal = self.rules.renewal.count();
        let mut connection = C::connect_with(&self.rules.options).await?;
        if !self.rules.setup.is_empty() {
            connection.run(self.rules.setup).await?;
        }
        Ok(Opened::new(connection, renewal))
    }
}

/// There is no connection any more.
pub(super) fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
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

    use crate::database::{client::run_sql, connections::*, renewal::Renewal};

    /// Databases in memory: each connection has one of its own, so that a mark in it tells connections apart.
    fn connections(max_age: Duration) -> (Arc<Connections<SqliteConnection>>, Arc<Renewal>) {
        let renewal = Arc::new(Renewal::default());
        let options = SqliteConnectOptions::new().in_memory(true);
        let rules = Rules { max_age: Some(max_age), ..Rules::new(options, 1, &renewal) };
        (Connections::new(rules), renewal)
    }

    async fn run(connections: &Arc<Connections<SqliteConnection>>, sql: &str) -> Result<(), DbErr> {
        let (lease, _) = connections.begin(sql, run_sql).await?;
        lease.give_back();
        Ok(())
    }

    const MARK: &str = "CREATE TABLE mark (x)";
    const HAS_MARK: &str = "SELECT x FROM mark";

    #[tokio::test]
    async fn connection_is_used_again_during_its_lifetime_and_not_after_it() {
        for (max_age, is_used_again) in [(Duration::from_mins(1), true), (Duration::ZERO, false)] {
            let (connections, _) = connections(max_age);
            run(&connections, MARK).await.unwrap();
            assert_eq!(run(&connections, HAS_MARK).await.is_ok(), is_used_again, "{max_age:?}");
        }
    }

    #[tokio::test]
    async fn connection_that_was_in_use_during_a_renewal_is_not_used_again() {
        let (connections, renewal) = connections(Duration::from_mins(1));
        run(&connections, MARK).await.unwrap();
        let (lease, _) = connections.begin(HAS_MARK, run_sql).await.unwrap();
        renewal.renew();
        lease.give_back();
        run(&connections, HAS_MARK).await.unwrap_err();
    }

    #[tokio::test]
    async fn renewal_replaces_idle_connections() {
        let (connections, renewal) = connections(Duration::from_mins(1));
        run(&connections, MARK).await.unwrap();
        renewal.renew();
        run(&connections, HAS_MARK).await.unwrap_err();
    }
}
