//! Request bodies: their headers, and reading them with a size limit and a timeout.

use std::time::Duration;

use axum::{
    body::HttpBody,
    extract::Request,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
};
use http_body_util::BodyExt;

/// The maximum size of a body, and the error message for a larger one.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxBody {
    bytes: usize,
    message: &'static str,
}

/// The limit of `/graphql`. A document may have 64 KiB; values belong in variables.
pub(super) const MAX_GRAPHQL: MaxBody =
    MaxBody { bytes: 128 * 1024, message: "The body is too large: at most 128 KiB are accepted." };
/// The limit of all other routes, which read forms and JSON with a few short fields.
pub(super) const MAX_FORM: MaxBody =
    MaxBody { bytes: 16 * 1024, message: "The body is too large: at most 16 KiB are accepted." };

/// Why a body could not be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum BodyError {
    TooLarge(MaxBody),
    Incomplete,
    TimedOut,
    Encoded,
}

impl BodyError {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::TooLarge(max) => max.message,
            Self::Incomplete => "The body is incomplete. Send it again.",
            Self::TimedOut => "The body was not received in time. Send it again.",
            Self::Encoded => "The body is compressed. Send it without the header `Content-Encoding`.",
        }
    }
}

/// Reads the whole body into a new buffer. Keeping the chunks would keep the buffer of the connection, and a body that
/// is sent byte by byte would take 32 times its size.
///
/// # Errors
/// The body is too large, incomplete, not received in time, or compressed.
pub(super) async fn collect(request: Request, max: MaxBody, timeout: Duration) -> Result<Vec<u8>, BodyError> {
    if is_encoded(request.headers()) {
        return Err(BodyError::Encoded);
    }
    let mut body = request.into_body();
    let read = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Incomplete)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if chunk.len() > max.bytes - bytes.len() {
                return Err(BodyError::TooLarge(max));
            }
            if bytes.is_empty() {
                // Reserves the expected length at once: a growing buffer copies, and may end up larger than its
                // content.
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
                bytes.reserve_exact(chunk.len().saturating_add(expected).min(max.bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(timeout, read).await.unwrap_or(Err(BodyError::TimedOut))
}

/// Whether the body has a content coding such as gzip (RFC 9110 §8.4).
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    codings.any(|coding| !coding.trim_ascii().is_empty() && !coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// Whether the request has exactly one `Content-Type` header, of this media type and with no charset other than UTF-8.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => {
            let mut parts = value.split(';').map(str::trim);
            let is_type = parts.next().is_some_and(|part| part.eq_ignore_ascii_case(media_type));
            is_type && parts.all(is_allowed_parameter)
        }
        _ => false,
    }
}

fn is_allowed_parameter(parameter: &str) -> bool {
    parameter.split_once('=').is_none_or(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}
