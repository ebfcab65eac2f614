//! The `Accept` header: the response has one of the two media types or the status 406.
#![no_main]

use axum::http::HeaderValue;
use hallpass_fuzz::{Answer, GRAPHQL_RESPONSE, JSON, SERVER};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|accept: &[u8]| -> Corpus {
    let Ok(whole) = HeaderValue::from_bytes(accept) else { return Corpus::Reject };
    let answer = ask(&[whole]);
    let text = String::from_utf8_lossy(accept).to_ascii_lowercase();
    match answer.status.as_u16() {
        200 if answer.media_type() == GRAPHQL_RESPONSE => {
            assert!(text.contains(GRAPHQL_RESPONSE) || text.contains("*/*") || text.contains("application/*"));
        }
        200 => {
            let is_empty = text.split(',').all(|range| range.split(';').next().unwrap_or("").trim().is_empty());
            assert!(is_empty || text.contains(JSON) || text.contains("*/*") || text.contains("application/*"));
        }
        // The 406 response has the media type for clients without an `Accept` header.
        status => assert_eq!((status, answer.media_type()), (406, JSON)),
    }
    // A list may be split into several header lines (RFC 9110 §5.3), and its order is irrelevant.
    let mut lines: Vec<_> =
        accept.split(|byte| *byte == b',').map(|range| HeaderValue::from_bytes(range).unwrap()).collect();
    lines.reverse();
    let again = ask(&lines);
    assert_eq!((answer.status, answer.media_type()), (again.status, again.media_type()), "{text:?}");
    Corpus::Keep
});

fn ask(accept: &[HeaderValue]) -> Answer {
    SERVER.post(accept, &[], br#"{"query":"{__typename}"}"#.to_vec())
}
