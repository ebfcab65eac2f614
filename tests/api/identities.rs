//! Linked identities: listing, linking and unlinking them, and the last way to sign in.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    domain::{
        self,
        users::administration::{self, Administrator},
    },
    entity::audit_event::Action,
    error::ErrorCode,
};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer, passkeys, provider::*};

const START: &str = "mutation($input: StartIdentityLinkInput!) { startIdentityLink(input: $input) { url } }";
const FINISH: &str = "mutation($input: FinishIdentityLinkInput!) { finishIdentityLink(input: $input) { \
    user { identities { id } } identity { id email linkedAt lastUsedAt provider { id name startUrl } } } }";
const UNLINK: &str = "mutation($input: UnlinkIdentityInput!) { unlinkIdentity(input: $input) { \
    unlinkedIdentityId user { identities { id } } } }";

async fn link(actor: &Actor, provider: &Provider, claims: Value) -> Answer {
    let input = json!({ "providerId": provider.id, "returnTo": RETURN_TO, "codeChallenge": challenge_of(VERIFIER) });
    let url = actor.graphql(START, json!({ "input": input })).await.data("/startIdentityLink/url");
    let path = url.as_str().unwrap().strip_prefix("http://localhost:8000").unwrap();
    let mut browser = actor.clone();
    browser.bearer = None;
    let visit = open(&browser, path).await;
    let location = come_back(&visit, provider, &provider.approve(&visit.location, claims)).await;
    let input = json!({ "code": parameter(&location, "code"), "codeVerifier": VERIFIER });
    actor.graphql(FINISH, json!({ "input": input })).await
}

async fn unlink(actor: &Actor, id: &Value) -> Answer {
    actor.graphql(UNLINK, json!({ "input": { "identityId": id } })).await
}

async fn ids(actor: &Actor) -> Vec<Value> {
    let identities = actor.query("{ me { identities { id } } }").await.data("/me/identities");
    identities.as_array().unwrap().iter().map(|identity| identity["id"].clone()).collect()
}

/// A user who was registered by the provider, and has no password.
async fn without_password() -> (TestServer, Provider, Actor) {
    let (server, provider) = with_provider(|_| {}).await;
    let answer = sign_in(&server, &provider, ada()).await;
    let ada = signed_in(&server, &answer);
    (server, provider, ada)
}

#[tokio::test]
async fn linked_identity_signs_in() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("bo").await;
    let identity = link(&user, &provider, ada()).await.data("/finishIdentityLink/identity");
    let expected = json!({
        "id": identity["id"], "email": "ada@example.org", "linkedAt": "2026-01-31T12:00:00.123Z", "lastUsedAt": null,
        "provider": { "id": "acme", "name": "The provider acme", "startUrl": "http://localhost:8000/auth/acme" },
    });
    assert_eq!(identity, expected);
    assert_eq!(sign_in(&server, &provider, ada()).await.data("/loginWithCode/user/username"), "bo");
    assert_eq!(ids(&user).await, [identity["id"].clone()]);
}

#[tokio::test]
async fn linked_identity_does_not_change_the_address() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user_at("bo", "bo@example.org").await;
    link(&user, &provider, ada()).await.data("/finishIdentityLink");
    assert_eq!(user.me().await.data("/me/email"), "bo@example.org");
}

#[tokio::test]
async fn identity_of_another_user_is_taken() {
    let (server, provider, _ada) = without_password().await;
    let bo = server.user("bo").await;
    assert_eq!(link(&bo, &provider, ada()).await.code(), "IDENTITY_TAKEN");
    assert_eq!(ids(&bo).await, Vec::<Value>::new());
}

#[tokio::test]
async fn own_identity_is_linked_once() {
    let (server, provider, ada_here) = without_password().await;
    let before = ids(&ada_here).await;
    link(&ada_here, &provider, ada()).await.data("/finishIdentityLink");
    assert_eq!(ids(&ada_here).await, before);
    assert_eq!(passkeys::count(&server, Action::IdentityLinked).await, 1);
}

#[tokio::test]
async fn identities_are_limited() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("bo").await;
    for number in 0..20 {
        let claims = json!({ "sub": number.to_string() });
        link(&user, &provider, claims).await.data("/finishIdentityLink");
    }
    assert_eq!(link(&user, &provider, json!({ "sub": "another" })).await.code(), "IDENTITY_LIMIT_REACHED");
}

#[tokio::test]
async fn unlinked_identity_no_longer_signs_in_and_the_user_is_told() {
    let (server, provider) = with_provider(|settings| settings.registration.is_enabled = false).await;
    let operator = server.created("bo").await;
    assert_eq!(operator.username, "bo");
    let bo = server.signed_in("bo").await;
    link(&bo, &provider, ada()).await.data("/finishIdentityLink");
    let id = ids(&bo).await.remove(0);
    let answer = unlink(&bo, &id).await;
    assert_eq!(answer.data("/unlinkIdentity"), json!({ "unlinkedIdentityId": id, "user": { "identities": [] } }));
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "REGISTRATION_DISABLED");
    assert_eq!(passkeys::count(&server, Action::IdentityUnlinked).await, 1);
}

#[tokio::test]
async fn mails_tell_about_linking_and_unlinking() {
    let (server, provider) = with_provider(|_| {}).await;
    let bo = server.user_at("bo", "bo@example.org").await;
    let token = server.token_to("bo@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    link(&bo, &provider, ada()).await.data("/finishIdentityLink");
    unlink(&bo, &ids(&bo).await[0]).await.data("/unlinkIdentity");
    let subjects: Vec<String> =
        server.mails_to("bo@example.org").await.into_iter().map(|mail| mail.text.subject).collect();
    for expected in ["A sign-in provider was linked", "A sign-in provider was unlinked"] {
        assert!(subjects.iter().any(|subject| subject == expected), "{subjects:?}");
    }
}

#[tokio::test]
async fn only_own_identities_are_unlinked() {
    let (server, provider, ada_here) = without_password().await;
    let id = ids(&ada_here).await.remove(0);
    let bo = server.user("bo").await;
    for id in [&id, &json!("x"), &json!("00000000-0000-7000-8000-000000000000")] {
        assert_eq!(unlink(&bo, id).await.code(), "NOT_FOUND");
    }
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
}

#[tokio::test]
async fn unlinking_needs_a_fresh_proof() {
    let (server, _provider, ada_here) = without_password().await;
    let id = ids(&ada_here).await.remove(0);
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(unlink(&ada_here, &id).await.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test]
async fn last_identity_without_a_password_cannot_be_unlinked() {
    let (_server, _provider, ada_here) = without_password().await;
    let id = ids(&ada_here).await.remove(0);
    assert_eq!(unlink(&ada_here, &id).await.code(), "LAST_SIGN_IN_METHOD");
}

#[tokio::test]
async fn identity_beside_a_passkey_can_be_unlinked() {
    let (_server, _provider, ada_here) = without_password().await;
    passkeys::add(&ada_here, &mut passkeys::authenticator()).await;
    unlink(&ada_here, &ids(&ada_here).await[0]).await.data("/unlinkIdentity");
}

#[tokio::test]
async fn passkey_beside_an_identity_can_be_deleted_and_then_the_identity_is_the_last() {
    let (_server, _provider, ada_here) = without_password().await;
    let passkey = passkeys::add(&ada_here, &mut passkeys::authenticator()).await;
    passkeys::delete(&ada_here, &passkey["id"]).await.data("/deletePasskey");
    assert_eq!(unlink(&ada_here, &ids(&ada_here).await[0]).await.code(), "LAST_SIGN_IN_METHOD");
}

#[tokio::test]
async fn one_of_the_last_two_identities_stays() {
    let (_server, provider, ada_here) = without_password().await;
    link(&ada_here, &provider, json!({ "sub": "another" })).await.data("/finishIdentityLink");
    let ids_before = ids(&ada_here).await;
    let answers = join_all(ids_before.iter().map(|id| unlink(&ada_here, id))).await;
    let refused = answers.iter().filter(|answer| !answer.json()["errors"].is_null());
    assert_eq!(refused.map(Answer::code).collect::<Vec<_>>(), ["LAST_SIGN_IN_METHOD"]);
    assert_eq!(ids(&ada_here).await.len(), 1);
}

#[tokio::test]
async fn identity_of_a_removed_provider_is_no_way_to_sign_in() {
    let (first, second) = (Provider::start("first").await, Provider::start("acme").await);
    let server = TestServer::with(|settings| {
        first.configure(settings);
        second.configure(settings);
    })
    .await;
    first.follow(&server);
    second.follow(&server);
    let answer = sign_in(&server, &first, ada()).await;
    let ada_here = signed_in(&server, &answer);
    server.clock.advance(TimeDelta::seconds(1));
    link(&ada_here, &second, ada()).await.data("/finishIdentityLink");

    let later = TestServer::on(server.database.clone(), |settings| second.configure(settings)).await;
    let user_later = later.anonymous().with_bearer(ada_here.bearer.as_ref().unwrap());
    let identities = "{ me { identities { id provider { id name } } } }";
    let identities = user_later.query(identities).await.data("/me/identities");
    assert_eq!(identities[0]["provider"], json!({ "id": "first", "name": "first" }));
    assert_eq!(unlink(&user_later, &identities[1]["id"]).await.code(), "LAST_SIGN_IN_METHOD");
    unlink(&user_later, &identities[0]["id"]).await.data("/unlinkIdentity");
}

#[tokio::test]
async fn identities_are_visible_to_their_user_and_to_administrators() {
    let (server, _provider, ada_here) = without_password().await;
    let id = ids(&ada_here).await.remove(0);
    let node = format!("{{ node(id: {id}) {{ ... on Identity {{ email }} }} }}");
    assert_eq!(ada_here.query(&node).await.data("/node/email"), "ada@example.org");
    assert_eq!(server.user("bo").await.query(&node).await.data("/node"), Value::Null);
    let administrator = server.administrator("zoe").await;
    assert_eq!(administrator.query(&node).await.data("/node/email"), "ada@example.org");
    let users = "{ users(first: 10, orderBy: { field: USERNAME }) { nodes { username identities { email } } } }";
    let users = administrator.query(users).await.data("/users/nodes");
    assert_eq!(users[0], json!({ "username": "ada", "identities": [{ "email": "ada@example.org" }] }));
    assert_eq!(users[1]["identities"], json!([]));
}

#[tokio::test]
async fn deleted_user_leaves_no_identity() {
    let (server, provider, _ada) = without_password().await;
    server.deleted("ada").await;
    let answer = sign_in(&server, &provider, ada()).await;
    assert_eq!(answer.data("/loginWithCode/user/username"), "ada");
}

#[tokio::test]
async fn unlinking_ends_sign_ins_that_wait_for_a_second_factor() {
    let (server, provider, ada_here) = without_password().await;
    let mut authenticator = passkeys::authenticator();
    passkeys::add(&ada_here, &mut authenticator).await;
    let waiting = sign_in(&server, &provider, ada()).await;
    assert_eq!(waiting.code(), "MFA_REQUIRED");
    let challenge = waiting.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned();
    unlink(&ada_here, &ids(&ada_here).await[0]).await.data("/unlinkIdentity");
    let answer = passkeys::verify(&server, &challenge, &json!("x"), &json!({})).await;
    assert_eq!(answer.code(), "MFA_CHALLENGE_EXPIRED");
}

#[tokio::test]
async fn operator_unlinks_stolen_identities_and_ends_sessions() {
    let (server, provider, thief) = without_password().await;
    let (context, operator) = (server.command_line(), Administrator::at_command_line());
    let row = administration::find(&context, &operator, "ada").await.unwrap();
    passkeys::add(&thief, &mut passkeys::authenticator()).await;
    let waiting = sign_in(&server, &provider, ada()).await;
    let (_, count, ended) = administration::unlink_identities(&context, &operator, row.id).await.unwrap();
    assert_eq!((count, ended), (1, 1));
    assert_eq!(thief.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    let challenge = waiting.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned();
    let answer = passkeys::verify(&server, &challenge, &json!("x"), &json!({})).await;
    assert_eq!(answer.code(), "MFA_CHALLENGE_EXPIRED");
    let mails = server.mails_to("ada@example.org").await;
    assert!(mails.iter().any(|mail| mail.text.subject == "A sign-in provider was unlinked"));
    let again = administration::unlink_identities(&context, &operator, row.id).await.unwrap();
    assert_eq!((again.1, again.2), (0, 0));
}

#[tokio::test]
async fn identities_of_others_are_not_found() {
    let (server, _provider, ada_here) = without_password().await;
    let bo = server.principal(&server.user("bo").await).await;
    let ada = server.principal(&ada_here).await;
    let refused = domain::identities::list(&server.command_line(), &bo, ada.user.id).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(domain::identities::list(&server.command_line(), &ada, ada.user.id).await.unwrap().len(), 1);
}
