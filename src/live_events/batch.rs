//! Events that were read together.

use std::collections::HashSet;

use uuid::Uuid;

use crate::entity::audit_event;

/// Maximum number of events in a batch.
pub const MAX_EVENTS: usize = 1000;

/// Events that were read together, oldest first.
#[derive(Debug)]
pub struct Batch {
    /// The events.
    pub events: Vec<audit_event::Model>,
    /// The users that they affect. Most streams of most batches need to look no further.
    affected: HashSet<Uuid>,
}

impl Batch {
    pub(super) fn new(events: Vec<audit_event::Model>) -> Self {
        let affected = events.iter().filter_map(|event| event.user_id).collect();
        Self { events, affected }
    }

    /// Whether an event affects this user.
    #[must_use]
    pub fn affects(&self, user_id: Uuid) -> bool {
        self.affected.contains(&user_id)
    }
}
