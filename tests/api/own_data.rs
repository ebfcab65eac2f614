//! The export of one's own data.

use chrono::TimeDelta;
use hallpass::{
    config::ExposeSecret,
    entity::{
        audit_event::{Action, Model},
        remembered_device,
    },
};
use serde_json::Value;

use crate::{
    audit::{event, id_of, insert},
    second_factor::enrolled,
    second_factor_rows::{device, token_hash},
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
    assert_eq!(export["sessions"][0]["authentication_methods"], json!(["pwd"]));
    let none = json!({ "totp_confirmed_at": null, "passkeys": [], "recovery_codes_left": 0, "remembered_devices": [] });
    assert_eq!(export["second_factors"], none);
    assert_eq!(export["identities"], json!([]));
    let actions: Vec<&Value> =
        export["audit_events"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["DATA_EXPORTED", "USER_REGISTERED"]);
}

#[tokio::test]
async fn file_contains_second_factors_without_secrets() {
    let server = TestServer::start().await;
    let (principal, codes) = enrolled(&server).await;
    let (now, user_id) = (server.app.clock.now(), principal.user.id);
    let transaction = server.app.write().await.unwrap();
    remembered_device::insert(&transaction, device(user_id, token_hash(), now)).await.unwrap();
    transaction.commit().await.unwrap();
    let form = format!("username=ada&password={}&otp={}", password_of("ada"), codes[0].expose_secret());
    let token = server.anonymous().form("/token", form.replace(' ', "+")).await.json()["access_token"].clone();
    let answer = server.anonymous().with_bearer(token.as_str().unwrap()).get("/account/export").await;
    let export = answer.json();
    let expected = json!({
        "totp_confirmed_at": "2026-01-31T12:00:00.123Z",
        "passkeys": [],
        "recovery_codes_left": 9,
        "remembered_devices": [{
            "user_agent": null,
            "created_at": "2026-01-31T12:00:30.123Z",
            "last_used_at": "2026-01-31T12:00:30.123Z",
            "expires_at": "2026-03-02T12:00:30.123Z",
        }],
    });
    assert_eq!(export["second_factors"], expected);
    let methods = export["sessions"].as_array().unwrap().iter().map(|session| &session["authentication_methods"]);
    assert!(methods.into_iter().any(|methods| *methods == json!(["pwd", "otp", "mfa"])), "{export}");
    assert!(codes.iter().all(|code| !answer.text.contains(code.expose_secret())), "{}", answer.text);
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
