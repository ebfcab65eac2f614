//! A response, and how long it may be used.

use std::{fmt, time::Duration};

use hyper::{
    HeaderMap,
    body::Bytes,
    header::{AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderName},
};

/// A response that is no redirect. Its status may be that of an error.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The media type in lower case, without parameters, such as `application/json`.
    pub media_type: Option<String>,
    /// How long the response may be used again, by its `Cache-Control` and `Age` (RFC 9111 §4.2). `None` if it does not say.
    pub max_age: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// Shows no content.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        let content_type = texts(headers, &CONTENT_TYPE).next();
        let media_type =
            content_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        Self { status, media_type, max_age: max_age(headers), body }
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

fn texts<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The shortest time that a directive sets, less the time that the response has spent in caches.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = texts(headers, &CACHE_CONTROL).flat_map(|value| value.split(','));
    let seconds = directives.filter_map(|directive| seconds(directive.trim())).min()?;
    let age = texts(headers, &AGE).find_map(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_sub(age)))
}

fn seconds(directive: &str) -> Option<u64> {
    let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
    match name.trim().to_ascii_lowercase().as_str() {
        "no-store" | "no-cache" => Some(0),
        // Invalid values count as expired (RFC 9111 §4.2.1).
        "max-age" => Some(value.trim().trim_matches('"').parse().unwrap_or(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn response(headers: &[(HeaderName, &'static str)]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        Response::new(200, &map, Bytes::from_static(b"hunter2"))
    }

    #[test]
    fn max_age_is_read_from_cache_control() {
        for (value, expected) in [
            ("max-age=3600", Some(3600)),
            ("public, Max-Age=19845, must-revalidate, no-transform", Some(19_845)),
            ("max-age=\"60\"", Some(60)),
            ("max-age=60, max-age=30", Some(30)),
            ("max-age=60, no-store", Some(0)),
            ("no-cache", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age", Some(0)),
            ("max-age=soon", Some(0)),
            ("s-maxage=60", None),
            ("public", None),
            ("", None),
        ] {
            assert_eq!(response(&[(CACHE_CONTROL, value)]).max_age, expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(response(&[]).max_age, None);
    }

    #[test]
    fn age_shortens_max_age() {
        for (age, expected) in [("100", 200), ("300", 0), ("400", 0), ("old", 300)] {
            let response = response(&[(CACHE_CONTROL, "max-age=300"), (AGE, age)]);
            assert_eq!(response.max_age, Some(Duration::from_secs(expected)), "{age}");
        }
    }

    #[test]
    fn media_type_has_no_parameters() {
        for (value, expected) in [
            ("application/json", "application/json"),
            ("Application/JSON; charset=utf-8", "application/json"),
            ("application/jwk-set+json;a=b;c", "application/jwk-set+json"),
        ] {
            assert_eq!(response(&[(CONTENT_TYPE, value)]).media_type.as_deref(), Some(expected));
        }
        assert_eq!(response(&[]).media_type, None);
    }

    #[test]
    fn debug_output_has_no_content() {
        assert_eq!(format!("{:?}", response(&[])), "Response(200, 7 bytes)");
    }
}
