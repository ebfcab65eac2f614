//! A document of a provider, kept for a while.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::outgoing::Response;

/// How long a document is used if the provider does not say.
const DEFAULT_AGE: TimeDelta = TimeDelta::hours(1);
/// A document is used for at least this time.
const MIN_AGE: TimeDelta = TimeDelta::minutes(5);
/// A document is used for at most this time, even if the provider is down.
const MAX_AGE: TimeDelta = TimeDelta::hours(24);
/// After a request that failed, no other is sent for this time.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(10);
/// A document in which something is missing is requested again after this time at the earliest.
const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(1);

/// A document and its age.
#[derive(Debug)]
pub(super) struct Cache<T> {
    document: Option<Document<T>>,
    /// The latest request, and whether it failed.
    requested_at: Option<(DateTime<Utc>, bool)>,
}

#[derive(Debug)]
struct Document<T> {
    content: Arc<T>,
    received_at: DateTime<Utc>,
    max_age: TimeDelta,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { document: None, requested_at: None }
    }
}

/// What to do to have a document.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// Use this one.
    Use(Arc<T>),
    /// Request it.
    Request,
    /// There is none, and a request failed a moment ago.
    Fail,
}

impl<T> Cache<T> {
    /// What to do. `is_missing` means that something was missing in the document that the caller had.
    pub(super) fn next(&self, now: DateTime<Utc>, is_missing: bool) -> Next<T> {
        let since = self.requested_at.map(|(at, has_failed)| (now - at, has_failed));
        let may_request = match since {
            None => true,
            Some((age, true)) => age >= RETRY_AFTER,
            Some((age, false)) => !is_missing || age >= REFRESH_AFTER,
        };
        match &self.document {
            Some(document) if now - document.received_at < document.max_age && !(is_missing && may_request) => {
                Next::Use(Arc::clone(&document.content))
            }
            _ if may_request => Next::Request,
            document => document.as_ref().filter(|old| now - old.received_at < MAX_AGE).map_or(Next::Fail, Next::of),
        }
    }

    /// Stores a new document.
    pub(super) fn store(&mut self, content: T, response: &Response, now: DateTime<Utc>) -> Arc<T> {
        let content = Arc::new(content);
        let stated = response.max_age.and_then(|age| TimeDelta::from_std(age).ok());
        let max_age = stated.unwrap_or(DEFAULT_AGE).clamp(MIN_AGE, MAX_AGE);
        self.document = Some(Document { content: Arc::clone(&content), received_at: now, max_age });
        self.requested_at = Some((now, false));
        content
    }

    /// Records that a request has failed. Returns the old document, unless it is too old, for use while the provider is down.
    ///
    /// A request that was cancelled is not recorded: otherwise, clients that disconnect could keep others from the provider.
    pub(super) fn fail(&mut self, now: DateTime<Utc>) -> Option<Arc<T>> {
        self.requested_at = Some((now, true));
        let document = self.document.as_ref().filter(|old| now - old.received_at < MAX_AGE)?;
        Some(Arc::clone(&document.content))
    }
}

impl<T> Next<T> {
    fn of(document: &Document<T>) -> Self {
        Self::Use(Arc::clone(&document.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    /// A document that was received at the start, and is used for an hour.
    fn cache() -> Cache<u8> {
        let document = Document { content: Arc::new(1), received_at: at(0), max_age: TimeDelta::hours(1) };
        Cache { document: Some(document), requested_at: Some((at(0), false)) }
    }

    #[test]
    fn document_is_requested_once() {
        assert!(matches!(Cache::<u8>::default().next(at(0), false), Next::Request));
        assert!(matches!(cache().next(at(3599), false), Next::Use(_)));
        assert!(matches!(cache().next(at(3600), false), Next::Request));
    }

    #[test]
    fn document_with_a_gap_is_requested_again_once_a_minute() {
        assert!(matches!(cache().next(at(59), true), Next::Use(_)));
        assert!(matches!(cache().next(at(60), true), Next::Request));
    }

    #[test]
    fn failed_request_is_not_repeated_at_once() {
        let mut empty = Cache::<u8>::default();
        assert!(empty.fail(at(0)).is_none());
        assert!(matches!(empty.next(at(9), false), Next::Fail));
        assert!(matches!(empty.next(at(10), false), Next::Request));
    }

    #[test]
    fn old_document_is_used_for_a_day_while_the_provider_is_down() {
        let mut cache = cache();
        assert!(cache.fail(at(86_399)).is_some());
        assert!(matches!(cache.next(at(86_399), false), Next::Use(_)));
        assert!(matches!(cache.next(at(86_400), false), Next::Fail));
    }
}
