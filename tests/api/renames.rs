//! Limits on username changes and on responses that reveal a taken username.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    domain::users::profile::{self, ProfileChange},
    entity::audit_event::{self, Action},
};
use sea_orm::EntityTrait;

use crate::support::{Actor, Answer, TestServer, json, password_of};

async fn rename(actor: &Actor, username: &str) -> Answer {
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { username } } }";
    actor.graphql(update, json!({ "input": { "username": username } })).await
}

async fn rename_by_rest(actor: &Actor, username: &str) -> u16 {
    let request = actor.request(axum::http::Method::PUT, "/users/me").header("content-type", "application/json");
    let body = json!({ "username": username }).to_string();
    actor.send(request.body(body.into()).unwrap()).await.status.as_u16()
}

/// Makes this many successful username changes.
async fn rename_often(actor: &Actor, times: usize) {
    for number in 0..times {
        rename(actor, &format!("name-{number}")).await.data("/updateProfile/user");
    }
}

/// Requests a taken username this many times.
async fn probe_often(actor: &Actor, times: usize) {
    for _ in 0..times {
        assert_eq!(rename(actor, "bo").await.code(), "USERNAME_TAKEN");
    }
}

/// A server with Bo, whose username is taken, and Ada, registered in another network.
async fn with_ada_and_bo() -> (TestServer, Actor) {
    let server = TestServer::start().await;
    server.user("bo").await;
    let ada = register_at(&server, "198.51.100.7", "ada").await;
    (server, ada)
}

async fn register_at(server: &TestServer, address: &str, username: &str) -> Actor {
    let actor = server.anonymous().at(address);
    let answer = actor.register(json!({ "username": username, "password": password_of(username) })).await;
    actor.with_bearer(answer.data("/register/accessToken").as_str().unwrap())
}

/// Signs Ada in again.
async fn sign_in(server: &TestServer, username: &str) -> Actor {
    let answer = server.anonymous().login(username, &password_of("ada")).await;
    server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap())
}

#[tokio::test]
async fn account_can_change_its_username_five_times_a_day() {
    let (server, ada) = with_ada_and_bo().await;
    rename_often(&ada, 5).await;
    let limited = rename(&ada, "ada").await;
    assert_eq!(limited.code(), "RATE_LIMITED");
    assert_eq!(limited.header("retry-after"), Some("86400"));
    server.clock.advance(TimeDelta::days(1));
    let ada = sign_in(&server, "name-4").await;
    rename(&ada, "ada").await.data("/updateProfile/user");
}

#[tokio::test]
async fn case_change_counts_as_a_username_change() {
    let (_server, ada) = with_ada_and_bo().await;
    for username in ["Ada", "ADA", "ada", "aDA", "AdA"] {
        rename(&ada, username).await.data("/updateProfile/user");
    }
    assert_eq!(rename(&ada, "ada").await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn first_and_last_name_changes_are_unlimited() {
    let (_server, ada) = with_ada_and_bo().await;
    rename_often(&ada, 5).await;
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { firstName } } }";
    for number in 0..6 {
        // With the current username, as forms send it.
        let input = json!({ "username": "name-4", "firstName": format!("Ada {number}") });
        ada.graphql(update, json!({ "input": input })).await.data("/updateProfile/user");
    }
}

#[tokio::test]
async fn taken_username_does_not_count_as_a_change() {
    let (_server, ada) = with_ada_and_bo().await;
    probe_often(&ada, 6).await;
    rename_often(&ada, 5).await;
}

#[tokio::test]
async fn account_can_probe_30_taken_usernames_an_hour() {
    let (server, ada) = with_ada_and_bo().await;
    for network in 0..30 {
        probe_often(&ada.at(&format!("192.0.2.{network}")), 1).await;
    }
    assert_eq!(rename(&ada.at("192.0.2.31"), "bo").await.code(), "RATE_LIMITED");
    server.clock.advance(TimeDelta::hours(1));
    let ada = sign_in(&server, "ada").await;
    probe_often(&ada, 1).await;
}

#[tokio::test]
async fn renames_and_registrations_share_the_probe_limit_of_a_network() {
    let (server, ada) = with_ada_and_bo().await;
    let eve = register_at(&server, "198.51.100.7", "eve").await;
    // The registrations used two of 30.
    probe_often(&ada, 14).await;
    probe_often(&eve, 14).await;
    assert_eq!(rename(&ada, "bo").await.code(), "RATE_LIMITED");
    let form = json!({ "username": "bo", "password": password_of("bo") });
    assert_eq!(server.anonymous().at("198.51.100.7").register(form).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn rest_and_graphql_share_the_rename_limit() {
    let (_server, ada) = with_ada_and_bo().await;
    for number in 0..5 {
        assert_eq!(rename_by_rest(&ada, &format!("name-{number}")).await, 200);
    }
    assert_eq!(rename_by_rest(&ada, "bo").await, 429);
    assert_eq!(rename(&ada, "bo").await.code(), "RATE_LIMITED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_renames_respect_the_limit() {
    let (_server, ada) = with_ada_and_bo().await;
    let renames = (0..8).map(|number| {
        let ada = ada.clone();
        tokio::spawn(async move { rename(&ada, &format!("name-{number}")).await.json()["errors"].is_null() })
    });
    let succeeded = join_all(renames).await.into_iter().filter(|succeeded| *succeeded.as_ref().unwrap()).count();
    assert_eq!(succeeded, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_probes_respect_the_limit() {
    let (_server, ada) = with_ada_and_bo().await;
    // The registration used one of 30.
    probe_often(&ada, 27).await;
    let probes = (0..8).map(|_| {
        let ada = ada.clone();
        tokio::spawn(async move { rename(&ada, "bo").await.code() })
    });
    let codes: Vec<String> = join_all(probes).await.into_iter().map(Result::unwrap).collect();
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert_eq!((count("USERNAME_TAKEN"), count("RATE_LIMITED")), (2, 6), "{codes:?}");
}

#[tokio::test]
async fn only_real_changes_are_audited() {
    let (server, ada) = with_ada_and_bo().await;
    let principal = server.principal(&ada).await;
    probe_often(&ada, 3).await;
    // A form that is submitted twice: the second request has read the user before the first one changed it.
    for _ in 0..2 {
        let change = ProfileChange { username: Some(Some("countess".to_owned())), ..ProfileChange::default() };
        profile::update(&server.command_line(), &principal, change).await.unwrap();
    }
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.action == Action::ProfileUpdated).count(), 1);
}

#[tokio::test]
async fn outage_does_not_count_as_a_change() {
    use sea_orm::ConnectionTrait;
    let (server, ada) = with_ada_and_bo().await;
    let execute = async |sql: &str| {
        let transaction = server.app.write().await.unwrap();
        transaction.execute_unprepared(sql).await.unwrap();
        transaction.commit().await.unwrap();
    };
    execute("ALTER TABLE audit_log RENAME TO away").await;
    for _ in 0..6 {
        assert_eq!(rename(&ada, "countess").await.code(), "INTERNAL_SERVER_ERROR");
    }
    execute("ALTER TABLE away RENAME TO audit_log").await;
    rename_often(&ada, 5).await;
}
