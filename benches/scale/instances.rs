//! Several instances on one PostgreSQL, on the cores of this machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hallpass::{
    App,
    clock::Clock,
    config::Settings,
    database::Database,
    http::{self, Limits},
};
use sea_orm::{ConnectionTrait, Statement};

use crate::{
    cpu_of,
    data::{self, Target},
    operations::{self, Operation, PASSWORD, SignedIn},
    process::Process,
    runtime,
};

const COUNTS: [usize; 3] = [1, 2, 4];
const CONNECTIONS: usize = 16;
const SECONDS: u64 = 8;
/// Users per instance. More than connections, because each connection holds a refresh token while it waits.
const USERS: u32 = 40;

pub fn measure(target: &Target) {
    println!("\n{} connections in total, logins with the cheapest hash", CONNECTIONS);
    println!(
        "| | instances | requests/s | p99 ms | Hallpass's CPU µs | PostgreSQL's CPU µs | wrk's CPU µs | statements that wait |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for operation in Operation::ALL {
        for count in COUNTS {
            measure_instances(target, operation, count);
        }
    }
}

fn measure_instances(target: &Target, operation: Operation, count: usize) {
    let processes: Vec<Process> = (0..count).map(|_| start(&target.url)).collect();
    let folder = std::env::temp_dir().join(format!("hallpass-instances-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let runtime = runtime();
    let app = runtime.block_on(operations::open(&target.url, None));
    let users = runtime.block_on(target.signed_in(&app, USERS * u32::try_from(count).unwrap()));
    let scripts: Vec<PathBuf> = users
        .chunks(users.len() / count)
        .enumerate()
        .map(|(number, users)| script(&folder.join(number.to_string()), &app, operation, users))
        .collect();
    let run = |seconds: u64| -> Vec<Child> {
        let started = processes.iter().zip(&scripts).map(|(process, script)| {
            Command::new("wrk")
                .args(["-t", "1", "-c", &(CONNECTIONS / count).to_string(), "-d", &format!("{seconds}s"), "-s"])
                .arg(script)
                .arg(format!("http://127.0.0.1:{}/graphql", process.port))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        });
        started.collect()
    };
    let cpu_of_hallpass = || processes.iter().map(|process| cpu_of(&process.proc(""))).sum::<Duration>();
    let is_over = Arc::new(AtomicBool::new(false));
    let sampler = sample(target.url.clone(), Arc::clone(&is_over));
    let children = run(SECONDS);
    let wrks: Vec<PathBuf> = children.iter().map(|child| format!("/proc/{}", child.id()).into()).collect();
    // The connections of the pools are open by then. The end is before that of wrk, whose CPU time is lost with it.
    std::thread::sleep(Duration::from_secs(1));
    let backends = runtime.block_on(backends(&target.url));
    let sum = |paths: &[PathBuf]| paths.iter().map(|path| cpu_of(path)).sum::<Duration>();
    let (hallpass, database, wrk) = (cpu_of_hallpass(), sum(&backends), sum(&wrks));
    let seconds = SECONDS - 2;
    std::thread::sleep(Duration::from_secs(seconds));
    let shares = [(cpu_of_hallpass(), hallpass), (sum(&backends), database), (sum(&wrks), wrk)];
    let results: Vec<Vec<f64>> = children.into_iter().map(result_of).collect();
    is_over.store(true, Ordering::Relaxed);
    let waits = sampler.join().unwrap();
    let per_second: f64 = results.iter().map(|result| result[0] / result[1]).sum();
    let p99 = results.iter().map(|result| result[2]).fold(0.0, f64::max);
    let failed: f64 = results.iter().map(|result| result[3]).sum();
    assert!(failed == 0.0, "{operation:?}: {failed} requests failed");
    let [hallpass, database, wrk] =
        shares.map(|(after, before)| after.saturating_sub(before).as_secs_f64() * 1e6 / (per_second * seconds as f64));
    println!(
        "| {operation:?} | {count} | {per_second:.0} | {p99:.1} | {hallpass:.0} | {database:.0} | {wrk:.0} | {waits} |"
    );
    runtime.block_on(app.database.close());
    fs::remove_dir_all(&folder).unwrap();
}

fn start(url: &str) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let variables = [
        ("DATABASE_URL", url),
        ("SECRET_KEY", operations::SECRET_KEY),
        // The issuer of the tokens that the bench signs.
        ("PUBLIC_URL", "http://localhost:8000"),
        ("RUST_LOG", "warn"),
    ];
    command.arg("serve").envs(variables);
    Process::start(command)
}

/// Runs an instance, which allows cheaper hashes than the binary.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut settings = Settings::from_vars(variables).unwrap();
        settings.passwords.bcrypt_cost = 4;
        let listener = tokio::net::TcpListener::bind(settings.server.listen).await.unwrap();
        let database =
            Database::connect(&settings.database.url, Some(settings.database.max_connections)).await.unwrap();
        let limits = Limits::default();
        let router = http::router(&Arc::new(App::new(settings, database, Clock::System).unwrap()), limits);
        http::serve(listener, router, limits, |_| true, std::future::pending()).await;
    });
}

/// Writes a script for wrk that takes turns with the users. A refresh uses the token of an earlier response.
fn script(path: &Path, app: &App, operation: Operation, users: &[SignedIn]) -> PathBuf {
    let input = |name: &str, fields: &str| {
        format!(r#"{{"query":"mutation($input: {name}Input!) {{ {fields} }}","variables":{{"input":{{VALUES}}}}}}"#)
    };
    let (body, expected) = match operation {
        Operation::Me => (
            r#"{"query":"{ me { id username email firstName lastName isActive createdAt } }"}"#.to_owned(),
            r#""me":{"id""#,
        ),
        Operation::Login => (input("Login", "login(input: $input) { accessToken user { id } }"), "accessToken"),
        Operation::Refresh => {
            (input("RefreshToken", "refreshToken(input: $input) { accessToken refreshToken }"), r#""refreshToken":"ey"#)
        }
    };
    let lines: Vec<String> = users
        .iter()
        .map(|user| match operation {
            Operation::Me => format!("Bearer {}\n", user.access_token),
            Operation::Login => format!("\"username\":\"{}\",\"password\":\"{PASSWORD}\"\n", user.username),
            Operation::Refresh => format!("\"refreshToken\":\"{}\"\n", user.refresh_token(app)),
        })
        .collect();
    let (file, script) = (path.with_extension("txt"), path.with_extension("lua"));
    fs::write(&file, lines.concat()).unwrap();
    let text = r#"
        wrk.method = "POST"
        wrk.headers["content-type"] = "application/json"
        local operation, body, expected = "OPERATION", [==[BODY]==], [==[EXPECTED]==]
        local queue = {}
        for line in io.lines("FILE") do table.insert(queue, line) end
        failed = 0
        local threads = {}
        setup = function(thread) table.insert(threads, thread) end
        request = function()
            local value = table.remove(queue, 1)
            if operation ~= "Refresh" then table.insert(queue, value) end
            if operation == "Me" then
                wrk.headers["authorization"] = value
                return wrk.format(nil, nil, nil, body)
            end
            return wrk.format(nil, nil, nil, (body:gsub("VALUES", function() return value end)))
        end
        response = function(status, headers, body)
            if status ~= 200 or not body:find(expected, 1, true) then failed = failed + 1 end
            if operation == "Refresh" then
                table.insert(queue, '"refreshToken":"' .. body:match('"refreshToken":"([^"]+)"') .. '"')
            end
        end
        done = function(summary, latency)
            local errors, count = summary.errors, 0
            for _, thread in ipairs(threads) do count = count + thread:get("failed") end
            print("result", summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
                count + errors.connect + errors.read + errors.write + errors.timeout)
        end
    "#;
    let text = text.replace("OPERATION", &format!("{operation:?}")).replace("BODY", &body);
    fs::write(&script, text.replace("EXPECTED", expected).replace("FILE", file.to_str().unwrap())).unwrap();
    script
}

/// Requests, seconds, p99 in milliseconds, and failures.
fn result_of(child: Child) -> Vec<f64> {
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("result")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
}

const CLIENTS: &str = "datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// The processes of a local PostgreSQL that serve this database, in `/proc`.
pub async fn backends(url: &str) -> Vec<PathBuf> {
    let raw = data::connect(url).await;
    let sql = format!("SELECT pid FROM pg_stat_activity WHERE {CLIENTS}");
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    let pids = rows.iter().map(|row| row.try_get_by_index::<i32>(0).unwrap());
    let paths = pids.map(|pid| format!("/proc/{pid}").into()).collect();
    raw.close().await.unwrap();
    paths
}

/// Samples what busy connections wait for, every 20 ms. Returns shares in percent.
fn sample(url: String, is_over: Arc<AtomicBool>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        runtime().block_on(async {
            let raw = data::connect(&url).await;
            let sql = format!(
                "SELECT CASE WHEN wait_event_type IS NULL THEN 'a core or nothing' \
                 WHEN wait_event_type = 'Client' THEN 'Hallpass' ELSE wait_event_type || ' ' || wait_event END, count(*) \
                 FROM pg_stat_activity WHERE {CLIENTS} AND state <> 'idle' GROUP BY 1"
            );
            let mut counts = BTreeMap::<String, i64>::new();
            while !is_over.load(Ordering::Relaxed) {
                let statement = Statement::from_string(raw.get_database_backend(), sql.as_str());
                for row in raw.query_all_raw(statement).await.unwrap() {
                    *counts.entry(row.try_get_by_index(0).unwrap()).or_default() +=
                        row.try_get_by_index::<i64>(1).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let total: i64 = counts.values().sum::<i64>().max(1);
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| -count);
            let shares = counts.iter().take(4).map(|(wait, count)| format!("{wait} {} %", 100 * count / total));
            shares.collect::<Vec<_>>().join(", ")
        })
    })
}
