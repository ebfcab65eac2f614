//! The database and its connections.

use crate::config::DatabaseUrl;

/// Where the data is.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// The database.
    pub url: DatabaseUrl,
    /// Maximum number of connections, half of them for writing; on SQLite, of readers. `None` means the database's default.
    pub max_connections: Option<u32>,
}
