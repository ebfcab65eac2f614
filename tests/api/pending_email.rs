//! Pending e-mail changes: what cancels them, and what can still complete them.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use chrono::TimeDelta;
use hallpass::{
    domain::users::administration::{self, Administrator, Change},
    entity::audit_event,
};
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, password_of};

const OWN: &str = "ada@example.org";
const PENDING: &str = "thief@example.org";

/// An account with a pending change to `PENDING`, and the token of the link that was sent there.
async fn account_with_pending_change() -> (TestServer, Actor, String) {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", OWN).await;
    ada.change_email(json!({ "newEmail": PENDING })).await.data("/changeEmail");
    let token = server.token_to(PENDING).await;
    (server, ada, token)
}

async fn sign_in(server: &TestServer, password: &str) -> Actor {
    let login = server.anonymous().login("ada", password).await;
    server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap())
}

async fn addresses(actor: &Actor) -> [Value; 2] {
    let me = actor.query("{ me { email pendingEmail } }").await.data("/me");
    [me["email"].clone(), me["pendingEmail"].clone()]
}

/// Asserts that neither the link nor another mail can complete the change.
async fn assert_change_is_cancelled(server: &TestServer, token: &str) {
    assert_eq!(server.anonymous().verify_email(token).await.code(), "LINK_INVALID");
    let before = server.mails_to(PENDING).await.len();
    server.anonymous().send_verification_email(PENDING).await.data("/sendVerificationEmail");
    assert_eq!(server.mails_to(PENDING).await.len(), before);
}

async fn rest_request(actor: &Actor, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = actor.request(method, path).header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    actor.send(request.body(body).unwrap()).await
}

async fn cancel(actor: &Actor) -> Answer {
    actor.query("mutation { cancelEmailChange { user { email pendingEmail } } }").await
}

#[tokio::test]
async fn password_reset_clears_pending_email() {
    let (server, _, token) = account_with_pending_change().await;
    server.anonymous().request_password_reset(OWN).await.data("/requestPasswordReset");
    let reset = server.token_to(OWN).await;
    server.anonymous().reset_password(&reset, "a new password").await.data("/resetPassword");
    assert_change_is_cancelled(&server, &token).await;
    let ada = sign_in(&server, "a new password").await;
    assert_eq!(addresses(&ada).await, [json!(OWN), Value::Null]);
}

#[tokio::test]
async fn password_change_clears_pending_email() {
    let (server, ada, token) = account_with_pending_change().await;
    let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { pendingEmail } } }";
    let input = json!({ "currentPassword": password_of("ada"), "newPassword": "a new password" });
    let changed = ada.graphql(change, json!({ "input": input })).await;
    assert_eq!(changed.data("/changePassword/user/pendingEmail"), Value::Null);
    assert_eq!(addresses(&ada).await, [json!(OWN), Value::Null]);
    assert_change_is_cancelled(&server, &token).await;
}

#[tokio::test]
async fn password_set_by_an_administrator_clears_pending_email() {
    let (server, _, token) = account_with_pending_change().await;
    let administrator = Administrator::at_command_line();
    let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
    administration::set_password(&server.command_line(), &administrator, ada.id, "a new password".into())
        .await
        .unwrap();
    assert_change_is_cancelled(&server, &token).await;
    let ada = sign_in(&server, "a new password").await;
    assert_eq!(addresses(&ada).await, [json!(OWN), Value::Null]);
}

#[tokio::test]
async fn disabling_an_account_clears_pending_email_and_links() {
    let (server, _, token) = account_with_pending_change().await;
    server.anonymous().request_password_reset(OWN).await.data("/requestPasswordReset");
    let reset = server.token_to(OWN).await;
    let administrator = Administrator::at_command_line();
    let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
    for is_active in [false, true] {
        let change = Change { is_active: Some(is_active), ..Change::default() };
        administration::update(&server.command_line(), &administrator, ada.id, change).await.unwrap();
    }
    assert_change_is_cancelled(&server, &token).await;
    assert_eq!(server.anonymous().reset_password(&reset, "a new password").await.code(), "LINK_INVALID");
    let ada = sign_in(&server, &password_of("ada")).await;
    assert_eq!(addresses(&ada).await, [json!(OWN), Value::Null]);
}

#[tokio::test]
async fn pending_email_of_a_rest_client_is_shown_and_cleared_by_a_reset() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", OWN).await;
    let changed = rest_request(&ada, Method::PUT, "/users/me", Some(json!({ "email": PENDING }))).await;
    assert_eq!((&changed.json()["email"], &changed.json()["pending_email"]), (&json!(OWN), &json!(PENDING)));
    assert_eq!(ada.get("/users/me").await.json()["pending_email"], PENDING);
    let token = server.token_to(PENDING).await;
    server.anonymous().request_password_reset(OWN).await.data("/requestPasswordReset");
    let reset = server.token_to(OWN).await;
    server.anonymous().reset_password(&reset, "a new password").await.data("/resetPassword");
    assert_change_is_cancelled(&server, &token).await;
    let ada = sign_in(&server, "a new password").await;
    assert_eq!(ada.get("/users/me").await.json()["pending_email"], Value::Null);
}

#[tokio::test]
async fn pending_email_expires_after_24_hours() {
    let (server, _, first) = account_with_pending_change().await;
    server.clock.advance(TimeDelta::hours(23));
    server.anonymous().send_verification_email(PENDING).await.data("/sendVerificationEmail");
    let second = server.token_to(PENDING).await;
    assert_ne!(first, second);
    server.clock.advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    let ada = sign_in(&server, &password_of("ada")).await;
    assert_eq!(addresses(&ada).await, [json!(OWN), json!(PENDING)]);
    server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(addresses(&ada).await, [json!(OWN), Value::Null]);
    assert_eq!(ada.get("/users/me").await.json()["pending_email"], Value::Null);
    for token in [first, second] {
        assert_eq!(server.anonymous().verify_email(&token).await.code(), "LINK_EXPIRED");
    }
    server.anonymous().send_verification_email(PENDING).await.data("/sendVerificationEmail");
    assert_eq!(server.mails_to(PENDING).await.len(), 2);
}

#[tokio::test]
async fn mail_is_dropped_after_its_pending_change_expires() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", OWN).await;
    ada.change_email(json!({ "newEmail": PENDING })).await.data("/changeEmail");
    server.clock.advance(TimeDelta::hours(24));
    assert_eq!(server.mails_to(PENDING).await.len(), 0);
}

#[tokio::test]
async fn pending_change_can_be_cancelled_if_mail_is_disabled() {
    let (server, ada, token) = account_with_pending_change().await;
    let without_mail = TestServer::on(Arc::clone(&server.database), |settings| settings.mail.dev = false).await;
    let ada = without_mail.anonymous().with_bearer(ada.bearer.as_deref().unwrap());
    for _ in 0..40 {
        let user = cancel(&ada).await.data("/cancelEmailChange/user");
        assert_eq!(user, json!({ "email": OWN, "pendingEmail": null }));
    }
    assert_change_is_cancelled(&server, &token).await;
}

#[tokio::test]
async fn cancelling_requires_authentication_and_is_audited_once() {
    let (server, ada, _) = account_with_pending_change().await;
    assert_eq!(cancel(&server.anonymous()).await.code(), "UNAUTHENTICATED");
    cancel(&ada).await.data("/cancelEmailChange");
    cancel(&ada).await.data("/cancelEmailChange");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    let cancelled = events.iter().filter(|event| format!("{:?}", event.action) == "EmailChangeCancelled");
    assert_eq!(cancelled.count(), 1);
}

#[tokio::test]
async fn rest_client_can_cancel_a_pending_change() {
    let (server, ada, token) = account_with_pending_change().await;
    assert_eq!(rest_request(&server.anonymous(), Method::DELETE, "/users/me/pending-email", None).await.status, 401);
    let cancelled = rest_request(&ada, Method::DELETE, "/users/me/pending-email", None).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!((&cancelled.json()["email"], &cancelled.json()["pending_email"]), (&json!(OWN), &Value::Null));
    assert_change_is_cancelled(&server, &token).await;
}

#[tokio::test]
async fn link_of_an_earlier_request_does_not_complete_a_newer_one() {
    let (server, ada, first) = account_with_pending_change().await;
    cancel(&ada).await.data("/cancelEmailChange");
    ada.change_email(json!({ "newEmail": PENDING })).await.data("/changeEmail");
    assert_eq!(server.anonymous().verify_email(&first).await.code(), "LINK_INVALID");
    let second = server.token_to(PENDING).await;
    assert_eq!(server.anonymous().verify_email(&second).await.data("/verifyEmail/email"), PENDING);
}

#[tokio::test]
async fn queued_mail_of_an_earlier_request_is_dropped() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", OWN).await;
    for new_email in [PENDING, OWN, PENDING] {
        ada.change_email(json!({ "newEmail": new_email })).await.data("/changeEmail");
    }
    assert_eq!(server.mails_to(PENDING).await.len(), 1);
    server.anonymous().verify_email(&server.token_to(PENDING).await).await.data("/verifyEmail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_reset_and_verification_never_apply_the_pending_email() {
    for round in 0..8 {
        let (server, _, token) = account_with_pending_change().await;
        server.anonymous().request_password_reset(OWN).await.data("/requestPasswordReset");
        let reset = server.token_to(OWN).await;
        let (resetter, verifier) = (server.anonymous(), server.anonymous());
        let resetting = tokio::spawn(async move { resetter.reset_password(&reset, "a new password").await });
        let verifying = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(round)).await;
            verifier.verify_email(&token).await
        });
        let [is_reset, is_changed] =
            [resetting.await, verifying.await].map(|answer| answer.unwrap().json()["errors"].is_null());
        assert!(is_reset != is_changed, "round {round}: {is_reset} {is_changed}");
        let administrator = Administrator::at_command_line();
        let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
        assert_eq!(ada.email.as_deref(), Some(if is_reset { OWN } else { PENDING }), "round {round}");
    }
}
