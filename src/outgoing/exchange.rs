//! Sends one request over a connection, and reads the response, within limits.

use std::{error::Error, pin::pin};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::CONTENT_ENCODING,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join, split};

use crate::outgoing::{error::Failure, response::Response};

/// Maximum size of the body in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Maximum size of the status line and the headers in bytes.
const MAX_HEADERS: usize = 64 * 1024;
/// Maximum number of bytes that are read in total: also interim responses, and the frames of a chunked body.
const MAX_READ: u64 = 256 * 1024;

/// Sends a request and reads the response. Closes the connection afterwards, also if the future is dropped.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send,
    request: Request<Full<Bytes>>,
) -> Result<Response, Failure> {
    let (reader, writer) = split(stream);
    let stream = pin!(join(reader.take(MAX_READ), writer));
    let mut builder = http1::Builder::new();
    builder.max_header_size(MAX_HEADERS).max_buf_size(2 * MAX_HEADERS);
    let (sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| protocol_failure(&error))?;
    // The connection is not spawned as a task: it must end with this future.
    let mut connection = pin!(connection);
    let mut receiving = pin!(receive(sender, request));
    tokio::select! {
        response = &mut receiving => return response,
        // An error of the connection is also returned by `receiving`, which has more to read after the end of the connection.
        _ = &mut connection => {}
    }
    receiving.await
}

async fn receive(mut sender: SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Response, Failure> {
    let response = sender.send_request(request).await.map_err(|error| protocol_failure(&error))?;
    let (head, body) = response.into_parts();
    if head.status.is_redirection() {
        return Err(Failure::Redirect(head.status.as_u16()));
    }
    if head.status.is_informational() {
        return Err(Failure::Protocol("the server switches to another protocol".to_owned()));
    }
    if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Failure::Protocol("the response is compressed, although that was not accepted".to_owned()));
    }
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| body_failure(&*error))?;
    Ok(Response::new(head.status.as_u16(), &head.headers, body.to_bytes()))
}

fn body_failure(error: &(dyn Error + 'static)) -> Failure {
    if error.is::<LengthLimitError>() { Failure::TooLarge } else { Failure::Protocol(describe(error)) }
}

fn protocol_failure(error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() { Failure::TooLarge } else { Failure::Protocol(describe(error)) }
}

/// An error and its causes. The texts contain nothing of the response.
fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
