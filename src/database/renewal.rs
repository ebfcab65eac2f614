//! When the connections that are open are replaced by new ones.
//!
//! After a failover, old connections may lead to a node that is read-only and no longer hears of changes: a session that
//! was revoked on the new primary would stay valid there. A new connection leads to where the address leads now.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a node that refuses writes keeps the connections that were opened since the last renewal. While a failover goes
/// on, new connections may still lead to the old node.
const READ_ONLY_INTERVAL: Duration = Duration::from_secs(1);

/// A count of renewals, shared by the connections that read and those that write. A connection is used again only if there
/// was no renewal since it was opened.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    count: AtomicU64,
    /// Whether a write was refused, and none has succeeded since.
    is_read_only: AtomicBool,
    last_read_only: Mutex<Option<Instant>>,
}

impl Renewal {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Replaces all connections that are open now.
    pub(super) fn renew(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// A write was refused because the node is read-only.
    pub(super) fn read_only(&self) {
        self.is_read_only.store(true, Ordering::Release);
        let mut last = self.last_read_only.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= READ_ONLY_INTERVAL) {
            *last = Some(Instant::now());
            self.renew();
        }
    }

    /// A write has succeeded. If one was refused before, readers that were opened in between may be on the old node.
    pub(super) fn writable(&self) {
        if self.is_read_only.load(Ordering::Acquire) && self.is_read_only.swap(false, Ordering::AcqRel) {
            self.renew();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_node_renews_at_once_but_at_most_once_a_second() {
        let renewal = Renewal::default();
        renewal.read_only();
        assert_eq!(renewal.count(), 1);
        renewal.read_only();
        assert_eq!(renewal.count(), 1);
        *renewal.last_read_only.lock().unwrap() = Instant::now().checked_sub(READ_ONLY_INTERVAL);
        renewal.read_only();
        assert_eq!(renewal.count(), 2);
    }

    #[test]
    fn first_write_that_succeeds_again_renews_once() {
        let renewal = Renewal::default();
        renewal.writable();
        assert_eq!(renewal.count(), 0);
        renewal.read_only();
        renewal.writable();
        renewal.writable();
        assert_eq!(renewal.count(), 2);
    }
}
