//! Reads new events of the audit log for live events, while there are streams.
//!
//! All instances and commands write to the audit log, so one statement a second finds the events of all of them, on every
//! database. Rows do not become visible in the order of their ids: a row gets its id, which begins with the time, before its
//! transaction commits, and the clocks of instances differ. So each pass reads the ids of the last 15 seconds again, and skips
//! those that it has seen.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{App, Result, entity::audit_event, live_events::MAX_EVENTS};

/// How often to look for events that other instances and commands have written.
const INTERVAL: Duration = Duration::from_secs(1);

/// The pause after each pass, so that many commits in a short time are read together.
const PAUSE: Duration = Duration::from_millis(50);

/// How long after the time in its id a row may become visible: the longest transaction of a request takes 5.5 seconds, and the
/// rest is for clocks that differ and for the interval.
const OVERLAP: TimeDelta = TimeDelta::seconds(15);

/// How far the clock may be set back without a new start.
const MAX_SET_BACK: TimeDelta = TimeDelta::seconds(5);

/// Maximum number of ids that are kept, in about 30 MiB. More events in [`OVERLAP`] end the streams. An import writes 300,000.
const MAX_SEEN: usize = 1_000_000;

/// Maximum number of ids that a statement reads.
const MAX_IDS: u64 = 10_000;

/// Reads events until the server stops.
pub async fn read_events(app: Arc<App>) {
    while app.live_events.wait_for_streams().await {
        // In a separate task, so that a panic does not stop all live events.
        let task_app = Arc::clone(&app);
        let served = tokio::spawn(async move { serve_streams(&task_app).await }).await;
        if served.is_err() {
            tracing::error!("the task that reads live events panicked");
            app.live_events.lose();
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Reads events until there are no streams.
async fn serve_streams(app: &App) {
    let mut reader = None;
    let mut has_failed = false;
    while !app.live_events.end_if_unused() {
        let passed = match &mut reader {
            None => Reader::start(app).await.map(|started| {
                reader = Some(started);
                app.live_events.begin();
            }),
            Some(reader) => reader.pass(app).await.map(drop),
        };
        match passed {
            Ok(()) => has_failed = false,
            Err(error) if has_failed => tracing::debug!(cause = error.cause(), "failed to read live events"),
            Err(error) => {
                has_failed = true;
                tracing::warn!(cause = error.cause(), "failed to read live events");
            }
        }
        if reader.as_ref().is_some_and(|reader| reader.has_lost(app.clock.now())) {
            tracing::warn!("live events were lost, and all streams end");
            app.live_events.lose();
            reader = None;
        }
        tokio::time::sleep(PAUSE).await;
        app.live_events.wait(INTERVAL.saturating_sub(PAUSE)).await;
    }
}

/// Finds new events. Its first pass determines which events are old.
#[derive(Debug)]
pub struct Reader {
    /// The time from which ids are read again.
    from: DateTime<Utc>,
    /// The time of the last pass that succeeded.
    last: DateTime<Utc>,
    /// The ids since `from` that were read.
    seen: HashSet<Uuid>,
}

impl Reader {
    /// Creates a reader. All events that are visible now are old.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable.
    pub async fn start(app: &App) -> Result<Self> {
        let now = app.clock.now();
        let mut reader = Self { from: now - OVERLAP, last: now, seen: HashSet::new() };
        let old = reader.find_new(app).await?;
        reader.seen.extend(old);
        Ok(reader)
    }

    /// Publishes the events that have become visible since the last pass. Returns how many.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable. The next pass reads the events that this one has not published.
    pub async fn pass(&mut self, app: &App) -> Result<usize> {
        let now = app.clock.now();
        let new = self.find_new(app).await?;
        for ids in new.chunks(MAX_EVENTS) {
            app.live_events.publish(audit_event::find_all(app.database.read(), ids).await?);
            self.seen.extend(ids);
        }
        // Never back: the ids before `from` are not kept.
        self.from = self.from.max(now - OVERLAP);
        self.last = now;
        let first = audit_event::first_id(self.from);
        self.seen.retain(|id| *id >= first);
        Ok(new.len())
    }

    /// Reads the ids since `from`. Returns those that were not seen, oldest first.
    async fn find_new(&self, app: &App) -> Result<Vec<Uuid>> {
        let mut new = Vec::new();
        let mut after = None;
        loop {
            let ids = audit_event::ids_since(app.database.read(), self.from, after, MAX_IDS).await?;
            let is_last = u64::try_from(ids.len()).is_ok_and(|count| count < MAX_IDS);
            after = ids.last().copied();
            new.extend(ids.into_iter().filter(|id| !self.seen.contains(id)));
            if is_last || self.seen.len() + new.len() > MAX_SEEN {
                break;
            }
        }
        Ok(new)
    }

    /// Whether events may have been lost: there were too many, or the clock was set back, so that new ids are before those
    /// that are read.
    fn has_lost(&self, now: DateTime<Utc>) -> bool {
        self.seen.len() > MAX_SEEN || now < self.last - MAX_SET_BACK
    }
}
