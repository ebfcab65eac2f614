use std::sync::Arc;

use hallpass::entity::{audit_event, session, user};
use sea_orm::EntityTrait;

use crate::support::{TestServer, json, password_of};

#[tokio::test]
async fn registration_signs_the_user_in() {
    let server = TestServer::start().await;
    let answer = server
        .anonymous()
        .register(json!({
            "username": "Ada", "password": "correct horse", "email": "Ada@Example.org", "firstName": " Ada ", "lastName": "Lovelace",
        }))
        .await;
    let user = answer.data("/register/user");
    let noon = "2026-01-31T12:00:00.123Z";
    assert_eq!(
        user,
        json!({
            "id": user["id"], "username": "Ada", "email": "Ada@Example.org", "firstName": "Ada", "lastName": "Lovelace",
            "fullName": "Ada Lovelace", "isActive": true, "roles": ["user"], "createdAt": noon, "updatedAt": noon, "lastLoginAt": noon,
        })
    );
    assert_eq!(answer.data("/register/tokenType"), "Bearer");
    assert_eq!(answer.data("/register/expiresIn"), 1800);

    let token = answer.data("/register/accessToken");
    let me = server.anonymous().with_bearer(token.as_str().unwrap()).me().await;
    assert_eq!(me.data("/me"), user);
}

#[tokio::test]
async fn username_and_password_suffice_and_blank_fields_are_null() {
    let server = TestServer::start().await;
    let input =
        json!({ "username": "bo", "password": "p\u{0}p p\u{0}p ", "email": "", "firstName": "  ", "lastName": null });
    let user = server.anonymous().register(input).await.data("/register/user");
    for field in ["email", "firstName", "lastName", "fullName"] {
        assert!(user[field].is_null(), "{user}");
    }
    assert!(server.anonymous().login("bo", "p\u{0}p p\u{0}p ").await.data("/login/accessToken").is_string());
}

#[tokio::test]
async fn all_field_errors_are_reported() {
    let server = TestServer::start().await;
    let answer = server
        .anonymous()
        .register(json!({
            "username": "ada lovelace", "password": "short", "email": "ada", "firstName": "A\u{0}da", "lastName": "x".repeat(101),
        }))
        .await;
    assert_eq!(answer.code(), "INVALID_INPUT");
    assert_eq!(
        answer.problems(),
        [
            "username: INVALID_USERNAME",
            "password: PASSWORD_TOO_SHORT",
            "email: INVALID_EMAIL",
            "firstName: BAD_USER_INPUT",
            "lastName: TOO_LONG",
        ]
    );
    let error = answer.error();
    assert_eq!(error["extensions"]["errors"][1]["limit"], 8);
    assert_eq!(error["extensions"]["errors"][1]["message"], "Use at least 8 characters.");
    assert_eq!(answer.json()["data"], json!({ "register": null }));

    let one = server.anonymous().register(json!({ "username": "", "password": "long enough" })).await;
    assert_eq!(one.code(), "REQUIRED");
    assert_eq!(one.problems(), ["username: REQUIRED"]);
}

#[tokio::test]
async fn taken_username_is_rejected_in_every_spelling() {
    let server = TestServer::start().await;
    let taken = json!({ "username": "ada", "password": "correct horse", "email": "ada@example.org" });
    server.anonymous().register(taken.clone()).await.data("/register/user/id");

    let both = server.anonymous().register(taken).await;
    assert_eq!(both.problems(), ["username: USERNAME_TAKEN", "email: EMAIL_TAKEN"]);
    let name = server.anonymous().register(json!({ "username": "ADA", "password": "correct horse" })).await;
    assert_eq!(name.problems(), ["username: USERNAME_TAKEN"]);
    for email in ["ADA@EXAMPLE.ORG", "ada@ｅｘａｍｐｌｅ.org", "ada@exam\u{200b}ple.org"] {
        let input = json!({ "username": "ada2", "password": "correct horse", "email": email });
        assert_eq!(server.anonymous().register(input).await.problems(), ["email: EMAIL_TAKEN"], "{email}");
    }
    assert_eq!(user::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_registrations_of_one_username_succeed_once() {
    let server = Arc::new(TestServer::start().await);
    let attempts = (0..16).map(|number| {
        let actor = server.anonymous();
        let username = if number % 2 == 0 { "ada" } else { "ADA" };
        tokio::spawn(async move { actor.register(json!({ "username": username, "password": "correct horse" })).await })
    });
    let mut winners = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let answer = attempt.await.unwrap();
        match answer.json().get("errors") {
            None => winners += 1,
            Some(_) => assert_eq!(answer.code(), "USERNAME_TAKEN"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(user::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn registration_is_atomic() {
    let server = TestServer::start().await;
    let request = server.anonymous();
    request.register(json!({ "username": "ada", "password": "correct horse" })).await.data("/register/user");
    request.register(json!({ "username": "ada", "password": "correct horse" })).await.code();

    let db = server.app.database.read();
    let users = user::Entity::find().all(db).await.unwrap();
    let sessions = session::Entity::find().all(db).await.unwrap();
    let events = audit_event::Entity::find().all(db).await.unwrap();
    let ([user], [session], [event]) = (&users[..], &sessions[..], &events[..]) else {
        panic!("{users:?} {sessions:?} {events:?}");
    };
    assert_eq!(session.user_id, user.id);
    assert_eq!(
        (event.action, event.user_id, event.actor_id),
        (audit_event::Action::UserRegistered, Some(user.id), Some(user.id))
    );
    // Microsecond precision on every database, and one time for all rows of the registration.
    for instant in [user.created_at, user.updated_at, session.created_at, event.at] {
        assert_eq!(instant, crate::support::start_of_time());
    }
    assert_eq!(session.expires_at - session.created_at, chrono::TimeDelta::days(7));
}

#[tokio::test]
async fn closed_registration_is_reported_first() {
    let server = TestServer::with(|settings| settings.registration.is_enabled = false).await;
    let answer = server.anonymous().register(json!({ "username": "", "password": "" })).await;
    assert_eq!(answer.code(), "REGISTRATION_DISABLED");
    assert!(answer.problems().is_empty());
}

#[tokio::test]
async fn missing_required_email_is_rejected() {
    let server = TestServer::with(|settings| settings.registration.require_email = true).await;
    for email in [json!(null), json!("")] {
        let input = json!({ "username": "ada", "password": "correct horse", "email": email });
        assert_eq!(server.anonymous().register(input).await.problems(), ["email: REQUIRED"]);
    }
}

#[tokio::test]
async fn stale_token_does_not_prevent_registration_or_login() {
    let server = TestServer::start().await;
    let stale = server.anonymous().with_bearer("stale");
    stale.register(json!({ "username": "ada", "password": password_of("ada") })).await.data("/register/user");
    stale.login("ada", &password_of("ada")).await.data("/login/user");
}
