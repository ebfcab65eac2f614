//! Accounts and identities that change while a user comes back from a provider.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hallpass::entity::{
    identity::{self, Model},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::support::{Actor, Answer, TestServer, password_of, provider::*};

const ADA: &str = "ada@example.org";

async fn user(server: &TestServer, username: &str) -> user::Model {
    let by_name = user::Entity::find().filter(user::Column::Username.eq(username));
    by_name.one(server.app.database.read()).await.unwrap().unwrap()
}

async fn identities(server: &TestServer) -> Vec<Model> {
    identity::Entity::find().all(server.app.database.read()).await.unwrap()
}

async fn verified_ada(server: &TestServer) {
    server.user_at("ada", ADA).await;
    let token = server.token_to(ADA).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
}

/// Sends requests while another transaction changes a user. It is committed when they have read the account and wait.
async fn during<const N: usize>(
    server: &TestServer,
    username: &str,
    change: impl FnOnce(&mut user::Model),
    requests: [impl Future<Output = Answer> + Send + 'static; N],
) -> Vec<Answer> {
    let id = user(server, username).await.id;
    // Of another instance, so that it takes no connection of this one.
    let other = TestServer::on(Arc::clone(&server.database), |_| {}).await;
    let transaction = other.app.write().await.unwrap();
    let mut row = user::lock(&transaction, id).await.unwrap().unwrap();
    row.update(&transaction, change).await.unwrap();
    let requests = requests.map(tokio::spawn);
    let_others_wait(server, username).await;
    transaction.commit().await.unwrap();
    futures_util::future::join_all(requests).await.into_iter().map(Result::unwrap).collect()
}

/// Reads until other requests wait for the lock. For a second at most, because they wait for 3.5 seconds only.
async fn let_others_wait(server: &TestServer, username: &str) {
    let start = Instant::now();
    for _ in 0..500 {
        if start.elapsed() < Duration::from_secs(1) {
            user(server, username).await;
        }
    }
}

fn exchanging(server: &TestServer, code: String) -> impl Future<Output = Answer> + Send + 'static {
    let client = server.anonymous();
    async move { exchange(&client, &code, VERIFIER).await }
}

/// Signs Ada in with the provider while another transaction changes a user.
async fn sign_in_during(
    server: &TestServer,
    provider: &Provider,
    username: &str,
    change: impl FnOnce(&mut user::Model),
) -> Answer {
    let request = exchanging(server, code_for(server, provider, ada()).await);
    during(server, username, change, [request]).await.remove(0)
}

#[tokio::test]
async fn account_that_gets_another_address_meanwhile_is_not_linked() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    let answer = sign_in_during(&server, &provider, "ada", |user| {
        user.email = Some("ada@new.example".to_owned());
        user.email_key = Some("ada@new.example".to_owned());
    })
    .await;
    assert_ne!(answer.data("/loginWithCode/user/id"), user(&server, "ada").await.id.to_string());
    assert_eq!(answer.data("/loginWithCode/user/email"), ADA);
}

#[tokio::test]
async fn account_whose_address_is_unverified_meanwhile_is_not_linked() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    let answer = sign_in_during(&server, &provider, "ada", |user| user.email_verified_at = None).await;
    assert_eq!(answer.code(), "IDENTITY_UNLINKED");
    assert_eq!(identities(&server).await, []);
}

#[tokio::test]
async fn account_that_verifies_its_address_meanwhile_is_not_taken_over() {
    let (server, provider) = with_provider(|settings| settings.registration.provider_takeover = true).await;
    server.user_at("ada", ADA).await;
    let now = server.app.clock.now();
    let answer = sign_in_during(&server, &provider, "ada", |user| user.email_verified_at = Some(now)).await;
    assert_eq!(answer.data("/loginWithCode/user/hasPassword"), true);
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
}

#[tokio::test]
async fn account_that_is_disabled_meanwhile_gets_no_identity() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    let answer = sign_in_during(&server, &provider, "ada", |user| user.is_active = false).await;
    assert_eq!(answer.code(), "ACCOUNT_DISABLED");
    assert_eq!(identities(&server).await, []);
}

#[tokio::test]
async fn registration_whose_username_is_taken_meanwhile_counts_once() {
    let (server, provider) = with_provider(|settings| settings.throttle.limits.registrations = 1).await;
    server.created("bo").await;
    let answer = sign_in_during(&server, &provider, "bo", |user| {
        user.username = "ada".to_owned();
        user.username_key = "ada".to_owned();
    })
    .await;
    let username = answer.data("/loginWithCode/user/username");
    assert!(username.as_str().unwrap().starts_with("ada-"), "{username}");
}

#[tokio::test]
async fn two_codes_of_one_identity_link_it_once() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    let codes = [code_for(&server, &provider, ada()).await, code_for(&server, &provider, ada()).await];
    let requests = codes.map(|code| exchanging(&server, code));
    for answer in during(&server, "ada", |_| {}, requests).await {
        assert_eq!(answer.data("/loginWithCode/user/username"), "ada");
    }
    assert_eq!(identities(&server).await.len(), 1);
}

#[tokio::test]
async fn two_codes_of_one_identity_create_one_account() {
    let (server, provider) = with_provider(|_| {}).await;
    server.created("bo").await;
    // The accounts would have different names, so only the identity is in the way.
    let claims = |name: &str| with(ada(), &json!({ "preferred_username": name, "email": null }));
    let codes =
        [code_for(&server, &provider, claims("ada")).await, code_for(&server, &provider, claims("augusta")).await];
    let requests = codes.map(|code| exchanging(&server, code));
    let answers = during(&server, "bo", |_| {}, requests).await;
    let ids = answers.iter().map(|answer| answer.data("/loginWithCode/user/id"));
    assert!(ids.clone().all(|id| ids.clone().next() == Some(id)), "{answers:#?}");
    assert_eq!(
        (user::Entity::find().all(server.app.database.read()).await.unwrap().len(), identities(&server).await.len()),
        (2, 1)
    );
}

#[tokio::test]
async fn identity_that_is_linked_to_another_user_meanwhile_is_taken() {
    let (server, provider) = with_provider(|_| {}).await;
    let bo = server.user("bo").await;
    let input = json!({ "providerId": "acme", "returnTo": RETURN_TO, "codeChallenge": challenge_of(VERIFIER) });
    let url = bo.graphql(START_LINK, json!({ "input": input })).await.data("/startIdentityLink/url");
    let visit = open(&server.anonymous(), url.as_str().unwrap().strip_prefix("http://localhost:8000").unwrap()).await;
    let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
    let code = parameter(&location, "code").unwrap();
    server.created("eve").await;
    let eve = user(&server, "eve").await;
    let other = TestServer::on(Arc::clone(&server.database), |_| {}).await;
    let transaction = other.app.write().await.unwrap();
    identity::insert(&transaction, identity_of(&provider, &eve)).await.unwrap();
    let linking = tokio::spawn(async move { finish_link(&bo, &code).await });
    let_others_wait(&server, "eve").await;
    transaction.commit().await.unwrap();
    assert_eq!(linking.await.unwrap().code(), "IDENTITY_TAKEN");
}

const START_LINK: &str = "mutation($input: StartIdentityLinkInput!) { startIdentityLink(input: $input) { url } }";

async fn finish_link(actor: &Actor, code: &str) -> Answer {
    let finish = "mutation($input: FinishIdentityLinkInput!) { finishIdentityLink(input: $input) { identity { id } } }";
    actor.graphql(finish, json!({ "input": { "code": code, "codeVerifier": VERIFIER } })).await
}

/// Ada's account at the provider, linked to this user.
fn identity_of(provider: &Provider, user: &user::Model) -> Model {
    let subject = ada()["sub"].as_str().unwrap().to_owned();
    Model {
        id: user.id,
        user_id: user.id,
        provider_id: "acme".to_owned(),
        identity_hash: hallpass::security::link_token::TokenHash::of_identity(&provider.issuer(), &subject),
        issuer: provider.issuer(),
        subject,
        email: None,
        linked_at: user.created_at,
        last_used_at: None,
    }
}
