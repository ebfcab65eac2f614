//! Bodies of POST requests: JSON, the document's grammar, its limits, its validation, variables, and what executes it.
#![no_main]

use axum::http::HeaderValue;
use hallpass_fuzz::{GRAPHQL_RESPONSE, JSON, SERVER};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let send = |accept: &'static str| {
        let bearer = HeaderValue::try_from(format!("Bearer {}", SERVER.ada.access_token)).unwrap();
        SERVER.post(&[HeaderValue::from_static(accept)], &[bearer], body.to_vec())
    };
    // The second time a document that was executed is a known one, which is not validated again. It is answered as
    // the first time, and the media type decides over the status only.
    let first = send(GRAPHQL_RESPONSE);
    let second = send(JSON);
    assert_eq!(first.media_type(), GRAPHQL_RESPONSE);
    assert_eq!(second.media_type(), JSON);
    assert_eq!(first.is_executed(), second.is_executed(), "{first:#?} {second:#?}");
    if first.is_executed() {
        assert_eq!(first.essence(), second.essence());
    } else {
        // Which mistake is found first may differ; whether it is a GraphQL request at all may not.
        let is_request = |code: &str| code != "BAD_REQUEST";
        let code =
            |answer: &hallpass_fuzz::Answer| answer.errors()[0]["extensions"]["code"].as_str().unwrap().to_owned();
        assert_eq!(is_request(&code(&first)), is_request(&code(&second)), "{first:#?} {second:#?}");
        assert_eq!(second.status == 200, is_request(&code(&second)), "{second:#?}");
    }
});
