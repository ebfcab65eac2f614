//! Sends spans to the collector, by OTLP over HTTP with protobuf.
//!
//! The SDK calls the exporter on a thread of its own, which takes the spans from a bounded queue. Requests never wait for it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use prost::Message;
use tokio::runtime::Handle;
use url::Url;

use crate::{
    Result,
    clock::Clock,
    config::{AllowedTarget, OtlpHeader, OutgoingSettings, Settings},
    outgoing::{Failure, Outgoing, Request},
    traces::otlp::malformed_endpoint,
};

const MEDIA_TYPE: &str = "application/x-protobuf";

/// Pauses before another attempt, after a failure that may be temporary.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Statuses after which the same request may succeed (OTLP specification, "Retryable Response Codes").
const RETRYABLE: [u16; 4] = [429, 502, 503, 504];

/// Sends spans to the collector.
pub(super) struct Exporter {
    collector: Arc<Collector>,
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
}

struct Collector {
    url: Url,
    headers: Vec<OtlpHeader>,
    outgoing: Outgoing,
    /// Whether the latest spans could not be sent. Only changes are logged.
    is_failing: AtomicBool,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl Exporter {
    /// Creates the exporter; `None` if no collector is set. Requests to it run on `runtime`.
    pub(super) fn new(settings: &Settings, clock: &Clock, runtime: Handle) -> Result<Option<Self>> {
        let Some(url) = settings.traces.collector.clone() else { return Ok(None) };
        let target = url.host().map(|host| host.to_owned()).zip(url.port_or_known_default());
        let (host, port) = target.ok_or_else(malformed_endpoint)?;
        // The operator has named this target, so it may be on the internal network and without TLS.
        let allow = vec![AllowedTarget::Host(host, port)];
        let outgoing = OutgoingSettings { allow, authorities: settings.outgoing.authorities.clone() };
        let outgoing = Outgoing::new(&outgoing, clock.clone())?;
        let headers = settings.traces.headers.clone();
        let collector = Collector { url, headers, outgoing, is_failing: AtomicBool::new(false) };
        Ok(Some(Self { collector: Arc::new(collector), runtime, resource: ResourceAttributesWithSchema::default() }))
    }
}

impl SpanExporter for Exporter {
    /// Always succeeds: the SDK would log each batch that failed.
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let collector = Arc::clone(&self.collector);
        let sending = self.runtime.spawn(async move { collector.send(body.into()).await });
        async {
            // Fails only if the runtime has ended.
            let _ = sending.await;
            Ok(())
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Why spans were not accepted.
struct Refused {
    cause: String,
    is_temporary: bool,
}

impl Collector {
    async fn send(&self, body: bytes::Bytes) {
        // A collector that is down must not keep the last spans of a server from the end of it.
        let pauses = if self.is_failing.load(Ordering::Relaxed) { &[][..] } else { &PAUSES[..] };
        let mut result = self.try_send(&body).await;
        for pause in pauses {
            if !result.as_ref().is_err_and(|refused| refused.is_temporary) {
                break;
            }
            tokio::time::sleep(*pause).await;
            result = self.try_send(&body).await;
        }
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Err(Refused { cause, .. }) if !was_failing => {
                tracing::warn!(cause, "traces are not exported, and dropped until the collector accepts them again");
            }
            Ok(()) if was_failing => tracing::info!("traces are exported again"),
            _ => {}
        }
    }

    async fn try_send(&self, body: &bytes::Bytes) -> Result<(), Refused> {
        let mut request = Request::post_body(&self.url, MEDIA_TYPE, body.clone()).accept(MEDIA_TYPE);
        for OtlpHeader { name, value } in &self.headers {
            request = request.header(name, value);
        }
        match self.outgoing.send(request).await {
            Ok(response) if response.is_success() => Ok(()),
            Ok(response) => {
                let cause = format!("the collector responds with status {}", response.status);
                Err(Refused { cause, is_temporary: RETRYABLE.contains(&response.status) })
            }
            Err(error) => {
                let is_temporary = matches!(
                    error.failure,
                    Failure::Resolve(_) | Failure::Connect(_) | Failure::Protocol(_) | Failure::TimedOut(_)
                );
                Err(Refused { cause: error.to_string(), is_temporary })
            }
        }
    }
}
