//! The functions of a build without the feature `otlp`. They do nothing.
#![expect(clippy::unused_async, reason = "the signatures are those of the feature `otlp`")]

use std::borrow::Cow;

use crate::{Result, clock::Clock, config::Settings, error::ErrorCode, traces::TraceParent};

/// The traces of a server. There are none.
#[derive(Debug, Default)]
pub struct Traces(());

impl Traces {
    /// Whether this build can export traces.
    pub const IS_BUILT_IN: bool = false;

    /// Does nothing.
    ///
    /// # Errors
    /// None.
    pub fn start(&self, _settings: &Settings, _clock: &Clock) -> Result<()> {
        Ok(())
    }

    /// Whether there are traces.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        false
    }

    /// Notes the trace of a request, for the log.
    #[must_use]
    pub fn begin_request(&self, _method: &str, _route: Option<&str>, parent: Option<TraceParent>) -> RequestSpan {
        RequestSpan { parent }
    }

    /// Does nothing.
    pub async fn stop(&self) {}
}

/// A request.
#[derive(Debug)]
pub struct RequestSpan {
    parent: Option<TraceParent>,
}

impl RequestSpan {
    /// The trace that a trusted proxy has set.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.parent.as_ref().map(TraceParent::trace_id)
    }

    /// Returns the future as it is.
    pub fn run<F: Future>(&self, request: F) -> F {
        request
    }

    /// Does nothing.
    pub fn end(&self, _status: u16, _error: Option<ErrorCode>) {}
}

/// Returns the future as it is.
pub fn use_case<T, F: Future<Output = Result<T>>>(_name: fn() -> Cow<'static, str>, use_case: F) -> F {
    use_case
}

/// Returns the future as it is.
pub fn continued<F: Future>(task: F) -> F {
    task
}

/// The use cases of a GraphQL request.
#[derive(Debug, Default)]
pub struct UseCaseSpans(());

impl UseCaseSpans {
    /// Returns the future as it is.
    pub fn run<F: Future>(&self, _key: &str, _operation: &str, _field: &str, use_case: F) -> F {
        use_case
    }

    /// Does nothing.
    pub fn fail(&self, _key: &str, _error: ErrorCode) {}
}

/// A statement.
#[derive(Debug)]
pub struct StatementSpan;

/// Does nothing.
#[must_use]
pub fn begin_statement(_system: &'static str, _sql: &str) -> StatementSpan {
    StatementSpan
}

impl StatementSpan {
    /// Does nothing.
    pub fn end<E>(self, _result: Result<(), &E>, _describe: impl Fn(&E) -> Cow<'static, str>) {}
}
