//! A connection whose last response reaches a client that is still sending.

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

/// How much is read after the last response, in bytes.
const MAX_DISCARDED: usize = 8 * 1024 * 1024;

/// A stream that tells the client first that nothing more will be written, and discards what the client still sends.
///
/// If a socket is closed with bytes that nobody has read, the system resets the connection, and the client may lose the
/// response: a client that sends a body that is too large would see a broken connection instead of status 413 (RFC 9112
/// §9.6).
pub(in crate::http) struct Lingering<S> {
    stream: S,
    timeout: Duration,
    /// Set when nothing more will be written.
    discarding: Option<Discarding>,
}

struct Discarding {
    timer: Pin<Box<Sleep>>,
    remaining: usize,
}

impl<S> Lingering<S> {
    /// The client may go on sending for `timeout`.
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
            // A connection that fails now has nothing left to tell.
            let is_read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)).is_ok();
            discarding.remaining = discarding.remaining.saturating_sub(buffer.filled().len());
            if !is_read || buffer.filled().is_empty() || discarding.remaining == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
