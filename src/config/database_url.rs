//! `DATABASE_URL` in all the spellings that people bring along.

use std::{
    fmt,
    fs::File,
    path::{PathBuf, absolute},
};

use secrecy::{ExposeSecret, SecretString};

/// The file of the default database.
pub(super) const DEFAULT_FILE: &str = "hallpass.db";

/// The default number of connections that read, on SQLite.
pub(super) const SQLITE_CONNECTIONS: u32 = 4;
/// The default number of connections, on PostgreSQL and MySQL.
pub(super) const SERVER_CONNECTIONS: u32 = 10;

/// Where the data is.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// An SQLite file; it is created at the first start.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(SecretString),
    /// A `mysql://` URL, for MySQL or MariaDB.
    MySql(SecretString),
}

/// What a driver takes after the `?` of its URL.
struct Options {
    product: &'static str,
    /// Those that name a file.
    files: &'static [&'static str],
    others: &'static [&'static str],
}

const POSTGRES: Options = Options {
    product: "PostgreSQL",
    files: &["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"],
    others: &[
        "sslmode",
        "ssl-mode",
        "statement-cache-capacity",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
        "options",
    ],
};

const MYSQL: Options = Options {
    product: "MySQL",
    files: &["ssl-ca", "sslca", "ssl-cert", "sslcert", "ssl-key", "sslkey"],
    others: &[
        "ssl-mode",
        "sslmode",
        "charset",
        "collation",
        "statement-cache-capacity",
        "socket",
        "timezone",
        "time-zone",
    ],
};

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::Sqlite(DEFAULT_FILE.into())
    }
}

/// Names the database as an operator would look for it: host, port and name, or the absolute path. Never user and password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite {}", absolute(path).as_ref().unwrap_or(path).display()),
            Self::Postgres(url) => write!(f, "PostgreSQL {}", Server::of(url, 5432)),
            Self::MySql(url) => write!(f, "MySQL {}", Server::of(url, 3306)),
        }
    }
}

/// What may be shown of a server's URL.
struct Server {
    host: String,
    port: Option<u16>,
    database: String,
}

impl Server {
    fn of(url: &SecretString, default_port: u16) -> Self {
        let Ok(url) = url::Url::parse(url.expose_secret()) else {
            return Self { host: "unknown".to_owned(), port: None, database: String::new() };
        };
        let option = |names: &[&str]| {
            let options = url.query_pairs().filter(|(name, _)| names.contains(&&**name));
            options.last().map(|(_, value)| value.into_owned())
        };
        let host = option(&["host", "hostaddr", "socket"]);
        let host = host.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
        let port = option(&["port"]).and_then(|port| port.parse().ok()).or(url.port()).unwrap_or(default_port);
        let database = url.path().trim_matches('/').to_owned();
        Self { port: (!host.starts_with('/')).then_some(port), host, database }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{} at {}{port}", self.database, self.host)
    }
}

impl DatabaseUrl {
    /// The default of `DB_MAX_CONNECTIONS`.
    #[must_use]
    pub fn default_connections(&self) -> u32 {
        match self {
            Self::Sqlite(_) => SQLITE_CONNECTIONS,
            Self::Postgres(_) | Self::MySql(_) => SERVER_CONNECTIONS,
        }
    }

    /// Reads `sqlite:`, `postgres:` and `mysql:` URLs, and SQLAlchemy's, whose scheme names a driver too and whose
    /// relative SQLite paths follow three slashes (`sqlite:///./x.db`).
    ///
    /// # Errors
    /// What is wrong, without the URL, which may hold a password.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        const WANTED: &str = "expected a URL such as sqlite://hallpass.db, postgres://user:password@host/database or \
                              mysql://user:password@host/database";
        let (scheme, rest) = url.expose_secret().split_once(':').ok_or(WANTED)?;
        let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _driver)| scheme);
        let server = |scheme: &str, options: &Options| -> Result<SecretString, String> {
            if has_delimiter_in_password(rest, options) {
                return Err("the password has a `#`, `/` or `?`. Percent-encode them as %23, %2F and %3F".to_owned());
            }
            let url = format!("{scheme}:{rest}");
            let parsed = url::Url::parse(&url).map_err(|_| WANTED)?;
            options.check(&parsed)?;
            // A socket's folder stands among the options: `postgres:///database?host=/run/postgresql`.
            let has_host =
                parsed.has_host() || parsed.query_pairs().any(|(name, _)| name == "host" || name == "socket");
            let has_database = !parsed.path().trim_matches('/').is_empty();
            if has_host && has_database { Ok(url.into()) } else { Err(WANTED.to_owned()) }
        };
        match scheme {
            "sqlite" => sqlite_path(rest).map(Self::Sqlite).map_err(str::to_owned),
            "postgres" | "postgresql" => server("postgres", &POSTGRES).map(Self::Postgres),
            "mysql" | "mariadb" => server("mysql", &MYSQL).map(Self::MySql),
            _ => Err(WANTED.to_owned()),
        }
    }
}

/// Whether a character that ends the host part of a URL stands in a password, so that the rest of the password would be
/// taken for a path, an option or a fragment, and shown.
fn has_delimiter_in_password(rest: &str, options: &Options) -> bool {
    let rest = rest.trim_start_matches('/');
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let are_options_known = || url::form_urlencoded::parse(query.as_bytes()).all(|(name, _)| options.is_known(&name));
    let is_in_query = || query.contains('@') && !host.contains('@') && !are_options_known();
    rest.contains('#') || path.contains('@') || is_in_query()
}

impl Options {
    fn is_known(&self, name: &str) -> bool {
        let is_listed = [self.files, self.others].concat().contains(&name);
        // One of PostgreSQL's parameters, such as `options[search_path]`.
        is_listed || (name.starts_with("options[") && self.others.contains(&"options"))
    }

    /// Refuses an option that the driver would ignore, and that somebody relies on. Every library has its own spelling, and
    /// without an option about encryption the connection would be in clear text.
    fn check(&self, url: &url::Url) -> Result<(), String> {
        for (name, value) in url.query_pairs() {
            if !self.is_known(&name) {
                let known = [self.others, self.files].concat().join(", ");
                return Err(format!("unknown option {name}. {} supports {known}", self.product));
            }
            // The driver's own message would not say that it is about a file.
            let is_file = self.files.contains(&&*name) && !value.starts_with("-----BEGIN");
            if is_file && File::open(&*value).is_err() {
                return Err(format!("cannot read the file of the option {name}"));
            }
        }
        Ok(())
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, &'static str> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    if !matches!(options, "" | "mode=rwc") {
        return Err("expected no options for SQLite but mode=rwc, which is the default");
    }
    let path = path.strip_prefix("//").unwrap_or(path);
    // SQLAlchemy's relative and absolute paths: `/./x.db`, `/../x.db`, `//var/x.db`.
    let path = match path.strip_prefix('/') {
        Some(inner) if inner.starts_with("./") || inner.starts_with("../") || inner.starts_with('/') => inner,
        _ => path,
    };
    if path.is_empty() || path.contains(":memory:") {
        return Err(
            "expected the path of a file, such as sqlite://hallpass.db; a database in memory is lost when the server \
                    stops",
        );
    }
    Ok(path.into())
}
