//! What is sent.

use hallpass::{
    config::SecretString,
    outgoing::{Failure, Request},
};

use crate::support::{LOOPBACK, Names, OK, Server, client};

const AGENT: &str = concat!("user-agent: hallpass/", env!("CARGO_PKG_VERSION"));

/// Sends a request to a server, and returns what the server received.
async fn sent(server: &Server, request: Request<'_>) -> String {
    client(&[LOOPBACK], Names::default()).send(request).await.unwrap();
    server.requests().pop().unwrap()
}

#[tokio::test]
async fn get_sends_few_headers() {
    let server = Server::answering(OK).await;
    let url = server.url("/path?query=a%20b#fragment");
    let host = server.address;
    let expected = format!(
        "GET /path?query=a%20b HTTP/1.1\r\nhost: {host}\r\n{AGENT}\r\naccept: application/json\r\n\
         accept-encoding: identity\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(sent(&server, Request::get(&url)).await, expected);
}

#[tokio::test]
async fn accepted_media_types_can_be_set() {
    let server = Server::answering(OK).await;
    let url = server.url("/");
    let request = sent(&server, Request::get(&url).accept("application/vnd.github+json")).await;
    assert!(request.contains("\r\naccept: application/vnd.github+json\r\n"), "{request}");
}

#[tokio::test]
async fn form_is_encoded() {
    let server = Server::answering(OK).await;
    let url = server.url("/token");
    let fields = [("grant_type", "authorization_code"), ("code", "a&b=c d"), ("redirect_uri", "https://example.org/ü")];
    let request = sent(&server, Request::post_form(&url, &fields)).await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /token HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{head}");
    let expected = "grant_type=authorization_code&code=a%26b%3Dc+d&redirect_uri=https%3A%2F%2Fexample.org%2F%C3%BC";
    assert_eq!(body, expected);
}

#[tokio::test]
async fn empty_form_has_a_length() {
    let server = Server::answering(OK).await;
    let url = server.url("/");
    let request = sent(&server, Request::post_form(&url, &[])).await;
    assert!(request.contains("\r\ncontent-length: 0\r\n"), "{request}");
}

#[tokio::test]
async fn body_of_another_media_type_is_sent_with_its_headers() {
    let server = Server::answering(OK).await;
    let url = server.url("/v1/traces");
    let key = SecretString::from("hunter2");
    let request = Request::post_body(&url, "application/x-protobuf", "bytes").header("x-api-key", &key);
    assert!(!format!("{request:?}").contains("hunter2"));
    let request = sent(&server, request).await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    for header in ["content-type: application/x-protobuf", "content-length: 5", "x-api-key: hunter2"] {
        assert!(format!("{head}\r\n").contains(&format!("\r\n{header}\r\n")), "{head}");
    }
    assert_eq!(body, "bytes");
}

#[tokio::test]
async fn access_token_is_sent_as_bearer() {
    let server = Server::answering(OK).await;
    let url = server.url("/");
    let request = sent(&server, Request::get(&url).bearer(&SecretString::from("abc.def"))).await;
    assert!(request.contains("\r\nauthorization: Bearer abc.def\r\n"), "{request}");
}

/// The example of RFC 6749 §2.3.1, and characters that must be encoded before Base64.
#[tokio::test]
async fn client_is_authenticated_as_oauth_requires() {
    let server = Server::answering(OK).await;
    let url = server.url("/");
    for (id, secret, expected) in [
        ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
        // `a%3Ab:c+d%25`
        ("a:b", "c d%", "YSUzQWI6YytkJTI1"),
    ] {
        let request = sent(&server, Request::post_form(&url, &[]).basic(id, &SecretString::from(secret))).await;
        assert!(request.contains(&format!("\r\nauthorization: Basic {expected}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn credentials_cannot_add_headers() {
    let server = Server::answering(OK).await;
    let url = server.url("/");
    let request = Request::get(&url).bearer(&SecretString::from("abc\r\nx: y"));
    let error = client(&[LOOPBACK], Names::default()).send(request).await.unwrap_err();
    assert!(matches!(error.failure, Failure::InvalidRequest(_)), "{error}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn errors_and_debug_output_contain_no_secrets() {
    let server = Server::answering("HTTP/1.1 302 Found\r\nlocation: /hunter2\r\n\r\n").await;
    let url = server.url("/token?code=hunter2");
    let secret = SecretString::from("hunter2");
    let request = Request::post_form(&url, &[("code", "hunter2")]).basic("hunter2", &secret);
    let debug = format!("{request:?}");
    let error = client(&[LOOPBACK], Names::default()).send(request).await.unwrap_err();
    let expected = format!(
        "request to http://{}/token failed: the server redirects with status 302, and redirects are not followed",
        server.address
    );
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{error:?}{debug}").contains("hunter2"), "{error:?} {debug}");
}
