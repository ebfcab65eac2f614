//! The gate: holds requests back while the server starts.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::header::ACCEPT_LANGUAGE,
    middleware::Next,
    response::Response,
};
use tokio::sync::watch;

use crate::{
    Error,
    http::{
        Server, health,
        middleware::{frame, peer, request_id},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Open,
    Stopping,
}

/// The gate. Until it is open, `/health/live` responds with 200 and `/health/ready` with 503. All other requests wait
/// for at most [`crate::http::Limits::start_timeout`].
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<Phase>);

impl Gate {
    /// Creates a closed gate, for a server that is still starting.
    #[must_use]
    pub fn closed() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }

    /// Creates an open gate, for a server that is ready.
    pub(in crate::http) fn opened() -> Self {
        Self(watch::Sender::new(Phase::Open))
    }

    /// Opens the gate and releases all waiting requests.
    pub fn open(&self) {
        self.0.send_replace(Phase::Open);
    }

    /// Rejects the waiting requests because the server shuts down. An open gate stays open.
    pub fn stop(&self) {
        self.0.send_if_modified(|phase| {
            let is_starting = *phase == Phase::Starting;
            if is_starting {
                *phase = Phase::Stopping;
            }
            is_starting
        });
    }

    fn is_open(&self) -> bool {
        *self.0.borrow() == Phase::Open
    }

    /// Waits until the gate opens, the server stops or the timeout expires. Returns whether the gate is open.
    async fn wait(&self, timeout: Duration) -> bool {
        let mut phase = self.0.subscribe();
        // `self` is the sender, so the channel cannot be closed.
        let _ = tokio::time::timeout(timeout, phase.wait_for(|phase| *phase != Phase::Starting)).await;
        self.is_open()
    }
}

/// Middleware: passes a request on to [`frame::guard`] when the gate is open. One layer for both, because each layer
/// moves and boxes every request.
pub(in crate::http) async fn enter(
    State((gate, server)): State<(Gate, Arc<Server>)>,
    request: Request,
    next: Next,
) -> Response {
    if gate.is_open() {
        return frame::guard(&server, request, next).await;
    }
    match request.uri().path() {
        "/health/live" => frame::guard(&server, request, next).await,
        "/health/ready" => health::not_ready(),
        _ if gate.wait(server.limits.start_timeout).await => frame::guard(&server, request, next).await,
        path => {
            let language = peer::language(request.headers().get(ACCEPT_LANGUAGE));
            frame::error_response(path, Error::starting(), request_id::of(&request), language)
        }
    }
}
