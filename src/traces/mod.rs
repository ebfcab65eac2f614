//! Traces: the spans of requests, use cases and SQL statements, exported by OTLP over HTTP.
//!
//! Only a build with the feature `otlp` has them. Other builds have the same functions, which do nothing, so that no other module
//! depends on the feature.
//!
//! A span contains only what this module puts into it: names from the code (routes, fields of the schema, functions), statements
//! without their values, statuses and error codes. Neither log lines nor fields of `tracing` spans become part of it, because these
//! may contain what a client has sent, such as the name of an operation.
//!
//! The ids and times of spans come from OpenTelemetry's SDK. Nothing else depends on them.

mod names;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod otlp;
mod parent;

pub use names::use_case_name;
#[cfg(not(feature = "otlp"))]
pub use off::{RequestSpan, StatementSpan, Traces, UseCaseSpans, begin_statement, continued, use_case};
#[cfg(feature = "otlp")]
pub use otlp::{RequestSpan, StatementSpan, Traces, UseCaseSpans, begin_statement, continued, use_case};
pub use parent::TraceParent;
