//! Databases with many users and sessions.

use std::{
    collections::HashMap,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    App,
    entity::{session, user},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, Statement, Value};
use url::Url;

use crate::{
    operations::{self, SignedIn},
    runtime,
};

/// Every second user has a live session, whose id is that of the user.
pub const SESSION_INTERVAL: u32 = 2;

pub enum Kind {
    /// Files in a folder.
    Sqlite(PathBuf),
    /// Databases on the server of a URL.
    Postgres(String),
}

/// A database with users and sessions.
pub struct Target {
    pub name: &'static str,
    pub url: String,
    pub users: u32,
}

impl Kind {
    /// Opens or creates the database with this number of users.
    pub fn database(&self, users: u32) -> Target {
        let (name, url) = match self {
            Self::Sqlite(folder) => ("SQLite", format!("sqlite://{}/{users}.db", folder.display())),
            Self::Postgres(url) => {
                let mut own = Url::parse(url).unwrap();
                own.set_path(&database_name(users));
                ("PostgreSQL", own.into())
            }
        };
        let target = Target { name, url, users };
        runtime().block_on(async {
            if let Self::Postgres(url) = self {
                let server = connect(url).await;
                // It exists if an earlier run kept it.
                let _ = server.execute_unprepared(&format!("CREATE DATABASE {}", database_name(users))).await;
            }
            target.fill().await;
        });
        target
    }

    pub fn drop_databases(&self, sizes: &[u32]) {
        let Self::Postgres(url) = self else { return };
        runtime().block_on(async {
            let server = connect(url).await;
            for size in sizes {
                let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database_name(*size));
                server.execute_unprepared(&drop).await.unwrap();
            }
        });
    }
}

fn database_name(users: u32) -> String {
    format!("hallpass_scale_{users}")
}

/// A connection without the time limits of the server's own.
pub async fn connect(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(1).acquire_timeout(Duration::from_mins(1));
    sea_orm::Database::connect(options).await.unwrap()
}

pub fn username(number: u32) -> String {
    format!("user{number:08}")
}

impl Target {
    /// Imports the users and inserts the sessions, unless an earlier run has done so.
    async fn fill(&self) {
        let app = operations::open(&self.url, None).await;
        let hash = app.hasher.hash(&operations::PASSWORD.into()).await.unwrap();
        app.database.close().await;
        let raw = connect(&self.url).await;
        let last = username(self.users - 1);
        if !has(&raw, "SELECT 1 FROM users WHERE username_key = $1", last.clone().into()).await {
            let took = self.import(hash.export());
            println!(
                "{}, {} users: imported in {:.0} s, {:.0} per second",
                self.name,
                self.users,
                took.as_secs_f64(),
                f64::from(self.users) / took.as_secs_f64()
            );
        }
        let with_session = "SELECT 1 FROM sessions JOIN users ON users.id = sessions.id WHERE username_key = $1";
        if !has(&raw, with_session, username(0).into()).await {
            let (now, expires_at) = (Utc::now(), Utc::now() + TimeDelta::days(365));
            let even = "substr(username, 12, 1) IN ('0', '2', '4', '6', '8')";
            let insert = format!("{} SELECT id, id, $1, $1, $2, 0, 'BODY' FROM users WHERE {even}", INSERT_SESSIONS);
            execute(&raw, &insert, vec![now.into(), expires_at.into()]).await;
            // Autovacuum would do so within minutes. Hallpass never analyzes an SQLite file.
            if !self.is_sqlite() {
                raw.execute_unprepared("ANALYZE").await.unwrap();
            }
        }
        raw.close().await.unwrap();
    }

    /// Pipes users to `hallpass user import`, the way an operator does.
    fn import(&self, hash: &str) -> Duration {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hallpass"))
            .args(["user", "import", "-"])
            .envs([("DATABASE_URL", self.url.as_str()), ("SECRET_KEY", operations::SECRET_KEY), ("RUST_LOG", "warn")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = BufWriter::new(child.stdin.take().unwrap());
        for number in 0..self.users {
            let name = username(number);
            writeln!(
                pipe,
                r#"{{"username":"{name}","email":"{name}@example.org","email_verified":true,"first_name":"Ada","last_name":"Lovelace","hashed_password":"{hash}","created_at":"2026-01-01T00:00:00Z"}}"#
            )
            .unwrap();
        }
        drop(pipe);
        assert!(child.wait().unwrap().success());
        start.elapsed()
    }

    /// `count` users with a live session, spread over the whole table.
    pub async fn signed_in(&self, app: &App, count: u32) -> Vec<SignedIn> {
        let step = self.users / count / SESSION_INTERVAL * SESSION_INTERVAL;
        let names = user::Column::UsernameKey.is_in((0..count).map(|number| username(number * step)));
        let users = user::Entity::find().filter(names).all(app.database.read()).await.unwrap();
        let ids = session::Column::Id.is_in(users.iter().map(|user| user.id));
        let sessions = session::Entity::find().filter(ids).all(app.database.read()).await.unwrap();
        assert_eq!(sessions.len(), usize::try_from(count).unwrap());
        let names: HashMap<_, _> = users.into_iter().map(|user| (user.id, user.username)).collect();
        sessions.iter().map(|session| SignedIn::new(app, names[&session.user_id].clone(), session)).collect()
    }

    /// Inserts expired sessions with random ids, so that each is on another page.
    pub async fn insert_expired(&self, count: u32) {
        const BATCH: u32 = 1_000;
        let raw = connect(&self.url).await;
        let random = if self.is_sqlite() {
            raw.execute_unprepared("PRAGMA cache_size = -500000").await.unwrap();
            raw.execute_unprepared("PRAGMA synchronous = OFF").await.unwrap();
            "randomblob(16)"
        } else {
            "gen_random_uuid()"
        };
        let users = (0..count / BATCH).map(|number| number * (self.users / (count / BATCH)));
        for (number, user) in (1..).zip(users) {
            let expired: DateTime<Utc> = Utc::now() - TimeDelta::minutes(number);
            let insert = format!(
                "{INSERT_SESSIONS} SELECT {random}, id, $1, $1, $1, 0, 'BODY' FROM users \
                 WHERE username_key >= $2 ORDER BY username_key LIMIT {BATCH}"
            );
            execute(&raw, &insert, vec![expired.into(), username(user).into()]).await;
        }
        raw.close().await.unwrap();
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// Prints the size on disk per row.
    pub async fn print_size(&self) {
        if let Some(path) = self.url.strip_prefix("sqlite://") {
            let bytes = fs::metadata(Path::new(path)).unwrap().len();
            println!(
                "{}, {} users: {} bytes per user, with sessions",
                self.name,
                self.users,
                bytes / u64::from(self.users)
            );
            return;
        }
        let raw = connect(&self.url).await;
        for table in ["users", "user_roles", "audit_log", "sessions"] {
            let sql =
                format!("SELECT pg_total_relation_size('{table}') / greatest(count(*), 1), count(*) FROM {table}");
            let row = raw.query_one_raw(statement(&raw, &sql, vec![])).await.unwrap().unwrap();
            let (bytes, rows): (i64, i64) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
            println!("{}, {} users: {table}: {bytes} bytes per row, {rows} rows", self.name, self.users);
        }
        raw.close().await.unwrap();
    }
}

const INSERT_SESSIONS: &str =
    "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, generation, delivery)";

fn statement(db: &DatabaseConnection, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

async fn has(db: &DatabaseConnection, sql: &str, value: Value) -> bool {
    db.query_one_raw(statement(db, sql, vec![value])).await.unwrap().is_some()
}

async fn execute(db: &DatabaseConnection, sql: &str, values: Vec<Value>) {
    db.execute_raw(statement(db, sql, values)).await.unwrap();
}
