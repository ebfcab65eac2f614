//! Password changes by signed-in users.

use chrono::TimeDelta;
use hallpass::{
    domain::users::password_change::{self, PasswordChange},
    entity::audit_event::{self, Action},
    error::{ErrorCode, UnauthenticatedReason},
};
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, password_of};

const CHANGE: &str = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { \
    revokedSessions user { username updatedAt } } }";
const NEW: &str = "another long password";

async fn change(actor: &Actor, input: Value) -> Answer {
    actor.graphql(CHANGE, json!({ "input": input })).await
}

fn change_input() -> Value {
    json!({ "currentPassword": password_of("ada"), "newPassword": NEW })
}

#[tokio::test]
async fn password_change_revokes_other_sessions_and_notifies_the_owner() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let phone = server.anonymous().login("ada", &password_of("ada")).await;
    let phone = ada.with_bearer(phone.data("/login/accessToken").as_str().unwrap());
    let verification = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&verification).await.data("/verifyEmail");
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let link = server.token_to("ada@example.org").await;
    server.clock.advance(TimeDelta::minutes(1));

    let answer = change(&ada, change_input()).await;
    assert_eq!(answer.data("/changePassword/revokedSessions"), 1);
    assert_eq!(answer.data("/changePassword/user/updatedAt"), "2026-01-31T12:01:00.123Z");
    ada.me().await.data("/me/id");
    assert_eq!(phone.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    server.anonymous().login("ada", NEW).await.data("/login/user");
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!((mails.len(), mails[0].text.subject.as_str()), (3, "Your password was changed"));
    // An attacker cannot use links that were requested before the change.
    assert_eq!(server.anonymous().reset_password(&link, "a third password").await.code(), "LINK_INVALID");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.action == Action::PasswordChanged).count(), 1);
}

#[tokio::test]
async fn password_change_can_keep_other_sessions() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let phone = server.anonymous().login("ada", &password_of("ada")).await;
    let phone = ada.with_bearer(phone.data("/login/accessToken").as_str().unwrap());
    let mut input = change_input();
    input["keepOtherSessions"] = json!(true);
    assert_eq!(change(&ada, input).await.data("/changePassword/revokedSessions"), 0);
    phone.me().await.data("/me/id");
}

#[tokio::test]
async fn form_is_validated_before_the_current_password() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for (current, new, expected) in [
        ("", "short", &["currentPassword: REQUIRED", "newPassword: PASSWORD_TOO_SHORT"][..]),
        ("wrong", "", &["newPassword: REQUIRED"]),
        ("wrong", "password123", &["newPassword: PASSWORD_TOO_COMMON"]),
        ("wrong", &"x".repeat(129), &["newPassword: PASSWORD_TOO_LONG"]),
        ("wrong", NEW, &["currentPassword: WRONG_PASSWORD"]),
        (&"x".repeat(2000), NEW, &["currentPassword: WRONG_PASSWORD"]),
    ] {
        let answer = change(&ada, json!({ "currentPassword": current, "newPassword": new })).await;
        assert_eq!(answer.problems(), expected);
    }
    assert_eq!(change(&server.anonymous(), change_input()).await.code(), "UNAUTHENTICATED");
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
}

#[tokio::test]
async fn wrong_current_passwords_are_limited_to_ten() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let wrong = json!({ "currentPassword": "not hers", "newPassword": NEW });
    for number in 0..10 {
        assert_eq!(change(&ada, wrong.clone()).await.code(), "WRONG_PASSWORD", "{number}");
    }
    let limited = change(&ada, change_input()).await;
    assert_eq!((limited.code().as_str(), limited.header("retry-after")), ("RATE_LIMITED", Some("900")));
    // Sign-in and the session still work; after 15 minutes the correct password is accepted again.
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
    server.clock.advance(TimeDelta::minutes(15));
    change(&ada, change_input()).await.data("/changePassword");
}

#[tokio::test]
async fn correct_passwords_are_not_counted_as_guesses() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for _ in 0..5 {
        change(&ada, change_input()).await.data("/changePassword");
        let back = json!({ "currentPassword": NEW, "newPassword": password_of("ada") });
        change(&ada, back).await.data("/changePassword");
    }
    let wrong = json!({ "currentPassword": "not hers", "newPassword": NEW });
    assert_eq!(change(&ada, wrong).await.code(), "WRONG_PASSWORD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_password_changes_succeed_once() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let changes = (0..8).map(|number| {
        let ada = ada.clone();
        let input = json!({ "currentPassword": password_of("ada"), "newPassword": format!("new password {number}") });
        tokio::spawn(async move { change(&ada, input).await })
    });
    let mut winners = Vec::new();
    for (number, answer) in changes.collect::<Vec<_>>().into_iter().enumerate() {
        let answer = answer.await.unwrap();
        if answer.json()["errors"].is_null() {
            winners.push(number);
        } else {
            assert_eq!(answer.code(), "WRONG_PASSWORD");
        }
    }
    assert_eq!(winners.len(), 1);
    server.anonymous().login("ada", &format!("new password {}", winners[0])).await.data("/login/user");
}

#[tokio::test]
async fn revoked_session_cannot_change_the_password() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let principal = server.principal(&ada).await;
    ada.logout(json!({})).await.data("/logout");
    let form = PasswordChange {
        current_password: password_of("ada").into(),
        new_password: NEW.into(),
        keep_other_sessions: false,
    };
    let error = password_change::change(&server.command_line(), &principal, form).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unauthenticated);
    assert_eq!(error.reason(), Some(UnauthenticatedReason::SessionRevoked));
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
}
