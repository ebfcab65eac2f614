//! Limits the size of each read of a connection, so that its read buffer stays small.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

/// Maximum size of one read, in bytes. hyper's buffer starts with 8 KiB. A read that fills it makes hyper double the
/// buffer, and a request head of 60 KiB ends up in a buffer of 112 KiB, which lives as long as the connection.
const MAX_READ: u64 = 8 * 1024 - 1;

/// A stream whose reads return at most [`MAX_READ`] bytes each.
pub(in crate::http) struct SmallReads<S>(Take<S>);

impl<S: AsyncRead> SmallReads<S> {
    pub(in crate::http) fn new(stream: S) -> Self {
        Self(stream.take(MAX_READ))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SmallReads<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().0;
        // Resets the limit, which otherwise applies to the sum of all reads.
        stream.set_limit(MAX_READ);
        Pin::new(stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for SmallReads<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut().0.get_mut()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut().0.get_mut()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.get_ref().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().0.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().0.get_mut()).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_read_is_limited_but_not_their_sum() {
        let bytes = vec![0; 20_000];
        let mut stream = SmallReads::new(&bytes[..]);
        let mut buffer = [0; 16 * 1024];
        let mut reads = Vec::new();
        loop {
            match stream.read(&mut buffer).await.unwrap() {
                0 => break,
                length => reads.push(length),
            }
        }
        assert_eq!(reads, [8191, 8191, 3618]);
    }
}
