//! `DATABASE_URL` in all the spellings that people bring along.

use std::{fs::File, path::PathBuf};

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
