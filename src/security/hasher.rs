//! Password hashing on dedicated threads, so that it never blocks a thread that serves requests.
//!
//! A hash takes a quarter of a second of one core. A request that would wait too long is rejected immediately, because
//! its client would time out before the response. A request whose client disconnects leaves the queue.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    security::password::PasswordHash,
};

/// Maximum time in the queue, both estimated and actual. The whole request may take longer, for example to refund an
/// attempt that it counted.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Duration of a hash at cost 12 on a typical core, used until the first hash has been measured.
const COST_12_DURATION: Duration = Duration::from_millis(250);

/// Hashes and verifies passwords on a fixed number of threads.
#[derive(Debug)]
pub struct Hasher {
    shared: Arc<Shared>,
    cost: u32,
    dummy: PasswordHash,
    max_wait: Duration,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    wake_up: Condvar,
    threads: u32,
}

struct Queue {
    jobs: VecDeque<Job>,
    next_id: u64,
    /// Moving average of the duration of a hash.
    average_duration: Duration,
    is_open: bool,
}

struct Job {
    id: u64,
    work: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting, {:?} each", self.jobs.len(), self.average_duration)
    }
}

impl Hasher {
    /// Starts `threads` threads that hash at `cost` (log2 of bcrypt's rounds).
    ///
    /// # Errors
    /// Internal if a thread cannot be started or no random bytes are available.
    pub fn start(threads: usize, cost: u32) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                next_id: 0,
                average_duration: COST_12_DURATION.mul_f64(2_f64.powf(f64::from(cost) - 12.0)),
                is_open: true,
            }),
            wake_up: Condvar::new(),
            threads: u32::try_from(threads).unwrap_or(u32::MAX).max(1),
        });
        for number in 0..shared.threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || shared.work())
                .map_err(Error::internal)?;
        }
        Ok(Self { shared, cost, dummy: PasswordHash::dummy(cost)?, max_wait: MAX_WAIT })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
    pub async fn hash(&self, password: &SecretString) -> Result<PasswordHash> {
        let (password, cost) = (password.clone(), self.cost);
        self.run(move || PasswordHash::create(password.expose_secret(), cost)).await
    }

    /// Whether `stored` is the hash of `password`. If `stored` is `None`, because the user does not exist, a dummy hash
    /// of the same cost is verified and the result is false.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
    pub async fn verify(&self, password: &SecretString, stored: Option<&PasswordHash>) -> Result<bool> {
        let password = password.clone();
        let hash = stored.unwrap_or(&self.dummy).clone();
        let is_right = self.run(move || hash.verify(password.expose_secret())).await?;
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

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (span, (done, mut result)) = (tracing::Span::current(), oneshot::channel());
        let slot = self.shared.enqueue(Box::new(move || {
            // The receiver is gone if the request was dropped.
            let _ = done.send(span.in_scope(work));
        }))?;
        let result = match tokio::time::timeout(self.max_wait, &mut result).await {
            Ok(result) => result,
            Err(_) if slot.leave() => return Err(Error::unavailable(1, "timed out waiting for a hashing thread")),
            Err(_) => result.await,
        };
        result.map_err(|_| Error::internal("a hashing job panicked"))?
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.shared.queue().is_open = false;
        self.shared.wake_up.notify_all();
    }
}

/// A job in the queue. Dropping it removes the job if it has not started.
struct QueueSlot<'a> {
    shared: &'a Shared,
    id: u64,
}

impl QueueSlot<'_> {
    /// Removes the job from the queue. Returns false if it has started.
    fn leave(&self) -> bool {
        let mut queue = self.shared.queue();
        queue
            .jobs
            .binary_search_by_key(&self.id, |job| job.id)
            .is_ok_and(|position| queue.jobs.remove(position).is_some())
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Jobs run without the lock, so a panic cannot leave the queue inconsistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, work: Box<dyn FnOnce() + Send>) -> Result<QueueSlot<'_>> {
        let mut queue = self.queue();
        let waiting = u32::try_from(queue.jobs.len()).unwrap_or(u32::MAX);
        let wait = queue.average_duration.saturating_mul(waiting) / self.threads;
        if wait > MAX_WAIT {
            let retry_after = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            return Err(Error::unavailable(retry_after, "the password hashing queue is full"));
        }
        let id = queue.next_id;
        queue.next_id += 1;
        queue.jobs.push_back(Job { id, work });
        drop(queue);
        self.wake_up.notify_one();
        Ok(QueueSlot { shared: self, id })
    }

    /// The loop of each thread. It ends when the hasher is dropped.
    fn work(&self) {
        let mut queue = self.queue();
        while queue.is_open {
            let Some(job) = queue.jobs.pop_front() else {
                queue = self.wake_up.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(job.work));
            let elapsed = start.elapsed();
            queue = self.queue();
            if outcome.is_ok() {
                queue.average_duration = (queue.average_duration * 7 + elapsed) / 8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A hasher whose only thread is blocked until the sender is used or dropped.
    fn busy(average_duration: Duration) -> (Hasher, mpsc::Sender<()>) {
        let hasher = Hasher::start(1, 4).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let slot = hasher.shared.enqueue(Box::new(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        }));
        has_started.recv().unwrap();
        drop(slot);
        hasher.shared.queue().average_duration = average_duration;
        (hasher, release)
    }

    #[tokio::test]
    async fn full_queue_rejects_new_jobs_and_completes_accepted_ones() {
        let (hasher, release) = busy(Duration::from_secs(3));
        let password = SecretString::from("password");
        let mut accepted = Vec::new();
        for _ in 0..2 {
            accepted.push(Box::pin(hasher.hash(&password)));
            assert!(poll_once(accepted.last_mut().unwrap()).await.is_none());
        }
        let rejected = hasher.hash(&password).await.unwrap_err();
        assert_eq!(rejected.retry_after(), Some(6));
        release.send(()).unwrap();
        for hash in accepted {
            assert!(hash.await.unwrap().verify("password").unwrap());
        }
    }

    #[tokio::test]
    async fn dropped_request_frees_its_queue_slot() {
        let (hasher, _release) = busy(Duration::from_secs(6));
        let password = SecretString::from("password");
        let mut abandoned = Box::pin(hasher.hash(&password));
        assert!(poll_once(&mut abandoned).await.is_none());
        assert!(hasher.hash(&password).await.is_err());
        drop(abandoned);
        let mut next = Box::pin(hasher.hash(&password));
        assert!(poll_once(&mut next).await.is_none());
        assert_eq!(hasher.shared.queue().jobs.len(), 1);
    }

    #[tokio::test]
    async fn job_that_does_not_start_in_time_is_rejected() {
        let (mut hasher, _release) = busy(Duration::from_millis(1));
        hasher.max_wait = Duration::ZERO;
        assert!(hasher.hash(&"password".into()).await.is_err() && hasher.shared.queue().jobs.is_empty());
    }

    #[tokio::test]
    async fn rehash_is_skipped_while_other_jobs_wait() {
        let (hasher, release) = busy(Duration::from_millis(1));
        let (password, old) = ("password".into(), PasswordHash::create("password", 5).unwrap());
        let mut earlier = Box::pin(hasher.hash(&password));
        assert!(poll_once(&mut earlier).await.is_none());
        let skipped = poll_once(&mut Box::pin(hasher.rehash(&password, &old))).await;
        assert!(skipped.unwrap().unwrap().is_none());
        release.send(()).unwrap();
        let current = earlier.await.unwrap();
        assert!(hasher.rehash(&password, &old).await.unwrap().unwrap().is_current(4));
        assert!(hasher.rehash(&password, &current).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn panic_fails_only_its_own_job() {
        let hasher = Hasher::start(1, 4).unwrap();
        let panicked = hasher.run(|| -> Result<()> { panic!("on purpose") }).await;
        assert!(panicked.is_err());
        assert!(hasher.hash(&"password".into()).await.is_ok());
    }

    /// Polls once, so that the future enters the queue and stays pending.
    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
