//! Step-up: administration needs a recent proof of identity, and refusals say what is needed (RFC 9470).

use chrono::TimeDelta;
use hallpass::{
    domain::{
        Client, Context, Viewer,
        mfa::{self, Factor},
        sign_in::reauthentication::{reauthenticate, reauthenticate_with_factor},
        users::administration::{self, Administrator},
    },
    error::ErrorCode,
};
use serde_json::Value;

use crate::{
    forbidden::Schema,
    second_factor::code,
    support::{Actor, TestServer, json, password_of},
};

const REQUIRED: &str = "REAUTHENTICATION_REQUIRED";
const PASSWORD_CHALLENGE: &str = "Bearer error=\"insufficient_user_authentication\", \
    error_description=\"Your sign-in is too old for this. Confirm your password and try again.\", max_age=\"600\"";
const FACTOR_CHALLENGE: &str = "Bearer error=\"insufficient_user_authentication\", \
    error_description=\"Your sign-in is too old for this. Confirm it with your second factor and try again.\", \
    max_age=\"600\", acr_values=\"aal2\"";

fn context(server: &TestServer) -> Context {
    Context::of_request(&server.app, Viewer::Anonymous, Client::default())
}

async fn enroll(server: &TestServer, actor: &Actor) {
    let principal = server.principal(actor).await;
    mfa::start(&context(server), &principal).await.unwrap();
    mfa::confirm(&context(server), &principal, &code(server).await).await.unwrap();
}

async fn administrator(server: &TestServer, actor: &Actor) -> Administrator {
    administration::of_principal(&context(server), server.principal(actor).await).unwrap()
}

/// The code of the error if all sessions of a user are ended by an administrator.
async fn revoke(server: &TestServer, administrator: &Administrator, user: &Actor) -> Result<(), ErrorCode> {
    let id = server.principal(user).await.user.id;
    let revoked = administration::revoke_sessions(&context(server), administrator, id).await;
    revoked.map(drop).map_err(|error| error.code())
}

#[tokio::test]
async fn every_administration_mutation_needs_a_recent_proof() {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    server.clock.advance(TimeDelta::minutes(10));
    let schema = Schema::of(&server).await;
    let mutations: Vec<_> =
        schema.for_administrators().into_iter().filter(|(operation, _)| *operation == "mutation").collect();
    assert!(mutations.len() >= 10, "{}", mutations.len());
    for (operation, root) in mutations {
        let (document, mut variables): (String, Value) = schema.call(operation, root);
        if let Some(email) = variables.pointer_mut("/input/email") {
            *email = json!("x@example.org");
        }
        assert_eq!(boss.graphql(&document, variables).await.code(), REQUIRED, "{document}");
        let description = root["description"].as_str().unwrap();
        assert!(description.contains(REQUIRED) && description.contains("10"), "{description}");
    }
}

#[tokio::test]
async fn administration_queries_need_no_recent_proof() {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    server.clock.advance(TimeDelta::minutes(10));
    boss.query("{ users { totalCount } }").await.data("/users");
}

#[tokio::test]
async fn proof_is_recent_for_ten_minutes() {
    let server = TestServer::start().await;
    let (boss, ada) = (server.administrator("boss").await, server.user("ada").await);
    server.clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    revoke(&server, &administrator(&server, &boss).await, &ada).await.unwrap();
    let ada = server.signed_in("ada").await;
    server.clock.advance(TimeDelta::microseconds(1));
    let refused = revoke(&server, &administrator(&server, &boss).await, &ada).await;
    assert_eq!(refused, Err(ErrorCode::ReauthenticationRequired));
}

#[tokio::test]
async fn administrator_with_a_factor_proves_it() {
    let server = TestServer::start().await;
    let (boss, ada) = (server.administrator("boss").await, server.user("ada").await);
    enroll(&server, &boss).await;
    server.clock.advance(TimeDelta::minutes(10));
    let principal = server.principal(&boss).await;
    reauthenticate(&context(&server), &principal, &password_of("boss").into()).await.unwrap();
    let refused = revoke(&server, &administrator(&server, &boss).await, &ada).await;
    assert_eq!(refused, Err(ErrorCode::ReauthenticationRequired));
    let factor = Factor::Totp(code(&server).await);
    reauthenticate_with_factor(&context(&server), &principal, &factor).await.unwrap();
    revoke(&server, &administrator(&server, &boss).await, &ada).await.unwrap();
}

#[tokio::test]
async fn factor_that_was_set_up_meanwhile_must_be_proved() {
    let server = TestServer::start().await;
    let (boss, ada) = (server.administrator("boss").await, server.user("ada").await);
    let other = server.signed_in("boss").await;
    let administrator = administrator(&server, &other).await;
    enroll(&server, &boss).await;
    assert_eq!(revoke(&server, &administrator, &ada).await, Err(ErrorCode::ReauthenticationRequired));
}

#[tokio::test]
async fn proof_that_was_given_meanwhile_counts() {
    let server = TestServer::start().await;
    let (boss, ada) = (server.administrator("boss").await, server.user("ada").await);
    server.clock.advance(TimeDelta::minutes(10));
    let administrator = administrator(&server, &boss).await;
    let principal = server.principal(&boss).await;
    reauthenticate(&context(&server), &principal, &password_of("boss").into()).await.unwrap();
    revoke(&server, &administrator, &ada).await.unwrap();
}

#[tokio::test]
async fn refused_change_is_not_made() {
    let server = TestServer::start().await;
    let (boss, ada) = (server.administrator("boss").await, server.user("ada").await);
    server.clock.advance(TimeDelta::minutes(10));
    revoke(&server, &administrator(&server, &boss).await, &ada).await.unwrap_err();
    ada.me().await.data("/me/id");
}

#[tokio::test]
async fn graphql_response_has_the_challenge() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    enroll(&server, &ada).await;
    let bo = server.user("bo").await;
    server.clock.advance(TimeDelta::minutes(10));
    for (actor, challenge) in [(&bo, PASSWORD_CHALLENGE), (&ada, FACTOR_CHALLENGE)] {
        let answer = actor.query("{ accountData { exportedAt } }").await;
        assert_eq!((answer.code().as_str(), answer.header("www-authenticate")), (REQUIRED, Some(challenge)));
    }
    assert_eq!(ada.me().await.header("www-authenticate"), None);
}

#[tokio::test]
async fn rest_response_has_the_challenge_and_status_401() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    enroll(&server, &ada).await;
    let bo = server.user("bo").await;
    server.clock.advance(TimeDelta::minutes(10));
    for (actor, challenge) in [(&bo, PASSWORD_CHALLENGE), (&ada, FACTOR_CHALLENGE)] {
        let answer = actor.get("/account/export").await;
        let headers: Vec<_> =
            answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!((answer.status.as_u16(), headers), (401, vec![challenge]));
    }
}

#[tokio::test]
async fn message_says_how_to_prove_the_identity() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    enroll(&server, &ada).await;
    let bo = server.user("bo").await;
    server.clock.advance(TimeDelta::minutes(10));
    for (actor, language, part) in [
        (&bo, "en", "Confirm your password"),
        (&bo, "ru", "Подтвердите пароль"),
        (&ada, "en", "Confirm it with your second factor and try again."),
        (&ada, "ru", "Подтвердите вход вторым фактором"),
    ] {
        let answer = actor.speaking(language).query("{ accountData { exportedAt } }").await;
        let message = answer.error()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{message}");
    }
}
