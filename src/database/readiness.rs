//! Whether a write can begin now.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Checks that run one at a time. Those who ask during a check share its result, so that however many ask, the checks never
/// take more than one connection of those that write.
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
