//! Traces by OpenTelemetry's SDK.
//!
//! The context of a request travels with its future: the current context (`Context::current`) has the span that new spans belong to,
//! and the tracer that creates them. Outside of a request that is recorded there is none, and nothing is measured.

mod exporter;
mod spans;

use std::{fmt, sync::OnceLock, time::Duration};

use opentelemetry::{
    Context, InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider},
};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanLimits},
};
pub use spans::{RequestSpan, StatementSpan, UseCaseSpans, begin_statement, continued, use_case};
use tokio::runtime::Handle;

use self::exporter::Exporter;
use crate::{
    Error, Result,
    clock::Clock,
    config::{Settings, TracesSettings},
    security::random,
    traces::TraceParent,
};

/// Spans that wait to be exported. More are dropped.
const MAX_QUEUE: usize = 2048;
/// Spans of one request to the collector.
const MAX_BATCH: usize = 512;
/// How long a span waits at most before it is exported.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long the export of the last spans may delay the end of the server.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// The traces of a server. There are none until [`Traces::start`].
#[derive(Default)]
pub struct Traces(OnceLock<Running>);

struct Running {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "Traces(on)" } else { "Traces(off)" })
    }
}

impl Traces {
    /// Whether this build can export traces.
    pub const IS_BUILT_IN: bool = true;

    /// Starts to record and export spans, if a collector is set. Must be called on a runtime. Only the first call has an effect.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn start(&self, settings: &Settings, clock: &Clock) -> Result<()> {
        let Some(exporter) = Exporter::new(settings, clock, Handle::current())? else { return Ok(()) };
        // Everything is set here, because the SDK reads its defaults from the environment.
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_QUEUE)
            .with_max_export_batch_size(MAX_BATCH)
            .with_scheduled_delay(INTERVAL)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.traces.sample_ratio))))
            .with_span_limits(SpanLimits::default())
            .with_resource(resource(&settings.traces, clock)?)
            .build();
        let scope = InstrumentationScope::builder("hallpass").with_version(env!("CARGO_PKG_VERSION")).build();
        let tracer = provider.tracer_with_scope(scope);
        let _ = self.0.set(Running { provider, tracer });
        Ok(())
    }

    /// Whether there are traces.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.get().is_some()
    }

    /// Begins the span of a request. `route` is the pattern of the route that it matched.
    #[must_use]
    pub fn begin_request(&self, method: &str, route: Option<&str>, parent: Option<TraceParent>) -> RequestSpan {
        match self.0.get() {
            // Probes are frequent, and tell nothing that the metrics do not.
            Some(running) if !route.is_some_and(|route| route.contains("/health/")) => {
                RequestSpan::begin(&running.tracer, method, route, &context_of(parent))
            }
            _ => RequestSpan::none(parent),
        }
    }

    /// Exports the spans that wait. Drops what cannot be exported in three seconds.
    pub async fn stop(&self) {
        let Some(running) = self.0.get() else { return };
        let provider = running.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(STOP_TIMEOUT)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces were not exported: the collector did not answer in time");
        }
    }
}

/// The context of a request with this parent.
fn context_of(parent: Option<TraceParent>) -> Context {
    let Some(TraceParent { trace_id, span_id, is_sampled }) = parent else { return Context::new() };
    let flags = TraceFlags::default().with_sampled(is_sampled);
    let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
    Context::new().with_remote_span_context(SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE))
}

/// The attributes of this instance.
fn resource(settings: &TracesSettings, clock: &Clock) -> Result<Resource> {
    let others = settings.resource_attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    let own = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", random::id(clock.now())?.to_string()),
        KeyValue::new("telemetry.sdk.language", "rust"),
        KeyValue::new("telemetry.sdk.name", "opentelemetry"),
    ];
    let service_name = settings.service_name.clone();
    Ok(Resource::builder_empty().with_attributes(own).with_attributes(others).with_service_name(service_name).build())
}

/// The URL of the collector is checked by the settings.
fn malformed_endpoint() -> Error {
    Error::internal("OTEL_EXPORTER_OTLP_ENDPOINT has no host or port")
}
