//! A server that is starting while its database is migrated, by itself or by another instance.

use std::time::{Duration, Instant};

use hallpass::http::{self, Gate, Limits};

use crate::support::{Actor, TestServer, json, logged};

const INFO: &str = "{ serverInfo { registrationEnabled } }";

fn starting(server: &TestServer, start_timeout: Duration) -> (Actor, Gate) {
    let gate = Gate::closed();
    let limits = Limits { start_timeout, ..Limits::default() };
    (Actor::new(http::gated_router(&server.app, limits, gate.clone())), gate)
}

#[tokio::test]
async fn starting_server_is_alive_and_not_ready() {
    let server = TestServer::start().await;
    let (actor, gate) = starting(&server, Duration::from_mins(1));
    assert_eq!(actor.get("/health/live").await.status, 200);
    let answer = actor.get("/health/ready").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, r#"{"status":"not ready"}"#));
    gate.open();
    assert_eq!(actor.get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn requests_wait_until_the_server_is_ready() {
    let server = TestServer::start().await;
    let (actor, gate) = starting(&server, Duration::from_mins(1));
    let open = async {
        // After the request has started to wait.
        tokio::task::yield_now().await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(actor.query(INFO), open);
    assert_eq!(answer.data("/serverInfo/registrationEnabled"), true);
}

#[tokio::test]
async fn waiting_requests_time_out_in_the_format_of_their_path() {
    let server = TestServer::start().await;
    let (actor, _gate) = starting(&server, Duration::from_millis(20));
    let answer = actor.query(INFO).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!((&answer.error()["extensions"]["retryAfter"], answer.header("retry-after")), (&json!(5), Some("5")));
    let answer = actor.get("/users/me").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status_code"]), (503, &json!(503)));
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn requests_rejected_while_starting_are_not_logged_as_errors() {
    let server = TestServer::start().await;
    let (actor, _gate) = starting(&server, Duration::from_millis(20));
    for answer in [actor.query(INFO).await, actor.get("/users/me").await] {
        let lines = logged(answer.header("x-request-id").unwrap());
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains(" INFO ") && lines[0].contains("status=503"), "{lines:#?}");
    }
}

#[tokio::test]
async fn shutdown_rejects_waiting_requests_immediately() {
    let server = TestServer::start().await;
    let (actor, gate) = starting(&server, Duration::from_mins(1));
    let stop = async {
        tokio::task::yield_now().await;
        gate.stop();
    };
    let start = Instant::now();
    let (answer, ()) = tokio::join!(actor.query(INFO), stop);
    assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
    assert!(start.elapsed() < Duration::from_secs(10));
}
