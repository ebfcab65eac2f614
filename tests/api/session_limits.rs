//! Session limits per account, and sessions that end automatically: the oldest over the limit, and those whose cookie
//! another sign-in replaces.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::entity::{session, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::support::{Actor, Answer, REFRESH_COOKIE, TestDatabase, TestServer, json, password_of};

/// The refresh cookie that a response sets, as a browser sends it; empty if cleared.
fn cookie(answer: &Answer) -> Option<String> {
    let (cookie, _) = answer.header("set-cookie")?.split_once(';').unwrap();
    Some(cookie.to_owned())
}

/// Registers in a browser. Returns its access token and cookie.
async fn browser(server: &TestServer, username: &str) -> Actor {
    let mut actor = server.anonymous();
    let answer = actor.register(json!({ "username": username, "password": password_of(username) })).await;
    actor.bearer = Some(answer.data("/register/accessToken").as_str().unwrap().to_owned());
    actor.cookie = cookie(&answer);
    actor
}

async fn sessions(server: &TestServer) -> Vec<session::Model> {
    session::Entity::find().all(server.app.database.read()).await.unwrap()
}

#[tokio::test]
async fn session_over_the_limit_ends_the_oldest() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let mut tokens = Vec::new();
    for _ in 0..99 {
        server.clock.advance(TimeDelta::seconds(1));
        let answer = server.anonymous().login("ada", &password_of("ada")).await;
        tokens.push(answer.data("/login/accessToken").as_str().unwrap().to_owned());
    }
    ada.me().await.data("/me/id");
    server.clock.advance(TimeDelta::seconds(1));
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/accessToken");
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    for token in tokens {
        server.anonymous().with_bearer(&token).me().await.data("/me/id");
    }
}

#[tokio::test]
async fn revoking_all_sessions_writes_no_session_rows() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let [template] = sessions(&server).await.try_into().unwrap();
    // Sessions of an older version without a limit; as many as fit into one statement.
    let older = (1..1000).map(|n| session::Model { id: uuid::Uuid::from_u128(n), ..template.clone() });
    let rows = older.map(|session| session.into_active_model().reset_all());
    session::Entity::insert_many(rows).exec(server.app.database.read()).await.unwrap();
    let answer = ada.query("mutation { revokeOtherSessions { revokedSessions } }").await;
    assert_eq!(answer.data("/revokeOtherSessions/revokedSessions"), 999);
    assert!(sessions(&server).await.iter().all(|session| session.revoked_at.is_none()));
    ada.me().await.data("/me/id");
    assert_eq!(ada.logout(json!({ "everywhere": true })).await.data("/logout/revokedSessions"), 1);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert!(sessions(&server).await.iter().all(|session| session.revoked_at.is_none()));
}

#[tokio::test]
async fn sign_in_ends_the_session_whose_cookie_it_replaces() {
    let server = TestServer::start().await;
    let ada = browser(&server, "ada").await;
    let mut next = ada.clone();
    next.cookie = cookie(&ada.login("ada", &password_of("ada")).await);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(ada.refresh_by_cookie().await.code(), "SESSION_REVOKED");
    next.refresh_by_cookie().await.data("/refreshToken/accessToken");
}

#[tokio::test]
async fn sign_in_as_another_user_ends_the_session_whose_cookie_it_replaces() {
    let server = TestServer::start().await;
    server.user("bo").await;
    let ada = browser(&server, "ada").await;
    ada.login("bo", &password_of("bo")).await.data("/login/accessToken");
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");

    let cy = browser(&server, "cy").await;
    let input = json!({ "username": "dee", "password": password_of("dee") });
    cy.register(input).await.data("/register/accessToken");
    assert_eq!(cy.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn sign_in_that_sets_no_cookie_ends_no_session() {
    let server = TestServer::start().await;
    let ada = browser(&server, "ada").await;
    assert_eq!(ada.login("ada", "not her password").await.code(), "INVALID_CREDENTIALS");
    let login = "mutation($input: LoginInput!) { login(input: $input) { refreshToken } }";
    let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
    ada.graphql(login, json!({ "input": input })).await.data("/login/refreshToken");
    ada.token("ada", &password_of("ada")).await.json();
    ada.me().await.data("/me/id");
    ada.refresh_by_cookie().await.data("/refreshToken/accessToken");
}

#[tokio::test]
async fn ending_the_current_session_clears_its_cookie() {
    let server = TestServer::start().await;
    let ada = browser(&server, "ada").await;
    let other = server.anonymous().login("ada", &password_of("ada")).await;
    let other = server.anonymous().with_bearer(other.data("/login/accessToken").as_str().unwrap());
    let current = "{ me { sessions { id isCurrent } } }";
    let ids = ada.query(current).await.data("/me/sessions");
    let id = |is_current: bool| {
        let mut sessions = ids.as_array().unwrap().iter();
        sessions.find(|session| session["isCurrent"] == is_current).unwrap()["id"].clone()
    };
    let revoke = "mutation($id: ID!) { revokeSession(input: { sessionId: $id }) { revokedSessionId } }";
    let answer = ada.graphql(revoke, json!({ "id": id(false) })).await;
    answer.data("/revokeSession");
    assert_eq!(cookie(&answer), None, "ending another session keeps the cookie");
    assert_eq!(other.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    let answer = ada.graphql(revoke, json!({ "id": id(true) })).await;
    answer.data("/revokeSession");
    assert_eq!(cookie(&answer), Some(format!("{REFRESH_COOKIE}=")));
}

#[tokio::test]
async fn deleting_the_account_clears_the_cookie() {
    let server = TestServer::start().await;
    let ada = browser(&server, "ada").await;
    let answer = ada.query("mutation { deleteAccount(input: {}) { deletedUserId } }").await;
    answer.data("/deleteAccount/deletedUserId");
    assert_eq!(cookie(&answer), Some(format!("{REFRESH_COOKIE}=")));
    // A session of an app has no cookie to clear.
    let (bo, _) = server.app_user("bo").await;
    let answer = bo.query("mutation { deleteAccount(input: {}) { deletedUserId } }").await;
    answer.data("/deleteAccount/deletedUserId");
    assert_eq!(cookie(&answer), None);
}

#[tokio::test]
async fn unverified_email_blocks_refresh_if_verification_is_required() {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let strict = TestServer::on(Arc::clone(&server.database), |settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    assert_eq!(strict.anonymous().refresh(&token).await.code(), "EMAIL_NOT_VERIFIED");
    let db = server.app.database.read();
    let ada = user::Entity::find().filter(user::Column::UsernameKey.eq("ada")).one(db).await.unwrap().unwrap();
    let mut ada = ada.into_active_model();
    ada.email_verified_at = Set(Some(server.app.clock.now()));
    ada.update(db).await.unwrap();
    strict.anonymous().refresh(&token).await.data("/refreshToken/accessToken");
}

/// Runs everything that ends or rotates sessions of one account concurrently on two instances.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_to_one_account_never_deadlock() {
    let database = Arc::new(TestDatabase::create().await);
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(Arc::new(
            TestServer::on(Arc::clone(&database), |settings| settings.throttle.is_enabled = false).await,
        ));
    }
    let browser = browser(&servers[0], "ada").await;
    let tasks = (0..10).map(|task| {
        let (server, browser) = (Arc::clone(&servers[task % 2]), browser.clone());
        tokio::spawn(async move {
            let mut codes = Vec::new();
            for _ in 0..6 {
                let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }";
                let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
                let answer = server.anonymous().graphql(login, json!({ "input": input })).await;
                codes.push(answer.text.clone());
                let Some(tokens) = answer.json()["data"]["login"].as_object().cloned() else { continue };
                let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
                let ada = server.anonymous().with_bearer(&token("accessToken"));
                let others = "mutation { revokeOtherSessions { revokedSessions } }";
                let profile = "mutation { updateProfile(input: { lastName: \"Lovelace\" }) { user { id } } }";
                codes.push(ada.refresh(&token("refreshToken")).await.text);
                codes.push(match task % 5 {
                    0 => ada.query(others).await.text,
                    1 => ada.logout(json!({ "everywhere": true })).await.text,
                    2 => ada.logout(json!({ "refreshToken": token("refreshToken") })).await.text,
                    3 => ada.query(profile).await.text,
                    _ => browser.login("ada", &password_of("ada")).await.text,
                });
            }
            codes
        })
    });
    for answers in join_all(tasks.collect::<Vec<_>>()).await {
        for answer in answers.unwrap() {
            assert!(!answer.contains("SERVICE_UNAVAILABLE") && !answer.contains("INTERNAL"), "{answer}");
        }
    }
}
