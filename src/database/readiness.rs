//! Shared readiness checks.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Runs one check at a time. Calls made during a check share its result, so concurrent checks occupy at most one write
/// connection.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    finished: AtomicU64,
    last: Mutex<bool>,
}

impl Readiness {
    pub(super) async fn check(&self, check: impl Future<Output = bool>) -> bool {
        let finished = self.finished.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        if self.finished.load(Ordering::Acquire) == finished {
            *last = check.await;
            self.finished.fetch_add(1, Ordering::Release);
        }
        *last
    }
}
