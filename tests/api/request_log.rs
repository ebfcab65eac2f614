//! The log line of each request, and its request and trace ids.

use axum::{
    body::Body,
    http::{Method, header::ORIGIN},
};
use chrono::TimeDelta;
use hallpass::config::Settings;

use crate::support::{
    Actor, Answer, TestServer, json, logged,
    provider::{RETURN_TO, VERIFIER, start_path},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Trusts a proxy at 10.0.0.1.
fn behind_a_proxy(settings: &mut Settings) {
    let variables = [("PROXY_HEADER", "x-forwarded-for"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    settings.server.proxies = Settings::from_vars(variables).unwrap().server.proxies;
}

fn id(answer: &Answer) -> String {
    answer.header("x-request-id").unwrap().to_owned()
}

/// The log line of a request.
fn line(answer: &Answer) -> String {
    let lines = logged(&id(answer));
    lines.iter().find(|line| line.contains(" method=")).unwrap_or_else(|| panic!("{lines:?}")).clone()
}

async fn get(actor: &Actor, name: &str, values: &[&str]) -> Answer {
    let mut request = actor.request(Method::GET, "/schema.graphql");
    for value in values {
        request = request.header(name, *value);
    }
    actor.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn health_checks_are_logged_at_debug() {
    let server = TestServer::start().await;
    for path in ["/health/live", "/health/ready"] {
        let line = line(&server.anonymous().get(path).await);
        assert!(line.contains("DEBUG") && line.contains("status=200"), "{line}");
    }
    let line = line(&server.anonymous().get("/schema.graphql").await);
    assert!(line.contains("INFO"), "{line}");
}

#[tokio::test]
async fn log_has_the_client_ip() {
    let server = TestServer::with(behind_a_proxy).await;
    let direct = get(&server.anonymous().at("203.0.113.7"), "x-forwarded-for", &["198.51.100.1"]).await;
    assert!(line(&direct).contains(" client=203.0.113.7"), "{}", line(&direct));
    let forwarded = get(&server.anonymous().at("10.0.0.1"), "x-forwarded-for", &["198.51.100.1"]).await;
    assert!(line(&forwarded).contains(" client=198.51.100.1"), "{}", line(&forwarded));
}

#[tokio::test]
async fn log_names_the_signed_in_user() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let me = ada.me().await;
    let user = format!(" user_id={}", me.data("/me/id").as_str().unwrap());
    let login = ada.login("ada", "the password of ada").await;
    for answer in [me, login, ada.get("/users/me").await] {
        assert_eq!(line(&answer).matches(&user).count(), 1, "{}", line(&answer));
    }
}

#[tokio::test]
async fn request_id_of_a_trusted_proxy_is_kept() {
    let server = TestServer::with(behind_a_proxy).await;
    let proxy = server.anonymous().at("10.0.0.1");
    for theirs in ["0d3adb33-f00d-4a6c-8e1e-0123456789ab", "0d3adb33f00d4a6c8e1e0123456789ac"] {
        let answer = get(&proxy, "x-request-id", &[theirs]).await;
        assert_eq!(id(&answer), theirs);
        assert!(line(&answer).contains(&format!("request_id={theirs}")));
        let failed = proxy.with_header("x-request-id", theirs).query("{ me { id } }").await;
        assert_eq!(failed.error()["extensions"]["requestId"], theirs);
    }
}

#[tokio::test]
async fn malformed_request_id_is_replaced() {
    let server = TestServer::with(behind_a_proxy).await;
    let proxy = server.anonymous().at("10.0.0.1");
    for theirs in [
        &["theirs"][..],
        &["0D3ADB33-F00D-4A6C-8E1E-0123456789AB"],
        &["{0d3adb33-f00d-4a6c-8e1e-0123456789ab}"],
        &["0d3adb33-f00d4a6c8e1e-0123456789ab"],
        &["00000000-0000-0000-0000-000000000000"],
        &["0d3adb33-f00d-4a6c-8e1e-0123456789ab", "0d3adb33-f00d-4a6c-8e1e-0123456789ad"],
    ] {
        let answer = get(&proxy, "x-request-id", theirs).await;
        assert!(!theirs.contains(&id(&answer).as_str()) && uuid::Uuid::parse_str(&id(&answer)).is_ok(), "{theirs:?}");
    }
}

#[tokio::test]
async fn request_id_and_trace_of_a_client_are_ignored() {
    let theirs = "1d3adb33-f00d-4a6c-8e1e-0123456789ab";
    for (server, address) in
        [(TestServer::with(behind_a_proxy).await, "203.0.113.7"), (TestServer::start().await, "10.0.0.1")]
    {
        let client =
            server.anonymous().at(address).with_header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
        let answer = get(&client, "x-request-id", &[theirs]).await;
        assert_ne!(id(&answer), theirs);
        assert!(!line(&answer).contains(TRACE), "{}", line(&answer));
    }
}

#[tokio::test]
async fn trace_of_a_trusted_proxy_is_logged() {
    let server = TestServer::with(behind_a_proxy).await;
    let proxy = server.anonymous().at("10.0.0.1");
    for (traceparent, is_valid) in [
        (format!("00-{TRACE}-00f067aa0ba902b7-01"), true),
        (format!("cc-{TRACE}-00f067aa0ba902b7-01-future-fields"), true),
        (format!("00-{TRACE}-00f067aa0ba902b7-01-more"), false),
        (format!("ff-{TRACE}-00f067aa0ba902b7-01"), false),
        (format!("00-{TRACE}-0000000000000000-01"), false),
        (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
        (format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()), false),
        (format!("00-{TRACE}-00f067aa0ba902b7"), false),
        (format!("0-{TRACE}-00f067aa0ba902b7-01"), false),
        (TRACE.to_owned(), false),
    ] {
        let line = line(&get(&proxy, "traceparent", &[&traceparent]).await);
        assert_eq!(line.contains(&format!("trace_id=\"{TRACE}\"")), is_valid, "{traceparent}: {line}");
    }
}

#[tokio::test]
async fn rejected_origin_is_logged_once_a_minute() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let preflight = async |origin: &str| {
        let request = actor.request(Method::OPTIONS, "/graphql").header(ORIGIN, origin);
        let request = request.header("access-control-request-method", "POST").body(Body::empty());
        actor.send(request.unwrap()).await;
    };
    // No other test uses these names.
    for _ in 0..3 {
        preflight("http://first-refused.example:5174").await;
        preflight("http://second-refused.example").await;
    }
    let first = logged("http://first-refused.example:5174");
    let [line] = &first[..] else { panic!("{first:?}") };
    assert!(line.contains("INFO") && line.contains("ALLOWED_ORIGINS"), "{line}");
    for name in ["127.0.0.1", "5174"] {
        assert!(line.contains(name), "{line}");
    }
    assert_eq!(logged("second-refused.example").len(), 0);
    server.clock.advance(TimeDelta::minutes(1));
    preflight("http://second-refused.example").await;
    assert_eq!(logged("second-refused.example").len(), 1);
}

#[tokio::test]
async fn allowed_and_malformed_origins_are_not_logged() {
    let server = TestServer::start().await;
    let request = async |origin: &str| get(&server.anonymous(), "origin", &[origin]).await;
    let before = logged("ALLOWED_ORIGINS").len();
    for origin in
        ["http://localhost:3000", "http://localhost:8000", "malformed-origin.example", "http://user:malformed-origin@x"]
    {
        request(origin).await;
    }
    assert_eq!(logged("malformed-origin").len(), 0);
    // The origin of a sandboxed page or of a local file.
    request("null").await;
    assert!(logged("ALLOWED_ORIGINS").len() > before);
}

#[tokio::test]
async fn rejected_origin_gets_a_hint() {
    let server = TestServer::start().await;
    let page = server.anonymous().with_header("origin", "http://localhost:5174").with_header("host", "localhost:8000");
    let hint = page.me().await.error()["extensions"]["hint"].as_str().unwrap().to_owned();
    for name in ["ALLOWED_ORIGINS", "127.0.0.1", "5174"] {
        assert!(hint.contains(name), "{hint}");
    }
    let allowed =
        server.anonymous().with_header("origin", "http://localhost:5173").with_header("host", "localhost:8000");
    assert!(!allowed.me().await.error()["extensions"]["hint"].as_str().unwrap().contains("ALLOWED_ORIGINS"));
    let mut with_cookie = page.clone();
    with_cookie.cookie = Some(format!("{}=x", crate::support::REFRESH_COOKIE));
    let rejected = with_cookie.graphql("{ __typename }", json!(null)).await;
    assert_eq!(rejected.status, 403);
    let message = rejected.error()["message"].as_str().unwrap().to_owned();
    for name in ["ALLOWED_ORIGINS", "127.0.0.1", "5174"] {
        assert!(message.contains(name), "{message}");
    }
}

#[tokio::test]
async fn log_has_the_code_of_a_failed_start_with_a_provider_and_no_query() {
    let server = TestServer::start().await;
    let line = line(&server.anonymous().get(&start_path("acme", RETURN_TO, VERIFIER)).await);
    assert!(line.contains("PROVIDER_UNKNOWN") && line.contains("/auth/acme"), "{line}");
    assert!(!line.contains("code_challenge") && !line.contains("return_to"), "{line}");
}
