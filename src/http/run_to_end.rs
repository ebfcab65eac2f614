//! Requests whose client has hung up: they run to their end all the same, so that what they write is whole and the attempts
//! that they have booked with the throttle are settled.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

/// A future that continues in a task of its own when it is dropped before its end. Until then it costs no task.
pub(super) struct RunToEnd<T: 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T> RunToEnd<T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<T> Future for RunToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that a future that panics is not run again.
        let Some(mut future) = self.0.take() else {
            return Poll::Pending;
        };
        let poll = future.as_mut().poll(context);
        if poll.is_pending() {
            self.0 = Some(future);
        }
        poll
    }
}

impl<T> Drop for RunToEnd<T> {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async { drop(future.await) });
        }
    }
}
