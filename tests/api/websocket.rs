//! Live events over WebSocket, by the graphql-transport-ws protocol.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use chrono::TimeDelta;
use hallpass::{http::Limits, live_events::MAX_SOCKETS_OF_USER};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Actor, Listening, Socket, TestServer, json};

const EVENTS: &str = "subscription { accountEvents { endsSession event { action } } }";
const AUDIT: &str = "subscription { auditEvents { action } }";
const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

async fn listening() -> (TestServer, Listening) {
    let server = TestServer::start().await;
    let listening = server.listen(Limits::default()).await;
    (server, listening)
}

/// Subscribes to the account.
async fn subscribe(server: &TestServer, socket: &mut Socket, id: &str) {
    open(server, socket, id, EVENTS).await;
}

/// Subscribes, and waits until the stream is open, for which the protocol has no message.
async fn open(server: &TestServer, socket: &mut Socket, id: &str, query: &str) {
    let streams = server.app.live_events.streams();
    socket.subscribe(id, query).await;
    let opened = async {
        while server.app.live_events.streams() == streams {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), opened).await.expect("the operation was not opened");
}

/// Completes an operation, and waits until it has ended.
async fn complete(socket: &mut Socket, id: &str) {
    socket.send(json!({ "type": "complete", "id": id })).await;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
}

fn code_of(message: &Value, id: &str) -> String {
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message:#}");
    message["payload"][0]["extensions"]["code"].as_str().unwrap().to_owned()
}

fn action_of(message: &Value, id: &str) -> String {
    assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message:#}");
    message["payload"]["data"]["accountEvents"]["event"]["action"].as_str().unwrap().to_owned()
}

async fn revoke_others(actor: &Actor) {
    actor.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
}

/// The connection of a new user, who has an open operation `a`.
async fn following(server: &TestServer, listening: &Listening, username: &str) -> (Actor, Socket) {
    let user = server.user(username).await;
    let mut socket = listening.signed_in(&user).await;
    subscribe(server, &mut socket, "a").await;
    (user, socket)
}

#[tokio::test]
async fn events_are_sent_to_each_operation() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    subscribe(&server, &mut socket, "b").await;
    server.signed_in("ada").await;
    let mut messages = [socket.next().await, socket.next().await];
    messages.sort_by_key(|message| message["id"].to_string());
    for (message, id) in messages.iter().zip(["a", "b"]) {
        let data = json!({ "accountEvents": { "endsSession": false, "event": { "action": "LOGGED_IN" } } });
        assert_eq!(*message, json!({ "type": "next", "id": id, "payload": { "data": data } }));
    }
}

#[tokio::test]
async fn completed_operation_receives_nothing() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    complete(&mut socket, "a").await;
    assert_eq!(server.app.live_events.streams(), 0);
    subscribe(&server, &mut socket, "b").await;
    server.signed_in("ada").await;
    assert_eq!(action_of(&socket.next().await, "b"), "LOGGED_IN");
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn id_of_a_completed_operation_can_be_used_again() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    socket.send(json!({ "type": "complete", "id": "a" })).await;
    socket.subscribe("a", EVENTS).await;
    socket.subscribe("b", "{ me { id } }").await;
    assert_eq!(code_of(&socket.next().await, "b"), "BAD_REQUEST");
}

#[tokio::test]
async fn request_must_be_a_websocket_handshake() {
    let server = TestServer::start().await;
    let refused = server.anonymous().get("/graphql/ws").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UPGRADE_REQUIRED, "BAD_REQUEST"));
    assert_eq!(refused.header("upgrade"), Some("websocket"));
    assert_eq!(refused.header("sec-websocket-version"), Some("13"));
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = TestServer::start().await;
    let body = Body::from(r#"{"query":"{ me { id } }"}"#);
    let refused = server.anonymous().send(Request::post("/graphql/ws").body(body).unwrap()).await;
    assert_eq!((refused.status, refused.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET")));
}

#[tokio::test]
async fn only_the_current_protocol_is_accepted() {
    let (_server, listening) = listening().await;
    for headers in [&[][..], &[("sec-websocket-protocol", "graphql-ws")]] {
        let (head, _) = listening.ask(headers).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    }
    let (head, _) = listening.ask(&[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")]).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.to_lowercase().contains("\r\nsec-websocket-protocol: graphql-transport-ws\r\n"), "{head}");
}

#[tokio::test]
async fn pages_of_other_origins_cannot_connect() {
    let server = TestServer::with(|settings| {
        settings.server.allowed_origins = vec!["https://app.example.org".to_owned()];
    })
    .await;
    let listening = server.listen(Limits::default()).await;
    for (origin, status) in [("https://app.example.org", "101"), ("https://evil.example.org", "403"), ("null", "403")] {
        let (head, _) = listening.ask(&[PROTOCOL, ("origin", origin)]).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {head}");
    }
}

#[tokio::test]
async fn access_token_is_checked_when_the_connection_is_initialized() {
    let (server, listening) = listening().await;
    let ada = server.user("ada").await;
    let revoked = server.signed_in("ada").await;
    revoke_others(&ada).await;
    let forged = ada.with_bearer(&format!("{}x", ada.bearer.as_deref().unwrap()));
    for (actor, reason) in [(&revoked, "SESSION_REVOKED"), (&forged, "TOKEN_INVALID")] {
        let mut socket = listening.connect(&[]).await;
        socket.init(actor).await;
        assert_eq!(socket.closed().await, (4401, reason.to_owned()));
    }
    server.clock.advance(TimeDelta::days(1));
    let mut socket = listening.connect(&[]).await;
    socket.init(&ada).await;
    assert_eq!(socket.closed().await, (4403, "TOKEN_EXPIRED".to_owned()));
}

#[tokio::test]
async fn connection_without_an_access_token_is_closed() {
    let (_server, listening) = listening().await;
    for payload in [json!(null), json!({}), json!({ "authorization": "Basic x" }), json!({ "authorization": 1 })] {
        let mut socket = listening.connect(&[]).await;
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.closed().await, (4401, "TOKEN_MISSING".to_owned()));
    }
}

#[tokio::test]
async fn access_token_may_be_in_the_header() {
    let (server, listening) = listening().await;
    let authorization = format!("Bearer {}", server.user("ada").await.bearer.unwrap());
    let mut socket = listening.connect(&[("authorization", &authorization)]).await;
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
}

#[tokio::test]
async fn operation_before_the_initialization_closes_the_connection() {
    let (_server, listening) = listening().await;
    let mut socket = listening.connect(&[]).await;
    socket.subscribe("a", EVENTS).await;
    assert_eq!(socket.closed().await.0, 4401);
}

#[tokio::test]
async fn initialization_has_a_time_limit() {
    let server = TestServer::start().await;
    let limits = Limits { init_timeout: Duration::from_millis(50), ..Limits::default() };
    let listening = server.listen(limits).await;
    let mut socket = listening.connect(&[]).await;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
    assert_eq!(socket.closed().await.0, 4408);
}

#[tokio::test]
async fn second_initialization_closes_the_connection() {
    let (server, listening) = listening().await;
    let ada = server.user("ada").await;
    let mut socket = listening.signed_in(&ada).await;
    socket.init(&ada).await;
    assert_eq!(socket.closed().await.0, 4429);
}

#[tokio::test]
async fn id_of_a_running_operation_closes_the_connection() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    socket.subscribe("a", EVENTS).await;
    assert_eq!(socket.closed().await.0, 4409);
}

#[tokio::test]
async fn messages_outside_the_protocol_close_the_connection() {
    let (server, listening) = listening().await;
    let ada = server.user("ada").await;
    let long_id = "x".repeat(129);
    for message in [
        "",
        "[]",
        "{",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"start","id":"a","payload":{"query":"{ a }"}}"#,
        r#"{"type":"next","id":"a","payload":{}}"#,
        r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
        r#"{"type":"subscribe","id":"a"}"#,
        r#"{"type":"subscribe","id":"a","payload":[]}"#,
        r#"{"type":"complete"}"#,
        &format!(r#"{{"type":"complete","id":"{long_id}"}}"#),
    ] {
        let mut socket = listening.signed_in(&ada).await;
        socket.send_frame(Message::text(message)).await;
        assert_eq!(socket.closed().await.0, 4400, "{message}");
    }
    let mut socket = listening.signed_in(&ada).await;
    socket.send_frame(Message::binary(r#"{"type":"ping"}"#)).await;
    assert_eq!(socket.closed().await.0, 4400);
}

#[tokio::test]
async fn messages_have_a_maximum_size() {
    let (server, listening) = listening().await;
    let ada = server.user("ada").await;
    let padded = |size: usize| {
        let start = r#"{"type":"ping","payload":{"a":""#;
        let end = r#""}}"#;
        Message::text(format!("{start}{}{end}", "x".repeat(size - start.len() - end.len())))
    };
    let mut socket = listening.signed_in(&ada).await;
    socket.send_frame(padded(16 * 1024)).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
    socket.send_frame(padded(16 * 1024 + 1)).await;
    assert_eq!(socket.closed().await.0, 1009);
}

#[tokio::test]
async fn frames_that_violate_the_protocol_close_the_connection() {
    let (_server, listening) = listening().await;
    let (_, mut stream) = listening.ask(&[PROTOCOL]).await;
    // A text frame without a mask.
    stream.write_all(b"\x81\x02{}").await.unwrap();
    let mut socket = Socket::over(stream).await;
    assert_eq!(socket.closed().await.0, 1002);
}

#[tokio::test]
async fn queries_and_mutations_are_refused() {
    let (server, listening) = listening().await;
    let ada = server.user("ada").await;
    let mut socket = listening.signed_in(&ada).await;
    for query in ["{ me { id } }", "mutation { logout { revokedSessions } }"] {
        socket.subscribe("a", query).await;
        assert_eq!(code_of(&socket.next().await, "a"), "BAD_REQUEST", "{query}");
    }
    ada.me().await.data("/me/id");
}

#[tokio::test]
async fn invalid_operation_does_not_end_the_others() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    for (query, code) in [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (AUDIT, "FORBIDDEN"),
    ] {
        socket.subscribe("b", query).await;
        assert_eq!(code_of(&socket.next().await, "b"), code);
    }
    socket.send(json!({ "type": "subscribe", "id": "b", "payload": { "query": EVENTS, "variables": [] } })).await;
    assert_eq!(code_of(&socket.next().await, "b"), "BAD_REQUEST");
    server.signed_in("ada").await;
    assert_eq!(action_of(&socket.next().await, "a"), "LOGGED_IN");
}

#[tokio::test]
async fn operations_of_a_connection_are_limited() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    for id in 1..10 {
        subscribe(&server, &mut socket, &id.to_string()).await;
    }
    socket.subscribe("10", EVENTS).await;
    assert_eq!(code_of(&socket.next().await, "10"), "TOO_MANY_STREAMS");
    complete(&mut socket, "a").await;
    subscribe(&server, &mut socket, "11").await;
}

#[tokio::test]
async fn operations_count_as_streams_of_the_user() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut sockets = [listening.signed_in(&ada).await, listening.signed_in(&ada).await];
    for socket in &mut sockets {
        for id in 0..10 {
            subscribe(&server, socket, &id.to_string()).await;
        }
    }
    assert_eq!(ada.subscribe(EVENTS, json!({})).await.end().await["code"], "TOO_MANY_STREAMS");
}

#[tokio::test]
async fn connections_of_a_user_are_limited() {
    let (server, listening) = listening().await;
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    let mut sockets = Vec::new();
    for _ in 0..MAX_SOCKETS_OF_USER {
        sockets.push(listening.signed_in(&ada).await);
    }
    let mut refused = listening.connect(&[]).await;
    refused.init(&ada).await;
    assert_eq!(refused.closed().await.0, 1013);
    listening.signed_in(&grace).await;
    // A connection that is closed frees its place.
    let mut closed = sockets.pop().unwrap();
    closed.send_frame(Message::Close(None)).await;
    while closed.frame().await.is_some() {}
    listening.signed_in(&ada).await;
}

#[tokio::test]
async fn connection_holds_its_slot() {
    let server = TestServer::start().await;
    let listening = server.listen(Limits { connections: 1, ..Limits::default() }).await;
    let socket = listening.connect(&[]).await;
    let waiting = tokio::spawn(async move { listening.connect(&[]).await });
    let mut socket = socket;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
    assert!(!waiting.is_finished());
    drop(socket);
    waiting.await.unwrap();
}

#[tokio::test]
async fn half_of_the_connections_may_be_for_live_events() {
    let server = TestServer::start().await;
    let listening = server.listen(Limits { connections: 2, ..Limits::default() }).await;
    let _socket = listening.connect(&[]).await;
    let (head, _) = listening.ask(&[PROTOCOL]).await;
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nretry-after: 30\r\n"), "{head}");
}

#[tokio::test]
async fn client_that_answers_no_ping_is_disconnected() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let listening = server.listen(Limits { ping_interval: Duration::from_millis(100), ..Limits::default() }).await;
    let mut socket = listening.signed_in(&ada).await;
    // The client answers pings while it reads.
    for _ in 0..3 {
        assert!(matches!(socket.frame().await, Some(Message::Ping(_))));
    }
    let mut stream = socket.into_stream();
    let mut bytes = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes);
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("the connection is still open").unwrap();
}

#[tokio::test]
async fn end_of_the_session_is_the_last_event() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut socket = listening.signed_in(&server.signed_in("ada").await).await;
    subscribe(&server, &mut socket, "a").await;
    revoke_others(&ada).await;
    let last = socket.next().await;
    assert_eq!(action_of(&last, "a"), "SESSION_REVOKED");
    assert_eq!(last["payload"]["data"]["accountEvents"]["endsSession"], true);
    assert_eq!(socket.closed().await, (4401, "SESSION_REVOKED".to_owned()));
}

#[tokio::test]
async fn connection_ends_when_the_token_expires() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (_ada, mut socket) = following(&server, &listening, "ada").await;
    server.clock.advance(TimeDelta::days(1));
    server.signed_in("ada").await;
    assert_eq!(socket.closed().await, (4403, "TOKEN_EXPIRED".to_owned()));
}

#[tokio::test]
async fn operation_ends_when_the_role_is_taken_away() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let _last_administrator = server.administrator("grace").await;
    let mut socket = listening.signed_in(&server.administrator("ada").await).await;
    open(&server, &mut socket, "audit", AUDIT).await;
    subscribe(&server, &mut socket, "a").await;
    server.set_roles("ada", &[]).await;
    let mut messages = [socket.next().await, socket.next().await];
    messages.sort_by_key(|message| message["id"].to_string());
    assert_eq!(action_of(&messages[0], "a"), "ROLES_CHANGED");
    assert_eq!(code_of(&messages[1], "audit"), "FORBIDDEN");
}

#[tokio::test]
async fn server_that_stops_closes_all_connections() {
    let (server, listening) = listening().await;
    let _reading = server.read_events();
    let (ada, following) = following(&server, &listening, "ada").await;
    let idle = listening.signed_in(&ada).await;
    let new = listening.connect(&[]).await;
    server.app.live_events.close();
    for mut socket in [following, idle, new] {
        assert_eq!(socket.closed().await.0, 1012);
    }
    listening.stop().await;
}
