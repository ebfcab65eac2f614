//! Attack resistance: whether response times reveal which accounts exist, how much CPU throttling adds to a login, and
//! whether all clients get a response during a login storm.
//!
//! `cargo bench --bench attack` prints tables and fails if a limit is exceeded. It takes several minutes, because
//! passwords are hashed as in production. Set `BENCH_DATABASE_URLS` to empty databases, separated by commas, to measure
//! them too.
#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics when it fails"
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

/// The same allocator as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Number of users.
const USERS: u32 = 400;
const PASSWORD: &str = "correct horse battery";
/// Number of timed requests of each kind.
const TIMED: u32 = 120;
/// Maximum relative difference between the two medians.
const MAX_MEDIAN_DIFFERENCE: f64 = 0.05;
/// Maximum probability of telling the two kinds apart by time, where 0.5 is chance.
const MAX_AUC: f64 = 0.6;
/// Maximum share of throttling in a login's CPU time.
const MAX_THROTTLE_SHARE: f64 = 0.02;
const STORM_CLIENTS: usize = 64;
const STORM: Duration = Duration::from_secs(30);
const MAX_RESPONSE_TIME: Duration = Duration::from_secs(6);

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--test") {
        // `cargo test` also runs benches, with nothing to measure.
        return;
    }
    let folder = std::env::temp_dir().join(format!("hallpass-attack-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let is_within_limits = runtime.block_on(async {
        let timing = compare_times(&folder).await;
        let throttle = measure_throttle(&folder).await;
        let storm = run_storm(&folder).await;
        timing && throttle && storm
    });
    fs::remove_dir_all(&folder).unwrap();
    assert!(is_within_limits, "a limit was exceeded");
}

/// Opens an application with its own database.
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
        has_password: true,
    });
    let transaction = app.write().await.unwrap();
    user::insert_all(&transaction, users).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Returns a different address each time.
fn next_address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0x0A00_0001);
    Ipv4Addr::from_bits(NEXT.fetch_add(1, Relaxed)).into()
}

/// Sends a GraphQL mutation and returns the code of its error, if any.
async fn send(router: &Router, query: &str, input: Value) -> Option<String> {
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let request = Request::post("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .extension(Peer(SocketAddr::new(next_address(), 4711)))
        .body(Body::from(body))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let response: Value = serde_json::from_slice(&response).unwrap();
    response["errors"][0]["extensions"]["code"].as_str().map(ToOwned::to_owned)
}

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { tokenType } }";
const RESET: &str = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
const SIGN_IN_MAIL: &str =
    "mutation($input: RequestEmailSignInInput!) { requestEmailSignIn(input: $input) { expiresIn } }";
/// The example of RFC 7636.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { tokenType } }";

/// The expected error codes of both kinds of guess.
const WRONG: [Option<&str>; 2] = [Some("INVALID_CREDENTIALS"); 2];

/// Compares the times of pairs of requests that must be indistinguishable, sent alternately.
async fn compare_times(folder: &Path) -> bool {
    let app = open(&format!("sqlite://{}/time.db", folder.display()), |settings| settings.mail.sign_in = true).await;
    fill(&app).await;
    let router = http::router(&app, Limits::default());
    let login = |name: String, password: String| json!({ "username": name, "password": password });
    let wrong = || "not the password".to_owned();
    let long = || "x".repeat(2000);
    let mut is_within_limits = true;
    println!("| | median, ms | median, ms | difference | AUC |\n|---|---|---|---|---|");
    for (name, query, codes, one, other) in [
        (
            "login: known and unknown username",
            LOGIN,
            WRONG,
            &(|n: u32| login(format!("user-{n}"), wrong())) as &dyn Fn(u32) -> Value,
            &(|n: u32| login(format!("nobody-{n}"), wrong())) as &dyn Fn(u32) -> Value,
        ),
        (
            "login with a 2 kB password: known and unknown username",
            LOGIN,
            WRONG,
            &|n| login(format!("user-{}", 150 + n), long()),
            &|n| login(format!("nobody-{}", 150 + n), long()),
        ),
        (
            "register: taken and free username",
            REGISTER,
            [Some("USERNAME_TAKEN"), None],
            &|n| login(format!("user-{n}"), PASSWORD.to_owned()),
            &|n| login(format!("fresh-{n}"), PASSWORD.to_owned()),
        ),
        (
            "password reset: known and unknown address",
            RESET,
            [None; 2],
            &|n| json!({ "email": format!("user-{n}@example.org") }),
            &|n| json!({ "email": format!("nobody-{n}@example.org") }),
        ),
        (
            "sign-in by mail: known and unknown address",
            SIGN_IN_MAIL,
            [None; 2],
            &|n| json!({ "email": format!("user-{}@example.org", 150 + n), "codeChallenge": CHALLENGE }),
            &|n| json!({ "email": format!("nobody-{}@example.org", 150 + n), "codeChallenge": CHALLENGE }),
        ),
    ] {
        let (mut ones, mut others) = (Vec::new(), Vec::new());
        for number in 0..TIMED {
            // Alternately, and each kind is first equally often.
            let both = [(one, &mut ones), (other, &mut others)];
            let order: [usize; 2] = if number % 2 == 0 { [0, 1] } else { [1, 0] };
            let mut both = both.map(Some);
            for index in order {
                let (input, times) = both[index].take().unwrap();
                let start = Instant::now();
                let code = send(&router, query, input(number)).await;
                times.push(start.elapsed().as_secs_f64() * 1e3);
                assert_eq!(code.as_deref(), codes[index], "{name}");
            }
        }
        // Skips the first requests, which are slower for both kinds.
        let (ones, others) = (&mut ones[4..], &mut others[4..]);
        let auc = auc(ones, others);
        let (one, other) = (median(ones), median(others));
        let difference = (other / one - 1.0).abs();
        // If the responses differ, their times reveal nothing more.
        let is_revealing = codes[0] == codes[1] && auc.max(1.0 - auc) > MAX_AUC;
        is_within_limits &= difference <= MAX_MEDIAN_DIFFERENCE && !is_revealing;
        println!("| {name} | {one:.2} | {other:.2} | {:.1} % | {auc:.2} |", difference * 1e2);
    }
    app.database.close().await;
    is_within_limits
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The probability that a time of the second kind is longer than one of the first (Mann-Whitney).
fn auc(ones: &[f64], others: &[f64]) -> f64 {
    let longer = ones.iter().flat_map(|one| others.iter().map(move |other| f64::from(u8::from(other > one))));
    longer.sum::<f64>() / (ones.len() * others.len()) as f64
}

/// Compares the CPU time of logins with and without throttling, alternately, with the cheapest hash. The result is
/// relative to a login with a production hash.
async fn measure_throttle(folder: &Path) -> bool {
    let hash = {
        let app = open(&format!("sqlite://{}/hash.db", folder.display()), |_| {}).await;
        let before = cpu();
        for _ in 0..8 {
            app.hasher.hash(&PASSWORD.into()).await.unwrap();
        }
        used_since(before) / 8.0
    };
    println!("\n| login, CPU µs without its hash | not throttled | throttled | share of a login |\n|---|---|---|---|");
    let urls = std::env::var_os("BENCH_DATABASE_URLS").and_then(|urls| urls.into_string().ok()).unwrap_or_default();
    let mut is_within_limits = true;
    for url in std::iter::once(format!("sqlite://{}/costs.db", folder.display()))
        .chain(urls.split(',').filter(|url| !url.is_empty()).map(ToOwned::to_owned))
    {
        let cheap = |throttle| {
            move |settings: &mut Settings| {
                settings.passwords.bcrypt_cost = 4;
                settings.throttle.is_enabled = throttle;
            }
        };
        let (unthrottled, throttled) = (open(&url, cheap(false)).await, open(&url, cheap(true)).await);
        fill(&unthrottled).await;
        let (mut unthrottled_runs, mut throttled_runs) = (Vec::new(), Vec::new());
        for run in 0..10 {
            for (app, runs) in [(&unthrottled, &mut unthrottled_runs), (&throttled, &mut throttled_runs)] {
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
        let (without, with) = (median(&mut unthrottled_runs), median(&mut throttled_runs));
        let share = (with - without) / (hash + with);
        is_within_limits &= share < MAX_THROTTLE_SHARE;
        let scheme = url.split(':').next().unwrap_or_default();
        println!("| {scheme} | {without:.0} | {with:.0} | {:.2} % |", share * 1e2);
        unthrottled.database.close().await;
        throttled.database.close().await;
    }
    is_within_limits
}

/// CPU time of all threads of this process.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// CPU time since `before`, in µs.
fn used_since(before: Duration) -> f64 {
    cpu().saturating_sub(before).as_secs_f64() * 1e6
}

/// Runs many clients with different addresses that log in continuously.
async fn run_storm(folder: &Path) -> bool {
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
            let (mut slowest, mut signed_in, mut limited) = (Duration::ZERO, 0_u32, 0_u32);
            let mut number = client;
            while Instant::now() < end {
                let sent_at = Instant::now();
                let input = json!({ "username": format!("user-{}", number % 400), "password": PASSWORD });
                let code = send(&router, LOGIN, input).await;
                slowest = slowest.max(sent_at.elapsed());
                if code.is_none() {
                    signed_in += 1;
                } else {
                    limited += 1;
                    // A client that is told to retry later waits before it does.
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                number += STORM_CLIENTS;
            }
            (slowest, signed_in, limited)
        })
    });
    let clients: Vec<_> = clients.collect();
    tokio::time::sleep_until((start + STORM / 3).into()).await;
    let early = memory();
    let (mut slowest, mut signed_in, mut limited) = (Duration::ZERO, 0, 0);
    for client in clients {
        let (client_slowest, client_signed_in, client_limited) = client.await.unwrap();
        slowest = slowest.max(client_slowest);
        signed_in += client_signed_in;
        limited += client_limited;
    }
    let late = memory();
    println!(
        "\n{STORM_CLIENTS} clients for {} s: {signed_in} signed in, {limited} were told to retry later; slowest response \
         {:.1} s; {early:.1} MiB after a third of the time, {late:.1} MiB at the end",
        STORM.as_secs(),
        slowest.as_secs_f64()
    );
    app.database.close().await;
    slowest < MAX_RESPONSE_TIME && late < early + 3.0
}
