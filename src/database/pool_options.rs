//! Options of a connection pool.

use std::{sync::Arc, time::Duration};

use sea_orm::DbErr;

use crate::database::{
    abandoned::AbandonedReads,
    client::{Client, Preparation},
    renewal::Renewal,
    watched_file::WatchedFile,
};

/// Defines how a pool opens, uses and replaces connections.
pub(super) struct PoolOptions<C: Client> {
    pub connect_options: C::Options,
    /// Maximum number of connections.
    pub max_connections: u32,
    /// SQL that a new connection runs first, or an empty string.
    pub setup: &'static str,
    pub preparation: Preparation,
    /// SQL that begins a transaction around each statement of [`super::connections::Connections::begin`], if needed.
    pub transaction: Option<&'static str>,
    /// Maximum age of a connection, even if it is busy.
    pub max_age: Option<Duration>,
    pub renewal: Arc<Renewal>,
    /// The file of an SQLite database, without which nothing is read or written.
    pub file: Option<Arc<WatchedFile>>,
    /// Cancels reads on servers where a statement does not end with its connection.
    pub abandoned: Option<Arc<AbandonedReads<C>>>,
}

impl<C: Client> PoolOptions<C> {
    /// Fails if the file of the database is not in its place.
    pub(super) fn check_file(&self) -> Result<(), DbErr> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Default options for at most `max_connections` connections.
    pub(super) fn new(connect_options: C::Options, max_connections: u32, renewal: &Arc<Renewal>) -> Self {
        Self {
            connect_options,
            max_connections,
            setup: "",
            preparation: Preparation::Named,
            transaction: None,
            max_age: None,
            renewal: Arc::clone(renewal),
            file: None,
            abandoned: None,
        }
    }
}
