//! The metrics, as a scraper reads them.

use std::collections::HashSet;

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use futures_util::future::join;
use hallpass::{domain::monitoring, http};

use crate::support::{Actor, SmtpServer, TestServer, json, password_of};

struct Metrics(String);

impl Metrics {
    /// The value of a sample, which is written as `name{labels}`; `None` if there is none.
    fn get(&self, sample: &str) -> Option<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
        Some(line.parse().unwrap())
    }

    fn count(&self, sample: &str) -> u64 {
        let value = self.get(sample).unwrap_or_else(|| panic!("no {sample} in\n{}", self.0));
        assert!(value >= 0.0 && value.fract() == 0.0, "{sample} {value}");
        format!("{value}").parse().unwrap()
    }
}

async fn metrics(server: &TestServer) -> Metrics {
    Metrics(monitoring::metrics(&server.app).await.unwrap())
}

/// A client of the listener of the metrics.
fn scraper(server: &TestServer) -> Actor {
    Actor::new(http::metrics_router(&server.app))
}

async fn request(actor: &Actor, method: &str, path: &str) -> u16 {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    actor.send(actor.request(method, path).body(Body::empty()).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    for _ in 0..2 {
        assert_eq!(request(&client, "GET", "/health/live").await, 200);
    }
    assert_eq!(request(&client, "POST", "/health/live").await, 405);
    let metrics = metrics(&server).await;
    let sample = |method, status| {
        format!(r#"hallpass_http_requests_total{{route="/health/live",method="{method}",status="{status}"}}"#)
    };
    assert_eq!(metrics.count(&sample("GET", 200)), 2);
    assert_eq!(metrics.count(&sample("POST", 405)), 1);
    assert_eq!(metrics.count(r#"hallpass_http_request_duration_seconds_count{route="/health/live"}"#), 3);
}

#[tokio::test]
async fn label_of_a_route_is_its_pattern() {
    let server = TestServer::start().await;
    request(&server.anonymous(), "GET", "/auth/a-provider-of-a-client").await;
    request(&server.anonymous(), "GET", "/a-path-of-a-client").await;
    let metrics = metrics(&server).await;
    assert!(metrics.0.contains(r#"route="/auth/{provider}",method="GET""#), "{}", metrics.0);
    assert_eq!(metrics.count(r#"hallpass_http_requests_total{route="none",method="GET",status="404"}"#), 1);
    assert!(!metrics.0.contains("of-a-client"), "{}", metrics.0);
}

#[tokio::test]
async fn unknown_methods_are_counted_together() {
    let server = TestServer::start().await;
    for method in ["BREW", "PROPFIND"] {
        request(&server.anonymous(), method, "/health/live").await;
    }
    let metrics = metrics(&server).await;
    assert_eq!(metrics.count(r#"hallpass_http_requests_total{route="/health/live",method="other",status="405"}"#), 2);
    assert!(!metrics.0.contains("BREW"), "{}", metrics.0);
}

#[tokio::test]
async fn errors_are_counted_by_code() {
    let server = TestServer::start().await;
    server.anonymous().me().await;
    server.anonymous().get("/users/me").await;
    assert_eq!(metrics(&server).await.count(r#"hallpass_http_errors_total{code="UNAUTHENTICATED"}"#), 2);
}

fn operations(metrics: &Metrics, field: &str, code: &str) -> u64 {
    metrics.count(&format!(r#"hallpass_graphql_operations_total{{field="{field}",code="{code}"}}"#))
}

#[tokio::test]
async fn operations_are_counted_by_root_field_and_code() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(operations(&metrics(&server).await, "me", "OK"), 0);
    ada.me().await.data("/me/id");
    // The second time as a document that is known.
    ada.me().await.data("/me/id");
    server.anonymous().me().await.error();
    let metrics = metrics(&server).await;
    assert_eq!(operations(&metrics, "me", "OK"), 2);
    assert_eq!(operations(&metrics, "me", "UNAUTHENTICATED"), 1);
}

#[tokio::test]
async fn names_that_clients_choose_are_no_labels() {
    let server = TestServer::start().await;
    let body = json!({ "query": "query NameOfAClient { aliasOfAClient: serverInfo { passwordMinLength } }" });
    server.anonymous().post(body.to_string()).await;
    server.anonymous().query("{ fieldOfAClient }").await.error();
    let metrics = metrics(&server).await;
    assert!(!metrics.0.contains("OfAClient"), "{}", metrics.0);
    assert_eq!(operations(&metrics, "none", "GRAPHQL_VALIDATION_FAILED"), 1);
}

#[tokio::test]
async fn error_is_counted_for_its_own_root_field() {
    let server = TestServer::start().await;
    server.anonymous().query("{ a: serverInfo { __typename } b: me { id } ...on Query { __typename } }").await.error();
    let metrics = metrics(&server).await;
    assert_eq!(operations(&metrics, "serverInfo", "OK"), 1);
    assert_eq!(operations(&metrics, "me", "UNAUTHENTICATED"), 1);
    assert_eq!(operations(&metrics, "me", "OK"), 0);
}

#[tokio::test]
async fn root_field_is_counted_once_for_an_operation() {
    let server = TestServer::start().await;
    let query = "{ a: serverInfo { __typename } b: serverInfo { __typename } ...F } fragment F on Query { c: serverInfo { __typename } }";
    server.anonymous().query(query).await.data("/c");
    assert_eq!(operations(&metrics(&server).await, "serverInfo", "OK"), 1);
}

#[tokio::test]
async fn refused_operation_is_counted_for_its_root_field() {
    let server = TestServer::start().await;
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
    server.anonymous().graphql(login, json!({ "input": 1 })).await.error();
    server.anonymous().query("{").await.error();
    let metrics = metrics(&server).await;
    assert_eq!(operations(&metrics, "login", "BAD_USER_INPUT"), 1);
    assert_eq!(operations(&metrics, "none", "GRAPHQL_PARSE_FAILED"), 1);
}

fn sign_ins(metrics: &Metrics, method: &str, outcome: &str) -> u64 {
    metrics.count(&format!(r#"hallpass_sign_ins_total{{method="{method}",outcome="{outcome}"}}"#))
}

#[tokio::test]
async fn sign_ins_are_counted_by_method_and_outcome() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    ada.login("ada", &password_of("ada")).await.data("/login/accessToken");
    // By REST too.
    assert_eq!(ada.token("ada", &password_of("ada")).await.status, 200);
    ada.login("ada", "wrong").await.error();
    let metrics = metrics(&server).await;
    assert_eq!(sign_ins(&metrics, "password", "OK"), 2);
    assert_eq!(sign_ins(&metrics, "password", "INVALID_CREDENTIALS"), 1);
}

#[tokio::test]
async fn throttled_attempts_are_counted_by_limit() {
    let server = TestServer::with(|settings| settings.throttle.limits.failed_logins_by_name_and_network = 2).await;
    let client = server.anonymous();
    for _ in 0..2 {
        assert_eq!(client.login("ada", "wrong").await.code(), "INVALID_CREDENTIALS");
    }
    for _ in 0..3 {
        assert_eq!(client.login("ada", "wrong").await.code(), "RATE_LIMITED");
    }
    let metrics = metrics(&server).await;
    assert_eq!(metrics.count(r#"hallpass_throttled_total{limit="failed_logins_by_name_and_network"}"#), 3);
    assert_eq!(sign_ins(&metrics, "password", "RATE_LIMITED"), 3);
}

#[tokio::test]
async fn password_hashes_are_measured() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let metrics = metrics(&server).await;
    let count = metrics.count("hallpass_password_hash_duration_seconds_count");
    assert!(count > 0 && count == server.app.hasher.finished(), "{count}");
    assert_eq!(metrics.count("hallpass_password_hash_queue_length"), 0);
    assert_eq!(metrics.count("hallpass_password_hashes_refused_total"), 0);
}

#[tokio::test]
async fn mails_that_wait_are_counted_with_the_age_of_the_oldest() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    server.clock.advance(TimeDelta::seconds(90));
    server.user_at("grace", "grace@example.org").await;
    let before = metrics(&server).await;
    assert_eq!(before.count("hallpass_mails_waiting"), 2);
    assert_eq!(before.count("hallpass_mails_oldest_age_seconds"), 90);
    server.mails_to("ada@example.org").await;
    let after = metrics(&server).await;
    assert_eq!(after.count("hallpass_mails_waiting"), 0);
    assert_eq!(after.count("hallpass_mails_oldest_age_seconds"), 0);
    assert_eq!(after.count("hallpass_mails_sent_total"), 2);
}

#[tokio::test]
async fn mails_that_are_given_up_are_counted() {
    let smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| settings.mail.smtp = vec![smtp.settings()]).await;
    smtp.answer("RCPT", "550 5.1.1 no such mailbox");
    server.user_at("ada", "ada@example.org").await;
    hallpass::jobs::deliver_mail::tick(&server.app).await.unwrap();
    let metrics = metrics(&server).await;
    assert_eq!(metrics.count("hallpass_mail_failures_total"), 1);
    assert_eq!(metrics.count("hallpass_mails_given_up_total"), 1);
    assert_eq!(metrics.count("hallpass_mails_sent_total"), 0);
}

#[tokio::test]
async fn connections_are_counted_by_pool() {
    let server = TestServer::start().await;
    let transaction = server.app.write().await.unwrap();
    let during = metrics(&server).await;
    assert_eq!(during.count(r#"hallpass_database_connections_in_use{pool="write"}"#), 1);
    assert!(during.count(r#"hallpass_database_connections_max{pool="read"}"#) >= 2);
    transaction.rollback().await.unwrap();
    let after = metrics(&server).await;
    assert_eq!(after.count(r#"hallpass_database_connections_in_use{pool="write"}"#), 0);
    assert!(after.count(r#"hallpass_database_connections_idle{pool="write"}"#) >= 1);
}

#[tokio::test]
async fn only_requests_that_wait_for_a_connection_are_measured() {
    let server = TestServer::start().await;
    let waits = r#"hallpass_database_connection_wait_seconds_count{pool="write"}"#;
    let mut held = Vec::new();
    for _ in 0..metrics(&server).await.count(r#"hallpass_database_connections_max{pool="write"}"#) {
        held.push(server.app.write().await.unwrap());
    }
    assert_eq!(metrics(&server).await.count(waits), 0);
    let release = async {
        for transaction in held {
            transaction.rollback().await.unwrap();
        }
    };
    let (waited, ()) = join(server.app.write(), release).await;
    waited.unwrap().rollback().await.unwrap();
    assert_eq!(metrics(&server).await.count(waits), 1);
}

#[tokio::test]
async fn metrics_are_served_during_an_outage_of_the_database() {
    let server = TestServer::start().await;
    assert_eq!(metrics(&server).await.count("hallpass_database_up"), 1);
    server.app.database.close().await;
    let answer = scraper(&server).get("/metrics").await;
    assert_eq!(answer.status, 200);
    let metrics = Metrics(answer.text);
    assert_eq!(metrics.count("hallpass_database_up"), 0);
    assert_eq!(metrics.get("hallpass_mails_waiting"), None);
}

#[tokio::test]
async fn memory_of_the_process_is_measured() {
    let metrics = metrics(&TestServer::start().await).await;
    let resident = metrics.count("hallpass_process_resident_memory_bytes");
    assert!(resident > 1_000_000 && resident < metrics.count("hallpass_process_virtual_memory_bytes"), "{resident}");
    assert!(metrics.count("hallpass_process_open_files") > 3);
}

#[tokio::test]
async fn metrics_are_in_the_openmetrics_format() {
    let answer = scraper(&TestServer::start().await).get("/metrics").await;
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(expected)));
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    let types: Vec<&str> = answer.text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    let distinct: HashSet<&str> = types.iter().copied().collect();
    assert!(types.len() > 10 && distinct.len() == types.len(), "{types:?}");
}

#[tokio::test]
async fn listener_of_the_metrics_serves_nothing_else() {
    let server = TestServer::start().await;
    let scraper = scraper(&server);
    for (method, path, status) in
        [("GET", "/metrics", 200), ("POST", "/metrics", 405), ("GET", "/", 404), ("POST", "/graphql", 404)]
    {
        assert_eq!(request(&scraper, method, path).await, status, "{method} {path}");
    }
}

#[tokio::test]
async fn listener_of_the_api_does_not_serve_the_metrics() {
    let server = TestServer::start().await;
    assert_eq!(request(&server.anonymous(), "GET", "/metrics").await, 404);
}

/// The names of metrics in a text.
fn names_in(text: &str) -> HashSet<&str> {
    let is_name = |word: &&str| word.starts_with("hallpass_");
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(is_name).collect()
}

/// The names of the samples, from the declared types.
async fn names() -> HashSet<String> {
    let server = TestServer::start().await;
    server.anonymous().me().await.error();
    server.app.metrics.count_throttled("invitations", 1);
    server.app.metrics.count_job("purge", true, server.app.clock.now());
    let metrics = metrics(&server).await;
    let types = metrics.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let samples = types.flat_map(|(name, kind)| {
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum", ""],
            "info" => &["_info"],
            _ => &[""],
        };
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    });
    samples.collect()
}

#[tokio::test]
async fn dashboard_and_alerts_use_metrics_that_exist() {
    let names = names().await;
    let dashboard = include_str!("../../docs/operations/grafana-dashboard.json");
    let _: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let used = [dashboard, include_str!("../../docs/operations/alerts.yml")].map(names_in);
    for used in used {
        let unknown: Vec<_> = used.iter().filter(|name| !names.contains(**name)).collect();
        assert!(used.len() > 10 && unknown.is_empty(), "{unknown:?}");
    }
}

#[tokio::test]
async fn manual_describes_every_metric_and_no_other() {
    let manual = include_str!("../../docs/operations/monitoring.md");
    let described = names_in(
        &manual
            .replace("`_idle`", "`hallpass_database_connections_idle`")
            .replace("`_max`", "`hallpass_database_connections_max`"),
    )
    .into_iter()
    .map(ToOwned::to_owned)
    .collect::<HashSet<String>>();
    let is_part = |name: &&String| ["_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix));
    let exposed = names().await.into_iter().filter(|name| !is_part(&name)).collect::<HashSet<String>>();
    let difference: Vec<_> = described.symmetric_difference(&exposed).collect();
    assert!(difference.is_empty(), "{difference:?}");
}

#[test]
fn manual_says_what_to_do_about_every_alert() {
    let manual = include_str!("../../docs/operations/monitoring.md");
    let rules = include_str!("../../docs/operations/alerts.yml");
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    for alert in &alerts {
        assert!(manual.contains(&format!("\n| `{alert}` | ")), "{alert}");
    }
    assert_eq!(manual.matches("\n| `Hallpass").count(), alerts.len());
}
