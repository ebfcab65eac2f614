//! `reauthenticate`: a new proof of identity in a session.

use chrono::TimeDelta;
use hallpass::graphql;

use crate::support::{Actor, Answer, REFRESH_COOKIE, TestServer, json, password_of};

const REAUTHENTICATE: &str = "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { \
    accessToken refreshToken user { username sessions { isCurrent authenticatedAt createdAt } } } }";

async fn reauthenticate(actor: &Actor, password: &str) -> Answer {
    actor.graphql(REAUTHENTICATE, json!({ "input": { "password": password } })).await
}

fn text(answer: &Answer, pointer: &str) -> String {
    answer.data(pointer).as_str().unwrap().to_owned()
}

#[tokio::test]
async fn reauthentication_is_recorded_in_the_session() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::minutes(11));
    let sessions = reauthenticate(&ada, &password_of("ada")).await.data("/reauthenticate/user/sessions");
    let expected = json!([{
        "isCurrent": true, "authenticatedAt": "2026-01-31T12:11:00.123Z", "createdAt": "2026-01-31T12:00:00.123Z",
    }]);
    assert_eq!(sessions, expected);
}

#[tokio::test]
async fn session_counts_as_authenticated_at_its_sign_in() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let session = ada.query("{ me { sessions { authenticatedAt } } }").await.data("/me/sessions/0");
    assert_eq!(session, json!({ "authenticatedAt": "2026-01-31T12:00:00.123Z" }));
}

#[tokio::test]
async fn change_of_address_needs_no_password_after_it() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    server.clock.advance(TimeDelta::minutes(10));
    let change = json!({ "newEmail": "ada@new.example" });
    assert_eq!(ada.change_email(change.clone()).await.problems(), ["password: REQUIRED"]);
    reauthenticate(&ada, &password_of("ada")).await.data("/reauthenticate");
    server.clock.advance(TimeDelta::seconds(10 * 60 - 1));
    ada.change_email(change.clone()).await.data("/changeEmail");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(ada.change_email(change).await.problems(), ["password: REQUIRED"]);
}

#[tokio::test]
async fn deletion_needs_no_password_after_it() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::minutes(10));
    let delete = "mutation { deleteAccount(input: {}) { deletedUserId } }";
    assert_eq!(ada.query(delete).await.problems(), ["password: REQUIRED"]);
    reauthenticate(&ada, &password_of("ada")).await.data("/reauthenticate");
    ada.query(delete).await.data("/deleteAccount");
}

#[tokio::test]
async fn wrong_password_changes_nothing() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(reauthenticate(&ada, "not her password").await.problems(), ["password: WRONG_PASSWORD"]);
    assert_eq!(reauthenticate(&ada, "").await.problems(), ["password: REQUIRED"]);
    let session = server.only_session().await;
    assert_eq!((session.generation, session.authenticated_at), (0, None));
}

#[tokio::test]
async fn wrong_passwords_are_limited() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for _ in 0..server.app.settings.throttle.limits.wrong_current_passwords {
        reauthenticate(&ada, "not her password").await.problems();
    }
    assert_eq!(reauthenticate(&ada, &password_of("ada")).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn reauthentication_requires_a_token() {
    let server = TestServer::start().await;
    server.user("ada").await;
    assert_eq!(reauthenticate(&server.anonymous(), &password_of("ada")).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn new_tokens_belong_to_the_same_session() {
    let server = TestServer::start().await;
    let (app, token) = server.app_user("ada").await;
    let answer = reauthenticate(&app, &password_of("ada")).await;
    let (access, refresh) =
        (text(&answer, "/reauthenticate/accessToken"), text(&answer, "/reauthenticate/refreshToken"));
    assert_ne!(Some(&access), app.bearer.as_ref());
    assert_ne!(refresh, token);
    server.anonymous().with_bearer(&access).me().await.data("/me/id");
    server.anonymous().refresh(&refresh).await.data("/refreshToken");
    // Panics if there is another session.
    server.only_session().await;
}

#[tokio::test]
async fn previous_refresh_token_is_safe_if_the_response_is_lost() {
    let server = TestServer::start().await;
    let (app, token) = server.app_user("ada").await;
    reauthenticate(&app, &password_of("ada")).await.data("/reauthenticate");
    server.clock.advance(TimeDelta::minutes(5));
    server.anonymous().refresh(&token).await.data("/refreshToken");
}

#[tokio::test]
async fn previous_refresh_token_ends_the_session_after_the_new_one_was_used() {
    let server = TestServer::start().await;
    let (app, token) = server.app_user("ada").await;
    let answer = reauthenticate(&app, &password_of("ada")).await;
    server.anonymous().with_bearer(&text(&answer, "/reauthenticate/accessToken")).me().await.data("/me/id");
    server.confirmed().await;
    server.clock.advance(TimeDelta::minutes(5));
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
}

#[tokio::test]
async fn older_access_token_gets_the_current_refresh_token() {
    let server = TestServer::start().await;
    let (app, token) = server.app_user("ada").await;
    let current = server.anonymous().refresh(&token).await;
    let answer = reauthenticate(&app, &password_of("ada")).await;
    let refresh = text(&answer, "/reauthenticate/refreshToken");
    assert_eq!(refresh, text(&current, "/refreshToken/refreshToken"));
    assert_eq!(server.only_session().await.generation, 1);
}

#[tokio::test]
async fn browser_gets_the_new_refresh_token_in_its_cookie() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let answer = reauthenticate(&ada, &password_of("ada")).await;
    assert_eq!(answer.data("/reauthenticate/refreshToken"), json!(null));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with(REFRESH_COOKIE), "{cookie}");
    let mut browser = server.anonymous();
    browser.cookie = Some(cookie);
    browser.refresh_by_cookie().await.data("/refreshToken");
}

#[tokio::test]
async fn access_token_lives_on_until_the_session_ends() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    reauthenticate(&ada, &password_of("ada")).await.data("/reauthenticate");
    ada.me().await.data("/me/id");
    ada.query("mutation { logout { revokedSessions } }").await.data("/logout");
    assert_eq!(reauthenticate(&ada, &password_of("ada")).await.code(), "UNAUTHENTICATED");
}

const COUNT: &str =
    "must have exactly one of the fields of ReauthenticateInput: password, totpCode, recoveryCode, passkey.";

/// The message of the only error. Nothing is executed.
async fn refused(actor: &Actor, query: &str, variables: serde_json::Value) -> String {
    let answer = actor.graphql(query, variables).await;
    assert!(answer.json().get("data").is_none(), "{answer:?}");
    answer.error()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn literal_of_the_input_needs_exactly_one_field() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = |input: &str| format!("mutation($p: String) {{ reauthenticate(input: {input}) {{ tokenType }} }}");
    assert_eq!(refused(&ada, &query("{}"), json!({})).await, format!("The argument `input` {COUNT}"));
    let null = refused(&ada, &query("{ password: null }"), json!({})).await;
    assert_eq!(null, "`password` in the argument `input` must not be null. It is of the type String!.");
    let unknown = refused(&ada, &query("{ password: \"x\", code: 1 }"), json!({})).await;
    assert!(unknown.contains("has the field `code`"), "{unknown}");
    let nullable = refused(&ada, &query("{ password: $p }"), json!({ "p": "x" })).await;
    assert_eq!(nullable, "The variable `$p` is of the type String, but String! is expected here.");
}

#[tokio::test]
async fn variable_of_the_input_needs_exactly_one_field() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let input = |input| json!({ "input": input });
    assert_eq!(refused(&ada, REAUTHENTICATE, input(json!({}))).await, format!("The variable `$input` {COUNT}"));
    let null = refused(&ada, REAUTHENTICATE, input(json!({ "password": null }))).await;
    assert_eq!(null, "`password` in the variable `$input` must not be null. It is of the type String!.");
}

#[tokio::test]
async fn variable_inside_of_the_input_is_accepted() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = "mutation($p: String!) { reauthenticate(input: { password: $p }) { tokenType } }";
    ada.graphql(query, json!({ "p": password_of("ada") })).await.data("/reauthenticate");
}

#[test]
fn schema_shows_that_exactly_one_field_is_needed() {
    assert!(graphql::sdl().contains("input ReauthenticateInput @oneOf {"));
}
