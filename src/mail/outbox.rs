//! The bell between those who write mails down and the worker that delivers them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::sync::Notify;

/// Wakes the worker of this instance. Mails wait in the database, where all instances look now and then; this is so that
/// nobody waits for that.
#[derive(Debug, Default)]
pub struct Outbox {
    bell: Notify,
    end: Notify,
    is_closing: AtomicBool,
}

impl Outbox {
    /// Mails have been committed: have them delivered now.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until somebody rings, `most` at most.
    pub async fn wait(&self, most: Duration) {
        // Whether there are mails is for the database to say.
        let _ = tokio::time::timeout(most, self.bell.notified()).await;
    }

    /// Waits for so long, unless it is the end.
    pub async fn pause(&self, time: Duration) {
        if !self.is_closing() {
            let _ = tokio::time::timeout(time, self.end.notified()).await;
        }
    }

    /// Has the worker end once the mails that are on their way have left.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.ring();
        self.end.notify_one();
    }

    /// Whether no more mails are to be taken.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }
}
