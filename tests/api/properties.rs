//! For any input, the response is GraphQL JSON, and errors are client errors.

use axum::{
    body::Body,
    http::{HeaderValue, Method, header},
};
use hallpass::{
    config::ExposeSecret,
    domain::identity::{Email, Owner, Password, TypedIdentifier, Username, parse_name},
    error::Field,
};
use proptest::{collection::vec, prelude::*, sample::select};
use tokio::runtime::Runtime;

use crate::support::{Actor, TestServer, settings};

/// One server for all cases of a property, and the runtime of its connections.
fn server() -> (Runtime, TestServer) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(TestServer::start());
    (runtime, server)
}

/// Sends a request, and asserts that the response contains no server error.
fn assert_data_or_client_error(runtime: &Runtime, actor: &Actor, request: axum::http::Request<Body>) {
    let answer = runtime.block_on(actor.send(request));
    assert!(answer.status.as_u16() < 500, "{answer:?}");
    let body = answer.json();
    for error in body["errors"].as_array().into_iter().flatten() {
        let code = error["extensions"]["code"].as_str().unwrap();
        assert!(!["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"].contains(&code), "{answer:?}");
    }
}

/// Valid and invalid parts of documents.
fn document() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "@",
        "=",
        "...",
        ".",
        "|",
        "&",
        "\"",
        "\"\"\"",
        "\\",
        "\\u00",
        "#",
        "\n",
        "\u{feff}",
        " ",
        ",",
        "0",
        "-",
        "1.5e3",
        "true",
        "null",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "F",
        "me",
        "login",
        "input",
        "id",
        "username",
        "__schema",
        "__typename",
        "types",
        "skip",
        "if",
        "a: ",
        "$x: Int",
        "{ me { id } }",
        "{ ...F }",
        "fragment F on Query { me { id } }",
        "(input: {username: \"a\", password: \"b\"})",
        "\u{0}",
        "я",
        "😀",
    ];
    vec(select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = select(&["input", "username", "password", "email", "query", "variables", "operationName", "x"][..]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            vec((name.prop_map(ToOwned::to_owned), inner), 0..5)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn any_document_gets_data_or_a_client_error() {
    let (runtime, server) = server();
    let actor = server.anonymous();
    proptest!(|(query in document(), variables in json(), by_get in any::<bool>())| {
        let request = if by_get {
            let path = url::form_urlencoded::Serializer::new("/graphql?".to_owned())
                .append_pair("query", &query)
                .append_pair("variables", &variables.to_string())
                .finish();
            actor.request(Method::GET, &path).body(Body::empty()).unwrap()
        } else {
            let body = serde_json::json!({ "query": query, "variables": variables }).to_string();
            actor.request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
        };
        assert_data_or_client_error(&runtime, &actor, request);
    });
}

#[test]
fn any_body_and_any_header_gets_data_or_a_client_error() {
    let (runtime, server) = server();
    let actor = server.anonymous();
    let bytes = || vec(any::<u8>(), 0..200);
    let accept = prop_oneof![
        "[ -~]{0,60}",
        vec(
            select(
                &[
                    "application/json",
                    "application/graphql-response+json",
                    "*/*",
                    "application/*",
                    ";q=",
                    "0.5",
                    "1",
                    ",",
                    ";",
                    " ",
                    "text/html"
                ][..]
            ),
            0..12
        )
        .prop_map(|parts| parts.concat()),
    ];
    let content_type = prop_oneof![
        Just("application/json".to_owned()),
        "[ -~]{0,40}",
        Just("application/json; charset=utf-8".to_owned())
    ];
    let body = prop_oneof![bytes(), json().prop_map(|json| json.to_string().into_bytes())];
    proptest!(|(body in body, accept in accept, content_type in content_type, bearer in bytes())| {
        let mut request = actor
            .request(Method::POST, "/graphql")
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, content_type);
        if let Ok(bearer) = HeaderValue::from_bytes(&[b"Bearer ", &bearer[..]].concat()) {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        assert_data_or_client_error(&runtime, &actor, request.body(body.into()).unwrap());
    });
}

#[test]
fn altered_token_is_rejected() {
    let (runtime, server) = server();
    let token = runtime.block_on(server.user("ada")).bearer.unwrap();
    proptest!(|(at in 0..token.len(), with in "[A-Za-z0-9_.=-]{0,3}", cut in 0..4_usize)| {
        let altered = format!("{}{with}{}", &token[..at], token.get(at + cut..).unwrap_or(""));
        prop_assume!(altered != token);
        let answer = runtime.block_on(server.anonymous().with_bearer(&altered).me());
        prop_assert_eq!(answer.code(), "UNAUTHENTICATED");
    });
}

proptest! {
    #[test]
    fn accepted_username_is_plain_ascii(text in "\\PC{0,70}|[A-Za-z0-9_-]{0,70}") {
        if let Ok(username) = Username::parse(&text, "") {
            let text = text.trim();
            prop_assert_eq!(&username.text, text);
            prop_assert!(!text.starts_with('-'));
            prop_assert!(text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            // Every spelling has one key, and the key is itself a spelling.
            prop_assert_eq!(Username::parse(&username.key, "").unwrap().key, username.key.clone());
            prop_assert_eq!(Username::parse(&text.to_uppercase(), "").unwrap().key, username.key);
        }
    }

    #[test]
    fn accepted_email_can_receive_mail(text in "\\PC{0,30}@\\PC{0,30}|[a-zA-Z0-9.+-]{1,9}@[a-z0-9.-]{1,15}\\.[a-z]{2,4}|[a-z]{1,4}@[а-яё]{1,9}\\.рф") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert!(email.key.is_ascii() && email.key.len() <= 254);
            prop_assert!(!email.text.chars().any(|c| c.is_control() || c.is_whitespace()), "{:?}", email.text);
            prop_assert_eq!(&Email::parse(&email.key).unwrap().key, &email.key);
            // The stored text parses to the same key.
            prop_assert_eq!(&Email::parse(&email.text).unwrap().key, &email.key);
            prop_assert!(TypedIdentifier::parse(&text).key().is_some());
        }
    }

    #[test]
    fn password_is_limited_in_length_and_not_modified(text in "\\PC{0,140}|.{0,140}") {
        let mut settings = settings();
        settings.passwords.blocklist = false;
        let parsed = Password::parse(text.clone().into(), Field::Password, &Owner::default(), &settings);
        prop_assert_eq!(parsed.is_ok(), (8..=128).contains(&text.chars().count()));
        if let Ok(password) = parsed {
            prop_assert_eq!(password.secret().expose_secret(), text);
        }
    }

    #[test]
    fn accepted_name_has_no_control_characters(text in "\\PC{0,110}|.{0,110}") {
        if let Ok(Some(name)) = parse_name(Some(&text), Field::FirstName) {
            prop_assert!(!name.is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control));
        }
    }
}
