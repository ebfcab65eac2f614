//! What a refresh costs with a thousand sessions in the table, and with a million.
//!
//! `cargo bench --bench scale` prints a table: CPU time for each refresh, and instructions where valgrind is there to count
//! them. `BENCH_POSTGRES_URL` names an empty database for two more lines.
#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and one that can't go on has failed"
)]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    App,
    accounts::{
        Client,
        sessions::{PresentedToken, refresh},
    },
    clock::Clock,
    config::Settings,
    database::Database,
    entity::{
        session::{self, Delivery},
        user::{self, Roles},
    },
    security::{random, refresh_token::RefreshClaims},
};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use uuid::Uuid;

/// As in the real binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [u32; 2] = [1_000, 1_000_000];
/// Refreshes in a run, and runs of each size.
const REFRESHES: u32 = 500;
const RUNS: usize = 7;
const SESSIONS_OF_A_USER: u32 = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("refresh") => {
            return refresh_alone(&arguments[2]);
        }
        // `cargo test` runs benches too; there is nothing to see then.
        Some("--test") => return,
        _ => {}
    }
    println!("| sessions | CPU µs for a refresh | instructions |\n|---|---|---|");
    let folder = std::env::temp_dir().join(format!("hallpass-scale-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    compare(&SIZES.map(|size| (size, format!("sqlite://{}/{size}.db", folder.display()))), "SQLite");
    fs::remove_dir_all(&folder).unwrap();
    if let Some(url) = std::env::var_os("BENCH_POSTGRES_URL").and_then(|url| url.into_string().ok()) {
        // One database after the other would let the machine's mood into the comparison: one, filled up in between.
        compare(&SIZES.map(|size| (size, url.clone())), "PostgreSQL");
    }
}

/// Fills databases and measures them by turns, so that a noisy neighbour meets both.
fn compare(databases: &[(u32, String); 2], name: &str) {
    let runtime = runtime();
    let is_shared = databases[0].1 == databases[1].1;
    let mut measured: Vec<Vec<f64>> = vec![Vec::new(), Vec::new()];
    let apps: Vec<Arc<App>> = databases.iter().map(|(_, url)| runtime.block_on(open(url))).collect();
    let mut all: Vec<Vec<session::Model>> = Vec::new();
    for (index, (size, _)) in databases.iter().enumerate() {
        all.push(runtime.block_on(fill(&apps[index], *size)));
        if is_shared {
            measured[index] =
                (0..RUNS).map(|run| runtime.block_on(run_once(&apps[index], &mut all[index], run))).collect();
        }
    }
    if !is_shared {
        for run in 0..RUNS {
            for index in 0..2 {
                measured[index].push(runtime.block_on(run_once(&apps[index], &mut all[index], run)));
            }
        }
    }
    for app in &apps {
        runtime.block_on(app.database.close());
    }
    for (index, (size, url)) in databases.iter().enumerate() {
        measured[index].sort_by(f64::total_cmp);
        let instructions = if is_shared { None } else { instructions(url, &all[index]) };
        let instructions = instructions.map_or("–".to_owned(), |count| format!("{count:.0}"));
        println!("| {size}, {name} | {:.0} | {instructions} |", measured[index][RUNS / 2]);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn open(url: &str) -> Arc<App> {
    let variables = [("DATABASE_URL", url), ("SECRET_KEY", "a secret that is for the benches only: 4c1f")];
    let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let database = Database::connect(&settings.database_url, None).await.unwrap();
    database.migrate().await.unwrap();
    Arc::new(App::new(settings, database, Clock::System).unwrap())
}

/// Makes users and sessions, without hashing a password for each.
async fn fill(app: &App, sessions: u32) -> Vec<session::Model> {
    let now = app.clock.now();
    let password_hash = app.hasher.hash(&"correct horse".into()).await.unwrap();
    let mut all = Vec::new();
    for batch in (0..sessions / SESSIONS_OF_A_USER).collect::<Vec<_>>().chunks(500) {
        let mut users = Vec::new();
        let mut rows = Vec::new();
        for _ in batch {
            let id = random::id(now).unwrap();
            users.push(user_row(id, now, password_hash.clone()));
            rows.extend((0..SESSIONS_OF_A_USER).map(|_| session_row(id, now)));
        }
        let transaction = app.write().await.unwrap();
        user::Entity::insert_many(users).exec(&transaction).await.unwrap();
        let models = rows.iter().cloned().map(IntoActiveModel::into_active_model);
        session::Entity::insert_many(models).exec(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        all.extend(rows);
    }
    all
}

fn user_row(
    id: Uuid,
    now: DateTime<Utc>,
    password_hash: hallpass::security::password::PasswordHash,
) -> user::ActiveModel {
    let name = id.simple().to_string();
    user::ActiveModel {
        id: Set(id),
        username: Set(name.clone()),
        username_key: Set(name),
        email: Set(None),
        email_key: Set(None),
        password_hash: Set(password_hash),
        first_name: Set(None),
        last_name: Set(None),
        is_active: Set(true),
        roles: Set(Roles(vec!["user".to_owned()])),
        created_at: Set(now),
        updated_at: Set(now),
        last_login_at: Set(None),
    }
}

fn session_row(user_id: Uuid, now: DateTime<Utc>) -> session::Model {
    session::Model {
        id: random::id(now).unwrap(),
        user_id,
        generation: 0,
        user_agent: None,
        ip_address: None,
        created_at: now,
        last_used_at: now,
        expires_at: now + TimeDelta::days(7),
        revoked_at: None,
        rotated_at: None,
        confirmed_generation: 0,
        repeated_at: None,
        delivery: Delivery::Body,
    }
}

/// CPU µs for each of many refreshes, of sessions from all over the table.
async fn run_once(app: &App, sessions: &mut [session::Model], run: usize) -> f64 {
    let step = sessions.len() / usize::try_from(REFRESHES).unwrap();
    let before = cpu();
    for session in sessions.iter_mut().skip(run % step).step_by(step) {
        refresh_one(app, session).await;
    }
    cpu().checked_sub(before).unwrap().as_secs_f64() * 1e6 / f64::from(REFRESHES)
}

async fn refresh_one(app: &App, session: &mut session::Model) {
    let claims = RefreshClaims {
        session_id: session.id,
        generation: session.generation,
        issued_at: session.created_at,
        expires_at: session.expires_at,
    };
    let token = app.refresh_tokens.sign(claims).unwrap().into();
    let presented = PresentedToken { token, delivery: Delivery::Body };
    *session = refresh(app, Some(presented), &Client::default()).await.unwrap().principal.session;
}

/// What all threads of this process have used.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.map(|task| {
        let stat = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

/// Instructions for each refresh: those of a process with many, less those of one with few. None without valgrind.
fn instructions(url: &str, sessions: &[session::Model]) -> Option<f64> {
    // Not the same ones twice, whose tokens are no longer current.
    let count = |refreshes: usize, first: usize| {
        let mut child = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().unwrap())
            .args(["refresh", url])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let some = sessions.iter().skip(first).step_by(sessions.len() / refreshes).take(refreshes);
        let lines: Vec<String> = some.map(|session| format!("{} {}\n", session.id, session.generation)).collect();
        child.stdin.take()?.write_all(lines.concat().as_bytes()).ok()?;
        let text = String::from_utf8(child.wait_with_output().ok()?.stderr).ok()?;
        text.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse::<f64>().ok()
    };
    let (few, many) = (50, 250);
    Some((count(many, 0)? - count(few, 1)?) / (many - few) as f64)
}

/// Refreshes the sessions that standard input names.
fn refresh_alone(url: &str) {
    runtime().block_on(async {
        let app = open(url).await;
        for line in std::io::stdin().lines().map(Result::unwrap) {
            let (id, generation) = line.split_once(' ').unwrap();
            let mut session = session_row(Uuid::nil(), app.clock.now());
            session.id = id.parse().unwrap();
            session.generation = generation.parse().unwrap();
            refresh_one(&app, &mut session).await;
        }
    });
}
