//! `DATABASE_URL` in all the spellings that people bring along.

use std::{
    fmt,
    fs::File,
    path::{PathBuf, absolute},
};

use secrecy::{ExposeSecret, SecretString};

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

/// The drivers' options that say whether a connection is encrypted, and whether the server is checked.
const MODES: &[&str] = &["sslmode", "ssl-mode"];
/// Those of PostgreSQL's driver that name a file.
const POSTGRES_FILES: &[&str] = &["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];
/// Those of MySQL's.
const MYSQL_FILES: &[&str] = &["sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::Sqlite("hallpass.db".into())
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
    /// With a space after it; empty where it may be part of a password.
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
        // A slash in a password that is not percent-encoded moves the rest of it to the path.
        let database = url.path().trim_matches('/');
        let database = if database.contains('@') { String::new() } else { format!("{database} ") };
        Self { port: (!host.starts_with('/')).then_some(port), host, database }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{}at {}{port}", self.database, self.host)
    }
}

impl DatabaseUrl {
    /// Reads `sqlite:`, `postgres:` and `mysql:` URLs, and SQLAlchemy's, whose scheme names a driver too and whose
    /// relative SQLite paths follow three slashes (`sqlite:///./x.db`).
    ///
    /// # Errors
    /// What is wrong, without the URL, which may hold a password.
    pub fn parse(url: &SecretString) -> Result<Self, &'static str> {
        const WANTED: &str = "wants a URL such as sqlite://hallpass.db, postgres://user:password@host/database or \
                              mysql://user:password@host/database";
        let (scheme, rest) = url.expose_secret().split_once(':').ok_or(WANTED)?;
        let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _driver)| scheme);
        let server = |scheme: &str, files: &[&str]| -> Result<SecretString, &'static str> {
            let url = format!("{scheme}:{rest}");
            let parsed = url::Url::parse(&url).map_err(|_| WANTED)?;
            check_encryption(&parsed, files)?;
            // A socket's folder stands among the options: `postgres:///database?host=/run/postgresql`.
            let has_host =
                parsed.has_host() || parsed.query_pairs().any(|(name, _)| name == "host" || name == "socket");
            let has_database = !parsed.path().trim_matches('/').is_empty();
            if has_host && has_database { Ok(url.into()) } else { Err(WANTED) }
        };
        match scheme {
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => server("postgres", POSTGRES_FILES).map(Self::Postgres),
            "mysql" | "mariadb" => server("mysql", MYSQL_FILES).map(Self::MySql),
            _ => Err(WANTED),
        }
    }
}

/// An option that the driver does not know would be passed over, and the connection be in clear text that was thought to be
/// encrypted: every library has its own spelling.
fn check_encryption(url: &url::Url, files: &[&str]) -> Result<(), &'static str> {
    for (name, value) in url.query_pairs() {
        let is_about_encryption = ["ssl", "tls"].iter().any(|part| name.to_ascii_lowercase().contains(part));
        if !is_about_encryption || MODES.contains(&&*name) {
            continue;
        }
        if !files.contains(&&*name) {
            return Err(
                "has an option about encryption that is not understood: PostgreSQL takes sslmode, sslrootcert, \
                        sslcert and sslkey, MySQL ssl-mode, ssl-ca, ssl-cert and ssl-key",
            );
        }
        // The driver's own message would not say that it is about a file.
        if !value.starts_with("-----BEGIN") && File::open(&*value).is_err() {
            return Err("names a certificate or key that can't be read");
        }
    }
    Ok(())
}

fn sqlite_path(rest: &str) -> Result<PathBuf, &'static str> {
    let path = rest.split_once('?').map_or(rest, |(path, _options)| path);
    let path = path.strip_prefix("//").unwrap_or(path);
    // SQLAlchemy's relative and absolute paths: `/./x.db`, `/../x.db`, `//var/x.db`.
    let path = match path.strip_prefix('/') {
        Some(inner) if inner.starts_with("./") || inner.starts_with("../") || inner.starts_with('/') => inner,
        _ => path,
    };
    if path.is_empty() || path.contains(":memory:") {
        return Err("wants the path of a file, such as sqlite://hallpass.db; \
                    a database in memory would forget everybody at the next start");
    }
    Ok(path.into())
}
