//! The accept loop, with connection limits, timeouts and graceful shutdown.
//!
//! `axum::serve` has no timeouts: a client that never completes its headers would keep its connection, and shutdown
//! would wait for it forever.

mod connection_slots;
mod lingering;
mod progress;
mod small_reads;

use std::{
    convert::Infallible,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request,
        header::{CONNECTION, UPGRADE},
    },
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt;

use crate::http::{
    Limits, Peer,
    listener::{
        connection_slots::{ConnectionSlot, ConnectionSlots},
        lingering::Lingering,
        progress::Progress,
        small_reads::SmallReads,
    },
    run_to_end::RunToEnd,
};

pub use connection_slots::carries_many_clients;

/// Keeps the slot of a connection after an upgrade. In the extensions of requests that ask for one.
#[derive(Clone, Debug)]
pub(super) struct HeldSlot {
    _slot: Arc<ConnectionSlot>,
}

/// Maximum size of the request line and headers, in bytes. A GraphQL query in a GET request is part of the request
/// line.
const MAX_HEAD: usize = 64 * 1024;

/// Serves requests until `stop` completes, then lets running requests finish within [`Limits::drain`].
///
/// A proxy does not know that an instance is about to stop, and may not retry a request that it has sent. So each open
/// connection is served one more request within [`Limits::linger`], whose response has `Connection: close`. New
/// connections are refused by the operating system, and a proxy can send their requests to another instance.
///
/// The limit per network does not apply to an address with `is_unlimited`; see [`super::carries_many_clients`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    is_unlimited: impl Fn(IpAddr) -> bool,
    stop: impl Future<Output = ()>,
) {
    let slots = ConnectionSlots::new(&limits, is_unlimited);
    let connections = Connections { router, limits, stop: watch::Sender::new(()), is_stopping: Arc::default() };
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok(Some((stream, peer, slot))) => connections.spawn(stream, peer, slot),
            Ok(None) => {}
            Err(error) => {
                // Probably out of file descriptors, which become available as connections end.
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    connections.is_stopping.store(true, Ordering::Relaxed);
    if let Err(error) = accept_queued(listener, &slots, &connections) {
        tracing::warn!(%error, "failed to accept a connection");
    }
    let running = connections.stop.receiver_count();
    tracing::info!(running, "shutting down; waiting for running requests");
    let drained = async {
        // All slots are free when each client has received its last response.
        slots.wait_for_all(limits.linger).await;
        connections.stop.send_replace(());
        // Includes requests that continue after their client has disconnected.
        slots.wait_for_all(limits.drain).await;
    };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("some requests did not finish in time and were aborted");
    }
}

/// Accepts the connections in the accept queue, because closing the listener would reset them. Then closes the
/// listener.
fn accept_queued(
    listener: TcpListener,
    slots: &ConnectionSlots<impl Fn(IpAddr) -> bool>,
    connections: &Connections,
) -> std::io::Result<()> {
    let listener = listener.into_std()?;
    while let Some(permit) = slots.try_acquire() {
        match listener.accept() {
            Ok((stream, peer)) => {
                let Some(slot) = slots.assign(permit, peer.ip()) else { continue };
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                connections.spawn(TcpStream::from_std(stream)?, peer, slot);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Accepts the next connection. Returns `None` if its network has reached its limit.
async fn accept(
    listener: &TcpListener,
    slots: &ConnectionSlots<impl Fn(IpAddr) -> bool>,
) -> std::io::Result<Option<(TcpStream, SocketAddr, ConnectionSlot)>> {
    let permit = slots.acquire().await?;
    let (stream, peer) = listener.accept().await?;
    let Some(slot) = slots.assign(permit, peer.ip()) else {
        tracing::debug!("connection closed: its network has reached the limit");
        return Ok(None);
    };
    // Responses are small and written at once, so Nagle's algorithm would only delay them.
    stream.set_nodelay(true)?;
    Ok(Some((stream, peer, slot)))
}

/// The shared state of all connections.
struct Connections {
    router: Router,
    limits: Limits,
    /// Tells the connections to end after the request that they are serving.
    stop: watch::Sender<()>,
    is_stopping: Arc<AtomicBool>,
}

impl Connections {
    fn spawn(&self, stream: TcpStream, peer: SocketAddr, slot: ConnectionSlot) {
        let (router, is_stopping) = (self.router.clone(), Arc::clone(&self.is_stopping));
        let slot = Arc::new(slot);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let slot = Arc::clone(&slot);
            if request.headers().contains_key(UPGRADE) {
                request.extensions_mut().insert(HeldSlot { _slot: Arc::clone(&slot) });
            }
            let (response, is_stopping) = (router.clone().oneshot(request), Arc::clone(&is_stopping));
            RunToEnd::new(async move {
                let mut response = response.await?;
                // Holds the slot until the request ends, even if the client has disconnected. Otherwise a client could
                // run more concurrent requests than the limit by disconnecting repeatedly.
                drop(slot);
                if is_stopping.load(Ordering::Relaxed) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            })
        });
        let stream = Progress::new(stream, self.limits.write_timeout);
        let stream = SmallReads::new(Lingering::new(stream, self.limits.discard_timeout));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut stopped = self.stop.subscribe();
        tokio::spawn(async move {
            tokio::pin!(connection);
            let served = tokio::select! {
                served = connection.as_mut() => served,
                _ = stopped.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = served {
                // Caused by the client: it disconnected or did not speak HTTP.
                tracing::debug!(%error, "connection error");
            }
        });
    }
}
