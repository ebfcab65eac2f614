//! The database and its connections.

use crate::config::{
    DatabaseUrl,
    database_url::{DEFAULT_FILE, SERVER_CONNECTIONS, SQLITE_CONNECTIONS},
    setting::Setting,
    vars::{DefaultText, Vars},
};

/// Where the data is.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// The database.
    pub url: DatabaseUrl,
    /// Maximum number of connections, half of them for writing; on SQLite, of readers.
    pub max_connections: u32,
}

impl DatabaseSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("database", "Database");
        let url = Setting::new(
            "DATABASE_URL",
            "The database. SQLAlchemy's spellings are accepted too. See [Databases](operations/databases.md).",
        )
        .secret("a `sqlite:`, `postgres:` or `mysql:` URL", DatabaseUrl::parse)
        .show(ToString::to_string)
        .read(
            vars,
            DefaultText::literal(format!("sqlite://{DEFAULT_FILE}")).shown_as(DatabaseUrl::default().to_string()),
        )
        .unwrap_or_default();
        let max_connections = Setting::new(
            "DB_MAX_CONNECTIONS",
            "Maximum number of connections. Half of them read and half write; on SQLite, all read beside the one that \
             writes.",
        )
        .number(2..=1000)
        .read_or_computed(
            vars,
            url.default_connections(),
            &format!("{SQLITE_CONNECTIONS} on SQLite, otherwise {SERVER_CONNECTIONS}"),
        );
        Self { url, max_connections }
    }
}
