//! The queue of the hashing threads: which job is next, and how long a new one would wait.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    Error, Result,
    config::PasswordSettings,
    security::bcrypt_task::{BcryptTask, Digest},
};

/// The maximum actual time in the queue.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5);
/// The maximum estimated time until a job is done. A request may take 250 ms longer; see [`crate::http::Limits`].
const MAX_TIME: Duration = Duration::from_millis(5250);

/// Rounds per second of one bcrypt computation on a typical core: cost 12 in 250 ms. Used until the threads have measured
/// theirs.
const ROUNDS_PER_SECOND: f64 = 4096.0 / 0.25;
/// By how much each lane after the first increases the rounds per second, as a cautious estimate.
const GAIN_PER_LANE: f64 = 0.5;
/// Estimated duration of other computations until the first one has been measured.
const OTHER_DURATION: Duration = Duration::from_millis(250);
/// How much of the past counts in the average speed, in seconds.
const AVERAGED_SECONDS: f64 = 1.0;

/// What the hashing threads and the requests share.
pub(super) struct Shared {
    pub(super) lanes: usize,
    pub(super) wake_up: Condvar,
    queue: Mutex<Queue>,
}

/// The jobs that wait, and what the threads do.
pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    pub(super) is_open: bool,
    next_id: u64,
    threads: Vec<Activity>,
    /// Moving average of the rounds per second of one thread that uses all lanes.
    pub(super) rounds_per_second: f64,
    /// Moving average of the duration of other computations.
    other_duration: Duration,
}

/// A job in the queue.
pub(super) struct Job {
    id: u64,
    work: Work,
}

/// What a thread computes.
pub(super) enum Work {
    /// A bcrypt digest, which may share a thread with others.
    Bcrypt(BcryptTask, oneshot::Sender<Digest>),
    /// Something else, which needs a thread of its own.
    Other(Box<dyn FnOnce() + Send>),
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// It computes this many bcrypt digests.
    Bcrypt(usize),
    /// It computes something else.
    Other,
}

/// A job in the queue. Dropping it removes the job if it has not started.
pub(super) struct QueueSlot<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Shared {
    pub(super) fn new(settings: &PasswordSettings) -> Self {
        let lanes = settings.hash_lanes.clamp(1, bcrypt_lanes::MAX_LANES);
        let gain: f64 = (1..lanes).map(|_| GAIN_PER_LANE).sum();
        let queue = Queue {
            jobs: VecDeque::new(),
            is_open: true,
            next_id: 0,
            threads: vec![Activity::Bcrypt(0); settings.hash_concurrency.max(1)],
            rounds_per_second: ROUNDS_PER_SECOND * (1.0 + gain),
            other_duration: OTHER_DURATION,
        };
        Self { lanes, wake_up: Condvar::new(), queue: Mutex::new(queue) }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        // Jobs run without the lock, so a panic cannot leave the queue inconsistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a job.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if it would wait too long.
    pub(super) fn enqueue(&self, work: Work) -> Result<QueueSlot<'_>> {
        let mut queue = self.queue();
        let time = queue.estimated_time(&work, self.lanes);
        if time > MAX_TIME {
            let retry_after = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
            return Err(Error::unavailable(retry_after, "the password hashing queue is full"));
        }
        let id = queue.next_id;
        queue.next_id += 1;
        queue.jobs.push_back(Job { id, work });
        drop(queue);
        self.wake_up.notify_one();
        Ok(QueueSlot { shared: self, id })
    }
}

impl Queue {
    /// Removes the next job if this thread should take it. Jobs start in the order in which they arrived.
    ///
    /// A thread takes no more than its share of what runs and waits, so that other threads are not idle. It takes other work
    /// than bcrypt only when it has nothing else to do; until one does, later jobs wait.
    pub(super) fn take(&mut self, thread: usize, lanes: usize) -> Option<Work> {
        let in_use = match self.threads.get(thread)? {
            Activity::Bcrypt(in_use) => *in_use,
            Activity::Other => return None,
        };
        let (sharing, running) = self.threads.iter().fold((0, 0), |(threads, running), activity| match activity {
            Activity::Bcrypt(in_use) => (threads + 1, running + in_use),
            Activity::Other => (threads, running),
        });
        let share = (running + self.jobs.len()).div_ceil(sharing);
        let activity = match self.jobs.front()?.work {
            Work::Bcrypt(..) if in_use < share.min(lanes) => Activity::Bcrypt(in_use + 1),
            Work::Other(_) if in_use == 0 => Activity::Other,
            _ => return None,
        };
        self.set_activity(thread, activity);
        self.jobs.pop_front().map(|job| job.work)
    }

    /// Records what a thread does now.
    pub(super) fn set_activity(&mut self, thread: usize, activity: Activity) {
        if let Some(current) = self.threads.get_mut(thread) {
            *current = activity;
        }
    }

    /// Records that a thread that used all lanes computed `rounds`, the sum over the lanes.
    pub(super) fn record_rounds(&mut self, rounds: u32, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        if seconds > 0.0 {
            let weight = (seconds / AVERAGED_SECONDS).min(1.0);
            self.rounds_per_second += (f64::from(rounds) / seconds - self.rounds_per_second) * weight;
        }
    }

    /// Records the duration of other work than bcrypt.
    pub(super) fn record_other(&mut self, elapsed: Duration) {
        self.other_duration = (self.other_duration * 7 + elapsed) / 8;
    }

    /// How long a new job would take: the time for all that wait, then for itself while all lanes are in use. Zero if none
    /// waits, so that a slow machine accepts at least these.
    fn estimated_time(&self, work: &Work, lanes: usize) -> Duration {
        if self.jobs.is_empty() {
            return Duration::ZERO;
        }
        let seconds = |work: &Work, lanes: usize| match work {
            Work::Bcrypt(task, _) => f64::from(task.rounds()) * float(lanes) / self.rounds_per_second,
            Work::Other(_) => self.other_duration.as_secs_f64(),
        };
        let waiting: f64 = self.jobs.iter().map(|job| seconds(&job.work, 1)).sum();
        let time = waiting / float(self.threads.len()) + seconds(work, lanes);
        Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX)
    }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue();
        let (waiting, threads) = (queue.jobs.len(), queue.threads.len());
        write!(f, "{waiting} waiting, {threads} threads, {} lanes", self.lanes)
    }
}

impl QueueSlot<'_> {
    /// Removes the job from the queue. Returns false if it has started.
    pub(super) fn leave(&self) -> bool {
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
