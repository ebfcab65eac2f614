//! Tests of the hasher and its queue.

use std::{iter, sync::mpsc};

use super::{queue::Activity, *};

fn settings(hash_concurrency: usize, hash_lanes: usize) -> PasswordSettings {
    PasswordSettings { bcrypt_cost: 4, hash_concurrency, hash_lanes, blocklist: true }
}

/// A hasher whose only thread is blocked until the sender is used or dropped. It counts on this duration of a hash while all lanes are
/// in use.
fn busy(hash_lanes: usize, duration: Duration) -> (Hasher, mpsc::Sender<()>) {
    let hasher = Hasher::start(&settings(1, hash_lanes)).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let slot = hasher.shared.enqueue(Work::Other(Box::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    })));
    has_started.recv().unwrap();
    drop(slot);
    hasher.shared.queue().rounds_per_second =
        f64::from(16 * u32::try_from(hash_lanes).unwrap()) / duration.as_secs_f64();
    (hasher, release)
}

#[tokio::test]
async fn full_queue_rejects_new_jobs_and_completes_accepted_ones() {
    for (lanes, count, retry_after) in [(1, 2, 6), (6, 10, 5)] {
        let (hasher, release) = busy(lanes, Duration::from_secs(2));
        let password = SecretString::from("password");
        let mut accepted = Vec::new();
        for _ in 0..count {
            accepted.push(Box::pin(hasher.hash(&password)));
            assert!(poll_once(accepted.last_mut().unwrap()).await.is_none());
        }
        let rejected = hasher.hash(&password).await.unwrap_err();
        assert_eq!(rejected.retry_after(), Some(retry_after));
        release.send(()).unwrap();
        for hash in accepted {
            assert!(hash.await.unwrap().verify("password").unwrap());
        }
    }
}

#[tokio::test]
async fn each_password_gets_its_own_result() {
    for (threads, lanes) in [(1, 1), (1, 6), (2, 4)] {
        let hasher = Hasher::start(&settings(threads, lanes)).unwrap();
        let passwords: Vec<_> = (0..20).map(|number| SecretString::from(format!("password {number}"))).collect();
        let stored = futures_util::future::join_all(passwords.iter().map(|password| hasher.hash(password))).await;
        let stored: Vec<_> = stored.into_iter().map(Result::unwrap).collect();
        let pairs = iter::zip(&passwords, &stored).chain(iter::zip(&passwords, stored.iter().skip(1)));
        let verified = pairs.map(|(password, hash)| hasher.verify(password, Some(hash)));
        let verified = futures_util::future::join_all(verified).await;
        let expected = iter::repeat_n(true, 20).chain(iter::repeat_n(false, 19));
        assert!(verified.into_iter().map(Result::unwrap).eq(expected), "{threads} threads, {lanes} lanes");
    }
}

#[tokio::test]
async fn later_job_joins_one_that_runs() {
    let hasher = Hasher::start(&settings(1, 6)).unwrap();
    let (password, expensive) = ("password".into(), PasswordHash::dummy(13).unwrap());
    let mut expensive = Box::pin(hasher.verify(&password, Some(&expensive)));
    assert!(poll_once(&mut expensive).await.is_none());
    while !hasher.shared.queue().jobs.is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::select! {
        biased;
        hash = hasher.hash(&password) => assert!(hash.is_ok()),
        _ = expensive => panic!("the job waited until the thread was idle"),
    }
}

#[tokio::test]
async fn dropped_request_frees_its_queue_slot() {
    let (hasher, _release) = busy(6, Duration::from_secs(6));
    let password = SecretString::from("password");
    let mut abandoned = Box::pin(hasher.hash(&password));
    assert!(poll_once(&mut abandoned).await.is_none());
    assert!(hasher.hash(&password).await.is_err());
    drop(abandoned);
    let mut next = Box::pin(hasher.hash(&password));
    assert!(poll_once(&mut next).await.is_none());
    assert_eq!(hasher.shared.queue().jobs.len(), 1);
}

#[tokio::test]
async fn job_that_does_not_start_in_time_is_rejected() {
    let (mut hasher, _release) = busy(6, Duration::from_millis(1));
    hasher.max_wait = Duration::ZERO;
    assert!(hasher.hash(&"password".into()).await.is_err() && hasher.shared.queue().jobs.is_empty());
}

#[tokio::test]
async fn rehash_is_skipped_while_other_jobs_wait() {
    let (hasher, release) = busy(6, Duration::from_millis(1));
    let (password, old) = ("password".into(), PasswordHash::create("password", 5));
    let mut earlier = Box::pin(hasher.hash(&password));
    assert!(poll_once(&mut earlier).await.is_none());
    let skipped = poll_once(&mut Box::pin(hasher.rehash(&password, &old))).await;
    assert!(skipped.unwrap().unwrap().is_none());
    release.send(()).unwrap();
    let current = earlier.await.unwrap();
    assert!(hasher.rehash(&password, &old).await.unwrap().unwrap().is_current(4));
    assert!(hasher.rehash(&password, &current).await.unwrap().is_none());
}

#[tokio::test]
async fn panic_fails_only_its_own_job() {
    let hasher = Hasher::start(&settings(1, 6)).unwrap();
    let panicked = hasher.run(|| -> Result<()> { panic!("on purpose") }).await;
    assert!(panicked.is_err());
    assert!(hasher.hash(&"password".into()).await.is_ok());
}

/// Polls once, so that the future enters the queue and stays pending.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

/// A queue without threads.
fn queue(threads: usize, lanes: usize) -> Shared {
    Shared::new(&settings(threads, lanes))
}

/// Appends a job that stays in the queue.
fn enqueue(shared: &Shared, work: Work) -> Result<()> {
    shared.enqueue(work).map(std::mem::forget)
}

fn bcrypt(cost: u32) -> Work {
    Work::Bcrypt(BcryptTask::new(b"password", [0; 16], cost), oneshot::channel().0)
}

fn other() -> Work {
    Work::Other(Box::new(|| ()))
}

/// The costs of the jobs that a thread takes until it may take no more. Other work is 0.
fn take(shared: &Shared, thread: usize) -> Vec<u32> {
    let next = || match shared.queue().take(thread, shared.lanes)? {
        Work::Bcrypt(task, _) => Some(task.rounds().ilog2()),
        Work::Other(_) => Some(0),
    };
    iter::from_fn(next).collect()
}

#[test]
fn thread_takes_jobs_in_order_until_its_lanes_are_full() {
    let shared = queue(1, 4);
    for cost in [5, 4, 7, 6, 8, 9] {
        enqueue(&shared, bcrypt(cost)).unwrap();
    }
    assert_eq!(take(&shared, 0), [5, 4, 7, 6]);
    shared.queue().set_activity(0, Activity::Bcrypt(3));
    assert_eq!(take(&shared, 0), [8]);
}

#[test]
fn threads_share_what_runs_and_waits() {
    let shared = queue(2, 6);
    enqueue(&shared, bcrypt(4)).unwrap();
    assert_eq!(take(&shared, 0), [4]);
    enqueue(&shared, bcrypt(5)).unwrap();
    assert_eq!((take(&shared, 0), take(&shared, 1)), (vec![], vec![5]));
    for cost in [6, 7, 8, 9] {
        enqueue(&shared, bcrypt(cost)).unwrap();
    }
    assert_eq!((take(&shared, 0), take(&shared, 1)), (vec![6, 7], vec![8, 9]));
}

#[test]
fn other_work_waits_for_an_idle_thread_and_later_jobs_wait_for_it() {
    let shared = queue(2, 6);
    for work in [bcrypt(4), other(), bcrypt(5), bcrypt(6)] {
        enqueue(&shared, work).unwrap();
    }
    assert_eq!(take(&shared, 0), [4]);
    assert_eq!(take(&shared, 1), [0]);
    // The other thread no longer takes part.
    assert_eq!(take(&shared, 0), [5, 6]);
}

/// How many jobs of cost 12 a thread accepts that has computed nothing yet.
fn accepted(shared: &Shared) -> usize {
    iter::repeat_with(|| enqueue(shared, bcrypt(12))).take_while(Result::is_ok).count()
}

#[test]
fn admission_counts_rounds_threads_and_lanes() {
    assert_eq!(accepted(&queue(1, 1)), 21);
    assert_eq!(accepted(&queue(2, 1)), 41);
    assert_eq!(accepted(&queue(1, 6)), 68);
    let shared = queue(1, 1);
    for _ in 0..10 {
        enqueue(&shared, other()).unwrap();
        enqueue(&shared, bcrypt(11)).unwrap();
    }
    assert_eq!(accepted(&shared), 6);
}

#[test]
fn admission_follows_the_measured_speed() {
    let shared = queue(1, 6);
    shared.queue().record_rounds(8192, Duration::from_secs(1));
    assert_eq!(accepted(&shared), 5);
}
