//! The end of a stream that receives.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{Batch, Place};

/// What is sent to all streams.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Events(Arc<Batch>),
    /// Events could not be read.
    Lost,
    /// The server stops.
    Closing,
}

/// What a stream receives.
#[derive(Debug)]
pub enum Received {
    /// Events.
    Events(Arc<Batch>),
    /// Events were left out: the stream is too far behind, or they could not be read.
    Lost,
    /// The server stops.
    Closing,
}

/// Receives the events of one stream. Dropping it ends the stream.
#[derive(Debug)]
pub struct Listener {
    messages: broadcast::Receiver<Message>,
    _place: Place,
}

impl Listener {
    pub(super) fn new(messages: broadcast::Receiver<Message>, place: Place) -> Self {
        Self { messages, _place: place }
    }

    /// Waits for the next events. Dropping the future loses none.
    pub async fn next(&mut self) -> Received {
        match self.messages.recv().await {
            Ok(Message::Events(batch)) => Received::Events(batch),
            Ok(Message::Lost) | Err(RecvError::Lagged(_)) => Received::Lost,
            Ok(Message::Closing) | Err(RecvError::Closed) => Received::Closing,
        }
    }
}
