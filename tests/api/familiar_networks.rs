//! Familiar networks of an account: guesses from other networks do not lock out its owner.

use hallpass::{
    domain::users::administration::{self, Administrator, Change},
    entity::throttle::Entity,
};
use sea_orm::EntityTrait;

use crate::support::{Actor, TestServer, json, password_of};

const HOME: &str = "198.51.100.7";
const OFFICE: &str = "198.51.100.8";
const ELSEWHERE: &str = "203.0.113.99";
const ADDRESS: &str = "ada@example.org";

/// A server with Ada registered from her home network.
async fn with_ada_at_home() -> (TestServer, Actor) {
    let server = TestServer::start().await;
    let mut ada = server.anonymous().at(HOME);
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": ADDRESS });
    let answer = ada.register(input).await;
    ada.bearer = Some(answer.data("/register/accessToken").as_str().unwrap().to_owned());
    (server, ada)
}

/// Makes wrong guesses until sign-in from unfamiliar networks is blocked.
async fn exhaust_guesses(server: &TestServer, name: &str) {
    for number in 0..5 {
        let stranger = server.anonymous().at(&format!("203.0.113.{number}"));
        for _ in 0..10 {
            assert_eq!(stranger.login(name, "not the password").await.code(), "INVALID_CREDENTIALS");
        }
    }
    let limited = server.anonymous().at(ELSEWHERE).login(name, "not the password").await;
    assert_eq!(limited.code(), "RATE_LIMITED");
}

async fn can_sign_in(server: &TestServer, address: &str, name: &str, password: &str) -> bool {
    let answer = server.anonymous().at(address).login(name, password).await;
    if answer.json()["errors"].is_null() {
        return true;
    }
    assert_eq!(answer.code(), "RATE_LIMITED");
    false
}

/// Changes Ada's account as an administrator at the command line.
async fn administer(server: &TestServer, change: Change) {
    let administrator = Administrator::at_command_line();
    let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
    administration::update(&server.command_line(), &administrator, ada.id, change).await.unwrap();
}

#[tokio::test]
async fn familiar_networks_survive_a_username_change() {
    let (server, ada) = with_ada_at_home().await;
    let rename = r#"mutation { updateProfile(input: { username: "countess" }) { user { username } } }"#;
    ada.query(rename).await.data("/updateProfile/user");
    exhaust_guesses(&server, "countess").await;
    assert!(can_sign_in(&server, HOME, "countess", &password_of("ada")).await);
}

#[tokio::test]
async fn familiar_networks_survive_an_email_change() {
    let (server, ada) = with_ada_at_home().await;
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let token = server.token_to("ada@new.example").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    exhaust_guesses(&server, "ada@new.example").await;
    assert!(can_sign_in(&server, HOME, "ada@new.example", &password_of("ada")).await);
}

#[tokio::test]
async fn network_is_familiar_for_every_identifier_of_the_account() {
    let (server, _) = with_ada_at_home().await;
    assert!(can_sign_in(&server, OFFICE, "ada", &password_of("ada")).await);
    exhaust_guesses(&server, ADDRESS).await;
    assert!(can_sign_in(&server, OFFICE, ADDRESS, &password_of("ada")).await);
}

#[tokio::test]
async fn network_is_familiar_for_one_account_only() {
    let (server, _) = with_ada_at_home().await;
    server.user("bo").await;
    exhaust_guesses(&server, "bo").await;
    assert!(!can_sign_in(&server, HOME, "bo", &password_of("bo")).await);
}

#[tokio::test]
async fn attempts_are_counted_per_identifier() {
    let (server, _) = with_ada_at_home().await;
    // Otherwise a shared counter would reveal that both identifiers belong to one account.
    exhaust_guesses(&server, "ada").await;
    let stranger = server.anonymous().at(ELSEWHERE);
    assert_eq!(stranger.login(ADDRESS, "not the password").await.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn password_reset_forgets_all_other_networks() {
    let (server, _) = with_ada_at_home().await;
    server.anonymous().request_password_reset(ADDRESS).await.data("/requestPasswordReset");
    let token = server.token_to(ADDRESS).await;
    server.anonymous().at(OFFICE).reset_password(&token, "another password").await.data("/resetPassword");
    exhaust_guesses(&server, "ada").await;
    assert!(!can_sign_in(&server, HOME, "ada", "another password").await);
    assert!(can_sign_in(&server, OFFICE, "ada", "another password").await);
}

#[tokio::test]
async fn password_set_by_an_administrator_forgets_all_networks() {
    let (server, _) = with_ada_at_home().await;
    let administrator = Administrator::at_command_line();
    let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
    administration::set_password(&server.command_line(), &administrator, ada.id, "another password".into())
        .await
        .unwrap();
    exhaust_guesses(&server, "ada").await;
    assert!(!can_sign_in(&server, HOME, "ada", "another password").await);
}

#[tokio::test]
async fn logout_everywhere_forgets_all_networks() {
    let (server, ada) = with_ada_at_home().await;
    ada.logout(json!({ "everywhere": true })).await.data("/logout");
    exhaust_guesses(&server, "ada").await;
    assert!(!can_sign_in(&server, HOME, "ada", &password_of("ada")).await);
}

#[tokio::test]
async fn logout_of_one_session_keeps_the_network() {
    let (server, ada) = with_ada_at_home().await;
    ada.logout(json!({})).await.data("/logout");
    exhaust_guesses(&server, "ada").await;
    assert!(can_sign_in(&server, HOME, "ada", &password_of("ada")).await);
}

#[tokio::test]
async fn disabling_an_account_forgets_all_networks() {
    let (server, _) = with_ada_at_home().await;
    administer(&server, Change { is_active: Some(false), ..Change::default() }).await;
    administer(&server, Change { is_active: Some(true), ..Change::default() }).await;
    exhaust_guesses(&server, "ada").await;
    assert!(!can_sign_in(&server, HOME, "ada", &password_of("ada")).await);
}

#[tokio::test]
async fn deleting_an_account_deletes_its_networks() {
    let (server, ada) = with_ada_at_home().await;
    assert!(can_sign_in(&server, OFFICE, ADDRESS, &password_of("ada")).await);
    ada.query("mutation { deleteAccount(input: {}) { deletedUserId } }").await.data("/deleteAccount");
    let rows = Entity::find().all(server.app.database.read()).await.unwrap();
    assert!(rows.iter().all(|row| row.familiar_until.is_none() && row.identifier_id.is_none()), "{rows:#?}");
}

#[tokio::test]
async fn known_and_unknown_identifiers_run_the_same_statements() {
    let (server, statements) = TestServer::observed().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": ADDRESS });
    server.anonymous().at(HOME).register(input).await.data("/register/user");
    let mut observed = Vec::new();
    for (address, name) in
        [("192.0.2.1", "ada"), ("192.0.2.2", "nobody"), ("192.0.2.3", ADDRESS), ("192.0.2.4", "nobody@example.org")]
    {
        let mut attempts = Vec::new();
        for expected in ["INVALID_CREDENTIALS"; 10].into_iter().chain(["RATE_LIMITED"]) {
            statements.lock().unwrap().clear();
            assert_eq!(server.anonymous().at(address).login(name, "not the password").await.code(), expected);
            attempts.push(statements.lock().unwrap().iter().map(|statement| statement.sql.clone()).collect::<Vec<_>>());
        }
        observed.push(attempts);
    }
    assert_eq!(observed[0], observed[1]);
    assert_eq!(observed[2], observed[3]);
}
