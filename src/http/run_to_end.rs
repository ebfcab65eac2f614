//! Requests whose client has disconnected. A request that has begun to write runs to its end, so that its changes are
//! complete and the attempts that it has booked in the throttle are settled. A request that has not begun to write is
//! cancelled, so that it takes no resources from clients that wait for a response.

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

/// A request that continues in a separate task if it is dropped after it has begun to write. A request that is not dropped
/// needs no separate task.
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
        // Taken out, so that a request that panics is not polled again.
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
