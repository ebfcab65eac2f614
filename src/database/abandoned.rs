//! Reads that nobody waits for any more, but that the server still runs.
//!
//! PostgreSQL does not notice that a client is gone while a statement waits for a lock, so that each retry would keep one
//! more of its connections. Writes have a limit of their own from their transaction on; a read outside of a transaction has
//! none, because to set one would cost it a round trip. It is cancelled through another connection.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sea_orm::sqlx;
use tokio::time::{Instant, sleep_until, timeout};

use crate::database::{TIMEOUT, client::Client};

/// How long after an attempt that failed the next one follows, and how many may fail.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
const MAX_FAILURES: u32 = 30;

/// What cancels the reads that have run for so long that they were abandoned.
pub(super) struct AbandonedReads<C: Client> {
    options: C::Options,
    /// Cancels them all, those of other instances included: they have the same limit.
    cancel: String,
    /// When the latest abandoned read will have run for longer than any may. Absent while there is none.
    due: Mutex<Option<Instant>>,
}

impl<C: Client> AbandonedReads<C> {
    pub(super) fn new(options: C::Options, cancel: String) -> Arc<Self> {
        Arc::new(Self { options, cancel, due: Mutex::default() })
    }

    /// Has the reads that began up to `start` cancelled once their time is over.
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
                tracing::debug!(?result, "abandoned reads could not be cancelled");
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
