//! Sign-in by mail: a link and a code, which only the client that asked can use.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    domain::{
        mfa,
        users::administration::{self, Administrator, Change},
    },
    entity::{
        audit_event::{self, Action},
        email_sign_in::{self, Model},
        passkey, recovery_code, totp_factor, user,
    },
    jobs::{
        deliver_mail,
        purge::{Table, purge},
    },
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};

use crate::{
    second_factor::{code, context},
    support::{
        Actor, Answer, SmtpServer, TestServer, decode_part,
        passkeys::{self, add, authenticator, change_user, log_in_with, truth},
        password_of,
        provider::cookie_of,
        token_in,
    },
};

const REQUEST: &str =
    "mutation($input: RequestEmailSignInInput!) { requestEmailSignIn(input: $input) { email expiresIn } }";
const LOGIN: &str = "mutation($input: LoginWithEmailInput!) { loginWithEmail(input: $input) { \
    accessToken refreshToken user { username hasPassword emailVerified } } }";

/// The verifier of Ada's browser, and that of another one.
const VERIFIER: &str = "the-verifier-in-the-browser-of-ada_0123456789";
const OTHER_VERIFIER: &str = "the-verifier-in-another-browser_0123456789~.-";

const ADA: &str = "ada@example.org";
const HOME: &str = "198.51.100.7";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// A server on which users can sign in by mail.
async fn server() -> TestServer {
    TestServer::with(|settings| settings.mail.sign_in = true).await
}

/// A server with the user `ada`, whose address is verified.
async fn with_ada() -> (TestServer, Actor) {
    let server = server().await;
    let ada = verified(&server, "ada", ADA).await;
    (server, ada)
}

async fn verified(server: &TestServer, username: &str, email: &str) -> Actor {
    let user = server.user_at(username, email).await;
    let token = server.token_to(email).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    user
}

async fn request_with(client: &Actor, email: &str, verifier: &str) -> Answer {
    let input = json!({ "email": email, "codeChallenge": challenge(verifier) });
    client.graphql(REQUEST, json!({ "input": input })).await
}

/// Requests a mail for Ada's browser. Returns the token and the code in it.
async fn mail_to(server: &TestServer, email: &str) -> (String, String) {
    request_with(&server.anonymous(), email, VERIFIER).await.data("/requestEmailSignIn");
    latest(server, email).await.unwrap()
}

/// The token and the code in the latest mail to an address, if it is one for sign-in.
async fn latest(server: &TestServer, email: &str) -> Option<(String, String)> {
    let mail = server.mails_to(email).await.into_iter().next()?;
    (mail.text.subject == "Sign in").then(|| contents(&mail.text.plain))
}

fn contents(text: &str) -> (String, String) {
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    (token_in(text), text.lines().find(is_code).unwrap().to_owned())
}

async fn log_in(client: &Actor, proof: Value, verifier: &str) -> Answer {
    let input = json!({ "proof": proof, "codeVerifier": verifier, "tokenDelivery": "BODY" });
    client.graphql(LOGIN, json!({ "input": input })).await
}

async fn by_link(server: &TestServer, token: &str) -> Answer {
    log_in(&server.anonymous(), json!({ "token": token }), VERIFIER).await
}

fn proof(email: &str, code: &str) -> Value {
    json!({ "emailAndCode": { "email": email, "code": code } })
}

async fn by_code(server: &TestServer, code: &str) -> Answer {
    log_in(&server.anonymous(), proof(ADA, code), VERIFIER).await
}

/// A code that differs from the right one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}

fn signed_in(server: &TestServer, answer: &Answer) -> Actor {
    server.anonymous().with_bearer(answer.data("/loginWithEmail/accessToken").as_str().unwrap())
}

async fn requests(server: &TestServer) -> Vec<Model> {
    email_sign_in::Entity::find().all(server.app.database.read()).await.unwrap()
}

/// The details of the only event with an action.
async fn details(server: &TestServer, action: Action) -> Vec<(String, String)> {
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    let mut of_action: Vec<_> = events.into_iter().filter(|event| event.action == action).collect();
    assert_eq!(of_action.len(), 1, "{of_action:?}");
    of_action.remove(0).details.unwrap_or_default().0
}

#[tokio::test]
async fn mail_has_a_link_and_a_code_for_ten_minutes() {
    let (server, _) = with_ada().await;
    let answer = request_with(&server.anonymous(), " Ada@EXAMPLE.org", VERIFIER).await;
    assert_eq!(answer.data("/requestEmailSignIn"), json!({ "email": " Ada@EXAMPLE.org", "expiresIn": 600 }));
    let mail = server.mails_to(ADA).await.remove(0);
    assert!(mail.text.plain.contains("http://localhost:8000/sign-in?token="), "{}", mail.text.plain);
    assert!(latest(&server, ADA).await.is_some());
}

#[tokio::test]
async fn link_signs_in_once() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    let answer = by_link(&server, &token).await;
    assert_eq!(answer.data("/loginWithEmail/user/username"), "ada");
    signed_in(&server, &answer).me().await.data("/me/id");
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn code_signs_in_once() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    let typed = format!(" {}-{} ", &code[..4], &code[4..]);
    assert_eq!(by_code(&server, &typed).await.data("/loginWithEmail/user/username"), "ada");
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn code_and_link_of_one_mail_work_once_together() {
    let (server, _) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    by_code(&server, &code).await.data("/loginWithEmail");
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn parallel_uses_of_one_code_open_one_session() {
    let (server, _) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    let before = passkeys::sessions(&server).await;
    let links = join_all((0..10).map(|_| by_link(&server, &token)));
    let codes = join_all((0..10).map(|_| by_code(&server, &code)));
    let (links, codes) = futures_util::future::join(links, codes).await;
    let opened = links.iter().chain(&codes).filter(|answer| answer.json().get("errors").is_none()).count();
    assert_eq!((opened, passkeys::sessions(&server).await), (1, before + 1));
}

#[tokio::test]
async fn link_without_the_verifier_uses_nothing_up() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    for _ in 0..20 {
        let answer = log_in(&server.anonymous(), json!({ "token": token }), OTHER_VERIFIER).await;
        assert_eq!(answer.code(), "CODE_INVALID");
    }
    by_link(&server, &token).await.data("/loginWithEmail");
}

#[tokio::test]
async fn attempts_without_the_verifier_are_not_counted() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    for guess in [&code, &wrong(&code)] {
        for _ in 0..20 {
            let answer = log_in(&server.anonymous(), proof(ADA, guess), OTHER_VERIFIER).await;
            assert_eq!(answer.code(), "CODE_INVALID");
        }
    }
    assert_eq!(server.events(Action::LoginFailed).await, 0);
    by_code(&server, &code).await.data("/loginWithEmail");
}

#[tokio::test]
async fn attempts_of_another_client_do_not_use_up_those_of_the_owner() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    let mallory = server.anonymous().at("203.0.113.7");
    request_with(&mallory, ADA, OTHER_VERIFIER).await.data("/requestEmailSignIn");
    latest(&server, ADA).await.unwrap();
    for _ in 0..8 {
        log_in(&mallory, proof(ADA, &wrong(&code)), OTHER_VERIFIER).await.code();
    }
    by_code(&server, &code).await.data("/loginWithEmail");
}

#[tokio::test]
async fn code_ends_after_five_wrong_ones() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    for _ in 0..5 {
        assert_eq!(by_code(&server, &wrong(&code)).await.code(), "CODE_INVALID");
    }
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
    assert_eq!(server.events(Action::LoginFailed).await, 5);
}

#[tokio::test]
async fn code_survives_four_wrong_ones() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    for _ in 0..4 {
        assert_eq!(by_code(&server, &wrong(&code)).await.code(), "CODE_INVALID");
    }
    by_code(&server, &code).await.data("/loginWithEmail");
}

#[tokio::test]
async fn parallel_guesses_share_the_five_attempts() {
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.throttle.is_enabled = false;
    })
    .await;
    verified(&server, "ada", ADA).await;
    let (_, code) = mail_to(&server, ADA).await;
    join_all((0..20).map(|_| by_code(&server, "00000000"))).await;
    assert_eq!(requests(&server).await.iter().map(|request| request.attempts).collect::<Vec<_>>(), [5]);
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn link_survives_wrong_codes() {
    let (server, _) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    for _ in 0..6 {
        by_code(&server, &wrong(&code)).await.code();
    }
    by_link(&server, &token).await.data("/loginWithEmail");
}

#[tokio::test]
async fn text_that_cannot_be_a_code_is_not_counted() {
    let (server, _) = with_ada().await;
    let (_, code) = mail_to(&server, ADA).await;
    for text in ["", "1234567", "123456789", "abcdefgh", "not a code"] {
        assert_eq!(by_code(&server, text).await.code(), "CODE_INVALID");
    }
    assert_eq!(requests(&server).await[0].attempts, 0);
    by_code(&server, &code).await.data("/loginWithEmail");
}

/// From a network that Ada does not use, and with requests of the attacker, who has their verifiers.
#[tokio::test]
async fn wrong_codes_are_limited_by_address_and_network() {
    let (server, _) = with_ada().await;
    let mallory = server.anonymous().at("203.0.113.7");
    let mut answers = Vec::new();
    for verifier in ["1", "2", "3"].map(|number| format!("{OTHER_VERIFIER}{number}")) {
        request_with(&mallory, ADA, &verifier).await.data("/requestEmailSignIn");
        latest(&server, ADA).await.unwrap();
        for _ in 0..5 {
            answers.push(log_in(&mallory, proof(ADA, "00000000"), &verifier).await.code());
        }
    }
    let expected = [vec!["CODE_INVALID"; 10], vec!["RATE_LIMITED"; 5]].concat();
    assert_eq!(answers, expected);
    let (_, code) = mail_to(&server, ADA).await;
    assert_eq!(log_in(&mallory, proof(ADA, &code), VERIFIER).await.code(), "RATE_LIMITED");
    by_code(&server, &code).await.data("/loginWithEmail");
}

#[tokio::test]
async fn right_code_is_not_counted_for_address_and_network() {
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.throttle.limits.mails_to_address = 20;
    })
    .await;
    verified(&server, "ada", ADA).await;
    for _ in 0..12 {
        let (_, code) = mail_to(&server, ADA).await;
        by_code(&server, &code).await.data("/loginWithEmail");
    }
}

#[tokio::test]
async fn unknown_addresses_are_limited_alike() {
    let (server, _) = with_ada().await;
    let mut runs = Vec::new();
    for (email, address) in [(ADA, "203.0.113.7"), ("nobody@example.org", "203.0.113.8")] {
        let mallory = server.anonymous().at(address);
        let mut codes = Vec::new();
        for verifier in ["1", "2", "3"].map(|number| format!("{OTHER_VERIFIER}{number}")) {
            request_with(&mallory, email, &verifier).await.data("/requestEmailSignIn");
            deliver_mail::tick(&server.app).await.unwrap();
            for _ in 0..6 {
                codes.push(log_in(&mallory, proof(email, "00000000"), &verifier).await.code());
            }
        }
        runs.push(codes);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn newer_mail_leaves_the_earlier_one_valid() {
    let (server, _) = with_ada().await;
    let (_, first) = mail_to(&server, ADA).await;
    let (_, second) = mail_to(&server, ADA).await;
    assert_ne!(first, second);
    by_code(&server, &first).await.data("/loginWithEmail");
}

#[tokio::test]
async fn sign_in_ends_the_other_mails_of_the_client() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    let (_, code) = mail_to(&server, ADA).await;
    by_code(&server, &code).await.data("/loginWithEmail");
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn mail_of_another_client_is_independent() {
    let (server, _) = with_ada().await;
    request_with(&server.anonymous(), ADA, OTHER_VERIFIER).await.data("/requestEmailSignIn");
    let (_, other) = latest(&server, ADA).await.unwrap();
    let (_, code) = mail_to(&server, ADA).await;
    by_code(&server, &code).await.data("/loginWithEmail");
    log_in(&server.anonymous(), proof(ADA, &other), OTHER_VERIFIER).await.data("/loginWithEmail");
}

#[tokio::test]
async fn link_and_code_expire_after_ten_minutes() {
    let (server, _) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    server.clock.advance(TimeDelta::seconds(600));
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
    assert_eq!(server.events(Action::LoginFailed).await, 0);
}

#[tokio::test]
async fn code_is_valid_for_its_address_only() {
    let (server, _) = with_ada().await;
    verified(&server, "bo", "bo@example.org").await;
    let (_, code) = mail_to(&server, ADA).await;
    mail_to(&server, "bo@example.org").await;
    let answer = log_in(&server.anonymous(), proof("bo@example.org", &code), VERIFIER).await;
    assert_eq!(answer.code(), "CODE_INVALID");
}

/// A request runs the same statements for every address. The account is looked up when the mail is sent.
#[tokio::test]
async fn request_does_not_reveal_whether_the_account_exists() {
    let (server, statements) = TestServer::observed_with(|settings| settings.mail.sign_in = true).await;
    verified(&server, "ada", ADA).await;
    let mut runs = Vec::new();
    for email in [ADA, "bob@example.org"] {
        statements.lock().unwrap().clear();
        let answer = request_with(&server.anonymous(), email, VERIFIER).await;
        let text = answer.text.replace(email, "").replace(answer.header("x-request-id").unwrap(), "");
        let sql: Vec<String> = statements.lock().unwrap().drain(..).map(|statement| statement.sql).collect();
        assert!(sql.iter().any(|sql| sql.contains("email_sign_ins")), "{sql:?}");
        runs.push((answer.status, text, sql));
    }
    assert_eq!(runs[0], runs[1]);
    assert!(latest(&server, ADA).await.is_some());
    assert_eq!(server.mails_to("bob@example.org").await.len(), 0);
}

/// From a network that the owner does not use: as with passwords, fewer counts apply in the owner's networks.
#[tokio::test]
async fn wrong_code_does_not_reveal_whether_the_account_exists() {
    let (server, statements) = TestServer::observed_with(|settings| settings.mail.sign_in = true).await;
    verified(&server, "ada", ADA).await;
    let mut runs = Vec::new();
    for email in [ADA, "bob@example.org"] {
        request_with(&server.anonymous(), email, VERIFIER).await.data("/requestEmailSignIn");
        deliver_mail::tick(&server.app).await.unwrap();
        for _ in 0..6 {
            statements.lock().unwrap().clear();
            let client = server.anonymous().at("203.0.113.7");
            let answer = log_in(&client, proof(email, "00000000"), VERIFIER).await;
            let text = answer.text.replace(answer.header("x-request-id").unwrap(), "");
            let sql: Vec<String> = statements.lock().unwrap().drain(..).map(|statement| statement.sql).collect();
            runs.push((answer.status, text, sql));
        }
    }
    assert!(runs[0].2.len() > 4, "{:?}", runs[0].2);
    assert_eq!(runs[..6], runs[6..]);
}

#[tokio::test]
async fn unknown_address_gets_neither_a_mail_nor_an_account() {
    let (server, _) = with_ada().await;
    request_with(&server.anonymous(), "bob@example.org", VERIFIER).await.data("/requestEmailSignIn");
    assert_eq!(server.mails_to("bob@example.org").await.len(), 0);
    assert_eq!(user::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
    let [request] = requests(&server).await.try_into().unwrap();
    assert_eq!((request.user_id, request.token_hash, request.code_hash), (None, None, None));
}

#[tokio::test]
async fn requests_are_limited_by_network() {
    let server = server().await;
    for number in 0..60 {
        let email = format!("a{number}@example.org");
        request_with(&server.anonymous(), &email, VERIFIER).await.data("/requestEmailSignIn");
    }
    assert_eq!(request_with(&server.anonymous(), ADA, VERIFIER).await.code(), "RATE_LIMITED");
    assert_eq!(requests(&server).await.len(), 60);
}

#[tokio::test]
async fn address_gets_three_mails_an_hour() {
    let (server, _) = with_ada().await;
    for number in 0..5 {
        let client = server.anonymous().at(&format!("192.0.2.{number}"));
        request_with(&client, ADA, VERIFIER).await.data("/requestEmailSignIn");
    }
    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.iter().filter(|mail| mail.text.subject == "Sign in").count(), 3);
}

#[tokio::test]
async fn requests_of_strangers_do_not_use_up_the_mails_of_a_familiar_network() {
    let server = server().await;
    let home = server.anonymous().at(HOME);
    home.register(json!({ "username": "ada", "password": password_of("ada"), "email": ADA })).await.data("/register");
    let token = server.token_to(ADA).await;
    home.verify_email(&token).await.data("/verifyEmail");
    for number in 0..5 {
        let stranger = server.anonymous().at(&format!("203.0.113.{number}"));
        request_with(&stranger, ADA, OTHER_VERIFIER).await.data("/requestEmailSignIn");
        server.mails_to(ADA).await;
    }
    request_with(&home, ADA, VERIFIER).await.data("/requestEmailSignIn");
    let (_, code) = latest(&server, ADA).await.unwrap();
    log_in(&home, proof(ADA, &code), VERIFIER).await.data("/loginWithEmail");
}

#[tokio::test]
async fn network_of_a_sign_in_is_familiar() {
    let (server, _) = with_ada().await;
    let home = server.anonymous().at(HOME);
    let (_, code) = mail_to(&server, ADA).await;
    log_in(&home, proof(ADA, &code), VERIFIER).await.data("/loginWithEmail");
    server.clock.advance(TimeDelta::hours(1));
    for number in 0..5 {
        let stranger = server.anonymous().at(&format!("203.0.113.{number}"));
        request_with(&stranger, ADA, OTHER_VERIFIER).await.data("/requestEmailSignIn");
    }
    let before = server.mails_to(ADA).await.len();
    request_with(&home, ADA, VERIFIER).await.data("/requestEmailSignIn");
    assert_eq!(server.mails_to(ADA).await.len(), before + 1);
}

#[tokio::test]
async fn sign_in_ends_the_session_whose_cookie_it_replaces() {
    let (server, _) = with_ada().await;
    let login = "mutation($input: LoginWithEmailInput!) { loginWithEmail(input: $input) { accessToken } }";
    let mut browser = server.anonymous();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (token, _) = mail_to(&server, ADA).await;
        let input = json!({ "proof": { "token": token }, "codeVerifier": VERIFIER });
        let answer = browser.graphql(login, json!({ "input": input })).await;
        sessions.push(signed_in(&server, &answer));
        browser.cookie = Some(cookie_of(&answer));
        server.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(sessions[0].me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    sessions[1].me().await.data("/me/id");
}

#[tokio::test]
async fn second_factor_is_asked_after_the_mail() {
    let (server, ada) = with_ada().await;
    let mut authenticator = authenticator();
    add(&ada, &mut authenticator).await;
    let (token, _) = mail_to(&server, ADA).await;
    let answer = by_link(&server, &token).await;
    assert_eq!(answer.code(), "MFA_REQUIRED");
    let challenge = answer.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned();
    // The link is used up.
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
    let (ceremony, options) = passkeys::start_for(&server, &challenge).await;
    let verified = passkeys::verify(&server, &challenge, &ceremony, &authenticator.get(&options, truth)).await;
    let claims = passkeys::claims(&passkeys::bearer(&server, &verified, "verifyMfa"));
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["mca", "hwk", "user", "mfa"]), &json!("aal2")));
    let expected = [("method", "email"), ("secondFactor", "passkey")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(details(&server, Action::LoggedIn).await, expected);
}

#[tokio::test]
async fn sign_in_is_recorded_with_its_method() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    let answer = by_link(&server, &token).await;
    assert_eq!(details(&server, Action::LoggedIn).await, [("method".to_owned(), "email".to_owned())]);
    let token = answer.data("/loginWithEmail/accessToken");
    let claims = decode_part(token.as_str().unwrap().split('.').nth(1).unwrap());
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["mca"]), &json!("aal1")));
}

#[tokio::test]
async fn sign_in_keeps_the_password_and_sessions_of_a_verified_account() {
    let (server, ada) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    let user = by_link(&server, &token).await.data("/loginWithEmail/user");
    assert_eq!(user, json!({ "username": "ada", "hasPassword": true, "emailVerified": true }));
    ada.me().await.data("/me/id");
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
}

#[tokio::test]
async fn first_sign_in_removes_the_password_and_sessions_of_an_unverified_account() {
    let server = server().await;
    let eve = server.user_at("eve", ADA).await;
    let (token, _) = mail_to(&server, ADA).await;
    let user = by_link(&server, &token).await.data("/loginWithEmail/user");
    assert_eq!(user, json!({ "username": "eve", "hasPassword": false, "emailVerified": true }));
    assert_eq!(eve.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.mails_to(ADA).await[0].text.subject, "The password of your account was removed");
    assert_eq!(server.anonymous().login("eve", &password_of("eve")).await.code(), "INVALID_CREDENTIALS");
    for action in [Action::EmailVerified, Action::PasswordRemoved] {
        assert_eq!(server.events(action).await, 1, "{action:?}");
    }
}

#[tokio::test]
async fn first_sign_in_removes_the_passkeys_of_an_unverified_account() {
    let server = server().await;
    let eve = server.user_at("eve", ADA).await;
    let mut authenticator = authenticator();
    add(&eve, &mut authenticator).await;
    let (token, _) = mail_to(&server, ADA).await;
    by_link(&server, &token).await.data("/loginWithEmail");
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "PASSKEY_INVALID");
    let db = server.app.database.read();
    assert_eq!(passkey::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(recovery_code::Entity::find().all(db).await.unwrap(), []);
}

#[tokio::test]
async fn first_sign_in_removes_the_authenticator_app_of_an_unverified_account() {
    let server = server().await;
    let eve = server.user_at("eve", ADA).await;
    let principal = server.principal(&eve).await;
    mfa::start(&context(&server), &principal).await.unwrap();
    mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap();
    let (token, _) = mail_to(&server, ADA).await;
    by_link(&server, &token).await.data("/loginWithEmail");
    let db = server.app.database.read();
    assert_eq!(totp_factor::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(recovery_code::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(server.events(Action::MfaDisabled).await, 1);
}

#[tokio::test]
async fn first_sign_in_cancels_a_change_of_the_address() {
    let server = server().await;
    let eve = server.user_at("eve", ADA).await;
    eve.change_email(json!({ "newEmail": "eve@example.org" })).await.data("/changeEmail");
    let (token, _) = mail_to(&server, ADA).await;
    let ada = signed_in(&server, &by_link(&server, &token).await);
    assert_eq!(ada.query("{ me { pendingEmail } }").await.data("/me/pendingEmail"), Value::Null);
}

#[tokio::test]
async fn first_sign_in_ends_links_that_were_sent_before() {
    let server = server().await;
    server.user_at("eve", ADA).await;
    server.anonymous().request_password_reset(ADA).await.data("/requestPasswordReset");
    let reset = server.token_to(ADA).await;
    let (token, _) = mail_to(&server, ADA).await;
    by_link(&server, &token).await.data("/loginWithEmail");
    assert_eq!(server.anonymous().reset_password(&reset, "a new password").await.code(), "LINK_INVALID");
}

#[tokio::test]
async fn unverified_user_signs_in_where_verification_is_required() {
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let register = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": ADA });
    server.anonymous().graphql(register, json!({ "input": input })).await.data("/register");
    let (_, code) = mail_to(&server, ADA).await;
    assert_eq!(by_code(&server, &code).await.data("/loginWithEmail/user/emailVerified"), true);
}

#[tokio::test]
async fn disabled_account_gets_no_mail() {
    let (server, _) = with_ada().await;
    server.disable("ada").await;
    request_with(&server.anonymous(), ADA, VERIFIER).await.data("/requestEmailSignIn");
    assert_eq!(latest(&server, ADA).await, None);
}

#[tokio::test]
async fn account_that_was_disabled_since_is_refused_and_its_link_is_not_used_up() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    server.disable("ada").await;
    assert_eq!(by_link(&server, &token).await.code(), "ACCOUNT_DISABLED");
    change_user(&server, |user| user.is_active = Set(true)).await;
    by_link(&server, &token).await.data("/loginWithEmail");
}

#[tokio::test]
async fn right_code_of_a_disabled_account_is_no_wrong_code() {
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.throttle.limits.failed_logins_by_name_and_network = 1;
    })
    .await;
    verified(&server, "ada", ADA).await;
    let (_, code) = mail_to(&server, ADA).await;
    server.disable("ada").await;
    for _ in 0..3 {
        assert_eq!(by_code(&server, &code).await.code(), "ACCOUNT_DISABLED");
    }
}

#[tokio::test]
async fn mail_to_an_address_that_the_account_no_longer_has_is_invalid() {
    let (server, ada) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let change = server.token_to("ada@new.example").await;
    server.anonymous().verify_email(&change).await.data("/verifyEmail");
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
}

/// Sends a mail, changes something, and checks that neither its link nor its code works afterwards.
async fn mail_ends_with(change: impl AsyncFnOnce(&TestServer, &Actor)) {
    let (server, ada) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    change(&server, &ada).await;
    assert_eq!(by_link(&server, &token).await.code(), "CODE_INVALID");
    assert_eq!(by_code(&server, &code).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn change_of_the_password_ends_earlier_mails() {
    mail_ends_with(async |_, ada| {
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }";
        let input = json!({ "currentPassword": password_of("ada"), "newPassword": "a new password" });
        ada.graphql(change, json!({ "input": input })).await.data("/changePassword");
    })
    .await;
}

#[tokio::test]
async fn first_password_ends_earlier_mails() {
    mail_ends_with(async |server, ada| {
        change_user(server, |user| user.has_password = Set(false)).await;
        let set = "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { id } } }";
        ada.graphql(set, json!({ "input": { "newPassword": "a new password" } })).await.data("/setPassword");
    })
    .await;
}

#[tokio::test]
async fn reset_of_the_password_ends_earlier_mails() {
    mail_ends_with(async |server, _| {
        server.anonymous().request_password_reset(ADA).await.data("/requestPasswordReset");
        let token = server.token_to(ADA).await;
        server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    })
    .await;
}

#[tokio::test]
async fn password_that_an_administrator_sets_ends_earlier_mails() {
    mail_ends_with(async |server, _| {
        let (context, operator) = (server.command_line(), Administrator::at_command_line());
        let ada = administration::find(&context, &operator, "ada").await.unwrap();
        administration::set_password(&context, &operator, ada.id, "a new password".into()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn address_that_an_administrator_sets_and_takes_back_ends_earlier_mails() {
    mail_ends_with(async |server, _| {
        let (context, operator) = (server.command_line(), Administrator::at_command_line());
        let ada = administration::find(&context, &operator, "ada").await.unwrap();
        for email in ["ada@new.example", ADA] {
            administration::set_email(&context, &operator, ada.id, email, true).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn mail_from_before_an_account_was_disabled_is_of_no_use_when_it_is_enabled() {
    mail_ends_with(async |server, _| {
        let (context, operator) = (server.command_line(), Administrator::at_command_line());
        let ada = administration::find(&context, &operator, "ada").await.unwrap();
        for is_active in [false, true] {
            let change = Change { is_active: Some(is_active), ..Change::default() };
            administration::update(&context, &operator, ada.id, change).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn first_sign_in_ends_the_mails_of_other_clients() {
    let server = server().await;
    server.user_at("eve", ADA).await;
    request_with(&server.anonymous(), ADA, OTHER_VERIFIER).await.data("/requestEmailSignIn");
    let (other, _) = latest(&server, ADA).await.unwrap();
    let (token, _) = mail_to(&server, ADA).await;
    by_link(&server, &token).await.data("/loginWithEmail");
    let answer = log_in(&server.anonymous(), json!({ "token": other }), OTHER_VERIFIER).await;
    assert_eq!(answer.code(), "CODE_INVALID");
}

#[tokio::test]
async fn sign_in_by_mail_is_off_by_default() {
    let server = TestServer::start().await;
    let info = "{ serverInfo { emailSignInEnabled } }";
    assert_eq!(server.anonymous().query(info).await.data("/serverInfo/emailSignInEnabled"), false);
    assert_eq!(request_with(&server.anonymous(), ADA, VERIFIER).await.code(), "EMAIL_SIGN_IN_DISABLED");
    assert_eq!(by_link(&server, "token").await.code(), "EMAIL_SIGN_IN_DISABLED");
}

#[tokio::test]
async fn server_info_tells_that_users_can_sign_in_by_mail() {
    let info = "{ serverInfo { emailSignInEnabled } }";
    assert_eq!(server().await.anonymous().query(info).await.data("/serverInfo/emailSignInEnabled"), true);
}

#[tokio::test]
async fn challenge_and_verifier_must_have_the_form_of_the_standard() {
    let (server, _) = with_ada().await;
    for code_challenge in ["", "plain", &challenge(VERIFIER)[1..], &format!("{}=", challenge(VERIFIER))] {
        let input = json!({ "email": ADA, "codeChallenge": code_challenge });
        let answer = server.anonymous().graphql(REQUEST, json!({ "input": input })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{code_challenge}");
    }
    for verifier in ["", "short", &"a".repeat(129)] {
        let answer = log_in(&server.anonymous(), json!({ "token": "x" }), verifier).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{verifier}");
    }
    assert_eq!(requests(&server).await, []);
}

#[tokio::test]
async fn database_contains_neither_the_link_nor_the_code() {
    let (server, _) = with_ada().await;
    let (token, code) = mail_to(&server, ADA).await;
    let rows = hallpass::entity::mail::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(rows, []);
    let request = requests(&server).await.remove(0);
    let sea_orm::Value::String(Some(stored)) = request.code_hash.unwrap().into() else { panic!("not text") };
    // Without a key, the code would be found by hashing all codes.
    for plain in [code.clone(), challenge(&code), challenge(&format!("{}{code}", request.id))] {
        assert!(!stored.contains(&plain));
    }
    let sea_orm::Value::String(Some(stored)) = request.token_hash.unwrap().into() else { panic!("not text") };
    assert_ne!(stored, token);
}

#[tokio::test]
async fn expired_requests_are_purged() {
    let (server, _) = with_ada().await;
    mail_to(&server, ADA).await;
    request_with(&server.anonymous(), "bob@example.org", VERIFIER).await.data("/requestEmailSignIn");
    assert_eq!(purge(&server.app, Table::EmailSignIns).await.unwrap(), 0);
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(purge(&server.app, Table::EmailSignIns).await.unwrap(), 2);
    assert_eq!(requests(&server).await, []);
}

#[tokio::test]
async fn requests_are_deleted_with_the_account() {
    let (server, _) = with_ada().await;
    mail_to(&server, ADA).await;
    server.deleted("ada").await;
    assert_eq!(requests(&server).await, []);
}

#[tokio::test]
async fn mail_that_is_late_is_not_sent() {
    let mut smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.mail.smtp = vec![smtp.settings()];
    })
    .await;
    verified(&server, "ada", ADA).await;
    smtp.stop().await;
    request_with(&server.anonymous(), ADA, VERIFIER).await.data("/requestEmailSignIn");
    deliver_mail::tick(&server.app).await.unwrap();
    smtp.restart().await;
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    assert_eq!(hallpass::entity::mail::Entity::find().all(server.app.database.read()).await.unwrap(), []);
}

#[tokio::test]
async fn mail_is_valid_after_a_failed_attempt_to_send_it() {
    let mut smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| {
        settings.mail.sign_in = true;
        settings.mail.smtp = vec![smtp.settings()];
    })
    .await;
    verified(&server, "ada", ADA).await;
    smtp.stop().await;
    request_with(&server.anonymous(), ADA, VERIFIER).await.data("/requestEmailSignIn");
    deliver_mail::tick(&server.app).await.unwrap();
    smtp.restart().await;
    server.clock.advance(TimeDelta::minutes(2));
    let (_, code) = latest(&server, ADA).await.unwrap();
    by_code(&server, &code).await.data("/loginWithEmail");
}

/// The page has no verifier, so it can only say where to enter the code.
#[tokio::test]
async fn built_in_page_uses_nothing_up() {
    let (server, _) = with_ada().await;
    let (token, _) = mail_to(&server, ADA).await;
    let page = server.anonymous().get(&format!("/sign-in?token={token}")).await;
    assert!(page.status == 200 && page.text.contains("enter the code there"), "{}", page.text);
    assert!(!page.text.contains(&token) && !page.text.contains("<form"));
    by_link(&server, &token).await.data("/loginWithEmail");
}
