//! The spans of a request, and what is in them (OpenTelemetry semantic conventions for HTTP servers and databases).

use std::{
    borrow::Cow,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use futures_util::{FutureExt, future::Either};
use opentelemetry::{
    Context, KeyValue, time,
    trace::{FutureExt as _, Span as _, SpanBuilder, SpanKind, SpanRef, Status, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::{SdkTracer, Span};

use crate::{
    Result,
    error::ErrorCode,
    metrics::known_method,
    traces::{TraceParent, names::StatementName},
};

/// Maximum length of a statement in a span. Those with a list of many ids are longer.
const MAX_STATEMENT: usize = 2000;

/// Creates the spans below the current one. In the context of each request that is recorded.
struct Recorder(SdkTracer);

/// Begins a span below the current one; `None` outside of a request that is recorded.
fn begin(build: impl FnOnce() -> SpanBuilder) -> Option<Span> {
    Context::map_current(|context| {
        let Recorder(tracer) = context.get()?;
        Some(tracer.build_with_context(build(), context))
    })
}

/// Sets the error of a request or use case. It is a failure of the server only if its status is 5xx; what clients cause is none.
fn fail(span: &SpanRef<'_>, error: ErrorCode) {
    span.set_attribute(KeyValue::new("error.type", error.to_string()));
    if error.rest_status() >= 500 {
        span.set_status(Status::error(""));
    }
}

/// The span of a request.
#[derive(Debug)]
pub struct RequestSpan {
    trace_id: Option<String>,
    /// `None` if the request is not recorded.
    context: Option<Context>,
}

impl RequestSpan {
    /// A request that is not recorded.
    pub(super) fn none(parent: Option<TraceParent>) -> Self {
        Self { trace_id: parent.as_ref().map(TraceParent::trace_id), context: None }
    }

    pub(super) fn begin(tracer: &SdkTracer, method: &str, route: Option<&str>, parent: &Context) -> Self {
        let method = known_method(method);
        let name = method.unwrap_or("HTTP");
        let mut attributes = vec![KeyValue::new("http.request.method", method.unwrap_or("_OTHER"))];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
        let name = route.map_or_else(|| name.to_owned(), |route| format!("{name} {route}"));
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes);
        let span = tracer.build_with_context(builder, parent);
        let trace_id = Some(span.span_context().trace_id().to_string());
        let is_recorded = span.is_recording();
        let context = is_recorded.then(|| Context::new().with_span(span).with_value(Recorder(tracer.clone())));
        Self { trace_id, context }
    }

    /// The id of the trace, for the log.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.trace_id.clone()
    }

    /// Runs the request, so that its spans belong to this one.
    pub fn run<F: Future>(&self, request: F) -> impl Future<Output = F::Output> + use<F> {
        in_context(self.context.clone(), request)
    }

    /// Ends the span with the status of the response and the code of its error. The span of a request whose client has disconnected
    /// ends without.
    pub fn end(&self, status: u16, error: Option<ErrorCode>) {
        let Some(context) = &self.context else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        match error.filter(|error| error.rest_status() >= 500) {
            Some(error) => fail(&span, error),
            None if status >= 500 => {
                span.set_attribute(KeyValue::new("error.type", status.to_string()));
                span.set_status(Status::error(""));
            }
            None => {}
        }
        span.end();
    }
}

fn in_context<F: Future>(context: Option<Context>, future: F) -> impl Future<Output = F::Output> + use<F> {
    match context {
        Some(context) => Either::Left(future.with_context(context)),
        None => Either::Right(future),
    }
}

/// Runs a use case in a span.
pub fn use_case<T, F: Future<Output = Result<T>>>(
    name: fn() -> Cow<'static, str>,
    use_case: F,
) -> impl Future<Output = Result<T>> {
    let Some(span) = begin(|| SpanBuilder::from_name(name())) else { return Either::Right(use_case) };
    let context = Context::map_current(|current| current.with_span(span));
    Either::Left(use_case.with_context(context.clone()).map(move |result| {
        let span = context.span();
        if let Err(error) = &result {
            fail(&span, error.code());
        }
        span.end();
        result
    }))
}

/// Runs a task that continues a request, so that its spans belong to the current one.
pub fn continued<F: Future>(task: F) -> impl Future<Output = F::Output> {
    let is_recorded = Context::map_current(|context| context.get::<Recorder>().is_some());
    in_context(is_recorded.then(Context::current), task)
}

/// The spans of the use cases of a GraphQL request: one for each root field. The errors of fields are known only after all fields were
/// executed, so the spans are kept until this is dropped.
#[derive(Debug, Default)]
pub struct UseCaseSpans(Mutex<Vec<UseCaseSpan>>);

#[derive(Debug)]
struct UseCaseSpan {
    /// The key of the field in the response. The client may have chosen it, so it is not in the span.
    key: String,
    context: Context,
    end: Option<SystemTime>,
}

impl UseCaseSpans {
    /// Runs the root field `field` in a span. `operation` is `query` or `mutation`.
    pub fn run<F: Future>(
        &self,
        key: &str,
        operation: &str,
        field: &str,
        use_case: F,
    ) -> impl Future<Output = F::Output> {
        let builder = || {
            let operation_type = KeyValue::new("graphql.operation.type", operation.to_owned());
            SpanBuilder::from_name(format!("{operation} {field}")).with_attributes([operation_type])
        };
        let Some(span) = begin(builder) else { return Either::Right(use_case) };
        let context = Context::map_current(|current| current.with_span(span));
        self.spans().push(UseCaseSpan { key: key.to_owned(), context: context.clone(), end: None });
        Either::Left(use_case.with_context(context).map(move |output| {
            if let Some(span) = self.spans().iter_mut().find(|span| span.key == key) {
                span.end = Some(time::now());
            }
            output
        }))
    }

    /// Sets the error of a root field. The first one counts.
    pub fn fail(&self, key: &str, error: ErrorCode) {
        let mut spans = self.spans();
        if let Some(position) = spans.iter().position(|span| span.key == key) {
            let UseCaseSpan { context, end, .. } = spans.swap_remove(position);
            fail(&context.span(), error);
            end_at(&context, end);
        }
    }

    fn spans(&self) -> MutexGuard<'_, Vec<UseCaseSpan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UseCaseSpans {
    fn drop(&mut self) {
        for UseCaseSpan { context, end, .. } in self.spans().drain(..) {
            end_at(&context, end);
        }
    }
}

fn end_at(context: &Context, end: Option<SystemTime>) {
    match end {
        Some(end) => context.span().end_with_timestamp(end),
        None => context.span().end(),
    }
}

/// The span of a statement. It also ends if this is dropped.
#[derive(Debug)]
pub struct StatementSpan(Option<Box<Span>>);

/// Begins the span of a statement without its values. `system` is the name of the database by the semantic conventions.
#[must_use]
pub fn begin_statement(system: &'static str, sql: &str) -> StatementSpan {
    let builder = || {
        let name = StatementName::of(sql);
        let summary = name.summary();
        let mut attributes = vec![
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.operation.name", name.operation.to_owned()),
            KeyValue::new("db.query.summary", summary.clone()),
            KeyValue::new("db.query.text", sql.chars().take(MAX_STATEMENT).collect::<String>()),
        ];
        attributes.extend(name.table.map(|table| KeyValue::new("db.collection.name", table.to_owned())));
        SpanBuilder::from_name(summary).with_kind(SpanKind::Client).with_attributes(attributes)
    };
    StatementSpan(begin(builder).map(Box::new))
}

impl StatementSpan {
    /// Ends the span. `describe` returns the type of an error: a code, never its text, which may contain values.
    pub fn end<E>(self, result: Result<(), &E>, describe: impl Fn(&E) -> Cow<'static, str>) {
        let Some(mut span) = self.0 else { return };
        if let Err(error) = result {
            span.set_attribute(KeyValue::new("error.type", describe(error)));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
