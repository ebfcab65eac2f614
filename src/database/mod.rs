//! The database: how it is reached, read and written.
//!
//! Owns the connections, the one way to a transaction ([`Database::write`]), the migrations' lock and what a driver's
//! error means. It never knows a table; those are in `entity/`.

mod abandoned;
mod client;
mod connect;
mod connections;
mod encoding;
pub(crate) mod error;
pub mod foreign;
mod lease;
mod migrate;
mod migration_lock;
mod reader;
mod readiness;
mod renewal;
mod rules;
mod transaction;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sea_orm::{ConnAcquireErr, DbErr, metric};
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use migrate::too_new;
pub use migration::{Compatibility, MigrationState};
pub use reader::Reader;
pub use transaction::Transaction;

use self::{connections::Pool, readiness::Readiness};
use crate::{Result, config::DatabaseUrl};

/// How long one read, or one transaction, may take with all that belongs to it, before the request is answered
/// SERVICE_UNAVAILABLE.
const TIMEOUT: Duration = Duration::from_secs(4);

/// How long the check may take whether the database is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections to the one database that everything is kept in.
#[derive(Clone, Debug)]
pub struct Database {
    reader: Reader,
    /// On SQLite one connection, because it has one writer at a time.
    writer: Pool,
    url: DatabaseUrl,
    readiness: Arc<Readiness>,
    /// The migrations of a later version that were logged last.
    newer: Arc<Mutex<Vec<String>>>,
}

impl Database {
    /// Connects, and creates the file where the database is one. A file that another process has locked, to migrate it for the
    /// first time, is there.
    ///
    /// # Errors
    /// The driver's, when the database can't be reached. Also when PostgreSQL does not store Unicode.
    pub async fn connect(url: &DatabaseUrl, max_connections: Option<u32>) -> Result<Self, DbErr> {
        let (reader, writer) = connect::open(url, max_connections)?;
        migration_lock::unless_locked(in_time(writer.connect()).await)?;
        let (readiness, newer) = (Arc::default(), Arc::default());
        let database = Self { reader: Reader(reader), writer, url: url.clone(), readiness, newer };
        encoding::check(&database.reader).await?;
        Ok(database)
    }

    /// For a single statement that reads.
    #[must_use]
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Begins a transaction that writes. It is rolled back unless it is committed, and has four seconds. Never hash a
    /// password or send anything while one is open: on SQLite all other writers wait for it.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when no connection is to be had.
    pub async fn write(&self) -> Result<Transaction> {
        Ok(Transaction::begin(&self.writer).await?)
    }

    /// Whether the database has all migrations that this version knows, none that it does not work with, and takes writes,
    /// within two seconds. Concurrent calls share one check.
    pub async fn is_ready(&self) -> bool {
        let check = async {
            let is_compatible =
                matches!(self.compatibility().await, Ok(Compatibility::Current | Compatibility::Newer(_)));
            is_compatible && self.try_write().await.is_ok()
        };
        timeout(READY_TIMEOUT, self.readiness.check(check)).await.unwrap_or(false)
    }

    /// Whether it is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.url, DatabaseUrl::Postgres(_))
    }

    /// Calls `observe` for each statement from now on, for tests and measurements.
    pub fn observe(&mut self, observe: impl Fn(&metric::Info<'_>) + Send + Sync + 'static) {
        let observer: connections::Observer = Arc::new(observe);
        self.reader.0.observe(Arc::clone(&observer));
        self.writer.observe(observer);
    }

    /// Closes all connections, so that SQLite's write-ahead log is folded into the file. Transactions that are open are
    /// waited for, but not for more than a few seconds.
    pub async fn close(&self) {
        // One after the other: of two SQLite connections that close at the same moment, each leaves the log to the other.
        self.reader.0.close().await;
        self.writer.close().await;
    }
}

/// Runs `work` within the time that one read has.
async fn in_time<T>(work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    in_time_until(Instant::now() + TIMEOUT, work).await
}

async fn in_time_until<T>(end: Instant, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    timeout_at(end, work).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
}
