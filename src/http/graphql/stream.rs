//! Streams of live events: by server-sent events (the GraphQL-SSE protocol, distinct connections mode), and by multipart
//! responses (Apollo's multipart subscription protocol 1.0).

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_graphql::Response as GraphqlResponse;
use axum::{
    body::{Body, Bytes},
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::{
    Error, Result,
    error::ErrorCode,
    graphql::executor::{EventStream, Message},
    http::Server,
};

/// How often a stream without events sends something, so that proxies do not end it, and so that a client that has disappeared is
/// noticed. Proxies usually end a response after a minute without data.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Seconds after which to try again if there are too many streams.
const RETRY_AFTER: u32 = 30;

/// Tells nginx not to collect the response before it sends it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How a stream is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamType {
    /// Server-sent events, by the GraphQL-SSE protocol.
    EventStream,
    /// Parts of a multipart response, by Apollo's protocol.
    Multipart,
}

impl StreamType {
    /// The type of this name in lower case. `member` has its parameters: without `subscriptionSpec`, a multipart response is one of
    /// incremental delivery.
    pub(super) fn of(name: &str, member: &str) -> Option<Self> {
        let is_specification = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("subscriptionspec") && value.trim().trim_matches('"') == "1.0"
        };
        match name {
            "text/event-stream" => Some(Self::EventStream),
            "multipart/mixed" if member.split(';').any(is_specification) => Some(Self::Multipart),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => r#"multipart/mixed; boundary="graphql"; subscriptionSpec=1.0"#,
        })
    }

    /// The first bytes. Clients and proxies learn that the stream was opened.
    fn start(self) -> Bytes {
        Bytes::from_static(match self {
            Self::EventStream => b":\n\n",
            Self::Multipart => b"\r\n--graphql",
        })
    }

    fn keep_alive(self) -> Bytes {
        match self {
            Self::EventStream => Bytes::from_static(b":\n\n"),
            Self::Multipart => part("{}"),
        }
    }

    /// A message. A part ends with the next delimiter, because clients handle it when they have read that.
    pub(super) fn message(self, response: &GraphqlResponse) -> Bytes {
        let json = serde_json::to_string(response).unwrap_or_default();
        match self {
            Self::EventStream => format!("event: next\ndata: {json}\n\n").into(),
            Self::Multipart => part(&format!(r#"{{"payload":{json}}}"#)),
        }
    }

    fn end(self) -> Bytes {
        Bytes::from_static(match self {
            Self::EventStream => b"event: complete\ndata:\n\n",
            Self::Multipart => b"--\r\n",
        })
    }
}

fn part(json: &str) -> Bytes {
    format!("\r\nContent-Type: application/json\r\n\r\n{json}\r\n--graphql").into()
}

/// Makes the body of a response a stream with one message, if there is one.
pub(super) fn replace_body(response: &mut Response, message: Option<(StreamType, Bytes)>) {
    let Some((stream_type, message)) = message else { return };
    response.headers_mut().insert(CONTENT_TYPE, stream_type.content_type());
    *response.body_mut() = [stream_type.start(), message, stream_type.end()].concat().into();
}

/// A permit for a connection with streams.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the server has as many of them as it may have.
pub(super) fn permit(server: &Server) -> Result<OwnedSemaphorePermit> {
    let permit = Arc::clone(&server.streams).try_acquire_owned();
    permit.map_err(|_| Error::unavailable(RETRY_AFTER, "there are too many streams of live events"))
}

impl Server {
    /// Returns the next message of a stream, or `None` if it is to be waited for.
    pub(super) async fn next_message(&self, events: &mut EventStream) -> Option<Message> {
        let next = tokio::time::timeout(self.limits.handler_timeout, self.executor.next(events)).await;
        next.unwrap_or_else(|_| Some(events.end(Error::unavailable(5, "an event took too long"))))
    }
}

/// The response with a stream.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the server has as many streams as it may have.
pub(super) fn respond(server: Arc<Server>, events: EventStream, stream_type: StreamType) -> Result<Response> {
    let permit = permit(&server)?;
    let request_id = events.request_id();
    // Not the span of the request, which ends with the head of the response. Without the field `user_id`, to which the check of
    // each event would add a value.
    let span = tracing::error_span!(parent: None, "stream", %request_id);
    let live = Live { server, events, stream_type, phase: Phase::Starting, _permit: permit };
    let body = stream::unfold(live, move |live| Box::pin(live.step()).instrument(span.clone()));
    let headers = [
        (CONTENT_TYPE, stream_type.content_type()),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept, accept-language, authorization")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A stream that is being sent.
struct Live {
    server: Arc<Server>,
    events: EventStream,
    stream_type: StreamType,
    phase: Phase,
    _permit: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Running,
    Ended,
}

impl Live {
    /// Waits for the next bytes.
    async fn step(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let bytes = match self.phase {
            Phase::Starting => {
                self.phase = Phase::Running;
                self.stream_type.start()
            }
            Phase::Running => self.next().await,
            Phase::Ended => return None,
        };
        Some((Ok(bytes), self))
    }

    async fn next(&mut self) -> Bytes {
        loop {
            if tokio::time::timeout(KEEP_ALIVE, self.events.wait()).await.is_err() {
                return self.stream_type.keep_alive();
            }
            match self.server.next_message(&mut self.events).await {
                None => {}
                Some(Message::Event(response)) => return self.stream_type.message(&response),
                Some(Message::End(response, error)) => return self.end(&response, error.code()),
            }
        }
    }

    fn end(&mut self, response: &GraphqlResponse, code: ErrorCode) -> Bytes {
        self.phase = Phase::Ended;
        tracing::info!(%code, "a stream of live events ended");
        [self.stream_type.message(response), self.stream_type.end()].concat().into()
    }
}
