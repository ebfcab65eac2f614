//! Replacement of open connections.
//!
//! After a failover, old connections may still point to a node that is read-only and no longer replicated. A session
//! that was revoked on the new primary would stay valid there. A new connection resolves the address again.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Minimum interval between renewals caused by a read-only node. During a failover, new connections may still reach the
/// old node, so they are replaced again after this interval.
const READ_ONLY_INTERVAL: Duration = Duration::from_secs(1);

/// A renewal counter shared by the read and write pools. A connection is reused only if no renewal happened since it
/// was opened.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    count: AtomicU64,
    /// Whether a write was refused and none has succeeded since.
    is_read_only: AtomicBool,
    last_read_only: Mutex<Option<Instant>>,
}

impl Renewal {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Marks all open connections for replacement.
    pub(super) fn renew(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Records that a write was refused because the node is read-only.
    pub(super) fn record_read_only(&self) {
        self.is_read_only.store(true, Ordering::Release);
        let mut last = self.last_read_only.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= READ_ONLY_INTERVAL) {
            *last = Some(Instant::now());
            self.renew();
        }
    }

    /// Records that a write succeeded. If one was refused before, readers opened in between may be connected to the old
    /// node and are replaced.
    pub(super) fn record_write(&self) {
        if self.is_read_only.load(Ordering::Acquire) && self.is_read_only.swap(false, Ordering::AcqRel) {
            self.renew();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_node_renews_immediately_then_at_most_once_a_second() {
        let renewal = Renewal::default();
        renewal.record_read_only();
        assert_eq!(renewal.count(), 1);
        renewal.record_read_only();
        assert_eq!(renewal.count(), 1);
        *renewal.last_read_only.lock().unwrap() = Instant::now().checked_sub(READ_ONLY_INTERVAL);
        renewal.record_read_only();
        assert_eq!(renewal.count(), 2);
    }

    #[test]
    fn first_successful_write_after_a_refusal_renews_once() {
        let renewal = Renewal::default();
        renewal.record_write();
        assert_eq!(renewal.count(), 0);
        renewal.record_read_only();
        renewal.record_write();
        renewal.record_write();
        assert_eq!(renewal.count(), 2);
    }
}
