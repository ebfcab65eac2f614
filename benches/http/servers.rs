//! The servers under test. Each is a separate process on core 0.

use std::{
    fs,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, http::header::CONTENT_TYPE, routing::post};
use hallpass::{App, clock::Clock, config::Settings, database::Database, http};

use crate::process::Process;

#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// An axum handler with a static JSON body: the minimum cost of a request.
    Bare,
    /// Hallpass in this benchmark's executable, which allows cheaper hashes than the binary.
    Hallpass { cost: u32, database: Option<&'a str> },
    /// The release binary.
    Binary { database: Option<&'a str> },
}

pub struct Server(Process);

impl Server {
    pub fn start(kind: Kind<'_>) -> Self {
        let program = match kind {
            Kind::Binary { .. } => env!("CARGO_BIN_EXE_hallpass").into(),
            Kind::Bare | Kind::Hallpass { .. } => std::env::current_exe().unwrap(),
        };
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program).env("RUST_LOG", "warn").env("HASH_CONCURRENCY", "1");
        // Required with database servers.
        command.env("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");
        match kind {
            Kind::Binary { database } => drop(command.envs(database.map(|url| ("DATABASE_URL", url)))),
            Kind::Bare => drop(command.args(["serve", "bare"])),
            Kind::Hallpass { cost, database } => {
                command.args(["serve", &cost.to_string()]);
                command.envs(database.map(|url| ("DATABASE_URL", url)));
            }
        }
        Self(Process::start(command))
    }

    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Registers a user and returns the access token. Signs in if the user already exists.
    pub fn sign_up(&self, name: &str) -> String {
        for body in [super::REGISTER.replace("NAME", name), super::LOGIN.to_owned()] {
            let request = format!(
                "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let response = self.0.send(&request).unwrap();
            if let Some((_, rest)) = response.split_once(r#""accessToken":""#) {
                return rest.split('"').next().unwrap().to_owned();
            }
        }
        panic!("registration and sign-in failed");
    }

    /// CPU time in steps of 10 ms. Includes threads that have ended, such as hashers that were idle for a while.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(self.0.proc("stat")).unwrap();
        // The name of the program, in parentheses, may contain spaces. The 14th and 15th fields are in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11..=12].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }

    /// CPU time of the threads that serve requests.
    pub fn cpu_of_requests(&self) -> Duration {
        let tasks = fs::read_dir(self.0.proc("task")).unwrap();
        tasks
            .filter_map(|task| {
                let task = task.ok()?.path();
                let name = fs::read_to_string(task.join("comm")).ok()?;
                let stat = fs::read_to_string(task.join("schedstat")).ok()?;
                let nanos = stat.split(' ').next()?.parse().ok()?;
                (!name.starts_with("hasher")).then(|| Duration::from_nanos(nanos))
            })
            .sum()
    }

    /// Resident memory in MiB: all of it, and the part that belongs to no file.
    pub fn resident_mib(&self) -> (f64, f64) {
        (self.0.mib("VmRSS"), self.0.mib("RssAnon"))
    }

    /// Waits until the server has executed a query, which it does after its migrations.
    pub fn query(&self) {
        let body = r#"{"query":"{ __typename }"}"#;
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(self.0.send(&request).unwrap().contains(r#"{"__typename":"Query"}"#));
    }
}

/// Runs a server: `bare`, or Hallpass with the given hash cost.
pub fn serve(arguments: &[String]) {
    if arguments[0] == "raw" {
        return print_raw_hashes(arguments[1].parse().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut settings = Settings::from_vars(variables).unwrap();
        let listener = tokio::net::TcpListener::bind(settings.server.listen).await.unwrap();
        let limits = http::Limits::default();
        let router = if arguments[0] == "bare" {
            let body = r#"{"data":{"me":{"id":"01a1fd84-b81b-7d5a-a267-2ae912710202","username":"ada","email":null,"firstName":null,"lastName":null,"isActive":true,"createdAt":"2026-11-21T09:51:35.963Z"}}}"#;
            let route = post(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
            let live = axum::routing::get(|| async {});
            let router = Router::new().route("/graphql", route).route("/health/live", live);
            return axum::serve(listener, router).await.unwrap();
        } else {
            settings.passwords.bcrypt_cost = arguments[0].parse().unwrap();
            let max_connections = Some(settings.database.max_connections);
            let database = Database::connect(&settings.database.url, max_connections).await.unwrap();
            database.migrate().await.unwrap();
            http::router(&Arc::new(App::new(settings, database, Clock::System).unwrap()), limits)
        };
        http::serve(listener, router, limits, |_| true, std::future::pending()).await;
    });
}

fn print_raw_hashes(cost: u32) {
    let start = Instant::now();
    let mut count = 0.0;
    while start.elapsed() < Duration::from_secs(5) {
        bcrypt::bcrypt(cost, [7; 16], b"correct horse");
        count += 1.0;
    }
    println!("{}", count / start.elapsed().as_secs_f64());
}

/// Hashes per second of plain bcrypt on core 0.
pub fn raw_hashes_per_second(cost: u32) -> f64 {
    let output = Command::new("taskset")
        .args(["-c", "0"])
        .arg(std::env::current_exe().unwrap())
        .args(["serve", "raw", &cost.to_string()])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
