//! Metrics: what the server counts and measures, and their exposition in the OpenMetrics text format.
//!
//! The handles count whether or not `METRICS_LISTEN` is set. A count is an atomic addition, or a lookup in a family of a few
//! entries; see [`Family`]. The values of labels are bounded: patterns of routes, root
//! fields of the schema, error codes and names of settings. No label contains a value from a client.
//!
//! [`crate::domain::monitoring`] reads the gauges, and the `http` module serves the text.

mod gauges;
mod http;
mod labels;
mod operations;
pub mod process;

use std::{fmt, time::Instant};

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use self::labels::Histograms;
pub use self::{
    gauges::{Gauges, PoolState, Reading, WaitingMails},
    http::{RequestMetrics, known_method},
    labels::{JobRun, LimitName, Outcome, SignInLabels},
    operations::{KnownFields, OperationMetrics},
};
use crate::error::ErrorCode;

/// The content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets for password hashes, in seconds. A hash of cost 12 takes a quarter of a second.
const HASH_BUCKETS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.5, 5.0];

/// Upper bounds of the buckets for the wait for a database connection, in seconds. A request waits at most four.
const WAIT_BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 4.0];

/// The methods of sign-ins, whose counts start at zero. Prometheus does not see the first increase of a sample that it has not seen.
const SIGN_IN_METHODS: [&str; 5] = ["password", "passkey", "provider", "email", "second_factor"];

/// The job that delivers mails.
pub const DELIVER_MAILS: &str = "deliver_mails";
/// The job that deletes expired rows.
pub const PURGE: &str = "purge";
/// The job that reloads the signing keys.
pub const RELOAD_KEYS: &str = "reload_keys";

/// All metrics of a server.
pub struct Metrics {
    /// Requests to the API.
    pub requests: RequestMetrics,
    /// GraphQL operations.
    pub operations: OperationMetrics,
    sign_ins: Family<SignInLabels, Counter>,
    throttled: Family<LimitName, Counter>,
    /// Mails that the mail server has accepted.
    pub mails_sent: Counter,
    /// Attempts to send a mail that failed.
    pub mail_failures: Counter,
    /// Mails that were dropped because they could not be delivered.
    pub mails_given_up: Counter,
    job_runs: Family<JobRun, Counter>,
    job_successes: Family<[(&'static str, &'static str); 1], Gauge>,
    gauges: Gauges,
    registry: Registry,
}

/// The metrics that belong to a password hasher.
#[derive(Clone, Debug)]
pub struct HashMetrics {
    /// The time of a hash, including the wait in the queue, in seconds.
    pub durations: Histogram,
    /// Passwords that were not hashed, because the queue was full or the wait too long.
    pub refused: Counter,
}

impl Default for HashMetrics {
    fn default() -> Self {
        Self { durations: Histogram::new(HASH_BUCKETS), refused: Counter::default() }
    }
}

/// The waits for a connection of each pool. Only requests for a connection that had to wait are observed.
#[derive(Clone, Debug)]
pub struct WaitMetrics(Histograms<&'static str>);

impl Default for WaitMetrics {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(WAIT_BUCKETS)))
    }
}

impl WaitMetrics {
    /// The waits of a pool.
    #[must_use]
    pub fn of_pool(&self, pool: &'static str) -> PoolWaits {
        PoolWaits(self.0.get_or_create_owned(&[("pool", pool)]))
    }
}

/// The waits for a connection of one pool.
#[derive(Clone, Debug)]
pub struct PoolWaits(Histogram);

impl PoolWaits {
    /// Begins a wait.
    #[must_use]
    pub fn begin(&self) -> Wait<'_> {
        Wait { waits: self, start: Instant::now() }
    }
}

/// A wait that has begun. It ends when it is dropped, also if the request has given up.
#[derive(Debug)]
pub struct Wait<'a> {
    waits: &'a PoolWaits,
    start: Instant,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.waits.0.observe(self.start.elapsed().as_secs_f64());
    }
}

impl Metrics {
    /// Creates the metrics of a server with those of its hasher and its database.
    #[must_use]
    pub fn new(hashes: &HashMetrics, waits: &WaitMetrics) -> Self {
        let mut registry = Registry::with_prefix("hallpass");
        let requests = RequestMetrics::register(&mut registry);
        let operations = OperationMetrics::register(&mut registry);
        let sign_ins = Family::default();
        registry.register("sign_ins", "Sign-ins, by method and by OK or the code of the error", sign_ins.clone());
        for method in SIGN_IN_METHODS {
            drop(sign_ins.get_or_create(&SignInLabels { method, outcome: Outcome(None) }));
        }
        let throttled = Family::default();
        registry.register("throttled", "Attempts that a limit refused, by limit", throttled.clone());
        let (mails_sent, mail_failures, mails_given_up) = Default::default();
        registry.register("mails_sent", "Mails that the mail server accepted", Counter::clone(&mails_sent));
        registry.register("mail_failures", "Failed attempts to send a mail", Counter::clone(&mail_failures));
        registry.register(
            "mails_given_up",
            "Mails that were dropped because they could not be delivered",
            Counter::clone(&mails_given_up),
        );
        let job_runs = Family::default();
        for task in [DELIVER_MAILS, PURGE, RELOAD_KEYS] {
            for result in ["success", "failure"] {
                drop(job_runs.get_or_create(&JobRun { task, result }));
            }
        }
        registry.register("job_runs", "Runs of background jobs, by task and result", job_runs.clone());
        let job_successes = Family::default();
        registry.register_with_unit(
            "job_last_success_timestamp",
            "Unix time of the last successful run, by task",
            Unit::Seconds,
            job_successes.clone(),
        );
        registry.register_with_unit(
            "password_hash_duration",
            "Time of a password hash, including the wait in the queue",
            Unit::Seconds,
            hashes.durations.clone(),
        );
        registry.register(
            "password_hashes_refused",
            "Passwords that were not hashed because the queue was full",
            hashes.refused.clone(),
        );
        registry.register_with_unit(
            "database_connection_wait",
            "Waits for a database connection, by pool; only those that had to wait",
            Unit::Seconds,
            waits.0.clone(),
        );
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of Hallpass", version);
        let gauges = Gauges::register(&mut registry);
        Self {
            requests,
            operations,
            sign_ins,
            throttled,
            mails_sent,
            mail_failures,
            mails_given_up,
            job_runs,
            job_successes,
            gauges,
            registry,
        }
    }

    /// Counts a sign-in. `error` is `None` if a session was opened.
    pub fn count_sign_in(&self, method: &'static str, error: Option<ErrorCode>) {
        self.sign_ins.get_or_create(&SignInLabels { method, outcome: Outcome(error) }).inc();
    }

    /// Counts attempts that a limit refused.
    pub fn count_throttled(&self, limit: &'static str, attempts: u64) {
        self.throttled.get_or_create(&LimitName { limit }).inc_by(attempts);
    }

    /// Counts a run of a job that ended at `now`.
    pub fn count_job(&self, task: &'static str, has_succeeded: bool, now: DateTime<Utc>) {
        let result = if has_succeeded { "success" } else { "failure" };
        self.job_runs.get_or_create(&JobRun { task, result }).inc();
        if has_succeeded {
            self.job_successes.get_or_create(&[("task", task)]).set(now.timestamp());
        }
    }

    /// Writes all metrics in the OpenMetrics text format, with the gauges of this reading.
    ///
    /// # Errors
    /// Only if a label cannot be written.
    pub fn encode(&self, reading: &Reading) -> Result<String, fmt::Error> {
        self.gauges.set(reading);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
