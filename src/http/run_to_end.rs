//! Requests whose client has hung up. Once they have begun to write they run to their end, so that what they write is whole
//! and the attempts that they have booked with the throttle are settled. Before that they end at once, so that nobody
//! queues in front of clients who wait for an answer.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use crate::app;

/// A request that continues in a task of its own when it is dropped after it has begun to write. Until then it costs no
/// task.
pub(super) struct RunToEnd<T: 'static> {
    request: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    has_written: Arc<AtomicBool>,
}

impl<T> RunToEnd<T> {
    pub(super) fn new(request: impl Future<Output = T> + Send + 'static) -> Self {
        let has_written = Arc::default();
        Self { request: Some(Box::pin(app::watch_writes(Arc::clone(&has_written), request))), has_written }
    }
}

impl<T> Future for RunToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that a request that panics is not run again.
        let Some(mut request) = self.request.take() else {
            return Poll::Pending;
        };
        let poll = request.as_mut().poll(context);
        if poll.is_pending() {
            self.request = Some(request);
        }
        poll
    }
}

impl<T> Drop for RunToEnd<T> {
    fn drop(&mut self) {
        if self.has_written.load(Ordering::Relaxed)
            && let (Some(request), Ok(runtime)) = (self.request.take(), Handle::try_current())
        {
            runtime.spawn(async { drop(request.await) });
        }
    }
}
