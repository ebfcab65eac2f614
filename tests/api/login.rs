use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream::FuturesUnordered};
use hallpass::entity::{audit_event, session, user};
use sea_orm::EntityTrait;

use tokio::time::timeout;

use crate::support::{TestServer, json, password_of};

#[tokio::test]
async fn login_accepts_username_or_email_in_any_case() {
    let server = TestServer::start().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    let id = server.anonymous().register(input).await.data("/register/user/id");
    server.clock.advance(TimeDelta::hours(1));
    for name in ["ada", "ADA", "ada@example.org", "Ada@EXAMPLE.org"] {
        let answer = server.anonymous().login(name, &password_of("ada")).await;
        assert_eq!(answer.data("/login/user/id"), id, "{name}");
        assert_eq!(answer.data("/login/user/lastLoginAt"), "2026-01-31T13:00:00.123Z");
        let me = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap()).me().await;
        assert_eq!(me.data("/me/lastLoginAt"), "2026-01-31T13:00:00.123Z");
    }
}

#[tokio::test]
async fn wrong_password_and_unknown_username_get_the_same_response() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let wrong = server.anonymous().login("ada", "not her password").await;
    assert_eq!(wrong.code(), "INVALID_CREDENTIALS");
    let strip = |text: &str| {
        text.split("\"requestId\"").map(|part| part.get(40..).unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    for (name, password) in [
        ("nobody", "not her password"),
        ("nobody@example.org", "not her password"),
        ("no such name", "x"),
        ("", ""),
        ("ada\u{0}", &password_of("ada")),
        ("ada", &"x".repeat(2000)),
        ("nobody", &"x".repeat(2000)),
    ] {
        let unknown = server.anonymous().login(name, password).await;
        assert_eq!(unknown.status, wrong.status);
        assert_eq!(strip(&unknown.text), strip(&wrong.text), "{name}");
    }
}

#[tokio::test]
async fn unknown_username_costs_a_password_hash() {
    // One hasher at 2 s per hash: a few logins fill the queue for the duration of this test.
    let server = TestServer::with(|settings| {
        settings.passwords.bcrypt_cost = 15;
        settings.passwords.hash_concurrency = 1;
        settings.passwords.hash_lanes = 1;
    })
    .await;
    let logins = (0..10).map(|_| {
        let actor = server.anonymous();
        tokio::spawn(async move { actor.login("nobody", "not her password").await })
    });
    let mut logins: FuturesUnordered<_> = logins.collect();
    let failed = logins.next().await.unwrap().unwrap();
    assert_eq!(failed.code(), "SERVICE_UNAVAILABLE");
    let retry_after = failed.error()["extensions"]["retryAfter"].as_u64().unwrap();
    assert!((5..60).contains(&retry_after), "{retry_after}");
    assert_eq!(failed.header("retry-after"), Some(&*retry_after.to_string()));

    // Requests that need a hash fail or wait; a response now means that no hash was needed.
    let short = Duration::from_millis(50);
    for name in ["nobody", "nobody@example.org", "no name at all"] {
        if let Ok(answer) = timeout(short, server.anonymous().login(name, "not her password")).await {
            assert_eq!(answer.code(), "SERVICE_UNAVAILABLE", "{name}");
        }
    }
    let register = json!({ "username": "ada", "password": "correct horse" });
    if let Ok(answer) = timeout(short, server.anonymous().register(register)).await {
        assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
    }
    assert_eq!(server.anonymous().login("nobody", &"x".repeat(129)).await.code(), "INVALID_CREDENTIALS");
    // An invalid form needs no hash either.
    let common = json!({ "username": "ada", "password": "password123" });
    assert_eq!(server.anonymous().register(common).await.code(), "PASSWORD_TOO_COMMON");
    // All other requests are served as usual.
    server.anonymous().query("{ __typename }").await.data("/__typename");
}

/// `benches/attack.rs` measures time; this compares the executed statements.
#[tokio::test]
async fn unknown_username_runs_the_same_statements() {
    let (server, statements) = TestServer::observed().await;
    server.user("ada").await;
    let mut kinds = Vec::new();
    for name in ["ada", "nobody"] {
        statements.lock().unwrap().clear();
        let mallory = server.anonymous().at("203.0.113.7");
        assert_eq!(mallory.login(name, "not her password").await.code(), "INVALID_CREDENTIALS");
        kinds.push(statements.lock().unwrap().iter().map(|statement| statement.sql.clone()).collect::<Vec<_>>());
    }
    assert_eq!(kinds[0], kinds[1]);
    assert!(kinds[0].len() >= 6, "{kinds:#?}");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    let failed = events.iter().filter(|event| event.action == audit_event::Action::LoginFailed);
    let has_user: Vec<bool> = failed.map(|event| event.user_id.is_some()).collect();
    assert_eq!(has_user.len(), 2);
    assert_ne!(has_user[0], has_user[1], "only one of the names has an account");
}

#[tokio::test]
async fn passwords_are_compared_in_full() {
    let server = TestServer::start().await;
    let emoji = "😀".repeat(64);
    let long = "x".repeat(100);
    for (name, password) in
        [("nul", "password\u{0}password"), ("emoji", &emoji), ("long", &long), ("spaces", "  spaces  ")]
    {
        server.anonymous().register(json!({ "username": name, "password": password })).await.data("/register/user");
        server.anonymous().login(name, password).await.data("/login/user");
    }
    for (name, password) in [
        ("nul", "password"),
        ("nul", "password\u{0}"),
        ("nul", "passwordpassword"),
        ("emoji", &"😀".repeat(63)),
        ("emoji", &"😀".repeat(65)),
        ("long", &"x".repeat(72)),
        ("long", &"x".repeat(99)),
        ("long", &"x".repeat(101)),
        ("spaces", "spaces"),
        ("spaces", "  SPACES  "),
    ] {
        assert_eq!(server.anonymous().login(name, password).await.code(), "INVALID_CREDENTIALS", "{name} {password}");
    }
}

#[tokio::test]
async fn disabled_account_is_reported_only_after_the_correct_password() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.disable("ada").await;
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "ACCOUNT_DISABLED");
    assert_eq!(server.anonymous().login("ada", "not her password").await.code(), "INVALID_CREDENTIALS");
    let me = ada.me().await;
    assert_eq!(me.error()["extensions"]["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn login_stores_session_last_login_and_audit_event() {
    let server = TestServer::start().await;
    server.user("ada").await;
    server.clock.advance(TimeDelta::minutes(1));
    let ada = server.anonymous();
    let body = json!({ "query": crate::support::LOGIN, "variables": { "input": { "username": "ada", "password": password_of("ada") } } });
    let request = ada
        .request(axum::http::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("user-agent", "x".repeat(2000))
        .extension(hallpass::http::Peer("[::ffff:192.0.2.7]:4711".parse().unwrap()))
        .body(body.to_string().into())
        .unwrap();
    ada.send(request).await.data("/login/user");

    let now = crate::support::start_of_time() + TimeDelta::minutes(1);
    let db = server.app.database.read();
    let user = user::Entity::find().one(db).await.unwrap().unwrap();
    assert_eq!(user.last_login_at, Some(now));
    assert_eq!(user.updated_at, crate::support::start_of_time());
    let sessions = session::Entity::find().all(db).await.unwrap();
    let session = sessions.iter().find(|session| session.created_at == now).unwrap();
    assert_eq!(session.ip_address.as_deref(), Some("192.0.2.7"));
    assert_eq!(session.user_agent.as_deref(), Some(&*"x".repeat(512)));
    let events = audit_event::Entity::find().all(db).await.unwrap();
    assert!(events.iter().any(|event| event.action == audit_event::Action::LoggedIn && event.at == now));
    assert_eq!((sessions.len(), events.len()), (2, 2));
}
