//! Database connections, transactions and migrations.
//!
//! Owns the connections, the only way to begin a write transaction ([`Database::write`]), the migration lock, and the
//! mapping of driver errors. It does not depend on tables; those are in `entity/`.

mod abandoned;
pub mod backup;
mod client;
mod connect;
mod connections;
pub mod copy;
mod diagnosis;
mod encoding;
pub(crate) mod error;
pub mod foreign;
mod lease;
mod local_reads;
mod migrate;
mod migration_lock;
mod pool_options;
mod reader;
mod readiness;
mod renewal;
mod transaction;
mod watched_file;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sea_orm::{ConnAcquireErr, DbErr, metric};
use tokio::time::{Instant, timeout, timeout_at};

pub use diagnosis::Diagnosis;
pub use local_reads::{LocalRow, NotLocal};
pub(crate) use migrate::{UNFINISHED_COPY, too_new};
pub use migration::{Compatibility, MigrationState};
pub use reader::Reader;
pub use transaction::Transaction;

use self::{connections::Pool, readiness::Readiness, watched_file::WatchedFile};
use crate::{
    Result,
    config::DatabaseUrl,
    metrics::{PoolState, WaitMetrics},
};

/// Time limit of one read or one transaction, including waiting for a connection. When it is exceeded, the request is
/// answered with SERVICE_UNAVAILABLE.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Time limit of the readiness check.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections to the application's database.
#[derive(Clone, Debug)]
pub struct Database {
    reader: Reader,
    /// On SQLite a single connection, because SQLite allows one writer at a time.
    writer: Pool,
    url: DatabaseUrl,
    readiness: Arc<Readiness>,
    /// The migrations of a later version that were last logged.
    logged_newer: Arc<Mutex<Vec<String>>>,
    waits: WaitMetrics,
    /// On SQLite.
    file: Option<Arc<WatchedFile>>,
}

impl Database {
    /// Connects to the database, and creates the file of an SQLite database. A file that another process has locked for
    /// its first migration counts as reachable.
    ///
    /// # Errors
    /// Returns an error if the database is unreachable, or if PostgreSQL does not store Unicode.
    pub async fn connect(url: &DatabaseUrl, max_connections: Option<u32>) -> Result<Self, DbErr> {
        let waits = WaitMetrics::default();
        let (reader, writer, file) = connect::open(url, max_connections, &waits)?;
        // Together, because opening a connection to a server takes several round trips.
        let (connected, checked) = tokio::join!(with_timeout(writer.connect()), encoding::check(&reader));
        migration_lock::unless_locked(connected)?;
        checked?;
        let (readiness, logged_newer) = (Arc::default(), Arc::default());
        Ok(Self { reader, writer, url: url.clone(), readiness, logged_newer, waits, file })
    }

    /// The handle for single statements that read.
    #[must_use]
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Begins a write transaction. It is rolled back unless it is committed, and times out after four seconds. Never
    /// hash a password or send a mail while one is open: on SQLite all other writers wait for it.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if no connection is available in time.
    pub async fn write(&self) -> Result<Transaction> {
        Ok(Transaction::begin(&self.writer).await?)
    }

    /// Whether the database is compatible with this version's migrations and accepts writes. Takes at most two seconds.
    /// Concurrent calls share one check.
    pub async fn is_ready(&self) -> bool {
        let check = async {
            let is_compatible =
                matches!(self.compatibility().await, Ok(Compatibility::Current | Compatibility::Newer(_)));
            is_compatible && self.try_write().await.is_ok()
        };
        timeout(READY_TIMEOUT, self.readiness.check(check)).await.unwrap_or(false)
    }

    /// The metrics of the waits for a connection.
    #[must_use]
    pub fn wait_metrics(&self) -> &WaitMetrics {
        &self.waits
    }

    /// The connections of each pool now. On SQLite, lookups by primary key use other connections, which are not counted.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolState> {
        vec![self.reader.pool.state(connect::READ_POOL), self.writer.state(connect::WRITE_POOL)]
    }

    /// Checks whether the SQLite file that is open is still in its place. If it is not, all reads and writes fail.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the file was deleted or replaced.
    pub fn check_file(&self) -> Result<()> {
        Ok(self.file.as_ref().map_or(Ok(()), |file| file.check())?)
    }

    /// Whether the database is an SQLite file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the database is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.url, DatabaseUrl::Postgres(_))
    }

    /// Calls `observe` for each statement from now on. For tests and measurements.
    pub fn observe(&mut self, observe: impl Fn(&metric::Info<'_>) + Send + Sync + 'static) {
        let observer: connections::Observer = Arc::new(observe);
        self.reader.pool.observe(Arc::clone(&observer));
        self.writer.observe(observer);
    }

    /// Closes all connections, so that SQLite checkpoints its write-ahead log. Waits a few seconds for open
    /// transactions.
    pub async fn close(&self) {
        // Sequentially: if two SQLite connections close at the same moment, each leaves the checkpoint to the other.
        if let Some(local) = &self.reader.local {
            local.close();
        }
        self.reader.pool.close().await;
        self.writer.close().await;
    }
}

/// Runs `work` with the time limit of one read.
async fn with_timeout<T>(work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    with_deadline(Instant::now() + TIMEOUT, work).await
}

async fn with_deadline<T>(deadline: Instant, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    timeout_at(deadline, work).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
}
