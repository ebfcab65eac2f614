//! Sends and receives the messages of a connection.

use std::{error::Error as _, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use tokio::time::timeout;
use tungstenite::error::Error as SocketError;

use super::{
    close::Close,
    messages::{ClientMessage, ServerMessage},
};

/// How long the client may take to close the connection after the server has.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How a connection ends.
pub(super) enum End {
    /// The server closes it.
    Close(Close),
    /// The client has closed it, or it is lost.
    Gone,
}

/// The socket of a connection.
pub(super) struct Wire {
    socket: WebSocket,
    /// Whether the client has sent anything since the last ping.
    is_alive: bool,
}

impl Wire {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self { socket, is_alive: true }
    }

    /// Receives a message. `None` is a frame of RFC 6455 that needs no response. Dropping the future loses nothing.
    pub(super) async fn receive(&mut self) -> Result<Option<ClientMessage>, End> {
        let message = self.socket.recv().await;
        self.is_alive = true;
        match message {
            Some(Ok(Message::Text(text))) => {
                ClientMessage::parse(&text).map(Some).ok_or(End::Close(Close::InvalidMessage))
            }
            Some(Ok(Message::Binary(_))) => Err(End::Close(Close::InvalidMessage)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) => Err(match error.source().and_then(|error| error.downcast_ref()) {
                Some(SocketError::Capacity(_)) => End::Close(Close::TooLong),
                Some(SocketError::Protocol(_) | SocketError::Utf8(_)) => End::Close(Close::ProtocolError),
                _ => End::Gone,
            }),
        }
    }

    pub(super) async fn send(&mut self, message: ServerMessage<'_>) -> Result<(), End> {
        self.socket.send(message.into()).await.map_err(|_| End::Gone)
    }

    /// Sends a ping of RFC 6455 §5.5.2. A client that has sent nothing since the last one is gone.
    pub(super) async fn ping(&mut self) -> Result<(), End> {
        if !std::mem::take(&mut self.is_alive) {
            return Err(End::Gone);
        }
        self.socket.send(Message::Ping(Vec::new().into())).await.map_err(|_| End::Gone)
    }

    /// Closes the connection.
    pub(super) async fn close(&mut self, close: Close) {
        if self.socket.send(close.frame()).await.is_ok() {
            // If the socket were closed while it has unread bytes, the client might lose the frame.
            let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = self.socket.recv().await {} }).await;
        }
    }
}
