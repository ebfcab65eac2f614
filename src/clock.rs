//! The clock. All code uses [`Clock::now`], so that tests can set the time instead of waiting.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system clock.
    System,
    /// A clock that changes only when it is advanced.
    Manual(ManualClock),
}

impl Clock {
    /// The current time in UTC, truncated to microseconds, the precision of all supported databases.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the only place that reads the system clock")]
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Manual(clock) => clock.now(),
        }
    }
}

/// A clock for tests. Its clones share the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    unix_micros: Arc<AtomicI64>,
}

impl ManualClock {
    /// Creates a clock that shows `start`.
    #[must_use]
    pub fn at(start: DateTime<Utc>) -> Self {
        Self { unix_micros: Arc::new(AtomicI64::new(start.timestamp_micros())) }
    }

    /// Advances the clock by `delta`, which may be negative.
    pub fn advance(&self, delta: TimeDelta) {
        let micros = delta.num_microseconds().unwrap_or(i64::MAX);
        self.unix_micros.fetch_add(micros, Ordering::SeqCst);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.unix_micros.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }
}
