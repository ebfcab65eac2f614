//! Notifies the delivery worker of new mails.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::sync::Notify;

/// Wakes the delivery worker of this instance. Mails wait in the database, which all instances poll. The notification
/// avoids waiting for the next poll.
#[derive(Debug, Default)]
pub struct Outbox {
    wake_up: Notify,
    closed: Notify,
    is_closing: AtomicBool,
}

impl Outbox {
    /// Wakes the worker after mails have been committed.
    pub fn notify(&self) {
        self.wake_up.notify_one();
    }

    /// Waits for a notification, for at most `limit`.
    pub async fn wait(&self, limit: Duration) {
        // After a timeout, the worker polls the database as well.
        let _ = tokio::time::timeout(limit, self.wake_up.notified()).await;
    }

    /// Waits for `time`, or until the outbox closes.
    pub async fn pause(&self, time: Duration) {
        if !self.is_closing() {
            let _ = tokio::time::timeout(time, self.closed.notified()).await;
        }
    }

    /// Stops the worker after it has sent the mails in progress.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.notify();
        self.closed.notify_one();
    }

    /// Whether the outbox is closing, so that the worker must not lease more mails.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }
}
