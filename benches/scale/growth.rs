//! The cost of operations with few and with many users.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hallpass::{
    App,
    http::{self, Limits},
};

use crate::{
    cpu_of,
    data::Target,
    instances::backends,
    operations::{self, Operation, SignedIn},
    runtime,
};

/// Number of requests per run, and of runs per size.
const REQUESTS: u32 = 200;
const RUNS: usize = 7;
/// Number of requests of the two processes whose instructions are compared.
const FEW: usize = 50;
const MANY: usize = 250;
/// Users who take part: other ones for each purpose, because a refresh replaces the current token.
const USERS: u32 = 500;

static STATEMENTS: AtomicU64 = AtomicU64::new(0);

struct Measured {
    micros: f64,
    database_micros: f64,
    statements: f64,
}

/// Measures two databases alternately, so that other load on the machine affects both.
pub fn measure(targets: &[Target; 2]) {
    let runtime = runtime();
    let mut opened: Vec<(Arc<App>, Vec<SignedIn>, Vec<PathBuf>)> = targets
        .iter()
        .map(|target| {
            runtime.block_on(async {
                target.print_size().await;
                let app = operations::open(&target.url, Some(&STATEMENTS)).await;
                let mut users = target.signed_in(&app, USERS).await;
                // Fills the caches, as with the active users of a day.
                run_once(&app, Operation::Login, &mut users, &[]).await;
                // The first `me` after a refresh confirms the new tokens in the background, if not too many others do.
                while run_once(&app, Operation::Me, &mut users, &[]).await.statements > 1.0 {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                let backends = if target.is_sqlite() { Vec::new() } else { backends(&target.url).await };
                (app, users, backends)
            })
        })
        .collect();
    println!("\n| | users | CPU µs | PostgreSQL's CPU µs | statements | instructions |\n|---|---|---|---|---|---|");
    for operation in Operation::ALL {
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..RUNS {
            for ((app, users, backends), runs) in opened.iter_mut().zip(&mut runs) {
                let users = &mut users[..REQUESTS as usize];
                runs.push(runtime.block_on(run_once(app, operation, users, backends)));
            }
        }
        for ((target, (_, users, _)), mut runs) in targets.iter().zip(&opened).zip(runs) {
            runs.sort_by(|a, b| a.micros.total_cmp(&b.micros));
            let Measured { micros, statements, .. } = runs[RUNS / 2];
            runs.sort_by(|a, b| a.database_micros.total_cmp(&b.database_micros));
            let database =
                if target.is_sqlite() { "–".into() } else { format!("{:.0}", runs[RUNS / 2].database_micros) };
            let instructions = instructions(target, operation, &users[REQUESTS as usize..])
                .map_or("–".to_owned(), |count| format!("{count:.0}"));
            let (name, size) = (target.name, target.users);
            println!(
                "| {operation:?}, {name} | {size} | {micros:.0} | {database} | {statements:.1} | {instructions} |"
            );
        }
    }
    for (app, ..) in &opened {
        runtime.block_on(app.database.close());
    }
}

/// Means per request.
async fn run_once(app: &Arc<App>, operation: Operation, users: &mut [SignedIn], backends: &[PathBuf]) -> Measured {
    let router = http::router(app, Limits::default());
    let count = users.len() as f64;
    let cpu_of_backends = || backends.iter().map(|path| cpu_of(path)).sum::<Duration>();
    let own = Path::new("/proc/self");
    let (cpu, database, statements) = (cpu_of(own), cpu_of_backends(), STATEMENTS.load(Ordering::Relaxed));
    for user in users {
        operation.perform(app, &router, user).await;
    }
    let per_request = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() * 1e6 / count;
    Measured {
        micros: per_request(cpu_of(own), cpu),
        database_micros: per_request(cpu_of_backends(), database),
        statements: (STATEMENTS.load(Ordering::Relaxed) - statements) as f64 / count,
    }
}

/// Instructions per request: the difference between a process with many requests and one with few. `None` without
/// valgrind.
fn instructions(target: &Target, operation: Operation, users: &[SignedIn]) -> Option<f64> {
    let (few, many) = users.split_at(FEW);
    let count = |users: &[SignedIn]| {
        let mut child = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().unwrap())
            .args(["perform", &target.url, &format!("{operation:?}")])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let lines: Vec<String> = users
            .iter()
            .map(|user| format!("{} {} {} {}\n", user.username, user.session_id, user.generation, user.access_token))
            .collect();
        child.stdin.take()?.write_all(lines.concat().as_bytes()).ok()?;
        let text = String::from_utf8(child.wait_with_output().ok()?.stderr).ok()?;
        text.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse::<f64>().ok()
    };
    Some((count(&many[..MANY])? - count(few)?) / (MANY - FEW) as f64)
}

/// Performs requests for the users listed on standard input.
pub fn perform_from_stdin(url: &str, operation: &str) {
    let operation = Operation::ALL.into_iter().find(|known| format!("{known:?}") == operation).unwrap();
    runtime().block_on(async {
        let app = operations::open(url, None).await;
        let router = http::router(&app, Limits::default());
        for line in std::io::stdin().lines().map(Result::unwrap) {
            let parts: Vec<&str> = line.split(' ').collect();
            let mut user = SignedIn {
                username: parts[0].to_owned(),
                session_id: parts[1].parse().unwrap(),
                generation: parts[2].parse().unwrap(),
                access_token: parts[3].to_owned(),
            };
            operation.perform(&app, &router, &mut user).await;
        }
    });
}
