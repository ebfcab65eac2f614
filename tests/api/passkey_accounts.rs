//! Accounts without a password: registration with a passkey, the first password, and the protection of the last way to sign in.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::entity::{audit_event, audit_event::Action, passkey, recovery_code, user};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};

use crate::support::{
    Actor, Answer, TestServer,
    authenticator::{Authenticator, Statement, encode},
    decode_part,
    passkeys::*,
    password_of, start_of_time,
};

const START_ACCOUNT: &str = "mutation($input: StartPasskeyRegistrationInput) { \
    startPasskeyRegistration(input: $input) { ceremonyToken options } }";
const REGISTER: &str = "mutation($input: RegisterWithPasskeyInput!) { registerWithPasskey(input: $input) { \
    accessToken refreshToken user { id username hasPassword } passkey { id name } recoveryCodes } }";
const SET_PASSWORD: &str =
    "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { hasPassword } } }";

/// A form, which may have other fields.
fn form(username: &str, others: &Value) -> Value {
    let mut form = json!({ "username": username });
    form.as_object_mut().unwrap().extend(others.as_object().cloned().unwrap_or_default());
    form
}

async fn start(actor: &Actor, form: &Value) -> Answer {
    actor.graphql(START_ACCOUNT, json!({ "input": form })).await
}

async fn register(actor: &Actor, form: &Value, token: &Value, credential: &Value) -> Answer {
    let mut input = form.clone();
    input["ceremonyToken"] = token.clone();
    input["credential"] = credential.clone();
    input["tokenDelivery"] = json!("BODY");
    actor.graphql(REGISTER, json!({ "input": input })).await
}

/// Registers with a passkey, unless the server notices a lie.
async fn register_with(
    server: &TestServer,
    form: &Value,
    authenticator: &mut Authenticator,
    lie: impl FnOnce(&mut Statement),
) -> Answer {
    let client = server.anonymous();
    let (token, options) = started(&start(&client, form).await);
    register(&client, form, &token, &authenticator.create(&options, lie)).await
}

/// A server with the user `ada`, who has a passkey and no password.
async fn without_password() -> (TestServer, Actor, Authenticator) {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    let registered = register_with(&server, &form("ada", &json!({})), &mut authenticator, truth).await;
    let ada = bearer(&server, &registered, "registerWithPasskey");
    (server, ada, authenticator)
}

async fn set_password(actor: &Actor, password: &str) -> Answer {
    actor.graphql(SET_PASSWORD, json!({ "input": { "newPassword": password } })).await
}

/// The codes of the responses with an error.
fn codes_of_failures(answers: &[Answer]) -> Vec<String> {
    let failed = answers.iter().filter(|answer| !answer.json()["errors"].is_null());
    failed.map(Answer::code).collect()
}

async fn users(server: &TestServer) -> usize {
    user::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

async fn passkeys(server: &TestServer) -> usize {
    passkey::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

#[tokio::test]
async fn account_with_a_passkey_has_no_password() {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    let registered = register_with(&server, &form("ada", &json!({})), &mut authenticator, truth).await;
    let payload = registered.data("/registerWithPasskey");
    assert_eq!(payload["user"]["hasPassword"], false);
    assert_eq!(payload["recoveryCodes"].as_array().unwrap().len(), 10);
    let ada = bearer(&server, &registered, "registerWithPasskey");
    let factors = ada.query("{ me { mfaMethods } }").await.data("/me/mfaMethods");
    assert_eq!(factors, json!(["PASSKEY", "RECOVERY_CODE"]));
    let claims = claims(&ada);
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["hwk", "user", "mfa"]), &json!("aal2")));
    let signed_in = log_in_with(&server, &mut authenticator, truth).await;
    assert_eq!(signed_in.data("/finishPasskeyLogin/user/username"), "ada");
}

#[tokio::test]
async fn no_password_signs_in_to_an_account_without_one() {
    let (server, _ada, _) = without_password().await;
    for password in ["", "password", &password_of("ada")] {
        let login = server.anonymous().login("ada", password).await;
        let unknown = server.anonymous().login("eve", password).await;
        assert_eq!(login.code(), unknown.code(), "{password:?}");
    }
}

#[tokio::test]
async fn options_for_a_new_account_name_it_and_write_no_account() {
    let server = TestServer::start().await;
    let form = form(" Ada ", &json!({ "firstName": "Ada", "lastName": "Lovelace" }));
    let (_, options) = started(&start(&server.anonymous(), &form).await);
    assert_eq!((&options["user"]["name"], &options["user"]["displayName"]), (&json!("Ada"), &json!("Ada Lovelace")));
    assert_eq!(options["excludeCredentials"], json!([]));
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!((users(&server).await, passkeys(&server).await), (0, 0));
}

#[tokio::test]
async fn values_are_checked_before_a_passkey_is_created() {
    let server = TestServer::with(|settings| settings.registration.reserved_usernames = vec!["root".into()]).await;
    server.user_at("bo", "bo@example.org").await;
    for (username, others, code) in [
        ("", json!({}), "REQUIRED"),
        ("a b", json!({}), "INVALID_USERNAME"),
        ("ada", json!({ "email": "ada" }), "INVALID_EMAIL"),
        ("ada", json!({ "firstName": "x".repeat(101) }), "TOO_LONG"),
        ("root", json!({}), "USERNAME_TAKEN"),
        ("BO", json!({}), "USERNAME_TAKEN"),
        ("ada", json!({ "email": "Bo@Example.org" }), "EMAIL_TAKEN"),
        ("bo", json!({ "email": "bo@example.org" }), "INVALID_INPUT"),
    ] {
        let answer = start(&server.anonymous(), &form(username, &others)).await;
        assert_eq!(answer.code(), code, "{username} {others}");
    }
}

#[tokio::test]
async fn required_address_is_required_with_a_passkey_too() {
    let server = TestServer::with(|settings| settings.registration.require_email = true).await;
    assert_eq!(start(&server.anonymous(), &form("ada", &json!({}))).await.code(), "REQUIRED");
}

#[tokio::test]
async fn disabled_registration_refuses_both_steps() {
    let server = TestServer::start().await;
    let form = form("ada", &json!({}));
    let (token, options) = started(&start(&server.anonymous(), &form).await);
    let credential = authenticator().create(&options, truth);
    let mut settings = server.app.settings.clone();
    settings.registration.is_enabled = false;
    let closed = TestServer::assemble(server.database.clone(), settings, server.app.database.clone());
    assert_eq!(start(&closed.anonymous(), &form).await.code(), "REGISTRATION_DISABLED");
    assert_eq!(register(&closed.anonymous(), &form, &token, &credential).await.code(), "REGISTRATION_DISABLED");
}

#[tokio::test]
async fn starts_count_as_registrations_of_the_network() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    for number in 0..server.app.settings.throttle.limits.registrations {
        assert_eq!(start(&client, &form(&format!("user{number}"), &json!({}))).await.json()["errors"], Value::Null);
    }
    assert_eq!(start(&client, &form("ada", &json!({}))).await.code(), "RATE_LIMITED");
    let answer = client.register(json!({ "username": "ada", "password": password_of("ada") })).await;
    assert_eq!(answer.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn finish_needs_the_values_of_the_start() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let first = form("ada", &json!({ "email": "ada@example.org" }));
    let (token, options) = started(&start(&client, &first).await);
    let credential = authenticator().create(&options, truth);
    for other in [
        form("eve", &json!({ "email": "ada@example.org" })),
        form("ada", &json!({ "email": "eve@example.org" })),
        form("ada", &json!({})),
    ] {
        assert_eq!(register(&client, &other, &token, &credential).await.code(), "PASSKEY_INVALID", "{other}");
    }
    assert_eq!(users(&server).await, 0);
    let same = form("ADA ", &json!({ "email": "Ada@example.org", "firstName": "Ada" }));
    assert_eq!(register(&client, &same, &token, &credential).await.data("/registerWithPasskey/user/username"), "ADA");
}

#[tokio::test]
async fn ceremonies_for_new_accounts_and_for_signed_in_users_are_not_interchangeable() {
    let (server, ada, _) = without_password().await;
    let bo = form("bo", &json!({}));
    let (for_account, options) = started(&start(&ada, &bo).await);
    let credential = authenticator().create(&options, truth);
    assert_eq!(finish(&ada, &for_account, credential).await.code(), "PASSKEY_INVALID");
    let (for_ada, options) = started(&ada.query(START).await);
    let credential = authenticator().create(&options, truth);
    assert_eq!(register(&server.anonymous(), &bo, &for_ada, &credential).await.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn every_lie_in_a_registration_creates_no_account() {
    let server = TestServer::with(|settings| settings.throttle.limits.registrations = 100).await;
    for (name, lie) in LIES {
        let answer = register_with(&server, &form("ada", &json!({})), &mut authenticator(), lie).await;
        assert_eq!(answer.code(), "PASSKEY_INVALID", "{name}");
    }
    assert_eq!((users(&server).await, passkeys(&server).await), (0, 0));
}

#[tokio::test]
async fn one_of_many_concurrent_finishes_creates_the_account() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let form = form("ada", &json!({}));
    let (token, options) = started(&start(&client, &form).await);
    let credential = authenticator().create(&options, truth);
    let answers = join_all((0..20).map(|_| register(&client, &form, &token, &credential))).await;
    assert_eq!(codes_of_failures(&answers), vec!["PASSKEY_INVALID"; 19]);
    assert_eq!((users(&server).await, passkeys(&server).await, sessions(&server).await), (1, 1, 1));
}

#[tokio::test]
async fn username_that_was_taken_in_the_meantime_is_reported() {
    let server = TestServer::start().await;
    let form = form("ada", &json!({}));
    let (token, options) = started(&start(&server.anonymous(), &form).await);
    server.user("ada").await;
    let credential = authenticator().create(&options, truth);
    let answer = register(&server.anonymous(), &form, &token, &credential).await;
    assert_eq!(answer.code(), "USERNAME_TAKEN");
    assert_eq!((users(&server).await, passkeys(&server).await), (1, 0));
}

#[tokio::test]
async fn credential_of_another_account_creates_none() {
    let (server, _ada, mut authenticator) = without_password().await;
    let answer = register_with(&server, &form("bo", &json!({})), &mut authenticator, truth).await;
    assert_eq!(answer.code(), "PASSKEY_INVALID");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn unverified_user_signs_in_with_the_passkey_after_the_link() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let mut authenticator = authenticator();
    let form = form("ada", &json!({ "email": "ada@example.org" }));
    let registered = register_with(&server, &form, &mut authenticator, truth).await;
    assert_eq!(registered.data("/registerWithPasskey/accessToken"), Value::Null);
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "EMAIL_NOT_VERIFIED");
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await;
    let signed_in = log_in_with(&server, &mut authenticator, truth).await;
    assert_eq!(signed_in.data("/finishPasskeyLogin/user/username"), "ada");
}

#[tokio::test]
async fn registration_with_a_passkey_is_audited_as_the_users_own() {
    let (server, ada, _) = without_password().await;
    let id = ada.me().await.data("/me/id");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    for action in [Action::UserRegistered, Action::PasskeyAdded] {
        let event = events.iter().find(|event| event.action == action).unwrap();
        assert_eq!(event.actor_id.map(|id| id.to_string()).as_deref(), id.as_str(), "{action:?}");
    }
}

#[tokio::test]
async fn user_handle_is_the_id_of_the_new_user() {
    let server = TestServer::start().await;
    let form = form("ada", &json!({}));
    let (token, options) = started(&start(&server.anonymous(), &form).await);
    let credential = authenticator().create(&options, truth);
    let registered = register(&server.anonymous(), &form, &token, &credential).await;
    let id: uuid::Uuid = registered.data("/registerWithPasskey/user/id").as_str().unwrap().parse().unwrap();
    assert_eq!(options["user"]["id"], encode(id.as_bytes()));
}

#[tokio::test]
async fn passkey_is_proof_enough_for_users_without_a_password() {
    let (server, ada, mut authenticator) = without_password().await;
    let delete_account = "mutation { deleteAccount(input: {}) { deletedUserId } }";
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(ada.query(delete_account).await.code(), "REAUTHENTICATION_REQUIRED");
    let (token, options) = started(&ada.graphql(START_VERIFICATION, json!({})).await);
    let passkey = json!({ "ceremonyToken": token, "credential": authenticator.get(&options, truth) });
    let proven = ada.graphql(REAUTHENTICATE, json!({ "input": { "passkey": passkey } })).await;
    let ada = bearer(&server, &proven, "reauthenticate");
    ada.query(delete_account).await.data("/deleteAccount");
    assert_eq!((users(&server).await, passkeys(&server).await), (0, 0));
}

#[tokio::test]
async fn first_password_makes_the_passkey_the_second_factor() {
    let (server, ada, _) = without_password().await;
    let set = set_password(&ada, &password_of("ada")).await;
    assert_eq!(set.data("/setPassword/user/hasPassword"), true);
    let login = server.anonymous().login("ada", &password_of("ada")).await;
    assert_eq!(login.code(), "MFA_REQUIRED");
    assert_eq!(login.error()["extensions"]["mfa"]["methods"], json!(["PASSKEY", "RECOVERY_CODE"]));
    assert_eq!(count(&server, Action::PasswordChanged).await, 1);
}

#[tokio::test]
async fn first_password_is_set_once() {
    let (_server, ada, _) = without_password().await;
    let passwords: Vec<String> = (0..5).map(|number| password_of(&format!("ada{number}"))).collect();
    let answers = join_all(passwords.iter().map(|password| set_password(&ada, password))).await;
    assert_eq!(codes_of_failures(&answers), vec!["PASSWORD_ALREADY_SET"; 4]);
}

#[tokio::test]
async fn first_password_obeys_the_rules_and_needs_a_fresh_proof() {
    let (server, ada, _) = without_password().await;
    assert_eq!(set_password(&ada, "short").await.code(), "PASSWORD_TOO_SHORT");
    assert_eq!(set_password(&ada, "").await.code(), "REQUIRED");
    assert_eq!(set_password(&server.anonymous(), &password_of("ada")).await.code(), "UNAUTHENTICATED");
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(set_password(&ada, &password_of("ada")).await.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test]
async fn first_password_ends_links_and_keeps_the_other_sessions() {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    let form = form("ada", &json!({ "email": "ada@example.org" }));
    let registered = register_with(&server, &form, &mut authenticator, truth).await;
    let ada = bearer(&server, &registered, "registerWithPasskey");
    let other = bearer(&server, &log_in_with(&server, &mut authenticator, truth).await, "finishPasskeyLogin");
    server.anonymous().request_password_reset("ada@example.org").await;
    let link = server.token_to("ada@example.org").await;
    set_password(&ada, &password_of("ada")).await.data("/setPassword");
    let reset = server.anonymous().reset_password(&link, &password_of("eve")).await;
    assert_eq!(reset.code(), "LINK_INVALID");
    assert_eq!(other.me().await.data("/me/username"), "ada");
}

#[tokio::test]
async fn one_of_two_concurrent_deletions_of_the_last_passkeys_is_refused() {
    let (server, ada, _) = without_password().await;
    add(&ada, &mut authenticator()).await;
    let ids = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys");
    let answers = join_all(ids.as_array().unwrap().iter().map(|passkey| delete(&ada, &passkey["id"]))).await;
    assert_eq!(codes_of_failures(&answers), ["LAST_SIGN_IN_METHOD"]);
    assert_eq!(passkeys(&server).await, 1);
}

#[tokio::test]
async fn reset_by_the_owner_of_an_unverified_address_deletes_the_passkeys_of_the_registrant() {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    let form = form("eve", &json!({ "email": "ada@example.org" }));
    register_with(&server, &form, &mut authenticator, truth).await.data("/registerWithPasskey");
    server.anonymous().request_password_reset("ada@example.org").await;
    let link = server.token_to("ada@example.org").await;
    server.anonymous().reset_password(&link, &password_of("ada")).await.data("/resetPassword");
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "PASSKEY_INVALID");
    let codes = recovery_code::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!((passkeys(&server).await, codes.len()), (0, 0));
    let login = server.anonymous().login("ada@example.org", &password_of("ada")).await;
    assert_eq!(login.data("/login/user/username"), "eve");
    assert_eq!(count(&server, Action::PasskeyRemoved).await, 1);
}

#[tokio::test]
async fn reset_with_a_verified_address_keeps_the_passkeys() {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    let form = form("ada", &json!({ "email": "ada@example.org" }));
    register_with(&server, &form, &mut authenticator, truth).await.data("/registerWithPasskey");
    change_user(&server, |user| user.email_verified_at = Set(Some(start_of_time()))).await;
    server.anonymous().request_password_reset("ada@example.org").await;
    let link = server.token_to("ada@example.org").await;
    server.anonymous().reset_password(&link, &password_of("ada")).await.data("/resetPassword");
    log_in_with(&server, &mut authenticator, truth).await.data("/finishPasskeyLogin");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "MFA_REQUIRED");
}

#[tokio::test]
async fn accepted_credentials_follow_each_change() {
    let (_server, ada, first) = without_password().await;
    let mut second = authenticator();
    let (token, options) = started(&ada.query(START).await);
    let fields = "acceptedCredentials { rpId userId allAcceptedCredentialIds }";
    let finish = format!(
        "mutation($input: FinishPasskeyRegistrationInput!) {{ finishPasskeyRegistration(input: $input) {{ passkey {{ id }} {fields} }} }}"
    );
    let input = json!({ "ceremonyToken": token, "credential": second.create(&options, truth) });
    let added = ada.graphql(&finish, json!({ "input": input })).await.data("/finishPasskeyRegistration");
    let accepted = &added["acceptedCredentials"];
    assert_eq!((&accepted["rpId"], &accepted["userId"]), (&json!("localhost"), &options["user"]["id"]));
    let id = |authenticator: &Authenticator| encode(&authenticator.credential_id);
    let ids = accepted["allAcceptedCredentialIds"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&id(&first)) && ids.contains(&id(&second)));
    let delete = format!("mutation($input: DeletePasskeyInput!) {{ deletePasskey(input: $input) {{ {fields} }} }}");
    let deleted = ada.graphql(&delete, json!({ "input": { "passkeyId": added["passkey"]["id"] } })).await;
    assert_eq!(deleted.data("/deletePasskey/acceptedCredentials/allAcceptedCredentialIds"), json!([id(&first)]));
}

#[tokio::test]
async fn session_that_a_passkey_opened_keeps_its_method_after_the_passkey() {
    let (server, ada, mut authenticator) = with_passkey().await;
    let signed_in = log_in_with(&server, &mut authenticator, truth).await;
    let refresh_token = signed_in.data("/finishPasskeyLogin/refreshToken");
    let by_passkey = bearer(&server, &signed_in, "finishPasskeyLogin");
    let id = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys/0/id");
    delete(&by_passkey, &id).await.data("/deletePasskey");
    let refreshed = server.anonymous().refresh(refresh_token.as_str().unwrap()).await;
    let claims = decode_part(refreshed.data("/refreshToken/accessToken").as_str().unwrap().split('.').nth(1).unwrap());
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["hwk", "user", "mfa"]), &json!("aal1")));
}
