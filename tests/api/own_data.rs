//! The export of one's own data.

use chrono::TimeDelta;
use hallpass::entity::audit_event::{Action, Model};
use serde_json::Value;

use crate::{
    audit::{event, id_of, insert},
    support::{TestServer, json, password_of, start_of_time},
};

const ACCOUNT_DATA: &str = "{ accountData { user { username } sessions { isCurrent } \
    auditEvents { action } exportedAt } }";

#[tokio::test]
async fn account_data_contains_user_sessions_and_events() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.user("bo").await;
    server.clock.advance(TimeDelta::seconds(1));
    let expected = json!({
        "user": { "username": "ada" },
        "sessions": [{ "isCurrent": true }],
        "auditEvents": [{ "action": "DATA_EXPORTED" }, { "action": "USER_REGISTERED" }],
        "exportedAt": "2026-01-31T12:00:01.123Z",
    });
    assert_eq!(ada.query(ACCOUNT_DATA).await.data("/accountData"), expected);
}

#[tokio::test]
async fn account_data_requires_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::seconds(10 * 60 - 1));
    ada.query(ACCOUNT_DATA).await.data("/accountData");
    server.clock.advance(TimeDelta::seconds(1));
    let answer = ada.query(ACCOUNT_DATA).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, "REAUTHENTICATION_REQUIRED".to_owned()));
    assert_eq!(server.events(Action::DataExported).await, 1);
    assert_eq!(server.anonymous().query(ACCOUNT_DATA).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn one_request_makes_four_exports_at_most() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let exports: String = (0..5).map(|n| format!("e{n}: accountData {{ exportedAt }} ")).collect();
    assert_eq!(ada.query(&format!("{{ {exports} }}")).await.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(server.events(Action::DataExported).await, 4);
}

#[tokio::test]
async fn file_requires_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(server.anonymous().get("/account/export").await.status, 401);
    server.clock.advance(TimeDelta::minutes(10));
    let answer = ada.get("/account/export").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status_code"]), (401, &json!(401)));
    assert_eq!(server.events(Action::DataExported).await, 0);
    let again = "mutation($p: String!) { reauthenticate(input: { password: $p }) { tokenType } }";
    ada.graphql(again, json!({ "p": password_of("ada") })).await.data("/reauthenticate");
    assert_eq!(ada.get("/account/export").await.status, 200);
}

#[tokio::test]
async fn file_is_a_download_that_no_cache_keeps() {
    let server = TestServer::start().await;
    let answer = server.user("ada").await.get("/account/export").await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"hallpass-account-2026-01-31.json\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn file_contains_user_sessions_and_events() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    server.user("bo").await;
    server.clock.advance(TimeDelta::seconds(1));
    let export = ada.get("/account/export").await.json();
    assert_eq!(export["exported_at"], "2026-01-31T12:00:01.123Z");
    let user = &export["user"];
    assert_eq!([&user["id"], &user["email"]], [&json!(id_of(&ada).await), &json!("ada@example.org")]);
    assert_eq!(user["email_verified"], false);
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(export["sessions"][0]["authenticated_at"], "2026-01-31T12:00:00.123Z");
    let actions: Vec<&Value> =
        export["audit_events"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["DATA_EXPORTED", "USER_REGISTERED"]);
}

#[tokio::test]
async fn exports_contain_no_secret() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let stored = server.principal(&ada).await.user.password_hash;
    let sea_orm::Value::String(Some(hash)) = stored.into() else { panic!("not text") };
    let access = ada.bearer.clone().unwrap();
    let file = ada.get("/account/export").await.text;
    let data = ada.query(ACCOUNT_DATA).await.text;
    for text in [file, data] {
        for secret in [&hash, &token, &access, &password_of("ada")] {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}

/// More events than are read at the same time.
#[tokio::test]
async fn file_contains_all_events_of_an_account() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let user_id = id_of(&ada).await.parse().ok();
    let start = start_of_time() - TimeDelta::days(1);
    let events = (0..1100).map(|n| Model { user_id, ..event(start + TimeDelta::seconds(n), Action::LoggedIn) });
    insert(&server, events.collect()).await;
    let export = ada.get("/account/export").await.json();
    let ids: Vec<&str> =
        export["audit_events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1102);
    assert!(ids.is_sorted_by(|one, next| one > next));
}
