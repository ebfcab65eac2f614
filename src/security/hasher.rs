//! Password hashing on threads of its own, so that it never holds up a thread that serves requests.
//!
//! A hash takes a quarter of a second of a core. Whoever would have to wait too long for one is refused at once,
//! because by the time of the answer they would have gone; whoever goes away leaves the queue.

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

/// The longest wait in the queue, estimated and real. A request may take longer, and take back an attempt that it booked.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// What cost 12 takes on a common core, until the first hash has been measured.
const COST_12: Duration = Duration::from_millis(250);

/// Hashes and checks passwords, a few at a time.
#[derive(Debug)]
pub struct Hasher {
    shared: Arc<Shared>,
    cost: u32,
    dummy: PasswordHash,
    longest_wait: Duration,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    work_or_end: Condvar,
    threads: u32,
}

struct Queue {
    jobs: VecDeque<Job>,
    next_id: u64,
    /// What a hash took lately.
    recent: Duration,
    is_open: bool,
}

struct Job {
    id: u64,
    work: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting, {:?} each", self.jobs.len(), self.recent)
    }
}

impl Hasher {
    /// Starts `threads` threads that hash at `cost` (log2 of bcrypt's rounds).
    ///
    /// # Errors
    /// Internal, when the system gives no threads or no randomness.
    pub fn start(threads: usize, cost: u32) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                next_id: 0,
                recent: COST_12.mul_f64(2_f64.powf(f64::from(cost) - 12.0)),
                is_open: true,
            }),
            work_or_end: Condvar::new(),
            threads: u32::try_from(threads).unwrap_or(u32::MAX).max(1),
        });
        for number in 0..shared.threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || shared.work())
                .map_err(Error::internal)?;
        }
        Ok(Self { shared, cost, dummy: PasswordHash::dummy(cost)?, longest_wait: MAX_WAIT })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when too many are waiting.
    pub async fn hash(&self, password: &SecretString) -> Result<PasswordHash> {
        let (password, cost) = (password.clone(), self.cost);
        self.run(move || PasswordHash::create(password.expose_secret(), cost)).await
    }

    /// Whether `stored` is the hash of `password`. Without one, because there is no such user, a dummy is checked at
    /// the same cost, and the answer is no.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when too many are waiting.
    pub async fn verify(&self, password: &SecretString, stored: Option<&PasswordHash>) -> Result<bool> {
        let password = password.clone();
        let hash = stored.unwrap_or(&self.dummy).clone();
        let is_right = self.run(move || hash.verify(password.expose_secret())).await?;
        Ok(is_right && stored.is_some())
    }

    /// Hashes `password` anew, if `stored`, which it has just been found to have, is of another scheme or another cost
    /// than ours. While others wait there is none: the next sign-in will do.
    ///
    /// # Errors
    /// Internal only.
    pub async fn rehash(&self, password: &SecretString, stored: &PasswordHash) -> Result<Option<PasswordHash>> {
        if stored.is_current(self.cost) || !self.shared.queue().jobs.is_empty() {
            return Ok(None);
        }
        match self.hash(password).await {
            Ok(hash) => Ok(Some(hash)),
            Err(Error::ServiceUnavailable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (span, (done, mut result)) = (tracing::Span::current(), oneshot::channel());
        let place = self.shared.join(Box::new(move || {
            // Nobody may be waiting any more; that is no error.
            let _ = done.send(span.in_scope(work));
        }))?;
        let result = match tokio::time::timeout(self.longest_wait, &mut result).await {
            Ok(result) => result,
            Err(_) if place.leave() => return Err(Error::unavailable(1, "a password waited too long to be hashed")),
            Err(_) => result.await,
        };
        result.map_err(|_| Error::internal("a hashing job panicked"))?
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.shared.queue().is_open = false;
        self.shared.work_or_end.notify_all();
    }
}

/// A place in the queue, left when the request that took it goes away.
struct QueueSlot<'a> {
    shared: &'a Shared,
    id: u64,
}

impl QueueSlot<'_> {
    /// Takes the job out of the queue. False if it has begun.
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
        // Jobs run outside the lock, so a panic leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self, work: Box<dyn FnOnce() + Send>) -> Result<QueueSlot<'_>> {
        let mut queue = self.queue();
        let waiting = u32::try_from(queue.jobs.len()).unwrap_or(u32::MAX);
        let wait = queue.recent.saturating_mul(waiting) / self.threads;
        if wait > MAX_WAIT {
            let retry_after = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            return Err(Error::unavailable(retry_after, "too many passwords wait to be hashed"));
        }
        let id = queue.next_id;
        queue.next_id += 1;
        queue.jobs.push_back(Job { id, work });
        drop(queue);
        self.work_or_end.notify_one();
        Ok(QueueSlot { shared: self, id })
    }

    /// What each thread does until the hasher is dropped.
    fn work(&self) {
        let mut queue = self.queue();
        while queue.is_open {
            let Some(job) = queue.jobs.pop_front() else {
                queue = self.work_or_end.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(job.work));
            let took = start.elapsed();
            queue = self.queue();
            if outcome.is_ok() {
                queue.recent = (queue.recent * 7 + took) / 8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A hasher whose only thread is held up until the sender is used or dropped.
    fn busy(recent: Duration) -> (Hasher, mpsc::Sender<()>) {
        let hasher = Hasher::start(1, 4).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let place = hasher.shared.join(Box::new(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        }));
        has_started.recv().unwrap();
        drop(place);
        hasher.shared.queue().recent = recent;
        (hasher, release)
    }

    #[tokio::test]
    async fn refuses_at_once_who_would_wait_too_long_and_serves_those_it_took_in() {
        let (hasher, release) = busy(Duration::from_secs(3));
        let password = SecretString::from("password");
        let mut taken_in = Vec::new();
        for _ in 0..2 {
            taken_in.push(Box::pin(hasher.hash(&password)));
            assert!(futures_poll(taken_in.last_mut().unwrap()).await.is_none());
        }
        let refused = hasher.hash(&password).await.unwrap_err();
        assert_eq!(refused.retry_after(), Some(6));
        release.send(()).unwrap();
        for hash in taken_in {
            assert!(hash.await.unwrap().verify("password").unwrap());
        }
    }

    #[tokio::test]
    async fn whoever_goes_away_frees_the_place() {
        let (hasher, _release) = busy(Duration::from_secs(6));
        let password = SecretString::from("password");
        let mut gone = Box::pin(hasher.hash(&password));
        assert!(futures_poll(&mut gone).await.is_none());
        assert!(hasher.hash(&password).await.is_err());
        drop(gone);
        let mut next = Box::pin(hasher.hash(&password));
        assert!(futures_poll(&mut next).await.is_none());
        assert_eq!(hasher.shared.queue().jobs.len(), 1);
    }

    #[tokio::test]
    async fn a_job_that_has_not_begun_in_time_is_refused() {
        let (mut hasher, _release) = busy(Duration::from_millis(1));
        hasher.longest_wait = Duration::ZERO;
        assert!(hasher.hash(&"password".into()).await.is_err() && hasher.shared.queue().jobs.is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_behind_others_for_a_hash_anew() {
        let (hasher, release) = busy(Duration::from_millis(1));
        let (password, old) = ("password".into(), PasswordHash::create("password", 5).unwrap());
        let mut before = Box::pin(hasher.hash(&password));
        assert!(futures_poll(&mut before).await.is_none());
        let at_once = futures_poll(&mut Box::pin(hasher.rehash(&password, &old))).await;
        assert!(at_once.unwrap().unwrap().is_none());
        release.send(()).unwrap();
        let current = before.await.unwrap();
        assert!(hasher.rehash(&password, &old).await.unwrap().unwrap().is_current(4));
        assert!(hasher.rehash(&password, &current).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_job_only() {
        let hasher = Hasher::start(1, 4).unwrap();
        let panicked = hasher.run(|| -> Result<()> { panic!("on purpose") }).await;
        assert!(panicked.is_err());
        assert!(hasher.hash(&"password".into()).await.is_ok());
    }

    /// Polls once: the future joins the queue, and is left waiting.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
