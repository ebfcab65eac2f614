//! Profile updates.

use chrono::TimeDelta;
use hallpass::{
    domain::users::profile::{self, ProfileChange},
    entity::{
        audit_event::{self, Action},
        user,
    },
    error::UnauthenticatedReason,
};
use sea_orm::EntityTrait;

use crate::support::{Actor, Answer, TestServer, json, password_of};

const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { \
    user { username firstName lastName fullName updatedAt } } }";

async fn update(actor: &Actor, input: serde_json::Value) -> Answer {
    actor.graphql(UPDATE, json!({ "input": input })).await
}

async fn with_ada() -> (TestServer, Actor) {
    let server = TestServer::start().await;
    let input =
        json!({ "username": "ada", "password": password_of("ada"), "firstName": "Ada", "lastName": "Lovelace" });
    let answer = server.anonymous().register(input).await;
    let ada = server.anonymous().with_bearer(answer.data("/register/accessToken").as_str().unwrap());
    server.clock.advance(TimeDelta::minutes(1));
    (server, ada)
}

#[tokio::test]
async fn omitted_fields_are_kept_and_null_clears() {
    let (server, ada) = with_ada().await;
    let answer = update(&ada, json!({ "lastName": "King" })).await;
    assert_eq!(answer.data("/updateProfile/user/fullName"), "Ada King");
    assert_eq!(answer.data("/updateProfile/user/updatedAt"), "2026-01-31T12:01:00.123Z");
    let answer = update(&ada, json!({ "firstName": null })).await;
    assert_eq!(answer.data("/updateProfile/user/fullName"), "King");
    let answer = update(&ada, json!({ "firstName": "  Augusta ", "lastName": "   ", "username": "Augusta" })).await;
    let user = answer.data("/updateProfile/user");
    assert_eq!(
        (&user["firstName"], &user["lastName"], &user["username"]),
        (&json!("Augusta"), &json!(null), &json!("Augusta"))
    );
    assert_eq!(ada.me().await.data("/me/username"), "Augusta");
    server.anonymous().login("augusta", &password_of("ada")).await.data("/login/user/id");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.action == Action::ProfileUpdated).count(), 3);
}

#[tokio::test]
async fn unchanged_values_write_nothing() {
    let (server, ada) = with_ada().await;
    for input in [json!({}), json!({ "firstName": "Ada" }), json!({ "username": "ada", "lastName": " Lovelace " })] {
        let answer = update(&ada, input).await;
        assert_eq!(answer.data("/updateProfile/user/updatedAt"), "2026-01-31T12:00:00.123Z");
    }
    let row = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    assert_eq!(row.updated_at, row.created_at);
    // A case change of one's own username is allowed.
    assert_eq!(update(&ada, json!({ "username": "ADA" })).await.data("/updateProfile/user/username"), "ADA");
}

#[tokio::test]
async fn all_field_errors_are_reported() {
    let (server, ada) = with_ada().await;
    let long = "x".repeat(101);
    let answer = update(&ada, json!({ "username": null, "firstName": long, "lastName": "a\0b" })).await;
    assert_eq!(answer.problems(), ["username: REQUIRED", "firstName: TOO_LONG", "lastName: BAD_USER_INPUT"]);
    assert_eq!(update(&ada, json!({ "username": "a da" })).await.problems(), ["username: INVALID_USERNAME"]);
    server.user("bo").await;
    let answer = update(&ada, json!({ "username": "BO", "firstName": "Bo" })).await;
    assert_eq!(answer.problems(), ["username: USERNAME_TAKEN"]);
    assert_eq!(ada.me().await.data("/me/fullName"), "Ada Lovelace");
    assert_eq!(update(&server.anonymous(), json!({ "firstName": "X" })).await.code(), "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_renames_to_one_username_succeed_once() {
    let server = TestServer::start().await;
    let mut attempts = Vec::new();
    for number in 0..8 {
        let user = server.user(&format!("user-{number}")).await;
        attempts.push(tokio::spawn(async move {
            let answer = update(&user, json!({ "username": "ada" })).await;
            if answer.json()["errors"].is_null() { None } else { Some(answer.code()) }
        }));
    }
    let mut rejected = 0;
    for attempt in attempts {
        if let Some(code) = attempt.await.unwrap() {
            assert_eq!(code, "USERNAME_TAKEN");
            rejected += 1;
        }
    }
    assert_eq!(rejected, 7);
}

#[tokio::test]
async fn revoked_session_cannot_update_the_profile() {
    let (server, ada) = with_ada().await;
    let principal = server.principal(&ada).await;
    ada.logout(json!({})).await.data("/logout");
    let change = ProfileChange { first_name: Some(Some("Eve".to_owned())), ..ProfileChange::default() };
    let error = profile::update(&server.command_line(), &principal, change).await.unwrap_err();
    assert_eq!(error.reason(), Some(UnauthenticatedReason::SessionRevoked));
    let row = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    assert_eq!(row.first_name.as_deref(), Some("Ada"));
}
