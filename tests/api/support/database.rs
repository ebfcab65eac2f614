//! A database for each test, on the server of `TEST_DATABASE_URL`, or in an SQLite file.

use std::{
    future::Future,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use hallpass::{
    config::{DatabaseUrl, ExposeSecret, Settings},
    database::Database,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;

const PREFIX: &str = "hallpass_test_";

/// An empty database with all migrations. Dropped with this value.
pub struct TestDatabase {
    url: DatabaseUrl,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let database = Self::named(true, "").await;
        match (&database.url, template(&server()).await) {
            (DatabaseUrl::Sqlite(path), Some(template)) => {
                std::fs::copy(template, path).unwrap();
            }
            (DatabaseUrl::MySql(_), Some(template)) => copy_tables(&database, &template.display().to_string()).await,
            _ => {}
        }
        database
    }

    /// A database without tables.
    pub async fn create_bare() -> Self {
        Self::named(false, "").await
    }

    /// A database without tables; on PostgreSQL, one that cannot store all of Unicode.
    pub async fn create_latin1() -> Self {
        Self::named(false, " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").await
    }

    async fn named(from_template: bool, postgres_options: &str) -> Self {
        static CREATING: tokio::sync::Mutex<u32> = tokio::sync::Mutex::const_new(0);
        // PostgreSQL copies a template for one client at a time.
        let mut count = CREATING.lock().await;
        *count += 1;
        let name = format!("{PREFIX}{}_{}", process::id(), *count);
        let server = server();
        let url = match &server {
            DatabaseUrl::Sqlite(_) => DatabaseUrl::Sqlite(folder().join(format!("{name}.db"))),
            _ => at(&server, &name),
        };
        if let Some(admin) = admin(&server).await {
            let template = match (from_template, admin.get_database_backend()) {
                (true, DbBackend::Postgres) => {
                    format!(" TEMPLATE {}", template(&server).await.unwrap().display())
                }
                (_, DbBackend::MySql) => default_charset(&admin).to_owned(),
                _ => postgres_options.to_owned(),
            };
            run(&admin, &format!("CREATE DATABASE {name}{template}")).await;
            admin.close().await.unwrap();
        }
        Self { url }
    }

    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Closes all connections, as a server restart or an administrator would. SQLite has none.
    pub async fn end_connections(&self) {
        if let Some(admin) = admin(&server()).await {
            end_connections(&admin, &name_of(&self.url)).await;
            admin.close().await.unwrap();
        }
    }

    /// Locks all users against writers, from a separate connection; on SQLite, locks the file.
    pub async fn lock_users(&self) -> Lock {
        let connection = self.connect().await;
        if connection.get_database_backend() == DbBackend::Sqlite {
            run(&connection, "BEGIN IMMEDIATE").await;
        } else {
            run(&connection, "BEGIN").await;
            run(&connection, "SELECT id FROM users FOR UPDATE").await;
        }
        Lock(connection)
    }

    /// Makes the database read-only. Returns whether the backend can do this for a single database.
    pub async fn make_read_only(&self) -> bool {
        let connection = self.connect().await;
        if connection.get_database_backend() != DbBackend::Postgres {
            return false;
        }
        let name = name_of(&self.url);
        run(&connection, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        connection.close().await.unwrap();
        self.end_connections().await;
        true
    }

    /// Fails if a transaction is still open after all connections have had time to close.
    pub async fn expect_no_open_transaction(&self) {
        let connection = self.connect().await;
        let backend = connection.get_database_backend();
        let count = match backend {
            DbBackend::Postgres => {
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            }
            DbBackend::MySql => {
                "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist \
                 ON id = trx_mysql_thread_id WHERE db = DATABASE()"
            }
            _ => return run(&connection, "BEGIN IMMEDIATE").await,
        };
        let mut open = 1;
        for _ in 0..100 {
            let row = connection.query_one_raw(Statement::from_string(backend, count)).await.unwrap();
            open = row.unwrap().try_get_by_index::<i64>(0).unwrap();
            if open == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        connection.close().await.unwrap();
        assert_eq!(open, 0);
    }

    /// The value of `DATABASE_URL` for this database.
    pub fn url_text(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => url.expose_secret().to_owned(),
        }
    }

    /// Holds the migration lock from a separate connection. Every version must use the same lock.
    pub async fn lock_migrations(&self) -> Lock {
        let connection = self.connect().await;
        match connection.get_database_backend() {
            DbBackend::Postgres => {
                run(&connection, "BEGIN").await;
                run(&connection, &format!("SELECT pg_advisory_xact_lock({})", 0x4861_6C6C_7061_7373_i64)).await;
            }
            DbBackend::MySql => {
                run(&connection, "DO GET_LOCK(CONCAT('hallpass.', SHA1(DATABASE())), 10)").await;
                run(&connection, "BEGIN").await;
            }
            _ => run(&connection, "BEGIN IMMEDIATE").await,
        }
        Lock(connection)
    }

    /// A separate connection for the test.
    pub async fn connect(&self) -> DatabaseConnection {
        let create = if matches!(self.url, DatabaseUrl::Sqlite(_)) { "?mode=rwc" } else { "" };
        let mut options = sea_orm::ConnectOptions::new(format!("{}{create}", self.url_text()));
        options.max_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }
}

/// A transaction of another client that holds locks.
pub struct Lock(DatabaseConnection);

impl Lock {
    pub async fn release(self) {
        run(&self.0, "ROLLBACK").await;
        self.0.close().await.unwrap();
    }
}

fn name_of(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        DatabaseUrl::Postgres(text) | DatabaseUrl::MySql(text) => {
            text.expose_secret().rsplit('/').next().unwrap().to_owned()
        }
    }
}

async fn end_connections(admin: &DatabaseConnection, name: &str) {
    let backend = admin.get_database_backend();
    if backend == DbBackend::Postgres {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        admin.query_all_raw(Statement::from_string(backend, end)).await.unwrap();
        return;
    }
    let connections = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
    for row in admin.query_all_raw(Statement::from_string(backend, connections)).await.unwrap() {
        let id: u64 =
            row.try_get_by_index(0).or_else(|_| row.try_get_by_index::<i64>(0).map(i64::unsigned_abs)).unwrap();
        // It may have ended already.
        let _ = admin.execute_unprepared(&format!("KILL {id}")).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let url = self.url.clone();
        // Blocking on the test's own runtime is not possible here.
        let dropped = thread::spawn(move || block_on(drop_database(&url)));
        let _ = dropped.join();
    }
}

async fn drop_database(url: &DatabaseUrl) {
    match url {
        DatabaseUrl::Sqlite(path) => {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
            }
        }
        DatabaseUrl::Postgres(_) | DatabaseUrl::MySql(_) => {
            let name = name_of(url);
            let Some(admin) = admin(&server()).await else {
                return;
            };
            // A transaction left open by the test would lock the tables forever.
            end_connections(&admin, &name).await;
            run(&admin, &format!("DROP DATABASE {name}")).await;
            let _ = admin.close().await;
        }
    }
}

/// The template of new databases, created once per process.
async fn template(server: &DatabaseUrl) -> Option<PathBuf> {
    static TEMPLATE: OnceCell<Option<PathBuf>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            sweep(server).await;
            match server {
                DatabaseUrl::Sqlite(_) => {
                    let path = folder().join(format!("{PREFIX}{}_template.db", process::id()));
                    let _ = std::fs::remove_file(&path);
                    migrate(&DatabaseUrl::Sqlite(path.clone())).await;
                    Some(path)
                }
                DatabaseUrl::Postgres(_) | DatabaseUrl::MySql(_) => {
                    let name = format!("{PREFIX}{}_template", process::id());
                    let admin = admin(server).await.unwrap();
                    run(&admin, &format!("CREATE DATABASE {name}{}", default_charset(&admin))).await;
                    admin.close().await.unwrap();
                    migrate(&at(server, &name)).await;
                    Some(name.into())
                }
            }
        })
        .await
        .clone()
}

/// The tables must declare their own character set.
fn default_charset(admin: &DatabaseConnection) -> &'static str {
    if admin.get_database_backend() == DbBackend::MySql { " CHARACTER SET latin1" } else { "" }
}

/// Creates the tables of the template, which takes a fifth of the time of the migrations. MySQL cannot copy a database.
async fn copy_tables(database: &TestDatabase, template: &str) {
    static STATEMENTS: OnceCell<Vec<String>> = OnceCell::const_new();
    let connection = database.connect().await;
    let statements = STATEMENTS.get_or_init(|| statements_of(&connection, template)).await;
    run(&connection, "SET foreign_key_checks = 0").await;
    for statement in statements {
        run(&connection, statement).await;
    }
    connection.close().await.unwrap();
}

/// The statements that create the tables of a database, with their rows.
async fn statements_of(connection: &DatabaseConnection, template: &str) -> Vec<String> {
    let query = async |sql: String, column: usize| -> Vec<String> {
        let rows = connection.query_all_raw(Statement::from_string(DbBackend::MySql, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect()
    };
    let tables = format!("SELECT table_name FROM information_schema.tables WHERE table_schema = '{template}'");
    let mut statements = Vec::new();
    for table in query(tables, 0).await {
        statements.extend(query(format!("SHOW CREATE TABLE {template}.{table}"), 1).await);
        statements.push(format!("INSERT INTO {table} SELECT * FROM {template}.{table}"));
    }
    statements
}

/// Drops databases of processes that no longer run.
async fn sweep(server: &DatabaseUrl) {
    let is_stale = |name: &str| {
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
        pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    let Some(admin) = admin(server).await else {
        for file in std::fs::read_dir(folder()).unwrap().flatten() {
            if is_stale(&file.file_name().to_string_lossy()) {
                let _ = std::fs::remove_file(file.path());
            }
        }
        return;
    };
    let backend = admin.get_database_backend();
    let list = match backend {
        DbBackend::Postgres => "SELECT datname FROM pg_database",
        _ => "SELECT schema_name FROM information_schema.schemata",
    };
    for row in admin.query_all_raw(Statement::from_string(backend, list)).await.unwrap() {
        let name: String = row.try_get_by_index(0).unwrap();
        if is_stale(&name) {
            run(&admin, &format!("DROP DATABASE IF EXISTS {name}")).await;
        }
    }
    admin.close().await.unwrap();
}

async fn migrate(url: &DatabaseUrl) {
    let database = Database::connect(url, Some(1)).await.unwrap();
    database.migrate().await.unwrap();
    database.close().await;
}

/// A connection to the server itself; `None` if the database is a file.
async fn admin(server: &DatabaseUrl) -> Option<DatabaseConnection> {
    match server {
        DatabaseUrl::Sqlite(_) => None,
        DatabaseUrl::Postgres(url) | DatabaseUrl::MySql(url) => {
            let mut options = sea_orm::ConnectOptions::new(url.expose_secret());
            options.max_connections(1).sqlx_logging(false);
            Some(sea_orm::Database::connect(options).await.unwrap())
        }
    }
}

async fn run(admin: &DatabaseConnection, sql: &str) {
    admin.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The server to create databases on, parsed like the setting.
fn server() -> DatabaseUrl {
    let variables =
        std::env::var_os("TEST_DATABASE_URL").map(|url| ("DATABASE_URL".to_owned(), url.into_string().unwrap()));
    let secret = ("SECRET_KEY".to_owned(), "only the database URL is needed here".to_owned());
    Settings::from_vars(variables.into_iter().chain([secret])).unwrap().database.url
}

/// The same server with another database.
fn at(server: &DatabaseUrl, name: &str) -> DatabaseUrl {
    let at = |url: &str| format!("{}/{name}", url.rsplit_once('/').unwrap().0).into();
    match server {
        DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(path.clone()),
        DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(at(url.expose_secret())),
        DatabaseUrl::MySql(url) => DatabaseUrl::MySql(at(url.expose_secret())),
    }
}

fn folder() -> PathBuf {
    env!("CARGO_TARGET_TMPDIR").into()
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}
