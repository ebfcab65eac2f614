//! Live events over HTTP: negotiation, formats and limits.

use axum::http::StatusCode;
use hallpass::{config::Manifest, domain::monitoring, live_events::MAX_STREAMS_OF_USER};

use crate::support::{Answer, Message, TestServer, json, logged};

const EVENTS: &str = "subscription { accountEvents { event { action } } }";
const LOG_IN: &str = "LOGGED_IN";
const MULTIPART: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

fn request(query: &str) -> serde_json::Value {
    json!({ "query": query })
}

#[tokio::test]
async fn server_sent_events_follow_the_protocol() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.stream("text/event-stream", request(EVENTS)).await;
    server.signed_in("ada").await;
    let next =
        format!("event: next\ndata: {{\"data\":{{\"accountEvents\":{{\"event\":{{\"action\":\"{LOG_IN}\"}}}}}}}}\n\n");
    assert_eq!(events.read_until(LOG_IN).await, format!(":\n\n{next}"));
    server.app.live_events.close();
    let rest = events.rest().await;
    assert!(rest.starts_with("event: next\ndata: {\"errors\":[{"), "{rest}");
    assert!(rest.ends_with("}],\"data\":null}\n\nevent: complete\ndata:\n\n"), "{rest}");
}

#[tokio::test]
async fn multipart_responses_follow_the_protocol() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.stream(MULTIPART, request(EVENTS)).await;
    let content_type = r#"multipart/mixed; boundary="graphql"; subscriptionSpec=1.0"#;
    assert_eq!(events.header("content-type"), Some(content_type));
    server.signed_in("ada").await;
    let head = "\r\nContent-Type: application/json\r\n\r\n";
    let data = format!(r#"{{"payload":{{"data":{{"accountEvents":{{"event":{{"action":"{LOG_IN}"}}}}}}}}}}"#);
    assert_eq!(events.read_until(LOG_IN).await, format!("\r\n--graphql{head}{data}\r\n--graphql"));
    server.app.live_events.close();
    let rest = events.rest().await;
    assert!(rest.starts_with(&format!("{head}{{\"payload\":{{\"errors\":[{{")), "{rest}");
    assert!(rest.ends_with("}],\"data\":null}}\r\n--graphql--\r\n"), "{rest}");
}

#[tokio::test]
async fn proxies_and_caches_keep_no_part_of_a_stream() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    for accept in ["text/event-stream", MULTIPART] {
        let events = ada.stream(accept, request(EVENTS)).await;
        assert_eq!(events.header("cache-control"), Some("no-store"));
        assert_eq!(events.header("x-accel-buffering"), Some("no"));
        assert_eq!(events.header("x-content-type-options"), Some("nosniff"));
    }
}

async fn answer(events: &mut crate::support::Events) -> Answer {
    let text = events.rest().await;
    Answer { status: events.status(), headers: events.response.headers().clone(), text }
}

#[tokio::test]
async fn subscription_without_a_stream_is_refused_with_an_explanation() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for accept in ["*/*", "application/json", "application/graphql-response+json", "multipart/mixed, */*"] {
        let refused = answer(&mut ada.stream(accept, request(EVENTS)).await).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_ACCEPTABLE, "BAD_REQUEST"));
        assert!(refused.error()["message"].as_str().unwrap().contains("Accept: text/event-stream"), "{accept}");
    }
}

#[tokio::test]
async fn subscription_by_get_is_refused() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await.with_header("accept", "text/event-stream, application/json");
    let query: String = url::form_urlencoded::byte_serialize(EVENTS.as_bytes()).collect();
    let refused = ada.get(&format!("/graphql?query={query}")).await;
    assert_eq!((refused.status, refused.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("POST")));
}

#[tokio::test]
async fn query_is_not_answered_by_a_stream() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for query in ["{ me { id } }", "mutation { logout { revokedSessions } }"] {
        let refused = answer(&mut ada.stream("text/event-stream", request(query)).await).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_ACCEPTABLE, "BAD_REQUEST"));
        let executed = answer(&mut ada.stream("text/event-stream, */*", request("{ me { id } }")).await).await;
        executed.data("/me/id");
    }
}

#[tokio::test]
async fn errors_before_the_first_event_are_part_of_the_stream() {
    let server = TestServer::start().await;
    let stranger = server.anonymous();
    for (query, code) in [
        (EVENTS, "UNAUTHENTICATED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { accountEvents { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let mut events = stranger.subscribe(query, json!({})).await;
        assert_eq!((events.status(), &events.end().await["code"]), (StatusCode::OK, &json!(code)), "{query}");
    }
}

#[tokio::test]
async fn errors_before_the_first_event_are_json_if_the_client_accepts_it() {
    let server = TestServer::start().await;
    let refused = answer(&mut server.anonymous().stream(MULTIPART, request(EVENTS)).await).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::OK, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn subscription_has_one_root_field() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for query in [
        "subscription { a: accountEvents { endsSession } b: accountEvents { endsSession } }",
        "subscription { __typename }",
        "subscription { accountEvents @include(if: false) { endsSession } }",
        "subscription { ...F } fragment F on Subscription { accountEvents { endsSession } }",
        "subscription { ... { accountEvents { endsSession } } }",
    ] {
        let mut events = ada.subscribe(query, json!({})).await;
        assert_eq!(events.end().await["code"], "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
}

#[tokio::test]
async fn variables_and_known_documents_apply_to_each_event() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let document = "subscription($skip: Boolean = true, $more: Boolean!) { accountEvents { \
        endsSession @skip(if: $skip) event { action @include(if: $more) } } }";
    for _ in 0..2 {
        let mut events = ada.subscribe(document, json!({ "more": true })).await;
        for _ in 0..2 {
            server.signed_in("ada").await;
            let expected = json!({ "data": { "accountEvents": { "event": { "action": LOG_IN } } } });
            assert_eq!(events.next().await, Message::Next(expected));
        }
    }
}

#[tokio::test]
async fn streams_of_a_user_are_limited() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS_OF_USER {
        open.push(ada.subscribe(EVENTS, json!({})).await);
    }
    let again = server.signed_in("ada").await;
    assert_eq!(again.subscribe(EVENTS, json!({})).await.end().await["code"], "TOO_MANY_STREAMS");
    open.pop();
    let mut events = again.subscribe(EVENTS, json!({})).await;
    server.signed_in("ada").await;
    events.next().await.data("/accountEvents");
    assert_eq!(server.app.live_events.streams(), MAX_STREAMS_OF_USER);
}

#[tokio::test]
async fn all_streams_together_are_limited() {
    let mut server = TestServer::start().await;
    let limits = hallpass::http::Limits { connections: 2, ..hallpass::http::Limits::default() };
    server.router = hallpass::http::router(&server.app, limits);
    let _reading = server.read_events();
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    let _events = ada.subscribe(EVENTS, json!({})).await;
    let refused = grace.stream("text/event-stream", request(EVENTS)).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.app.live_events.streams(), 1);
}

#[tokio::test]
async fn stream_that_is_not_read_ends_when_it_misses_events() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(EVENTS, json!({})).await;
    for _ in 0..100 {
        server.app.live_events.publish(Vec::new());
    }
    let error = events.end().await;
    assert_eq!((&error["code"], &error["retryAfter"]), (&json!("SERVICE_UNAVAILABLE"), &json!(1)));
}

#[tokio::test]
async fn server_that_stops_ends_streams_and_opens_none() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(EVENTS, json!({})).await;
    server.app.live_events.close();
    assert_eq!(events.end().await["code"], "SERVICE_UNAVAILABLE");
    assert_eq!(ada.subscribe(EVENTS, json!({})).await.end().await["code"], "SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn page_of_another_origin_is_refused_with_the_cookie() {
    let server = TestServer::start().await;
    let mut ada = server.user("ada").await.with_header("origin", "https://other.example");
    ada.cookie = Some(format!("{}=x", crate::support::REFRESH_COOKIE));
    let refused = ada.stream("text/event-stream", request(EVENTS)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn subscription_must_be_a_trusted_document() {
    let server = TestServer::with(|settings| {
        let trusted = [("events1".to_owned(), EVENTS.to_owned())];
        settings.graphql.trusted_documents = Some(Manifest(trusted.into()));
    })
    .await;
    let stranger = server.anonymous();
    let other = "subscription { accountEvents { endsSession } }";
    assert_eq!(stranger.subscribe(other, json!({})).await.end().await["code"], "QUERY_NOT_IN_SAFELIST");
    let mut events = stranger.stream("text/event-stream", json!({ "documentId": "events1" })).await;
    assert_eq!(events.end().await["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn log_lines_of_a_stream_have_the_user_at_most_once() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(EVENTS, json!({})).await;
    for _ in 0..2 {
        server.signed_in("ada").await;
        events.next().await.data("/accountEvents");
    }
    server.app.live_events.close();
    events.end().await;
    let lines = logged(events.header("x-request-id").unwrap());
    assert!(lines.iter().any(|line| line.contains("a stream of live events ended")), "{lines:?}");
    assert!(lines.iter().all(|line| line.matches("user_id=").count() <= 1), "{lines:?}");
}

#[tokio::test]
async fn streams_and_subscriptions_are_counted() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let _events = ada.subscribe(EVENTS, json!({})).await;
    server.anonymous().subscribe(EVENTS, json!({})).await.end().await;
    let metrics = monitoring::metrics(&server.app).await.unwrap();
    for expected in [
        "hallpass_live_streams 1\n",
        r#"hallpass_graphql_operations_total{field="accountEvents",code="OK"} 1"#,
        r#"hallpass_graphql_operations_total{field="accountEvents",code="UNAUTHENTICATED"} 1"#,
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
}
