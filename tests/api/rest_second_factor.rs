//! `POST /token` and `POST /login` for users with a second factor, which these clients send in the same request.

use chrono::TimeDelta;
use hallpass::{
    config::{ExposeSecret, SecretString},
    entity::{audit_event::Action, mfa_challenge, recovery_code},
};
use sea_orm::{EntityTrait, PaginatorTrait};
use url::form_urlencoded;

use crate::{
    second_factor::{code, enrolled},
    support::{Actor, Answer, TestServer, decode_part, json, logged, password_of},
};

const REQUIRED: &str =
    "Confirm the sign-in with a second factor: a passkey, the code of your authenticator app, or a recovery code.";

const WRONG_CODE: &str = "0000-0000-0000-0000-0000-0000";

async fn start() -> (TestServer, Vec<SecretString>) {
    let server = TestServer::start().await;
    let (_, codes) = enrolled(&server).await;
    (server, codes)
}

/// Sends the right password, with this code.
async fn token(client: &Actor, code: &str) -> Answer {
    token_with(client, &password_of("ada"), code).await
}

async fn token_with(client: &Actor, password: &str, code: &str) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("username", "ada").append_pair("password", password).append_pair("otp", code);
    client.form("/token", form.finish()).await
}

async fn challenges(server: &TestServer) -> u64 {
    mfa_challenge::Entity::find().count(server.app.database.read()).await.unwrap()
}

/// The status and the OAuth error.
fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn error_of(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

/// The `acr` of the access token of a response.
fn acr(answer: &Answer) -> serde_json::Value {
    let token = answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    decode_part(token.split('.').nth(1).unwrap())["acr"].clone()
}

#[tokio::test]
async fn code_in_the_same_request_signs_in() {
    let (server, _) = start().await;
    let client = server.anonymous();
    assert_eq!(acr(&token(&client, code(&server).await.expose_secret()).await), "aal2");
    server.clock.advance(TimeDelta::seconds(30));
    let code = code(&server).await;
    let request = json!({ "username": "ada", "password": password_of("ada"), "otp": code.expose_secret() });
    assert_eq!(acr(&client.json("/login", request).await), "aal2");
    assert_eq!(challenges(&server).await, 0);
    assert_eq!(server.events(Action::LoggedIn).await, 2);
}

#[tokio::test]
async fn code_in_two_groups_signs_in() {
    let (server, _) = start().await;
    let code = code(&server).await;
    let (first, second) = code.expose_secret().split_at(3);
    assert_eq!(acr(&token(&server.anonymous(), &format!(" {first} {second} ")).await), "aal2");
}

#[tokio::test]
async fn recovery_code_in_any_spelling_signs_in_once() {
    let (server, codes) = start().await;
    let client = server.anonymous();
    let typed = codes[0].expose_secret().to_lowercase().replace('-', " ");
    assert_eq!(acr(&token(&client, &typed).await), "aal2");
    assert_eq!(error(&token(&client, &typed).await), error_of(400, "invalid_grant"));
    let bare = codes[1].expose_secret().replace('-', "");
    assert_eq!(acr(&token(&client, &bare).await), "aal2");
    let subject = "A recovery code was used";
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!(mails.iter().filter(|mail| mail.text.subject == subject).count(), 2);
}

#[tokio::test]
async fn oauth_request_without_a_code_is_refused_with_mfa_required() {
    let (server, _) = start().await;
    let answer = token(&server.anonymous(), "").await;
    let expected =
        json!({ "error": "mfa_required", "error_description": REQUIRED, "detail": REQUIRED, "status_code": 403 });
    assert_eq!((answer.status.as_u16(), answer.json()), (403, expected));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn rest_request_without_a_code_is_refused_with_mfa_required() {
    let (server, _) = start().await;
    for otp in [json!(null), json!(""), json!(" ")] {
        let request = json!({ "username": "ada", "password": password_of("ada"), "otp": otp });
        let answer = server.anonymous().json("/login", request).await;
        let expected = json!({ "error": "mfa_required", "detail": REQUIRED, "status_code": 403 });
        assert_eq!((answer.status.as_u16(), answer.json()), (403, expected));
    }
}

#[tokio::test]
async fn no_challenge_is_left_behind() {
    let (server, _) = start().await;
    for code in ["", WRONG_CODE, "123456", "not a code"] {
        assert_ne!(token(&server.anonymous(), code).await.status, 200);
        assert_eq!(challenges(&server).await, 0, "{code:?}");
    }
}

#[tokio::test]
async fn challenge_of_another_client_stays() {
    let (server, _) = start().await;
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "MFA_REQUIRED");
    assert_eq!(error(&token(&server.anonymous(), WRONG_CODE).await), error_of(400, "invalid_grant"));
    assert_eq!(challenges(&server).await, 1);
}

#[tokio::test]
async fn incorrect_code_is_refused_and_recorded() {
    let (server, _) = start().await;
    let answer = token(&server.anonymous(), WRONG_CODE).await;
    let message = "This code is incorrect or was already used. Enter the current code.";
    let expected =
        json!({ "error": "invalid_grant", "error_description": message, "detail": message, "status_code": 400 });
    assert_eq!((answer.status.as_u16(), answer.json()), (400, expected));
    assert_eq!(server.events(Action::MfaFailed).await, 1);
    let request = json!({ "username": "ada", "password": password_of("ada"), "otp": WRONG_CODE });
    let answer = server.anonymous().json("/login", request).await;
    let expected = json!({ "error": "invalid_grant", "detail": message, "status_code": 400 });
    assert_eq!((answer.status.as_u16(), answer.json()), (400, expected));
}

#[tokio::test]
async fn incorrect_password_does_not_use_the_code() {
    let (server, codes) = start().await;
    let client = server.anonymous();
    for code in [code(&server).await.expose_secret(), codes[0].expose_secret()] {
        let answer = token_with(&client, "not the password", code).await;
        assert_eq!(error(&answer), error_of(401, "invalid_grant"));
        assert_eq!(acr(&token(&client, code).await), "aal2");
    }
}

#[tokio::test]
async fn incorrect_codes_are_limited_for_each_user() {
    let (server, codes) = start().await;
    let limit = server.app.settings.throttle.limits.wrong_second_factors;
    for number in 0..limit {
        let client = server.anonymous().at(&format!("192.0.2.{number}"));
        assert_eq!(error(&token(&client, WRONG_CODE).await), error_of(400, "invalid_grant"));
    }
    let refused = token(&server.anonymous(), codes[0].expose_secret()).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    let left = recovery_code::Entity::find().count(server.app.database.read()).await.unwrap();
    assert_eq!(left, 10);
}

#[tokio::test]
async fn code_of_a_user_without_a_factor_is_ignored() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for code in ["123456", "not a code"] {
        assert_eq!(acr(&token(&server.anonymous(), code).await), "aal1");
    }
}

#[tokio::test]
async fn code_of_a_disabled_user_is_not_used() {
    let (server, _) = start().await;
    server.administrator("boss").await;
    server.disable("ada").await;
    let code = code(&server).await;
    let refused = token(&server.anonymous(), code.expose_secret()).await;
    assert_eq!(refused.json()["detail"], "This account is disabled. Ask an administrator to enable it.", "{refused:?}");
    assert_eq!(server.events(Action::MfaFailed).await, 0);
    assert_eq!(challenges(&server).await, 0);
}

#[tokio::test]
async fn code_in_the_url_is_refused() {
    let (server, codes) = start().await;
    let code = codes[0].expose_secret();
    let form = format!("username=ada&password={}", password_of("ada").replace(' ', "+"));
    let answer = server.anonymous().form(&format!("/token?otp={code}"), form).await;
    assert_eq!(error(&answer), error_of(400, "invalid_request"));
    assert!(answer.text.contains("URLs end up in logs"), "{}", answer.text);
}

#[tokio::test]
async fn texts_that_are_no_codes_are_client_errors_and_are_not_logged() {
    let (server, _) = start().await;
    let client = server.anonymous();
    let secret = "otp_hunter2_pX7";
    for text in [secret.to_owned(), format!("{secret}\u{0}"), format!("{secret}{}", "9".repeat(10_000))] {
        let by_form = token(&client, &text).await;
        let request = json!({ "username": "ada", "password": password_of("ada"), "otp": text });
        for answer in [by_form, client.json("/login", request).await] {
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    let mistyped = json!({ "username": "ada", "password": password_of("ada"), "otp": [secret] });
    let answer = client.json("/login", mistyped).await;
    assert!(answer.status == 422 && !answer.text.contains(secret), "{answer:?}");
    assert_eq!(logged(secret), Vec::<String>::new());
}

#[tokio::test]
async fn openapi_describes_the_code_and_the_refusal() {
    let server = TestServer::start().await;
    let document = server.anonymous().get("/openapi.json").await.json();
    for (path, schema) in [("/token", "TokenRequest"), ("/login", "LoginRequest")] {
        assert!(document["components"]["schemas"][schema]["properties"]["otp"].is_object(), "{schema}");
        let refused = &document["paths"][path]["post"]["responses"]["403"]["description"];
        assert!(refused.as_str().unwrap().contains("`mfa_required`"), "{path}: {refused}");
    }
}
