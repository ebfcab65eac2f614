//! The loop of a hashing thread.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::PoisonError,
    thread,
    time::Instant,
};

use bcrypt_lanes::{Lanes, MAX_LANES};
use tokio::sync::oneshot;

use super::queue::{Activity, Shared, Work};
use crate::security::bcrypt_task::{self, BcryptTask, Digest};

/// How many rounds are computed before the thread looks for new jobs and finished ones: one to two milliseconds.
const ROUNDS_PER_STEP: u32 = 16;

/// Works until the hasher is dropped. `thread` is the number of this thread.
pub(super) fn run(shared: &Shared, thread: usize) {
    // A panic drops the jobs that this thread computes, and with them the senders of their results.
    while catch_unwind(AssertUnwindSafe(|| work(shared, thread))).is_err() {
        shared.queue().set_activity(thread, Activity::Bcrypt(0));
    }
}

fn work(shared: &Shared, thread: usize) {
    let mut queue = shared.queue();
    while queue.is_open {
        let Some(work) = queue.take(thread, shared.lanes) else {
            queue = shared.wake_up.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(queue);
        match work {
            Work::Bcrypt(task, reply) if shared.lanes == 1 => compute_alone(shared, &task, reply),
            Work::Bcrypt(task, reply) => compute_together(shared, thread, &task, reply),
            Work::Other(work) => {
                let start = Instant::now();
                work();
                shared.queue().record_other(start.elapsed());
            }
        }
        queue = shared.queue();
        queue.set_activity(thread, Activity::Bcrypt(0));
    }
}

/// Computes one digest with the `bcrypt` crate.
fn compute_alone(shared: &Shared, task: &BcryptTask, reply: oneshot::Sender<Digest>) {
    let start = Instant::now();
    // The receiver is gone if the request was dropped.
    let _ = reply.send(task.digest());
    shared.queue().record_rounds(task.rounds(), start.elapsed());
}

/// Computes a digest and those that arrive meanwhile, until there is none left or the hasher is dropped.
fn compute_together(shared: &Shared, thread: usize, first: &BcryptTask, reply: oneshot::Sender<Digest>) {
    let mut lanes = Lanes::<oneshot::Sender<Digest>, MAX_LANES>::new();
    start(&mut lanes, first, reply);
    while !lanes.is_empty() {
        let mut queue = shared.queue();
        while let Some(Work::Bcrypt(task, reply)) = queue.take(thread, shared.lanes) {
            drop(queue);
            start(&mut lanes, &task, reply);
            queue = shared.queue();
        }
        if !queue.is_open {
            return;
        }
        drop(queue);

        let (before, in_use) = (Instant::now(), lanes.len());
        let rounds = lanes.run(ROUNDS_PER_STEP);
        let elapsed = before.elapsed();
        while let Some((reply, digest)) = lanes.take() {
            let _ = reply.send(bcrypt_task::stored(digest));
        }
        let mut queue = shared.queue();
        if in_use == shared.lanes {
            queue.record_rounds(rounds * u32::try_from(in_use).unwrap_or(1), elapsed);
        }
        queue.set_activity(thread, Activity::Bcrypt(lanes.len()));
        drop(queue);
        // Lets requests run that have become ready.
        thread::yield_now();
    }
}

fn start(lanes: &mut Lanes<oneshot::Sender<Digest>, MAX_LANES>, task: &BcryptTask, reply: oneshot::Sender<Digest>) {
    // A task is valid and there is a free lane. Otherwise, the request would fail, because `reply` is dropped.
    let _ = lanes.start(reply, &task.input());
}
