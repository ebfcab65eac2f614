//! The algorithm of a counter: a sliding window, and an optional wait that doubles.

use chrono::{DateTime, TimeDelta, Utc};

use crate::entity::throttle::Model;

/// The longest wait.
const MAX_WAIT: TimeDelta = TimeDelta::hours(24);

/// How long after a wait the next one is still doubled.
const DOUBLING_MEMORY: TimeDelta = TimeDelta::hours(24);

/// The number of attempts that are allowed in any window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// The name in the metrics.
    pub(super) name: &'static str,
    max: usize,
    window: TimeDelta,
    /// Whether a full window starts a wait, which doubles with each further full window.
    doubles: bool,
}

impl Limit {
    pub(super) const fn new(name: &'static str, max: usize, window: TimeDelta) -> Self {
        Self { name, max, window, doubles: false }
    }

    pub(super) const fn doubling(self) -> Self {
        Self { doubles: true, ..self }
    }

    fn recent(&self, row: &Model, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        row.attempts.times().filter(|time| *time > now - self.window).collect()
    }

    /// The number of attempts that are left now. Only for limits that do not double.
    pub(super) fn remaining(&self, row: &Model, now: DateTime<Utc>) -> usize {
        self.max.saturating_sub(self.recent(row, now).len())
    }

    /// The wait until the next attempt is allowed. `None` if it is allowed now.
    pub(super) fn wait(&self, row: &Model, now: DateTime<Utc>) -> Option<TimeDelta> {
        let window_ends = self.recent(row, now).iter().rev().nth(self.max - 1).map(|oldest| *oldest + self.window);
        let ends = row.blocked_until.max(window_ends)?;
        (ends > now).then(|| ends - now)
    }

    /// Counts an attempt.
    pub(super) fn book(&self, row: &mut Model, now: DateTime<Utc>) {
        let mut recent = self.recent(row, now);
        recent.push(now);
        if self.doubles && recent.len() == self.max {
            let is_repeated = row.blocked_until.is_some_and(|end| now < end + DOUBLING_MEMORY);
            row.full_windows = if is_repeated { row.full_windows.saturating_add(1) } else { 1 };
            row.blocked_until = Some(now + self.doubled_wait(row.full_windows));
        }
        row.attempts = recent.into_iter().collect();
        self.set_expiry(row, now);
    }

    /// Withdraws an attempt that was not evaluated.
    pub(super) fn withdraw(&self, row: &mut Model, attempt: DateTime<Utc>, now: DateTime<Utc>) {
        let mut recent = self.recent(row, now);
        let Some(position) = recent.iter().position(|time| *time == attempt) else { return };
        if self.has_filled_window(row, attempt) {
            row.full_windows -= 1;
            // The end of the previous wait is not stored. All recent attempts came after it, so the time of the oldest
            // one keeps the doubling without blocking now.
            row.blocked_until = recent.first().copied().filter(|_| row.full_windows > 0);
        }
        recent.remove(position);
        row.attempts = recent.into_iter().collect();
        self.set_expiry(row, now);
    }

    /// The wait after `full_windows` consecutive full windows.
    fn doubled_wait(&self, full_windows: i32) -> TimeDelta {
        let times = 1_i32.checked_shl(full_windows.unsigned_abs().saturating_sub(1)).unwrap_or(i32::MAX);
        self.window.checked_mul(times).map_or(MAX_WAIT, |wait| wait.min(MAX_WAIT))
    }

    /// Whether an attempt helped to fill the window that started the current wait.
    fn has_filled_window(&self, row: &Model, attempt: DateTime<Utc>) -> bool {
        let filled_at = row.blocked_until.map(|end| end - self.doubled_wait(row.full_windows));
        self.doubles && filled_at.is_some_and(|at| at - self.window < attempt && attempt <= at)
    }

    fn set_expiry(&self, row: &mut Model, now: DateTime<Utc>) {
        let window_ends = row.attempts.times().next_back().map(|latest| latest + self.window);
        let memory_ends = row.blocked_until.map(|end| end + DOUBLING_MEMORY);
        row.expires_at = window_ends.max(memory_ends).max(row.familiar_until).unwrap_or(now);
    }

    /// Deletes all attempts. `familiar_until` is set if the owner has signed in from this network.
    pub(super) fn clear(&self, row: &mut Model, familiar_until: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        *row = Model { familiar_until, ..Model::empty(row.id, row.identifier_id, now) };
        self.set_expiry(row, now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn row() -> Model {
        Model::empty(Uuid::nil(), None, START)
    }

    fn minutes(minutes: i64) -> DateTime<Utc> {
        START + TimeDelta::minutes(minutes)
    }

    #[test]
    fn next_attempt_is_allowed_when_the_oldest_leaves_the_window() {
        let limit = Limit::new("name", 3, TimeDelta::minutes(15));
        let mut row = row();
        for minute in [0, 4, 8] {
            assert_eq!(limit.wait(&row, minutes(minute)), None);
            limit.book(&mut row, minutes(minute));
        }
        assert_eq!(limit.wait(&row, minutes(9)), Some(TimeDelta::minutes(6)));
        assert_eq!(limit.wait(&row, minutes(15)), None);
        limit.book(&mut row, minutes(15));
        assert_eq!(limit.wait(&row, minutes(15)), Some(TimeDelta::minutes(4)));
        assert_eq!(row.expires_at, minutes(30));
    }

    #[test]
    fn each_full_window_doubles_the_wait_up_to_a_day() {
        let limit = Limit::new("name", 2, TimeDelta::hours(1)).doubling();
        let mut row = row();
        let mut now = START;
        for hours in [1, 2, 4, 8, 16, 24, 24] {
            for _ in 0..2 {
                assert_eq!(limit.wait(&row, now), None);
                limit.book(&mut row, now);
            }
            assert_eq!(limit.wait(&row, now), Some(TimeDelta::hours(hours)));
            now += TimeDelta::hours(hours);
        }
        now += TimeDelta::hours(24);
        limit.book(&mut row, now);
        limit.book(&mut row, now);
        assert_eq!(limit.wait(&row, now), Some(TimeDelta::hours(1)), "the wait resets after a day without attempts");
        row.full_windows = i32::MAX;
        now += TimeDelta::hours(1);
        limit.book(&mut row, now);
        limit.book(&mut row, now);
        assert_eq!(limit.wait(&row, now), Some(TimeDelta::hours(24)), "the wait does not overflow");
    }

    #[test]
    fn withdrawing_restores_the_previous_state() {
        let limit = Limit::new("name", 2, TimeDelta::hours(1)).doubling();
        let mut row = row();
        limit.book(&mut row, START);
        let before = row.clone();
        limit.book(&mut row, minutes(1));
        assert!(limit.wait(&row, minutes(1)).is_some());
        limit.withdraw(&mut row, minutes(1), minutes(2));
        assert_eq!(row, before);
        limit.withdraw(&mut row, minutes(1), minutes(2));
        assert_eq!(row, before);
    }

    /// Fills `windows` windows, each when the previous wait has ended. Returns the time of the last attempt.
    fn fill_windows(limit: Limit, row: &mut Model, windows: usize) -> DateTime<Utc> {
        let mut now = START;
        for window in 0..windows {
            if window > 0 {
                now = row.blocked_until.unwrap();
            }
            for _ in 0..limit.max {
                limit.book(row, now);
            }
        }
        now
    }

    #[test]
    fn a_withdrawn_attempt_does_not_reset_the_doubling_wait() {
        let limit = Limit::new("name", 2, TimeDelta::hours(1)).doubling();
        let mut row = row();
        let now = fill_windows(limit, &mut row, 3);
        limit.withdraw(&mut row, now, now);
        assert_eq!(limit.wait(&row, now), None);
        limit.book(&mut row, now);
        assert_eq!(limit.wait(&row, now), Some(TimeDelta::hours(4)));
    }

    #[test]
    fn a_withdrawn_attempt_ends_its_wait_after_the_window_has_moved_on() {
        let limit = Limit::new("name", 2, TimeDelta::hours(1)).doubling();
        let mut row = row();
        limit.book(&mut row, START);
        limit.book(&mut row, minutes(59));
        limit.withdraw(&mut row, minutes(59), minutes(61));
        assert_eq!((limit.wait(&row, minutes(61)), row.full_windows), (None, 0));
    }

    #[test]
    fn withdrawing_an_attempt_from_before_the_full_window_leaves_the_wait() {
        let limit = Limit::new("name", 2, TimeDelta::hours(1)).doubling();
        let mut row = row();
        limit.book(&mut row, START);
        limit.book(&mut row, minutes(60));
        limit.book(&mut row, minutes(61));
        let before = row.clone();
        limit.withdraw(&mut row, START, minutes(61));
        assert_eq!(row, before);
    }

    #[test]
    fn clearing_keeps_familiar_until() {
        let limit = Limit::new("name", 1, TimeDelta::hours(1)).doubling();
        let mut row = row();
        limit.book(&mut row, START);
        limit.clear(&mut row, Some(minutes(90)), START);
        assert_eq!((limit.wait(&row, START), row.expires_at), (None, minutes(90)));
    }

    proptest! {
        /// No window contains more attempts than the limit, whatever the pauses between them.
        #[test]
        fn no_window_has_more_than_the_limit(pauses in vec(0_i64..2000, 1..200), max in 1_usize..12, doubles: bool) {
            let window = TimeDelta::seconds(3600);
            let limit = Limit { name: "name", max, window, doubles };
            let (mut row, mut now, mut allowed) = (row(), START, Vec::new());
            for pause in pauses {
                now += TimeDelta::seconds(pause);
                if limit.wait(&row, now).is_none() {
                    limit.book(&mut row, now);
                    allowed.push(now);
                }
            }
            for (index, first) in allowed.iter().enumerate() {
                let within = allowed[index..].iter().take_while(|time| **time < *first + window).count();
                prop_assert!(within <= max, "{within} of {max} from {first}");
            }
        }
    }
}
