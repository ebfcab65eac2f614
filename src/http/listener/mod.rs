//! The accept loop: connections in, at most so many at a time, each with an end.
//!
//! `axum::serve` sets no timer, so that a header that never ends keeps its connection for ever, and waits for ever when
//! it is to stop.

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
    http::{HeaderValue, Request, header::CONNECTION},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
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

/// What a head (request line and headers) may have, in bytes. A query sent by GET is part of it.
const MAX_HEAD: usize = 64 * 1024;

/// Serves until `stop` is done, then lets running requests finish within [`Limits::drain`].
///
/// A proxy can't know that an instance is about to stop, and may not repeat what it has sent to one. So whoever is
/// connected by then is served once more, within [`Limits::linger`], and told that it was the last time; who is not is
/// refused by the system, which a proxy may take to another instance.
///
/// An address with `has_no_share` may take all places: see [`super::carries_many_clients`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    has_no_share: impl Fn(IpAddr) -> bool,
    stop: impl Future<Output = ()>,
) {
    let places = ConnectionSlots::new(&limits, has_no_share);
    let connections = Connections { router, limits, graceful: GracefulShutdown::new(), is_stopping: Arc::default() };
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok(Some((stream, peer, place))) => connections.spawn(stream, peer, place),
            Ok(None) => {}
            Err(error) => {
                // Out of file descriptors, most likely: they come back as connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    connections.is_stopping.store(true, Ordering::Relaxed);
    if let Err(error) = accept_queued(listener, &places, &connections) {
        tracing::warn!(%error, "a connection could not be accepted");
    }
    let running = connections.graceful.count();
    tracing::info!(running, "stopping; running requests may finish");
    let drained = async {
        // All places are free once everybody has had the last answer.
        places.wait_for_all(limits.linger).await;
        connections.graceful.shutdown().await;
        // Also those of requests that go on without their client.
        places.wait_for_all(limits.drain).await;
    };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("some requests did not finish in time and are cut off");
    }
}

/// Takes in those who are connected as far as the system and they themselves know; closing the listener would reset
/// them. It is closed afterwards.
fn accept_queued(
    listener: TcpListener,
    places: &ConnectionSlots<impl Fn(IpAddr) -> bool>,
    connections: &Connections,
) -> std::io::Result<()> {
    let listener = listener.into_std()?;
    while let Some(permit) = places.free() {
        match listener.accept() {
            Ok((stream, peer)) => {
                let Some(place) = places.take(permit, peer.ip()) else { continue };
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                connections.spawn(TcpStream::from_std(stream)?, peer, place);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The next connection; `None` if its network has its share already.
async fn accept(
    listener: &TcpListener,
    places: &ConnectionSlots<impl Fn(IpAddr) -> bool>,
) -> std::io::Result<Option<(TcpStream, SocketAddr, ConnectionSlot)>> {
    let permit = places.wait().await?;
    let (stream, peer) = listener.accept().await?;
    let Some(place) = places.take(permit, peer.ip()) else {
        tracing::debug!("a connection was closed, because its network has its share");
        return Ok(None);
    };
    // Answers are small and written whole: nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok(Some((stream, peer, place)))
}

/// What all connections share.
struct Connections {
    router: Router,
    limits: Limits,
    graceful: GracefulShutdown,
    is_stopping: Arc<AtomicBool>,
}

impl Connections {
    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: ConnectionSlot) {
        let (router, is_stopping) = (self.router.clone(), Arc::clone(&self.is_stopping));
        let place = Arc::new(place);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let (answer, is_stopping) = (router.clone().oneshot(request), Arc::clone(&is_stopping));
            let place = Arc::clone(&place);
            RunToEnd::new(async move {
                let mut answer = answer.await?;
                // Until here, also if the client has hung up: those who do that again and again must not run more
                // requests at a time than others.
                drop(place);
                if is_stopping.load(Ordering::Relaxed) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            })
        });
        let stream = Progress::new(stream, self.limits.write_timeout);
        let stream = SmallReads::new(Lingering::new(stream, self.limits.discard_timeout));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watcher().watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // The client's doing: it went away, or did not speak HTTP.
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}
