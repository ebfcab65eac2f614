//! Password hashing on dedicated threads, so that it never blocks a thread that serves requests.
//!
//! A hash takes a quarter of a second of one core. While one thread computes a bcrypt hash, it computes others at nearly no
//! cost ([`bcrypt_lanes`]): it takes those that wait, never waits for more, and lets later ones join. A request that would
//! wait too long is rejected immediately, because its client would time out before the response. A request whose client
//! disconnects leaves the queue.

mod queue;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::constant_time;
use queue::{MAX_WAIT, Shared, Work};
use tokio::sync::oneshot;

use crate::{
    Error, Result,
    config::{ExposeSecret, PasswordSettings, SecretString},
    metrics::HashMetrics,
    security::{
        bcrypt_task::{BcryptTask, Digest},
        password::{PasswordHash, Verification},
        random,
    },
};

/// Hashes and verifies passwords on a fixed number of threads.
#[derive(Debug)]
pub struct Hasher {
    shared: Arc<Shared>,
    cost: u32,
    dummy: PasswordHash,
    /// Maximum actual time in the queue. The whole request may take longer, for example to refund an attempt that it
    /// counted.
    max_wait: Duration,
    finished: AtomicU64,
    metrics: HashMetrics,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// Internal if a thread cannot be started or no random bytes are available.
    pub fn start(settings: &PasswordSettings) -> Result<Self> {
        let (shared, cost) = (Arc::new(Shared::new(settings)), settings.bcrypt_cost);
        for number in 0..settings.hash_concurrency.max(1) {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || worker::run(&shared, number))
                .map_err(Error::internal)?;
        }
        let (dummy, metrics) = (PasswordHash::dummy(cost)?, HashMetrics::default());
        Ok(Self { shared, cost, dummy, max_wait: MAX_WAIT, finished: AtomicU64::new(0), metrics })
    }

    /// The number of passwords that were hashed or verified since the start. Requests that were rejected or dropped before are
    /// not counted.
    pub fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// The metrics of this hasher.
    pub fn metrics(&self) -> &HashMetrics {
        &self.metrics
    }

    /// The number of passwords that wait for a thread.
    pub fn queue_length(&self) -> usize {
        self.shared.queue().jobs.len()
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
    pub async fn hash(&self, password: &SecretString) -> Result<PasswordHash> {
        let salt = random::bytes()?;
        let digest = self.compute(PasswordHash::task(password.expose_secret(), salt, self.cost)).await?;
        Ok(PasswordHash::new(salt, self.cost, digest))
    }

    /// Whether `stored` is the hash of `password`. If `stored` is `None`, because the user does not exist, a dummy hash
    /// of the same cost is verified and the result is false.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
    pub async fn verify(&self, password: &SecretString, stored: Option<&PasswordHash>) -> Result<bool> {
        let verification = stored.unwrap_or(&self.dummy).verification(password.expose_secret())?;
        let is_right = match verification {
            Verification::Bcrypt { task, expected, may_match } => {
                let computed = self.compute(task).await?;
                constant_time::verify_slices_are_equal(&computed, &expected).is_ok() && may_match
            }
            Verification::Other(hash) => {
                let password = password.clone();
                self.run(move || hash.verify(password.expose_secret())).await?
            }
        };
        Ok(is_right && stored.is_some())
    }

    /// Rehashes a verified `password` if `stored` has another scheme or cost than the current ones. Returns `None` if
    /// the hash is current or if other passwords are waiting; the next sign-in then tries again.
    ///
    /// # Errors
    /// Internal if hashing fails.
    pub async fn rehash(&self, password: &SecretString, stored: &PasswordHash) -> Result<Option<PasswordHash>> {
        if stored.is_current(self.cost) || !self.shared.queue().jobs.is_empty() {
            return Ok(None);
        }
        match self.hash(password).await {
            Err(Error::ServiceUnavailable { .. }) => Ok(None),
            result => result.map(Some),
        }
    }

    async fn compute(&self, task: BcryptTask) -> Result<Digest> {
        let (reply, result) = oneshot::channel();
        self.wait_for(Work::Bcrypt(task, reply), result).await
    }

    /// Runs other work than bcrypt.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (span, (reply, result)) = (tracing::Span::current(), oneshot::channel());
        let work = Box::new(move || {
            // The receiver is gone if the request was dropped.
            let _ = reply.send(span.in_scope(work));
        });
        self.wait_for(Work::Other(work), result).await?
    }

    async fn wait_for<T>(&self, work: Work, mut result: oneshot::Receiver<T>) -> Result<T> {
        let start = Instant::now();
        let slot = self.shared.enqueue(work).inspect_err(|_| self.count_refusal())?;
        let result = match tokio::time::timeout(self.max_wait, &mut result).await {
            Ok(result) => result,
            Err(_) if slot.leave() => {
                self.count_refusal();
                return Err(Error::unavailable(1, "timed out waiting for a hashing thread"));
            }
            Err(_) => result.await,
        };
        let result = result.map_err(|_| Error::internal("a hashing job panicked"))?;
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.metrics.durations.observe(start.elapsed().as_secs_f64());
        Ok(result)
    }

    fn count_refusal(&self) {
        self.metrics.refused.inc();
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.shared.queue().is_open = false;
        self.shared.wake_up.notify_all();
    }
}
