//! Bodies of requests: how they are announced, and reading them whole.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::Request,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// What a body may have, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unread {
    TooLarge,
    BrokenOff,
    TooSlow,
    Encoded,
}

impl Unread {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::TooLarge => "The body is too large: at most 1 MiB is taken.",
            Self::BrokenOff => "The body broke off before its end.",
            Self::TooSlow => "The body took too long to arrive. Send it again.",
            Self::Encoded => "The body is compressed. Send it without the header `Content-Encoding`.",
        }
    }
}

/// The whole body.
///
/// # Errors
/// It is too large, broke off, did not arrive in time, or is compressed.
pub(super) async fn collect(request: Request, timeout: Duration) -> Result<Bytes, Unread> {
    if is_encoded(request.headers()) {
        return Err(Unread::Encoded);
    }
    let body = Limited::new(request.into_body(), LARGEST).collect();
    match tokio::time::timeout(timeout, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::BrokenOff),
        Err(_) => Err(Unread::TooSlow),
    }
}

/// Whether the body is compressed, or encoded in another way (RFC 9110 §8.4).
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    codings.any(|coding| !coding.trim_ascii().is_empty() && !coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// Whether the body is announced as this type, once, and in no other charset than UTF-8.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => {
            let mut parts = value.split(';').map(str::trim);
            let is_it = parts.next().is_some_and(|part| part.eq_ignore_ascii_case(media_type));
            is_it && parts.all(is_not_another_charset)
        }
        _ => false,
    }
}

fn is_not_another_charset(parameter: &str) -> bool {
    parameter.split_once('=').is_none_or(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}
