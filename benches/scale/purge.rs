//! How long other requests wait while expired sessions are deleted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hallpass::{
    App,
    http::{self, Limits},
    jobs::purge::{Table, purge},
};

use crate::{
    data::Target,
    operations::{self, Operation},
};

const EXPIRED: u32 = 1_000_000;
/// How long requests are measured without the purge.
const QUIET: Duration = Duration::from_secs(10);

pub fn measure(target: &Target) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // Batches of a thousand, each by other users.
        let count = EXPIRED.min(target.users / 1_000 * 1_000);
        let start = Instant::now();
        target.insert_expired(count).await;
        println!("\n{}: {count} expired sessions inserted in {:.0} s", target.name, start.elapsed().as_secs_f64());
        let app = operations::open(&target.url, None).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let running = start_requests(&app, target, &is_over).await;
        tokio::time::sleep(QUIET).await;
        is_over.store(true, Ordering::Relaxed);
        report("without the purge", running).await;

        is_over.store(false, Ordering::Relaxed);
        let running = start_requests(&app, target, &is_over).await;
        let start = Instant::now();
        let purged = purge(&app, Table::Sessions).await.unwrap();
        let seconds = start.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Relaxed);
        assert!(purged >= u64::from(count), "{purged}");
        println!("{purged} sessions purged in {seconds:.0} s, {:.0} per second", purged as f64 / seconds);
        report("during the purge", running).await;
        app.database.close().await;
    });
}

type Running = Vec<(Operation, tokio::task::JoinHandle<Vec<Duration>>)>;

/// Starts two clients, one that reads and one that writes.
async fn start_requests(app: &Arc<App>, target: &Target, is_over: &Arc<AtomicBool>) -> Running {
    let mut running = Vec::new();
    for operation in [Operation::Me, Operation::Refresh] {
        let mut users = target.signed_in(app, 500).await;
        let (app, is_over) = (Arc::clone(app), Arc::clone(is_over));
        let requests = async move {
            let router = http::router(&app, Limits::default());
            let mut durations = Vec::new();
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let count = users.len();
                let start = Instant::now();
                operation.perform(&app, &router, &mut users[number % count]).await;
                durations.push(start.elapsed());
            }
            durations
        };
        running.push((operation, tokio::spawn(requests)));
    }
    running
}

async fn report(when: &str, running: Running) {
    for (operation, task) in running {
        let mut durations = task.await.unwrap();
        durations.sort();
        let millis = |index: usize| durations[index].as_secs_f64() * 1e3;
        let count = durations.len();
        let over = durations.iter().filter(|duration| **duration > Duration::from_millis(50)).count();
        println!(
            "| {operation:?} {when} | {count} requests | p50 {:.2} ms | p99 {:.1} ms | p99.9 {:.1} ms | longest {:.1} ms | {over} over 50 ms |",
            millis(count / 2),
            millis(count * 99 / 100),
            millis(count * 999 / 1000),
            millis(count - 1)
        );
    }
}
