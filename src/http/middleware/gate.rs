//! Requests that arrive while the server starts.

use std::time::Duration;

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
        health,
        middleware::{frame, peer, request_id},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Open,
    Stopping,
}

/// Whether requests are served. Until it is open, `/health/live` answers 200 and `/health/ready` 503, and all other
/// requests wait, but no longer than [`crate::http::Limits::start_timeout`].
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<Phase>);

impl Gate {
    /// For a server that is still to be prepared: open it afterwards.
    #[must_use]
    pub fn closed() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }

    /// For a server that is prepared already.
    pub(in crate::http) fn opened() -> Self {
        Self(watch::Sender::new(Phase::Open))
    }

    /// Lets all requests in.
    pub fn open(&self) {
        self.0.send_replace(Phase::Open);
    }

    /// Refuses the requests that wait, because the server is told to stop. An open gate stays open.
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

    /// Waits until it is open. Returns whether it is.
    async fn wait(&self, timeout: Duration) -> bool {
        let mut phase = self.0.subscribe();
        // The sender is `self`, so that it cannot be gone.
        let _ = tokio::time::timeout(timeout, phase.wait_for(|phase| *phase != Phase::Starting)).await;
        self.is_open()
    }
}

/// Lets requests through the gate.
pub(in crate::http) async fn enter(
    State((gate, timeout)): State<(Gate, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    if gate.is_open() {
        return next.run(request).await;
    }
    match request.uri().path() {
        "/health/live" => next.run(request).await,
        "/health/ready" => health::not_ready(),
        _ if gate.wait(timeout).await => next.run(request).await,
        path => {
            let language = peer::language(request.headers().get(ACCEPT_LANGUAGE));
            frame::refused(path, Error::starting(), request_id::of(&request), language)
        }
    }
}
