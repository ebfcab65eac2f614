//! The streams and the WebSocket connections of a user, which are limited.

use std::sync::Arc;

use uuid::Uuid;

use super::{LiveEvents, MAX_SOCKETS_OF_USER, MAX_STREAMS_OF_USER};

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A stream of events.
    Stream,
    /// A WebSocket connection.
    Socket,
}

impl Kind {
    /// How many places of this kind a user has.
    pub(super) const fn limit(self) -> usize {
        match self {
            Self::Stream => MAX_STREAMS_OF_USER,
            Self::Socket => MAX_SOCKETS_OF_USER,
        }
    }
}

/// The number of places that a user has taken.
#[derive(Debug, Default)]
pub(super) struct Places {
    streams: usize,
    sockets: usize,
}

impl Places {
    pub(super) const fn count(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Stream => &mut self.streams,
            Kind::Socket => &mut self.sockets,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.streams == 0 && self.sockets == 0
    }
}

/// A place that a user has taken. Dropping it frees the place.
#[derive(Debug)]
pub struct Place {
    live_events: Arc<LiveEvents>,
    user_id: Uuid,
    kind: Kind,
}

impl Place {
    pub(super) fn new(live_events: Arc<LiveEvents>, user_id: Uuid, kind: Kind) -> Self {
        Self { live_events, user_id, kind }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.live_events.free_place(self.user_id, self.kind);
    }
}
