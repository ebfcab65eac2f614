//! The database: how it is reached, read and written.
//!
//! Owns the connections, the one way to a transaction ([`Database::write`]), the migrations' lock and what a driver's
//! error means. It never knows a table; those are in `entity/`.

mod connect;
pub(crate) mod error;
pub mod foreign;
mod migrate;
mod reader;
mod transaction;

use std::{sync::Arc, time::Duration};

use sea_orm::{DatabaseConnection, DbErr, metric};

pub use reader::Reader;
pub use transaction::Transaction;

use crate::{Result, config::DatabaseUrl};

/// How long one question whether the database is there may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections to the one database that everything is kept in.
#[derive(Clone, Debug)]
pub struct Database {
    reader: Reader,
    /// On SQLite a pool of one, because it has one writer at a time.
    writer: DatabaseConnection,
    url: DatabaseUrl,
}

impl Database {
    /// Connects, and creates the file where the database is one.
    ///
    /// # Errors
    /// The driver's, when the database can't be reached.
    pub async fn connect(url: &DatabaseUrl, max_connections: Option<u32>) -> Result<Self, DbErr> {
        let (reader, writer) = connect::open(url, max_connections).await?;
        Ok(Self { reader, writer, url: url.clone() })
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
        Ok(Transaction::begin(&self.writer, connect::TIMEOUT).await?)
    }

    /// Whether the database answers, and has all migrations that this version knows, within two seconds.
    pub async fn is_ready(&self) -> bool {
        let pending = tokio::time::timeout(PING_TIMEOUT, self.pending_migrations());
        matches!(pending.await, Ok(Ok(pending)) if pending.is_empty())
    }

    /// Calls `observe` for each statement from now on, for tests and measurements.
    pub fn observe(&mut self, observe: impl Fn(&metric::Info<'_>) + Clone + Send + Sync + 'static) {
        self.reader.observe(Arc::new(observe.clone()));
        self.writer.set_metric_callback(observe);
    }

    /// Closes all connections, so that SQLite's write-ahead log is folded into the file.
    pub async fn close(&self) {
        for closed in [self.reader.close().await, self.writer.close_by_ref().await] {
            if let Err(error) = closed {
                tracing::warn!(%error, "a database connection did not close");
            }
        }
    }
}
