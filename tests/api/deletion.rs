//! Account deletion.

use chrono::TimeDelta;
use hallpass::{
    domain::users::deletion,
    entity::{
        audit_event::{self, Action},
        link, mail, session, throttle, user,
    },
    error::UnauthenticatedReason,
};
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, password_of};

async fn delete(actor: &Actor, input: Value) -> Answer {
    let delete = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }";
    actor.graphql(delete, json!({ "input": input })).await
}

fn with_password() -> Value {
    json!({ "password": password_of("ada") })
}

#[tokio::test]
async fn delete_account_erases_everything_except_audit_events_without_addresses() {
    let server = TestServer::start().await;
    let bo = server.user("bo").await.at("203.0.113.7");
    let home = server.anonymous().at("198.51.100.7").with_header("user-agent", "her own browser");
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org", "tokenDelivery": "BODY" });
    let register =
        "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken user { id } } }";
    let answer = home.graphql(register, json!({ "input": input })).await;
    let text = |pointer: &str| answer.data(pointer).as_str().unwrap().to_owned();
    let ada = home.with_bearer(&text("/register/accessToken"));
    let link = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    assert_eq!(home.login("ada", "not hers").await.code(), "INVALID_CREDENTIALS");

    let deleted = delete(&ada, with_password()).await;
    assert_eq!(deleted.data("/deleteAccount/deletedUserId"), answer.data("/register/user/id"));

    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(ada.refresh(&text("/register/refreshToken")).await.code(), "SESSION_REVOKED");
    assert_eq!(home.login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(server.anonymous().verify_email(&link).await.code(), "LINK_INVALID");
    bo.me().await.data("/me/id");
    let db = server.app.database.read();
    assert_eq!(user::Entity::find().all(db).await.unwrap().len(), 1);
    assert_eq!(session::Entity::find().all(db).await.unwrap().len(), 1);
    assert_eq!(link::Entity::find().all(db).await.unwrap().len(), 0);
    let events = audit_event::Entity::find().all(db).await.unwrap();
    let id: Option<uuid::Uuid> = deleted.data("/deleteAccount/deletedUserId").as_str().map(|id| id.parse().unwrap());
    let own: Vec<_> = events.iter().filter(|event| event.user_id == id).collect();
    assert!(own.len() >= 3, "{own:#?}");
    assert!(own.iter().any(|event| event.action == Action::UserDeleted && event.actor_id == id), "{own:#?}");
    assert!(own.iter().all(|event| event.ip_address.is_none() && event.user_agent.is_none()), "{own:#?}");
    // The queued reset request is dropped when the worker processes it.
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
    assert_eq!(mail::Entity::find().all(db).await.unwrap().len(), 0);
    let counters = throttle::Entity::find().all(db).await.unwrap();
    let familiar = counters.iter().filter(|row| row.familiar_until.is_some()).count();
    assert_eq!(familiar, 1, "only the network of Bo stays familiar");

    // The username can be registered again by another user.
    let again = server.user_at("Ada", "ADA@example.org").await;
    assert_ne!(again.me().await.data("/me/id"), answer.data("/register/user/id"));
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn deletion_is_mailed_to_a_verified_address() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await.speaking("ru");
    server.anonymous().verify_email(&server.token_to("ada@example.org").await).await.data("/verifyEmail");
    delete(&ada, with_password()).await.data("/deleteAccount");
    let db = server.app.database.read();
    let enqueued = mail::Entity::find().all(db).await.unwrap();
    assert_eq!((enqueued.len(), enqueued[0].user_id, &enqueued[0].ip_address), (1, None, &None));
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "Ваша учётная запись удалена");
    assert!(mail::Entity::find().all(db).await.unwrap().is_empty());
}

#[tokio::test]
async fn deletion_is_not_mailed_to_an_unverified_address() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
    delete(&ada, with_password()).await.data("/deleteAccount");
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
}

#[tokio::test]
async fn deletion_requires_the_password_ten_minutes_after_sign_in() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::minutes(10));
    for input in [json!({}), json!({ "password": null }), json!({ "password": "" })] {
        assert_eq!(delete(&ada, input).await.problems(), ["password: REQUIRED"]);
    }
    for _ in 0..10 {
        assert_eq!(delete(&ada, json!({ "password": "not hers" })).await.problems(), ["password: WRONG_PASSWORD"]);
    }
    assert_eq!(delete(&ada, with_password()).await.code(), "RATE_LIMITED");
    // A new sign-in replaces the password.
    let login = server.anonymous().login("ada", &password_of("ada")).await;
    let fresh = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    server.clock.advance(TimeDelta::milliseconds(9 * 60 * 1000 + 59_999));
    delete(&fresh, json!({})).await.data("/deleteAccount");
    assert_eq!(delete(&server.anonymous(), json!({})).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn last_administrator_cannot_delete_their_account() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let bo = server.user("bo").await;
    for user in user::Entity::find().all(server.app.database.read()).await.unwrap() {
        let transaction = server.app.write().await.unwrap();
        let mut user = user::lock(&transaction, user.id).await.unwrap().unwrap();
        let roles = user::Roles(vec!["admin".to_owned()]);
        user.update(&transaction, |user| user.roles = roles).await.unwrap();
        transaction.commit().await.unwrap();
    }
    delete(&ada, json!({})).await.data("/deleteAccount");
    assert_eq!(delete(&bo, json!({})).await.code(), "LAST_ADMIN");
    bo.me().await.data("/me/id");
}

#[tokio::test]
async fn revoked_session_cannot_delete_the_account() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let principal = server.principal(&ada).await;
    ada.logout(json!({})).await.data("/logout");
    let error = deletion::delete(&server.command_line(), &principal, None).await.unwrap_err();
    assert_eq!(error.reason(), Some(UnauthenticatedReason::SessionRevoked));
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deletion_during_other_requests_succeeds() {
    let server = TestServer::start().await;
    for round in 0..4 {
        let name = format!("user-{round}");
        let user = server.user(&name).await;
        let others = (0..6).map(|number| {
            let user = user.clone();
            let (name, password) = (name.clone(), password_of(&name));
            tokio::spawn(async move {
                match number % 3 {
                    0 => user.logout(json!({})).await,
                    1 => user.login(&name, &password).await,
                    _ => user.me().await,
                }
            })
        });
        let others: Vec<_> = others.collect();
        let deleted = delete(&user, json!({})).await;
        for answer in others {
            let answer = answer.await.unwrap();
            assert!(!answer.text.contains("SERVICE_UNAVAILABLE") && !answer.text.contains("INTERNAL"), "{answer:#?}");
        }
        assert!(!deleted.text.contains("SERVICE_UNAVAILABLE") && !deleted.text.contains("INTERNAL"), "{deleted:#?}");
    }
}
