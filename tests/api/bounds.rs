//! Request size limits on every route. Nothing beyond a limit is read or parsed.

use axum::body::{Body, Bytes};
use hallpass::config::OauthClient;

use crate::support::{Answer, TestServer, json};

const FORM: &str = "application/x-www-form-urlencoded";

/// Routes that read a form.
const FORM_ROUTES: &[&str] = &["/token", "/revoke", "/introspect", "/refresh", "/verify-email", "/reset-password"];
/// Routes that read JSON, except `/graphql`.
const JSON_ROUTES: &[&str] = &["/login", "/register", "/refresh"];

async fn server() -> TestServer {
    TestServer::with(|settings| {
        settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret: "secret".into() }];
    })
    .await
}

fn assert_rejected(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text.contains(message), "{answer:?}");
}

#[tokio::test]
async fn forms_are_limited_to_32_parameters() {
    let server = server().await;
    let form = |parameters: usize| (0..parameters).map(|n| format!("p{n}=1&")).collect::<String>();
    for path in FORM_ROUTES {
        let rejected = server.anonymous().form(path, form(33)).await;
        let status = if *path == "/refresh" { 422 } else { 400 };
        let is_page = ["/verify-email", "/reset-password"].contains(path);
        assert_rejected(&rejected, status, if is_page { "<h1>This request" } else { "at most 32 are accepted" });
        let accepted = server.anonymous().form(path, form(32)).await;
        assert!(!accepted.text.contains("at most 32"), "{accepted:?}");
    }
}

#[tokio::test]
async fn bodies_outside_graphql_are_limited_to_16_kib() {
    let server = server().await;
    let actor = server.anonymous();
    for (paths, content_type) in [(FORM_ROUTES, FORM), (JSON_ROUTES, "application/json")] {
        for path in paths {
            assert_eq!(actor.body(path, content_type, " ".repeat(16 * 1024 + 1)).await.status, 413, "{path}");
            assert_ne!(actor.body(path, content_type, " ".repeat(16 * 1024)).await.status, 413, "{path}");
        }
    }
    assert_rejected(&actor.form("/token", "x".repeat(20_000)).await, 413, "at most 16 KiB");
}

#[tokio::test]
async fn graphql_bodies_are_limited_to_128_kib() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let query = r#"{"query": "{ __typename }"}"#;
    let body = |bytes: usize| format!("{query}{}", " ".repeat(bytes - query.len()));
    assert_eq!(actor.post(body(128 * 1024)).await.status, 200);
    assert_rejected(&actor.post(body(128 * 1024 + 1)).await, 413, "at most 128 KiB");
}

#[tokio::test]
async fn json_is_limited_to_2000_values() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let body = |values: usize| json!({ "query": "{ __typename }", "variables": { "v": vec![0; values] } }).to_string();
    assert_eq!(actor.post(body(1990)).await.status, 200);
    assert_rejected(&actor.post(body(2000)).await, 413, "at most 2000 are accepted");
    let login = json!({ "username": "ada", "password": "x", "more": vec![0; 2000] });
    assert_rejected(&actor.json("/login", login).await, 413, "at most 2000 are accepted");
    let variables = serde_json::to_string(&json!({ "v": vec![0; 2000] })).unwrap();
    let query = [("query", "{ __typename }"), ("variables", &variables)];
    let query = url::form_urlencoded::Serializer::new("/graphql?".to_owned()).extend_pairs(query).finish();
    assert_rejected(&actor.get(&query).await, 413, "at most 2000 are accepted");
}

#[tokio::test]
async fn query_strings_are_limited_to_32_parameters() {
    let server = TestServer::start().await;
    let more: String = (0..32).map(|n| format!("&p{n}=1")).collect();
    let answer = server.anonymous().get(&format!("/graphql?query=%7B__typename%7D{more}")).await;
    assert_rejected(&answer, 400, "at most 32 are accepted");
    let answer = server.anonymous().get(&format!("/verify-email?token=x{more}")).await;
    assert_rejected(&answer, 400, "This link is incomplete");
}

#[tokio::test]
async fn chunked_body_is_reassembled() {
    let server = TestServer::start().await;
    let bytes = r#"{"query": "{ __typename }"}"#.as_bytes();
    let chunks = bytes.chunks(1).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk)));
    let chunks: Vec<_> = chunks.collect();
    let answer = server.anonymous().post(Body::from_stream(futures_util::stream::iter(chunks))).await;
    assert_eq!(answer.data("/__typename"), "Query");
}

#[tokio::test]
async fn undeclared_variables_are_ignored() {
    let server = TestServer::start().await;
    let query = "query($name: String!) { __type(name: $name) { name } }";
    let variables = json!({ "name": "User", "other": vec!["x"; 1000] });
    assert_eq!(server.anonymous().graphql(query, variables).await.data("/__type/name"), "User");
}
