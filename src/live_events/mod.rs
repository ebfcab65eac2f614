//! Live events: hands new events of the audit log to the streams of this process.
//!
//! A job reads the new events while there are streams ([`crate::entity::audit_event`]), and publishes them here in batches.
//! Each stream receives all batches and takes what concerns it. Nothing here knows who may see an event.

mod batch;
mod listener;
mod place;

use std::{collections::HashMap, sync::Arc, time::Duration};

pub use batch::{Batch, MAX_EVENTS};
pub use listener::{Listener, Received};
pub use place::Place;
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;

use self::{
    listener::Message,
    place::{Kind, Places},
};
use crate::{Error, Result, entity::audit_event};

/// Maximum number of streams of one user in this process. Each tab of a front end needs one.
pub const MAX_STREAMS_OF_USER: usize = 20;

/// Maximum number of WebSocket connections of one user in this process. Each of them may have several streams.
pub const MAX_SOCKETS_OF_USER: usize = 10;

/// How many batches a stream may be behind. Together they have at most 64,000 events, which take about 30 MiB.
const CAPACITY: usize = 64;

/// The live events of a process.
#[derive(Debug)]
pub struct LiveEvents {
    messages: broadcast::Sender<Message>,
    state: watch::Sender<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    streams: usize,
    by_user: HashMap<Uuid, Places>,
    /// Whether the job reads new events, so that a new stream misses none.
    is_reading: bool,
    is_closing: bool,
}

impl Default for LiveEvents {
    fn default() -> Self {
        Self { messages: broadcast::Sender::new(CAPACITY), state: watch::Sender::default(), wake: Notify::new() }
    }
}

impl LiveEvents {
    /// Opens a stream for a user. It receives all events that are committed after this returns.
    ///
    /// # Errors
    /// TOO_MANY_STREAMS if the user has [`MAX_STREAMS_OF_USER`]; SERVICE_UNAVAILABLE if the server stops.
    pub async fn listen(self: &Arc<Self>, user_id: Uuid) -> Result<Listener> {
        let place = self.take_place(user_id, Kind::Stream)?;
        let messages = self.messages.subscribe();
        let mut state = self.state.subscribe();
        match state.wait_for(|state| state.is_reading || state.is_closing).await {
            Ok(state) if !state.is_closing => {}
            _ => return Err(stopping()),
        }
        Ok(Listener::new(messages, place))
    }

    /// Takes a place for a WebSocket connection of a user.
    ///
    /// # Errors
    /// TOO_MANY_STREAMS if the user has [`MAX_SOCKETS_OF_USER`]; SERVICE_UNAVAILABLE if the server stops.
    pub fn open_socket(self: &Arc<Self>, user_id: Uuid) -> Result<Place> {
        self.take_place(user_id, Kind::Socket)
    }

    fn take_place(self: &Arc<Self>, user_id: Uuid, kind: Kind) -> Result<Place> {
        let mut taken = Err(stopping());
        self.state.send_if_modified(|state| {
            if state.is_closing {
                return false;
            }
            let count = state.by_user.entry(user_id).or_default().count(kind);
            if *count >= kind.limit() {
                taken = Err(Error::TooManyStreams);
                return false;
            }
            *count += 1;
            if kind == Kind::Stream {
                state.streams += 1;
            }
            taken = Ok(Place::new(Arc::clone(self), user_id, kind));
            true
        });
        taken
    }

    fn free_place(&self, user_id: Uuid, kind: Kind) {
        self.state.send_modify(|state| {
            if kind == Kind::Stream {
                state.streams = state.streams.saturating_sub(1);
            }
            if let Some(places) = state.by_user.get_mut(&user_id) {
                *places.count(kind) -= 1;
                if places.is_empty() {
                    state.by_user.remove(&user_id);
                }
            }
        });
    }

    /// The number of open streams.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.state.borrow().streams
    }

    /// Wakes the job after events have been committed.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends all streams, and refuses new ones, because the server stops.
    pub fn close(&self) {
        self.state.send_modify(|state| state.is_closing = true);
        let _ = self.messages.send(Message::Closing);
        self.wake();
    }

    /// Whether the server stops.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.state.borrow().is_closing
    }

    /// Waits until the server stops.
    pub async fn closed(&self) {
        let _ = self.state.subscribe().wait_for(|state| state.is_closing).await;
    }

    /// Waits until there is a stream. Returns false if the server stops.
    pub async fn wait_for_streams(&self) -> bool {
        let mut state = self.state.subscribe();
        let is_wanted = state.wait_for(|state| state.streams > 0 || state.is_closing).await;
        is_wanted.is_ok_and(|state| !state.is_closing)
    }

    /// Lets new streams begin: the job knows which events are old.
    pub fn begin(&self) {
        self.state.send_modify(|state| state.is_reading = true);
    }

    /// Stops the job if there are no streams, or if the server stops. Returns whether it must stop.
    pub fn end_if_unused(&self) -> bool {
        self.state.send_if_modified(|state| {
            let is_unused = state.streams == 0 || state.is_closing;
            if is_unused {
                state.is_reading = false;
            }
            is_unused
        })
    }

    /// Waits until the job is woken, for at most `limit`.
    pub async fn wait(&self, limit: Duration) {
        let _ = tokio::time::timeout(limit, self.wake.notified()).await;
    }

    /// Sends events to all streams. There may be at most [`MAX_EVENTS`].
    pub fn publish(&self, events: Vec<audit_event::Model>) {
        // Fails if there are no streams.
        let _ = self.messages.send(Message::Events(Arc::new(Batch::new(events))));
    }

    /// Ends all streams, because events could not be read. New streams wait until the job begins again.
    pub fn lose(&self) {
        self.state.send_modify(|state| state.is_reading = false);
        let _ = self.messages.send(Message::Lost);
    }
}

fn stopping() -> Error {
    Error::ServiceUnavailable { retry_after: 1, cause: None }
}
