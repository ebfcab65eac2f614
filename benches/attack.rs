//! What an attacker sees and what they cost: can names that exist be told from others by time; what does counting attempts
//! cost a login; does a storm of logins leave everybody an answer.
//!
//! `cargo bench --bench attack` prints tables, and fails where a bar is missed. It takes some minutes, because passwords are
//! hashed as in production. `BENCH_DATABASE_URLS` names empty databases, separated by commas, for more lines.
#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and one that can't go on has failed"
)]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use hallpass::{
    App,
    clock::Clock,
    config::Settings,
    database::Database,
    domain::{
        Client, Context, Viewer,
        sessions::NewSession,
        sign_in::password::{Credentials, login},
    },
    entity::user::{self, Roles},
    http::{self, Limits, Peer},
    security::random,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// As in the real binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Users there are.
const USERS: u32 = 400;
const PASSWORD: &str = "correct horse battery";
/// Requests of each kind that are compared by time.
const TIMED: u32 = 120;
/// How much longer the median may be of one kind than of the other.
const LARGEST_DIFFERENCE: f64 = 0.05;
/// How often somebody who tells the two apart by time may be right, if 0.5 is chance.
const LARGEST_AUC: f64 = 0.6;
/// What counting may cost of a login's CPU.
const LARGEST_SHARE: f64 = 0.02;
const STORM_CLIENTS: usize = 64;
const STORM: Duration = Duration::from_secs(30);
const LATEST_ANSWER: Duration = Duration::from_secs(6);

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--test") {
        // `cargo test` runs benches too; there is nothing to see then.
        return;
    }
    let folder = std::env::temp_dir().join(format!("hallpass-attack-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let is_good = runtime.block_on(async {
        let timing = time(&folder).await;
        let costs = costs(&folder).await;
        let storm = storm(&folder).await;
        timing && costs && storm
    });
    fs::remove_dir_all(&folder).unwrap();
    assert!(is_good, "a bar was missed");
}

/// A server on a database of its own, with users of one password.
async fn open(url: &str, change: impl FnOnce(&mut Settings)) -> Arc<App> {
    let variables = [("DATABASE_URL", url), ("SECRET_KEY", "a secret that is for the benches only: 4c1f")];
    let mut settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    change(&mut settings);
    let database = Database::connect(&settings.database.url, None).await.unwrap();
    database.migrate().await.unwrap();
    Arc::new(App::new(settings, database, Clock::System).unwrap())
}

async fn fill(app: &App) {
    let now = app.clock.now();
    let password_hash = app.hasher.hash(&PASSWORD.into()).await.unwrap();
    let users = (0..USERS).map(|number| user::Model {
        id: random::id(now).unwrap(),
        username: format!("user-{number}"),
        username_key: format!("user-{number}"),
        email: Some(format!("user-{number}@example.org")),
        email_key: Some(format!("user-{number}@example.org")),
        password_hash: password_hash.clone(),
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
    });
    let transaction = app.write().await.unwrap();
    user::insert_all(&transaction, users).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Another address each time.
fn next_address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0x0A00_0001);
    Ipv4Addr::from_bits(NEXT.fetch_add(1, Relaxed)).into()
}

/// How a GraphQL mutation is answered: the code of its error, if there is one.
async fn send(router: &Router, query: &str, input: Value) -> Option<String> {
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let request = Request::post("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .extension(Peer(SocketAddr::new(next_address(), 4711)))
        .body(Body::from(body))
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["errors"][0]["extensions"]["code"].as_str().map(ToOwned::to_owned)
}

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { tokenType } }";
const RESET: &str = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { tokenType } }";

/// How both kinds of guess are answered.
const WRONG: [Option<&str>; 2] = [Some("INVALID_CREDENTIALS"); 2];

/// Two kinds of request that nobody is to tell apart by their time, sent by turns.
async fn time(folder: &Path) -> bool {
    let app = open(&format!("sqlite://{}/time.db", folder.display()), |_| {}).await;
    fill(&app).await;
    let router = http::router(&app, Limits::default());
    let login = |name: String, password: String| json!({ "username": name, "password": password });
    let wrong = || "not the password".to_owned();
    let long = || "x".repeat(2000);
    let mut is_good = true;
    println!("| | median, ms | median, ms | difference | AUC |\n|---|---|---|---|---|");
    for (what, query, codes, one, other) in [
        (
            "login: a known name, an unknown one",
            LOGIN,
            WRONG,
            &(|n: u32| login(format!("user-{n}"), wrong())) as &dyn Fn(u32) -> Value,
            &(|n: u32| login(format!("nobody-{n}"), wrong())) as &dyn Fn(u32) -> Value,
        ),
        ("the same with a password of 2 kB", LOGIN, WRONG, &|n| login(format!("user-{}", 150 + n), long()), &|n| {
            login(format!("nobody-{}", 150 + n), long())
        }),
        (
            "register: a taken name, a fresh one",
            REGISTER,
            [Some("USERNAME_TAKEN"), None],
            &|n| login(format!("user-{n}"), PASSWORD.to_owned()),
            &|n| login(format!("fresh-{n}"), PASSWORD.to_owned()),
        ),
        (
            "a reset: a known address, an unknown one",
            RESET,
            [None; 2],
            &|n| json!({ "email": format!("user-{n}@example.org") }),
            &|n| json!({ "email": format!("nobody-{n}@example.org") }),
        ),
    ] {
        let (mut ones, mut others) = (Vec::new(), Vec::new());
        for number in 0..TIMED {
            // By turns, and each as often first.
            let both = [(one, &mut ones), (other, &mut others)];
            let order: [usize; 2] = if number % 2 == 0 { [0, 1] } else { [1, 0] };
            let mut both = both.map(Some);
            for index in order {
                let (input, times) = both[index].take().unwrap();
                let start = Instant::now();
                let code = send(&router, query, input(number)).await;
                times.push(start.elapsed().as_secs_f64() * 1e3);
                assert_eq!(code.as_deref(), codes[index], "{what}");
            }
        }
        // What differs for both alike: the first requests.
        let (ones, others) = (&mut ones[4..], &mut others[4..]);
        let auc = auc(ones, others);
        let (one, other) = (median(ones), median(others));
        let difference = (other / one - 1.0).abs();
        is_good &= difference <= LARGEST_DIFFERENCE && auc.max(1.0 - auc) <= LARGEST_AUC;
        println!("| {what} | {one:.2} | {other:.2} | {:.1} % | {auc:.2} |", difference * 1e2);
    }
    app.database.close().await;
    is_good
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How often one of the second kind took longer than one of the first (Mann-Whitney).
fn auc(ones: &[f64], others: &[f64]) -> f64 {
    let longer = ones.iter().flat_map(|one| others.iter().map(move |other| f64::from(u8::from(other > one))));
    longer.sum::<f64>() / (ones.len() * others.len()) as f64
}

/// CPU of logins with the cheapest hash, counted and not, by turns; as a share of a login with a hash as in production.
async fn costs(folder: &Path) -> bool {
    let hash = {
        let app = open(&format!("sqlite://{}/hash.db", folder.display()), |_| {}).await;
        let before = cpu();
        for _ in 0..8 {
            app.hasher.hash(&PASSWORD.into()).await.unwrap();
        }
        used_since(before) / 8.0
    };
    println!("\n| a login, CPU µs beside its hash | not counted | counted | share of a login |\n|---|---|---|---|");
    let urls = std::env::var_os("BENCH_DATABASE_URLS").and_then(|urls| urls.into_string().ok()).unwrap_or_default();
    let mut is_good = true;
    for url in std::iter::once(format!("sqlite://{}/costs.db", folder.display()))
        .chain(urls.split(',').filter(|url| !url.is_empty()).map(ToOwned::to_owned))
    {
        let cheap = |throttle| {
            move |settings: &mut Settings| {
                settings.passwords.bcrypt_cost = 4;
                settings.throttle.is_enabled = throttle;
            }
        };
        let (plain, counted) = (open(&url, cheap(false)).await, open(&url, cheap(true)).await);
        fill(&plain).await;
        let (mut plain_runs, mut counted_runs) = (Vec::new(), Vec::new());
        for run in 0..10 {
            for (app, runs) in [(&plain, &mut plain_runs), (&counted, &mut counted_runs)] {
                let before = cpu();
                for number in 0..40 {
                    let identifier = format!("user-{}", run * 40 + number);
                    let client = Client::new(Some(next_address()), None);
                    let credentials = Credentials { identifier, password: PASSWORD.into() };
                    login(&Context::of_request(app, Viewer::Anonymous, client), credentials, NewSession::in_body())
                        .await
                        .ok()
                        .unwrap();
                }
                runs.push(used_since(before) / 40.0);
            }
        }
        let (without, with) = (median(&mut plain_runs), median(&mut counted_runs));
        let share = (with - without) / (hash + with);
        is_good &= share < LARGEST_SHARE;
        let scheme = url.split(':').next().unwrap_or_default();
        println!("| {scheme} | {without:.0} | {with:.0} | {:.2} % |", share * 1e2);
        plain.database.close().await;
        counted.database.close().await;
    }
    is_good
}

/// What all threads of this process have used.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// CPU µs.
fn used_since(before: Duration) -> f64 {
    cpu().saturating_sub(before).as_secs_f64() * 1e6
}

/// Many clients at many addresses, who log in without pause.
async fn storm(folder: &Path) -> bool {
    let app = open(&format!("sqlite://{}/storm.db", folder.display()), |_| {}).await;
    fill(&app).await;
    let router = http::router(&app, Limits::default());
    let memory = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().split(' ').next().unwrap().parse::<f64>().unwrap() / 1024.0
    };
    let (start, end) = (Instant::now(), Instant::now() + STORM);
    let clients = (0..STORM_CLIENTS).map(|client| {
        let router = router.clone();
        tokio::spawn(async move {
            let (mut latest, mut signed_in, mut refused) = (Duration::ZERO, 0_u32, 0_u32);
            let mut number = client;
            while Instant::now() < end {
                let asked = Instant::now();
                let input = json!({ "username": format!("user-{}", number % 400), "password": PASSWORD });
                let code = send(&router, LOGIN, input).await;
                latest = latest.max(asked.elapsed());
                if code.is_none() {
                    signed_in += 1;
                } else {
                    refused += 1;
                    // Who is told to come back later does not come back at once.
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                number += STORM_CLIENTS;
            }
            (latest, signed_in, refused)
        })
    });
    let clients: Vec<_> = clients.collect();
    tokio::time::sleep_until((start + STORM / 3).into()).await;
    let early = memory();
    let (mut latest, mut signed_in, mut refused) = (Duration::ZERO, 0, 0);
    for client in clients {
        let (client_latest, some, others) = client.await.unwrap();
        latest = latest.max(client_latest);
        signed_in += some;
        refused += others;
    }
    let late = memory();
    println!(
        "\n{STORM_CLIENTS} clients for {} s: {signed_in} signed in, {refused} were told to come back later; the latest answer came after {:.1} s; {early:.1} MiB after a third of the time, {late:.1} MiB at its end",
        STORM.as_secs(),
        latest.as_secs_f64()
    );
    app.database.close().await;
    latest < LATEST_ANSWER && late < early + 3.0
}
