//! Passkeys of a software authenticator, over GraphQL.

use hallpass::{
    entity::{audit_event, audit_event::Action, session, user},
    security::webauthn::{Algorithm, Flags},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::{
    Actor, Answer, TestServer,
    authenticator::{Authenticator, Statement, encode},
    decode_part, password_of,
};

pub const ORIGIN: &str = "http://localhost:8000";

pub const START: &str = "mutation { startPasskeyRegistration { ceremonyToken options } }";
pub const FINISH: &str = "mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { \
    user { mfaMethods recoveryCodesLeft } passkey { id name createdAt lastUsedAt isSynced credentialId } recoveryCodes } }";
pub const START_LOGIN: &str = "mutation { startPasskeyLogin { ceremonyToken options } }";
pub const FINISH_LOGIN: &str = "mutation($input: FinishPasskeyLoginInput!) { finishPasskeyLogin(input: $input) { \
    accessToken refreshToken user { username } } }";
pub const START_VERIFICATION: &str = "mutation($input: StartPasskeyVerificationInput) { \
    startPasskeyVerification(input: $input) { ceremonyToken options } }";
pub const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
pub const VERIFY: &str =
    "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { accessToken user { username } } }";
pub const REAUTHENTICATE: &str =
    "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken } }";
pub const DELETE: &str = "mutation($input: DeletePasskeyInput!) { deletePasskey(input: $input) { \
    deletedPasskeyId user { mfaMethods passkeys { id } } } }";
pub const RENAME: &str =
    "mutation($input: RenamePasskeyInput!) { renamePasskey(input: $input) { passkey { id name } } }";

pub fn authenticator() -> Authenticator {
    Authenticator::new(Algorithm::Es256, ORIGIN)
}

pub fn truth(_: &mut Statement) {}

/// The token and the options of a ceremony.
pub fn started(answer: &Answer) -> (Value, Value) {
    let data = answer.json()["data"].clone();
    let payload = data.as_object().unwrap_or_else(|| panic!("{}", answer.text)).values().next().unwrap().clone();
    assert!(payload.is_object(), "{}", answer.text);
    (payload["ceremonyToken"].clone(), payload["options"].clone())
}

pub async fn finish(actor: &Actor, token: &Value, credential: Value) -> Answer {
    actor.graphql(FINISH, json!({ "input": { "ceremonyToken": token, "credential": credential } })).await
}

/// Adds a passkey, unless the server notices a lie.
pub async fn add_with(actor: &Actor, authenticator: &mut Authenticator, lie: impl FnOnce(&mut Statement)) -> Answer {
    let (token, options) = started(&actor.query(START).await);
    finish(actor, &token, authenticator.create(&options, lie)).await
}

/// Adds a passkey. Returns it.
pub async fn add(actor: &Actor, authenticator: &mut Authenticator) -> Value {
    add_with(actor, authenticator, truth).await.data("/finishPasskeyRegistration/passkey")
}

/// A server with the user `ada`, who has a passkey.
pub async fn with_passkey() -> (TestServer, Actor, Authenticator) {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let mut authenticator = authenticator();
    add(&ada, &mut authenticator).await;
    (server, ada, authenticator)
}

pub async fn finish_login(actor: &Actor, token: &Value, credential: &Value) -> Answer {
    let input = json!({ "ceremonyToken": token, "credential": credential, "tokenDelivery": "BODY" });
    actor.graphql(FINISH_LOGIN, json!({ "input": input })).await
}

/// Signs in with a passkey, unless the server notices a lie.
pub async fn log_in_with(
    server: &TestServer,
    authenticator: &mut Authenticator,
    lie: impl FnOnce(&mut Statement),
) -> Answer {
    let (token, options) = started(&server.anonymous().query(START_LOGIN).await);
    finish_login(&server.anonymous(), &token, &authenticator.get(&options, lie)).await
}

pub fn bearer(server: &TestServer, answer: &Answer, root: &str) -> Actor {
    server.anonymous().with_bearer(answer.data(&format!("/{root}/accessToken")).as_str().unwrap())
}

pub fn claims(actor: &Actor) -> Value {
    decode_part(actor.bearer.as_ref().unwrap().split('.').nth(1).unwrap())
}

/// Signs in with the password. Returns the token of the challenge.
pub async fn challenge(server: &TestServer) -> String {
    let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
    let answer = server.anonymous().graphql(LOGIN, json!({ "input": input })).await;
    assert_eq!(answer.code(), "MFA_REQUIRED");
    answer.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned()
}

pub async fn verify(server: &TestServer, challenge: &str, token: &Value, credential: &Value) -> Answer {
    let factor = json!({ "passkey": { "ceremonyToken": token, "credential": credential } });
    server.anonymous().graphql(VERIFY, json!({ "input": { "token": challenge, "factor": factor } })).await
}

pub async fn start_for(server: &TestServer, challenge: &str) -> (Value, Value) {
    let input = json!({ "input": { "mfaToken": challenge } });
    started(&server.anonymous().graphql(START_VERIFICATION, input).await)
}

pub async fn delete(actor: &Actor, id: &Value) -> Answer {
    actor.graphql(DELETE, json!({ "input": { "passkeyId": id } })).await
}

/// How often an action was recorded.
pub async fn count(server: &TestServer, action: Action) -> usize {
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    events.into_iter().filter(|event| event.action == action).count()
}

pub async fn sessions(server: &TestServer) -> usize {
    session::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

pub async fn change_user(server: &TestServer, change: impl FnOnce(&mut user::ActiveModel)) {
    let by_name = user::Entity::find().filter(user::Column::Username.eq("ada"));
    let mut row = by_name.one(server.app.database.read()).await.unwrap().unwrap().into_active_model();
    change(&mut row);
    let transaction = server.app.write().await.unwrap();
    row.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

pub type Lie = fn(&mut Statement);

/// What an authenticator or its client may state wrongly in either ceremony.
pub const LIES: &[(&str, Lie)] = &[
    ("origin", |s| s.client_data["origin"] = json!("https://evil.example")),
    ("origin of another port", |s| s.client_data["origin"] = json!("http://localhost:9999")),
    ("rp id", |s| s.rp_id = "evil.example".into()),
    ("type", |s| s.client_data["type"] = json!("webauthn.other")),
    ("challenge", |s| s.client_data["challenge"] = encode(&[0; 32])),
    ("cross-origin frame", |s| s.client_data["crossOrigin"] = json!(true)),
    ("top origin", |s| drop(s.client_data.insert("topOrigin".into(), json!("https://evil.example")))),
    ("user presence", |s| s.flags &= !Flags::USER_PRESENT),
    ("user verification", |s| s.flags &= !Flags::USER_VERIFIED),
    ("backup state", |s| s.flags |= Flags::BACKED_UP),
    ("extra bytes", |s| s.extensions = vec![0]),
    ("client data", |s| s.client_data_json = Some(b"{}".to_vec())),
];
