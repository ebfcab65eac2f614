//! The cost of requests with a thousand and with a million users and sessions.
//!
//! `cargo bench --bench scale` prints a table of CPU times, and of instructions if valgrind is installed. Set
//! `BENCH_POSTGRES_URL` to an empty database to measure PostgreSQL too.
#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics when it fails"
)]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{
        Request,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    App,
    clock::Clock,
    config::Settings,
    database::Database,
    domain::{
        Client, Context, Viewer,
        sessions::{NewSession, PresentedToken, refresh},
        sign_in::password::{Credentials, login},
    },
    entity::{
        session::{self, BurntGenerations, Delivery},
        user::{self, Roles},
    },
    http::{self, Limits},
    security::{access_token::Subject, random, refresh_token::RefreshClaims},
};
use http_body_util::BodyExt;
use sea_orm::{EntityTrait, IntoActiveModel};
use tower::ServiceExt;
use uuid::Uuid;

/// The same allocator as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [u32; 2] = [1_000, 1_000_000];
/// Number of requests per run, and of runs per size.
const REQUESTS: u32 = 500;
const RUNS: usize = 7;
/// Number of rows per statement.
const BATCH: u32 = 1_000;
const PASSWORD: &str = "correct horse";

/// A measured operation.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// A request through the router, without network transfer.
    Me,
    /// With the cheapest hash, which would otherwise dominate the result.
    Login,
    Refresh,
}

const OPERATIONS: [Operation; 3] = [Operation::Me, Operation::Login, Operation::Refresh];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("perform") => return perform_from_stdin(&arguments[2], &arguments[3]),
        // `cargo test` also runs benches, with nothing to measure.
        Some("--test") => return,
        _ => {}
    }
    println!("| | users and sessions | CPU µs | instructions |\n|---|---|---|---|");
    let folder = std::env::temp_dir().join(format!("hallpass-scale-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    on_sqlite(&SIZES.map(|size| (size, format!("sqlite://{}/{size}.db", folder.display()))));
    fs::remove_dir_all(&folder).unwrap();
    if let Some(url) = std::env::var_os("BENCH_POSTGRES_URL").and_then(|url| url.into_string().ok()) {
        on_postgres(&url);
    }
}

/// Measures two SQLite files alternately, so that other load on the machine affects both.
fn on_sqlite(databases: &[(u32, String)]) {
    let runtime = runtime();
    let mut filled: Vec<(Arc<App>, Vec<session::Model>)> = databases
        .iter()
        .map(|(size, url)| {
            runtime.block_on(async {
                let app = open(url).await;
                let sessions = fill(&app, *size).await;
                (app, sessions)
            })
        })
        .collect();
    let mut measured = Vec::new();
    for operation in OPERATIONS {
        let mut runs = vec![Vec::new(); databases.len()];
        for _ in 0..RUNS {
            for ((app, sessions), runs) in filled.iter_mut().zip(&mut runs) {
                runs.push(runtime.block_on(run_once(app, operation, sessions)));
            }
        }
        measured.push(runs);
    }
    for (app, _) in &filled {
        runtime.block_on(app.database.close());
    }
    for (operation, runs) in OPERATIONS.into_iter().zip(measured) {
        for (((size, url), (app, sessions)), runs) in databases.iter().zip(&filled).zip(runs) {
            let instructions =
                instructions(app, url, operation, sessions).map_or("–".to_owned(), |count| format!("{count:.0}"));
            println!("| {operation:?}, SQLite | {size} | {:.0} | {instructions} |", median(runs));
        }
    }
}

/// Measures one database as it grows.
fn on_postgres(url: &str) {
    let runtime = runtime();
    let app = runtime.block_on(open(url));
    let mut sessions = Vec::new();
    let mut lines = Vec::new();
    for size in SIZES {
        let more = size - u32::try_from(sessions.len()).unwrap();
        sessions.extend(runtime.block_on(fill(&app, more)));
        for operation in OPERATIONS {
            let runs = (0..RUNS).map(|_| runtime.block_on(run_once(&app, operation, &mut sessions))).collect();
            lines.push(format!("| {operation:?}, PostgreSQL | {size} | {:.0} | – |", median(runs)));
        }
    }
    lines.sort();
    println!("{}", lines.join("\n"));
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn open(url: &str) -> Arc<App> {
    let variables = [("DATABASE_URL", url), ("SECRET_KEY", "a secret that is for the benches only: 4c1f")];
    let mut settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    settings.passwords.bcrypt_cost = 4;
    let database = Database::connect(&settings.database.url, None).await.unwrap();
    database.migrate().await.unwrap();
    Arc::new(App::new(settings, database, Clock::System).unwrap())
}

/// Inserts users with one session each. All share one password hash.
async fn fill(app: &App, count: u32) -> Vec<session::Model> {
    let now = app.clock.now();
    let password_hash = app.hasher.hash(&PASSWORD.into()).await.unwrap();
    let mut all = Vec::new();
    for batch in (0..count).collect::<Vec<_>>().chunks(usize::try_from(BATCH).unwrap()) {
        let ids: Vec<Uuid> = batch.iter().map(|_| random::id(now).unwrap()).collect();
        let sessions: Vec<session::Model> = ids.iter().map(|id| session_row(*id, now)).collect();
        let users = ids.iter().map(|id| user_row(*id, now, password_hash.clone()));
        let transaction = app.write().await.unwrap();
        user::insert_all(&transaction, users).await.unwrap();
        let models = sessions.iter().cloned().map(IntoActiveModel::into_active_model);
        session::Entity::insert_many(models).exec(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        all.extend(sessions);
    }
    all
}

fn user_row(id: Uuid, now: DateTime<Utc>, password_hash: hallpass::security::password::PasswordHash) -> user::Model {
    let name = id.simple().to_string();
    user::Model {
        id,
        username: name.clone(),
        username_key: name,
        email: None,
        email_key: None,
        password_hash,
        first_name: None,
        last_name: None,
        is_active: true,
        roles: Roles(vec!["user".to_owned()]),
        created_at: now,
        updated_at: now,
        last_login_at: None,
        email_verified_at: None,
        pending_email: None,
        pending_email_key: None,
        session_epoch: 0,
        pending_email_id: None,
        pending_email_expires_at: None,
        never_verified_since: None,
        is_self_registered: true,
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
        epoch: 0,
        predecessor: None,
        burnt: BurntGenerations::default(),
        authenticated_at: None,
    }
}

/// CPU time per request in µs, for users spread over the whole table. Each run uses the same users, like the active
/// users of a day.
async fn run_once(app: &Arc<App>, operation: Operation, sessions: &mut [session::Model]) -> f64 {
    let step = sessions.len() / usize::try_from(REQUESTS).unwrap();
    let router = http::router(app, Limits::default());
    // Signing the client's tokens is not part of the measured cost.
    let tokens: Vec<String> = sessions.iter().step_by(step).map(|session| access_token(app, session)).collect();
    let before = cpu();
    for (session, token) in sessions.iter_mut().step_by(step).zip(tokens) {
        perform(app, &router, operation, session, &token).await;
    }
    cpu().checked_sub(before).unwrap().as_secs_f64() * 1e6 / f64::from(REQUESTS)
}

async fn perform(
    app: &Arc<App>,
    router: &Router,
    operation: Operation,
    session: &mut session::Model,
    access_token: &str,
) {
    match operation {
        Operation::Me => {
            let request = Request::post("/graphql")
                .header(CONTENT_TYPE, "application/json")
                .header(AUTHORIZATION, format!("Bearer {access_token}"))
                .body(Body::from(r#"{"query":"{ me { id username roles createdAt } }"}"#))
                .unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(body.starts_with(b"{\"data\":{\"me\":{\"id\""), "{body:?}");
        }
        Operation::Login => {
            let credentials =
                Credentials { identifier: session.user_id.simple().to_string(), password: PASSWORD.into() };
            login(&context(app), credentials, NewSession::in_body()).await.unwrap();
        }
        Operation::Refresh => refresh_one(app, session).await,
    }
}

fn context(app: &Arc<App>) -> Context {
    Context::of_request(app, Viewer::Anonymous, Client::default())
}

fn access_token(app: &App, session: &session::Model) -> String {
    let subject = Subject {
        user_id: session.user_id,
        session_id: session.id,
        generation: session.generation,
        roles: &[],
        username: "",
    };
    app.access_tokens.sign(subject, app.clock.now()).unwrap()
}

async fn refresh_one(app: &Arc<App>, session: &mut session::Model) {
    let claims = RefreshClaims {
        session_id: session.id,
        generation: session.generation,
        issued_at: session.created_at,
        expires_at: session.expires_at,
    };
    let token = app.refresh_tokens.sign(claims).unwrap().into();
    let presented = PresentedToken { token, delivery: Delivery::Body };
    *session = refresh(&context(app), Some(presented)).await.unwrap().principal.session;
}

/// CPU time of all threads of this process.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.map(|task| {
        let stat = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        stat.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

/// Instructions per request: the difference between a process with many requests and one with few. `None` without
/// valgrind.
fn instructions(app: &App, url: &str, operation: Operation, sessions: &[session::Model]) -> Option<f64> {
    // The two processes use different sessions, because a refresh replaces the current token.
    let count = |requests: usize, first: usize| {
        let mut child = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().unwrap())
            .args(["perform", url, &format!("{operation:?}")])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let selected = sessions.iter().skip(first).step_by(sessions.len() / requests).take(requests);
        let lines: Vec<String> = selected
            .map(|session| {
                format!("{} {} {} {}\n", session.id, session.user_id, session.generation, access_token(app, session))
            })
            .collect();
        child.stdin.take()?.write_all(lines.concat().as_bytes()).ok()?;
        let text = String::from_utf8(child.wait_with_output().ok()?.stderr).ok()?;
        text.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse::<f64>().ok()
    };
    let (few, many) = (50, 250);
    Some((count(many, 0)? - count(few, 1)?) / (many - few) as f64)
}

/// Performs requests for the sessions listed on standard input.
fn perform_from_stdin(url: &str, operation: &str) {
    let operation = OPERATIONS.into_iter().find(|known| format!("{known:?}") == operation).unwrap();
    runtime().block_on(async {
        let app = open(url).await;
        let router = http::router(&app, Limits::default());
        for line in std::io::stdin().lines().map(Result::unwrap) {
            let parts: Vec<&str> = line.split(' ').collect();
            let mut session = session_row(parts[1].parse().unwrap(), app.clock.now());
            session.id = parts[0].parse().unwrap();
            session.generation = parts[2].parse().unwrap();
            perform(&app, &router, operation, &mut session, parts[3]).await;
        }
    });
}
