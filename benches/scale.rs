//! The cost of requests with a thousand and with many users, the pauses while expired sessions are purged, and several
//! instances on one PostgreSQL.
//!
//! `cargo bench --bench scale` runs all parts. Arguments restrict it: `growth`, `purge`, `instances`, `sqlite`,
//! `postgres`. `SCALE_USERS` sets the number of users, `BENCH_POSTGRES_URL` a server on which the bench creates
//! databases, and `SCALE_FOLDER` a folder that keeps the data for the next run. `benches/README.md` explains the results.
#![expect(
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics when it fails"
)]

#[path = "scale/data.rs"]
mod data;
#[path = "scale/growth.rs"]
mod growth;
#[path = "scale/instances.rs"]
mod instances;
#[path = "scale/operations.rs"]
mod operations;
#[path = "shared/process.rs"]
#[expect(dead_code, reason = "shared with benchmarks that measure memory")]
mod process;
#[path = "scale/purge.rs"]
mod purge;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use data::Kind;

/// The same allocator as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEW_USERS: u32 = 1_000;
/// Without `SCALE_USERS`: enough to show a missing index within minutes.
const DEFAULT_USERS: u32 = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["perform", url, operation] => return growth::perform_from_stdin(url, operation),
        ["serve"] => return instances::serve(),
        // `cargo test` also runs benches, with nothing to measure.
        ["--test", ..] => return,
        _ => {}
    }
    let is_selected = |name: &str, others: &[&str]| {
        arguments.contains(&name) || !others.iter().any(|other| arguments.contains(other))
    };
    let parts = ["growth", "purge", "instances"];
    let users = std::env::var("SCALE_USERS").map_or(DEFAULT_USERS, |users| users.parse().unwrap());
    let folder = Folder::open();
    let postgres = std::env::var("BENCH_POSTGRES_URL").ok().filter(|_| is_selected("postgres", &["sqlite"]));
    let sqlite = is_selected("sqlite", &["postgres"]).then(|| Kind::Sqlite(folder.path.clone()));
    let kinds: Vec<Kind> = sqlite.into_iter().chain(postgres.map(Kind::Postgres)).collect();
    for kind in &kinds {
        if is_selected("growth", &parts) {
            growth::measure(&[kind.database(FEW_USERS), kind.database(users)]);
        }
        if is_selected("purge", &parts) {
            purge::measure(&kind.database(users));
        }
        if is_selected("instances", &parts) && matches!(kind, Kind::Postgres(_)) {
            instances::measure(&kind.database(users));
        }
        if folder.is_temporary {
            kind.drop_databases(&[FEW_USERS, users]);
        }
    }
}

/// The folder of the SQLite files.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    fn open() -> Self {
        let kept = std::env::var_os("SCALE_FOLDER").map(PathBuf::from);
        let is_temporary = kept.is_none();
        let path = kept.unwrap_or_else(|| std::env::temp_dir().join(format!("hallpass-scale-{}", std::process::id())));
        fs::create_dir_all(&path).unwrap();
        Self { path, is_temporary }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// CPU time of all threads of a process, by its folder in `/proc`. Zero if it has ended.
fn cpu_of(process: &Path) -> Duration {
    let Ok(tasks) = fs::read_dir(process.join("task")) else { return Duration::ZERO };
    let nanos = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}
