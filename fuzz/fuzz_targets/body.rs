//! Bodies of POST requests: JSON, the document's syntax, limits, validation, variables and execution.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use hallpass_fuzz::{Answer, GRAPHQL_RESPONSE, JSON, SERVER};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    // The media type affects only the status.
    let first = send(GRAPHQL_RESPONSE, body);
    let second = send(JSON, body);
    assert_eq!(first.media_type(), GRAPHQL_RESPONSE);
    assert_eq!(second.media_type(), JSON);
    // The first reported error may differ, but not whether this is a well-formed GraphQL request.
    assert_eq!(is_request(&first), is_request(&second), "{first:#?} {second:#?}");
    assert_eq!(second.status == 200, is_request(&second), "{second:#?}");
    // A cached document is not validated again. Its response must equal that of a new document.
    let unseen = unseen(body).map(|body| send(GRAPHQL_RESPONSE, &body));
    for other in [Some(second), unseen].into_iter().flatten() {
        assert_eq!(first.is_executed(), other.is_executed(), "{first:#?} {other:#?}");
        if first.is_executed() {
            assert_eq!(first.essence(), other.essence());
        }
    }
});

fn send(accept: &'static str, body: &[u8]) -> Answer {
    let bearer = HeaderValue::try_from(format!("Bearer {}", SERVER.ada.access_token)).unwrap();
    let answer = SERVER.post(&[HeaderValue::from_static(accept)], &[bearer], body.to_vec());
    if answer.is_executed() {
        SERVER.restore();
    }
    answer
}

fn is_request(answer: &Answer) -> bool {
    answer.errors().first().is_none_or(|error| error["extensions"]["code"] != "BAD_REQUEST")
}

/// The same request with a comment appended to the document, so that it is not in the cache.
fn unseen(body: &[u8]) -> Option<Vec<u8>> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let Value::String(query) = request.get_mut("query")? else { return None };
    *query = format!("{query}\n# {}", COUNT.fetch_add(1, Ordering::Relaxed));
    Some(request.to_string().into_bytes())
}
