//! Cancels PostgreSQL reads of requests that were dropped.
//!
//! PostgreSQL does not notice that a client has disconnected while a statement waits for a lock. Each retry of the
//! request would then occupy one more server connection. Writes are bounded by the limits of their transaction. A read
//! outside a transaction has no limit, because setting one would cost a round trip. Such a read is cancelled through
//! another connection.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sea_orm::sqlx;
use tokio::time::{Instant, sleep_until, timeout};

use crate::database::{TIMEOUT, client::Client};

/// Delay between attempts to cancel, and how many attempts may fail.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
const MAX_FAILURES: u32 = 30;

/// Cancels abandoned reads once they have run longer than [`TIMEOUT`].
pub(super) struct AbandonedReads<C: Client> {
    options: C::Options,
    /// SQL that cancels every overdue read, including those of other instances, which have the same limit.
    cancel: String,
    /// When the latest abandoned read exceeds the limit. `None` if no read is abandoned.
    due: Mutex<Option<Instant>>,
}

impl<C: Client> AbandonedReads<C> {
    pub(super) fn new(options: C::Options, cancel: String) -> Arc<Self> {
        Arc::new(Self { options, cancel, due: Mutex::default() })
    }

    /// Schedules the cancellation of reads that began at or before `start`.
    pub(super) fn add(self: &Arc<Self>, start: std::time::Instant) {
        let due = Instant::from_std(start) + TIMEOUT;
        let mut latest = self.due();
        let is_running = latest.is_some();
        *latest = latest.max(Some(due));
        if !is_running {
            tokio::spawn(Arc::clone(self).run(due));
        }
    }

    async fn run(self: Arc<Self>, mut due: Instant) {
        let mut failures = 0;
        while failures < MAX_FAILURES {
            sleep_until(due).await;
            let result = timeout(TIMEOUT, self.cancel()).await;
            let mut latest = self.due();
            if matches!(result, Ok(Ok(()))) {
                let Some(later) = latest.filter(|later| *later > due) else {
                    *latest = None;
                    return;
                };
                due = later;
            } else {
                tracing::debug!(?result, "failed to cancel abandoned reads");
                failures += 1;
                due = latest.unwrap_or(due).max(Instant::now() + RETRY_INTERVAL);
            }
        }
        *self.due() = None;
    }

    async fn cancel(&self) -> Result<(), sqlx::Error> {
        let mut connection = C::connect_with(&self.options).await?;
        connection.run(&self.cancel).await?;
        connection.close().await
    }

    fn due(&self) -> MutexGuard<'_, Option<Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
