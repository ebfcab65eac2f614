//! The cost of requests relative to the minimum: a bare axum handler and plain bcrypt, measured in the same run.
//!
//! `cargo bench --bench http` prints a table. The server is pinned to one core and `wrk` (a Debian package) to another.
//! The result is the CPU time of the server process per request, which is more stable than wall-clock time on a shared
//! machine. `benches/README.md` explains the results.
#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics when it fails"
)]

#[path = "http/load.rs"]
mod load;
#[path = "shared/process.rs"]
mod process;
#[path = "http/servers.rs"]
mod servers;

use std::time::{Duration, Instant};

use load::{Load, Wrk};
use servers::{Kind, Server};

/// The same allocator as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const REGISTER: &str = r#"{"query":"mutation($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }","variables":{"input":{"username":"NAME","password":"correct horse"}}}"#;
const LOGIN: &str = r#"{"query":"mutation($input: LoginInput!) { login(input: $input) { accessToken user { id } } }","variables":{"input":{"username":"ada","password":"correct horse"}}}"#;
const ME: &str = r#"{"query":"{ me { id username email firstName lastName isActive createdAt } }"}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => return servers::serve(&arguments[2..]),
        // `cargo test` also runs benches, with nothing to measure.
        Some("--test") => return,
        // Only one part.
        Some("hashing") => return hashing(),
        Some("start") => return start(),
        Some("memory") => return memory(),
        _ => {}
    }
    println!("server on core 0, wrk on core 1; SQLite unless stated otherwise\n");
    let bare = requests();
    for (name, url) in [("PostgreSQL", "BENCH_POSTGRES_URL"), ("MariaDB", "BENCH_MYSQL_URL")] {
        if let Some(url) = std::env::var_os(url) {
            let server = Server::start(Kind::Hallpass { cost: 4, database: url.to_str() });
            let token = server.sign_up("ada");
            report(&format!("me, {name}"), measure(&server, ME, Some(&token)), bare);
        }
    }
    hashing();
    start();
    memory();
}

/// Measures CPU time per request. Returns that of the bare server, in microseconds.
fn requests() -> f64 {
    let bare = measure(&Server::start(Kind::Bare), ME, None);
    println!("| request | CPU µs | × bare | requests/s | p99 ms |\n|---|---|---|---|---|");
    report("bare axum, static JSON", bare, bare.cpu_micros);
    let server = Server::start(Kind::Hallpass { cost: 4, database: None });
    let token = server.sign_up("ada");
    report("me", measure(&server, ME, Some(&token)), bare.cpu_micros);
    report("__typename", measure(&server, r#"{"query":"{ __typename }"}"#, None), bare.cpu_micros);
    report("me, not signed in", measure(&server, ME, None), bare.cpu_micros);
    report("login with a hash of cost 4", measure(&server, LOGIN, None), bare.cpu_micros);
    bare.cpu_micros
}

#[derive(Clone, Copy)]
struct Measured {
    cpu_micros: f64,
    per_second: f64,
    p99_millis: f64,
}

/// The median of five runs of three seconds.
fn measure(server: &Server, body: &str, token: Option<&str>) -> Measured {
    let load = Load { port: server.port(), body, token, connections: 16 };
    load.run(Duration::from_secs(1));
    let mut runs: Vec<Measured> = (0..5)
        .map(|_| {
            let before = server.cpu();
            let wrk = load.run(Duration::from_secs(3));
            Measured {
                cpu_micros: server.cpu().checked_sub(before).unwrap().as_secs_f64() * 1e6 / wrk.requests as f64,
                per_second: wrk.requests as f64 / wrk.seconds,
                p99_millis: wrk.p99_millis,
            }
        })
        .collect();
    runs.sort_by(|a, b| a.cpu_micros.total_cmp(&b.cpu_micros));
    runs[2]
}

fn report(name: &str, measured: Measured, bare: f64) {
    let Measured { cpu_micros, per_second, p99_millis } = measured;
    println!("| {name} | {cpu_micros:.1} | {:.1} | {per_second:.0} | {p99_millis:.1} |", cpu_micros / bare);
}

/// Compares logins with plain bcrypt on the same core: one at a time, from 16 clients, and while other clients query `me`.
fn hashing() {
    const COST: u32 = 12;
    const DURATION: Duration = Duration::from_secs(20);
    let server = Server::start(Kind::Hallpass { cost: COST, database: None });
    let token = server.sign_up("ada");
    let logins = Load { port: server.port(), body: LOGIN, token: None, connections: 16 };
    let me = Load { port: server.port(), body: ME, token: Some(&token), connections: 4 };
    let raw = servers::raw_hashes_per_second(COST);
    let lone = Load { connections: 1, ..logins }.run(DURATION);
    // The mean of both sides of the lone logins, in case the load of the machine changes.
    let raw = f64::midpoint(raw, servers::raw_hashes_per_second(COST));
    let quiet = me.run(Duration::from_secs(5));
    let together = logins.run(DURATION);

    // `me` uses part of the core, which is not available to logins. Both run for the same time, because an idle rest would
    // distort the result.
    let storm = logins.start(DURATION);
    let before = server.cpu_of_requests();
    let during: Wrk = me.run(DURATION);
    let busy = server.cpu_of_requests().checked_sub(before).unwrap().as_secs_f64() / DURATION.as_secs_f64();
    let storm = storm.finish();
    let per_second = |wrk: &Wrk| wrk.requests as f64 / wrk.seconds;
    println!("\n| hashing, cost {COST}, one core | |\n|---|---|");
    println!("| plain bcrypt | {raw:.1} /s |");
    println!("| a lone login | {:.0} ms, {:.2} × plain bcrypt |", lone.mean_millis, lone.mean_millis * raw / 1e3);
    println!(
        "| logins of 16 clients | {:.1} /s, {:.2} × plain bcrypt; p99 {:.2} s |",
        per_second(&together),
        per_second(&together) / raw,
        together.p99_millis / 1e3
    );
    println!("| storm: 16 clients log in, 4 query `me` | |");
    println!("| `me` p99, without and during the storm | {:.1} ms, {:.1} ms |", quiet.p99_millis, during.p99_millis);
    println!("| `me` throughput during the storm | {:.0} % |", 100.0 * per_second(&during) / per_second(&quiet));
    println!("| core used by requests | {:.0} % |", 100.0 * busy);
    println!(
        "| logins during the storm | {:.1} /s, {:.2} × plain bcrypt on the rest of the core; p99 {:.2} s |",
        per_second(&storm),
        per_second(&storm) / (raw * (1.0 - busy)),
        storm.p99_millis / 1e3
    );
    println!("| refused or failed | {} |", lone.errors + together.errors + storm.errors + during.errors);
}

/// Measures the time from the start of the process until it has executed a query: with a new database, with one that has all
/// migrations, and with other databases.
fn start() {
    println!("\n| start to first query | median | fastest |\n|---|---|---|");
    report_starts("SQLite, new database", None);
    let folder = std::env::temp_dir().join(format!("hallpass-bench-start-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("sqlite:{}", folder.join("hallpass.db").display());
    report_starts("SQLite", Some(&url));
    std::fs::remove_dir_all(&folder).unwrap();
    for (name, url) in [("PostgreSQL", "BENCH_POSTGRES_URL"), ("MariaDB", "BENCH_MYSQL_URL")] {
        if let Some(url) = std::env::var_os(url) {
            report_starts(name, url.to_str());
        }
    }
}

fn report_starts(name: &str, database: Option<&str>) {
    // The first start may migrate the database.
    let mut starts: Vec<Duration> = (0..10)
        .map(|_| {
            let start = Instant::now();
            let server = Server::start(Kind::Binary { database });
            server.query();
            start.elapsed()
        })
        .skip(1)
        .collect();
    starts.sort();
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!("| {name} | {:.1} ms | {:.1} ms |", millis(starts[4]), millis(starts[0]));
}

/// Measures resident memory.
fn memory() {
    let idle = Server::start(Kind::Binary { database: None });
    idle.query();
    // The first run of the background jobs.
    std::thread::sleep(Duration::from_secs(1));
    let idle = idle.resident_mib();
    let server = Server::start(Kind::Hallpass { cost: 4, database: None });
    server.sign_up("ada");
    let load = Load { port: server.port(), body: LOGIN, token: None, connections: 16 };
    let mut logins = 0;
    while logins < 10_000 {
        logins += load.run(Duration::from_secs(2)).requests;
    }
    println!("\n| resident memory, MiB | all | without files |\n|---|---|---|");
    for (name, (all, anonymous)) in [("idle", idle), (&format!("after {logins} logins"), server.resident_mib())] {
        println!("| {name} | {all:.1} | {anonymous:.1} |");
    }
}
