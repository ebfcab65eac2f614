//! Lingering close: delivers the last response to a client that is still sending.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Maximum number of bytes that are discarded after the last response.
const MAX_DISCARDED: usize = 8 * 1024 * 1024;

/// A stream whose shutdown first closes the write side, then discards what the client still sends.
///
/// If a socket is closed while it has unread bytes, the system resets the connection, and the client may lose the
/// response. A client that sends a body that is too large would see a connection reset instead of status 413 (RFC 9112
/// §9.6).
pub(in crate::http) struct Lingering<S> {
    stream: S,
    timeout: Duration,
    /// Set when the write side is closed.
    discarding: Option<Discarding>,
}

struct Discarding {
    timer: Pin<Box<Sleep>>,
    remaining: usize,
}

impl<S> Lingering<S> {
    /// Wraps a stream. After the shutdown, data from the client is discarded for at most `timeout`.
    pub(in crate::http) fn new(stream: S, timeout: Duration) -> Self {
        Self { stream, timeout, discarding: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.discarding.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let discarding = this
            .discarding
            .get_or_insert_with(|| Discarding { timer: Box::pin(sleep(this.timeout)), remaining: MAX_DISCARDED });
        let mut bytes = [0; 8 * 1024];
        while discarding.timer.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            // The response has been sent, so an error no longer matters.
            let is_read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)).is_ok();
            discarding.remaining = discarding.remaining.saturating_sub(buffer.filled().len());
            if !is_read || buffer.filled().is_empty() || discarding.remaining == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
