//! Time, in one place: everything asks [`Clock::now`], so that tests turn time instead of waiting for it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Where the current time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is turned.
    Manual(ManualClock),
}

impl Clock {
    /// The current instant in UTC, cut to the microsecond, because that is what all databases keep.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Manual(clock) => clock.now(),
        }
    }
}

/// A clock for tests; its clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    unix_micros: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: DateTime<Utc>) -> Self {
        Self { unix_micros: Arc::new(AtomicI64::new(start.timestamp_micros())) }
    }

    /// Turns the clock forward, or back by a negative `delta`.
    pub fn advance(&self, delta: TimeDelta) {
        let micros = delta.num_microseconds().unwrap_or(i64::MAX);
        self.unix_micros.fetch_add(micros, Ordering::SeqCst);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.unix_micros.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }
}
