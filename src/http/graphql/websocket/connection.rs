//! A connection: its handshake of the graphql-transport-ws protocol, and its operations.

use std::sync::Arc;

use axum::extract::ws::WebSocket;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_stream::{StreamExt, StreamMap};

use super::{
    close::Close,
    messages::{ClientMessage, ServerMessage},
    operation::{Opener, Operation, Output},
    wire::{End, Wire},
};
use crate::{
    Error,
    domain::{Viewer, enrolling_principal},
    error::UnauthenticatedReason,
    http::bearer,
    live_events::Place,
};

/// Maximum number of operations of a connection.
const MAX_OPERATIONS: usize = 10;

/// An open connection.
pub(super) struct Connection {
    wire: Wire,
    opener: Opener,
    operations: StreamMap<String, Operation>,
}

/// The state of a connection whose client is signed in.
struct SignedIn {
    expires_at: DateTime<Utc>,
    _place: Place,
}

impl Connection {
    pub(super) fn new(socket: WebSocket, opener: Opener) -> Self {
        Self { wire: Wire::new(socket), opener, operations: StreamMap::new() }
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self) {
        let end = match self.initialize().await {
            Ok(signed_in) => self.serve(&signed_in).await,
            Err(end) => end,
        };
        self.operations.clear();
        if let End::Close(mut close) = end {
            if close == Close::Unavailable && self.opener.server.app.live_events.is_closing() {
                close = Close::Stopping;
            }
            let (code, reason) = close.code_and_reason();
            tracing::info!(code, reason, "a WebSocket connection was closed");
            self.wire.close(close).await;
        }
    }

    /// Waits for `connection_init`, and checks the access token.
    async fn initialize(&mut self) -> Result<SignedIn, End> {
        let server = Arc::clone(&self.opener.server);
        let timer = sleep(server.limits.init_timeout);
        tokio::pin!(timer);
        loop {
            let message = tokio::select! {
                message = self.wire.receive() => message?,
                () = &mut timer => return Err(End::Close(Close::InitTimeout)),
                () = server.app.live_events.closed() => return Err(End::Close(Close::Stopping)),
            };
            match message {
                Some(ClientMessage::ConnectionInit(payload)) => {
                    let signed_in = self.sign_in(&payload).await.map_err(End::Close)?;
                    self.wire.send(ServerMessage::ConnectionAck).await?;
                    return Ok(signed_in);
                }
                Some(ClientMessage::Subscribe { .. }) => return Err(End::Close(Close::NotInitialized)),
                Some(ClientMessage::Ping) => self.wire.send(ServerMessage::Pong).await?,
                Some(ClientMessage::Pong | ClientMessage::Complete { .. }) | None => {}
            }
        }
    }

    /// Checks the access token: that of `connection_init`, otherwise that of the HTTP request.
    async fn sign_in(&mut self, payload: &Map<String, Value>) -> Result<SignedIn, Close> {
        let Opener { server, context, .. } = &mut self.opener;
        let authorization = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let Some((_, value)) = authorization {
            context.viewer = bearer::of_value(&server.app, value.as_str().unwrap_or_default());
        }
        let unavailable = Error::unavailable(5, "the check of an access token took too long");
        let checked = timeout(server.limits.handler_timeout, enrolling_principal(context)).await;
        let principal = checked.unwrap_or(Err(unavailable));
        let principal = principal.map_err(|error| Close::of(&error).unwrap_or(Close::Unavailable))?;
        let place = server.app.live_events.open_socket(principal.user.id).map_err(|error| match error {
            Error::TooManyStreams => Close::TooManyConnections,
            _ => Close::Stopping,
        })?;
        let Viewer::Authenticated(claims) = context.viewer else {
            return Err(Close::Unauthenticated(UnauthenticatedReason::TokenInvalid));
        };
        let expires_at = DateTime::from_timestamp(claims.expires_at, 0).unwrap_or(DateTime::UNIX_EPOCH);
        Ok(SignedIn { expires_at, _place: place })
    }

    async fn serve(&mut self, signed_in: &SignedIn) -> End {
        let server = Arc::clone(&self.opener.server);
        let every = server.limits.ping_interval;
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let context = self.opener.context.clone();
        let expired = async {
            while context.now() < signed_in.expires_at {
                sleep((signed_in.expires_at - context.now()).to_std().unwrap_or_default()).await;
            }
        };
        let closed = server.app.live_events.closed();
        tokio::pin!(expired, closed);
        loop {
            let handled = tokio::select! {
                message = self.wire.receive() => match message {
                    Ok(message) => self.handle(message).await,
                    Err(end) => Err(end),
                },
                Some((id, output)) = self.operations.next() => self.deliver(&id, output).await,
                _ = pings.tick() => self.wire.ping().await,
                () = &mut expired => Err(End::Close(Close::Unauthenticated(UnauthenticatedReason::TokenExpired))),
                () = &mut closed => Err(End::Close(Close::Stopping)),
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    async fn handle(&mut self, message: Option<ClientMessage>) -> Result<(), End> {
        match message {
            None | Some(ClientMessage::Pong) => Ok(()),
            Some(ClientMessage::ConnectionInit(_)) => Err(End::Close(Close::InitTwice)),
            Some(ClientMessage::Ping) => self.wire.send(ServerMessage::Pong).await,
            Some(ClientMessage::Complete { id }) => {
                self.operations.remove(&id);
                Ok(())
            }
            Some(ClientMessage::Subscribe { id, .. }) if self.operations.contains_key(&id) => {
                Err(End::Close(Close::DuplicateId))
            }
            Some(ClientMessage::Subscribe { id, request }) => {
                let request = match request {
                    Ok(_) if self.operations.len() >= MAX_OPERATIONS => Err(Error::TooManyStreams),
                    request => request,
                };
                match request {
                    Ok(request) => {
                        self.operations.insert(id, self.opener.open(request));
                        Ok(())
                    }
                    Err(error) => self.deliver(&id, self.opener.failed(error)).await,
                }
            }
        }
    }

    /// Sends the output of an operation.
    async fn deliver(&mut self, id: &str, output: Output) -> Result<(), End> {
        match output {
            Output::Event(response) => self.wire.send(ServerMessage::Next { id, payload: &response }).await,
            Output::Failed(errors) => {
                self.operations.remove(id);
                self.wire.send(ServerMessage::Error { id, payload: &errors }).await
            }
            Output::Close(close) => Err(End::Close(close)),
        }
    }
}
