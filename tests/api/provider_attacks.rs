//! Attacks on the sign-in with other providers. Each must fail, and change nothing.

use axum::http::StatusCode;
use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    entity::{identity, provider_login, session, user},
    jobs::purge::{Table, purge},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer, passkeys, provider::*};

const START: &str = "mutation($input: StartIdentityLinkInput!) { startIdentityLink(input: $input) { url } }";
const FINISH: &str = "mutation($input: FinishIdentityLinkInput!) { finishIdentityLink(input: $input) { \
    identity { id email provider { id } } } }";

async fn start_link(actor: &Actor, verifier: &str) -> String {
    let input = json!({ "providerId": "acme", "returnTo": RETURN_TO, "codeChallenge": challenge_of(verifier) });
    let url = actor.graphql(START, json!({ "input": input })).await.data("/startIdentityLink/url");
    url.as_str().unwrap().strip_prefix("http://localhost:8000").unwrap().to_owned()
}

async fn finish_link(actor: &Actor, code: &str, verifier: &str) -> Answer {
    actor.graphql(FINISH, json!({ "input": { "code": code, "codeVerifier": verifier } })).await
}

/// Opens the start address of a link in a browser, where this user of the provider signs in. Returns the code for the app.
async fn link_code(browser: &Actor, provider: &Provider, path: &str, claims: Value) -> String {
    let visit = open(browser, path).await;
    let location = come_back(&visit, provider, &provider.approve(&visit.location, claims)).await;
    parameter(&location, "code").unwrap()
}

async fn rows(server: &TestServer) -> (usize, usize, usize) {
    let db = server.app.database.read();
    let users = user::Entity::find().all(db).await.unwrap().len();
    let identities = identity::Entity::find().all(db).await.unwrap().len();
    (users, identities, session::Entity::find().all(db).await.unwrap().len())
}

/// The page for a browser that cannot return to the app.
fn is_page(answer: &Answer) -> bool {
    answer.status.is_client_error()
        && answer.header("location").is_none()
        && answer.header("content-type").unwrap().starts_with("text/html")
}

// The code.

#[tokio::test]
async fn code_works_once() {
    let (server, provider) = with_provider(|_| {}).await;
    let code = code_for(&server, &provider, ada()).await;
    exchange(&server.anonymous(), &code, VERIFIER).await.data("/loginWithCode");
    assert_eq!(exchange(&server.anonymous(), &code, VERIFIER).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn one_of_many_concurrent_exchanges_opens_a_session() {
    let (server, provider) = with_provider(|_| {}).await;
    for expected in [(1, 1, 1), (1, 1, 2)] {
        let code = code_for(&server, &provider, ada()).await;
        let client = server.anonymous();
        let answers = join_all((0..20).map(|_| exchange(&client, &code, VERIFIER))).await;
        let refused = answers.iter().filter(|answer| !answer.json()["errors"].is_null());
        let codes: Vec<String> = refused.map(Answer::code).collect();
        assert_eq!(codes, vec!["CODE_INVALID"; 19]);
        assert_eq!(rows(&server).await, expected);
    }
}

#[tokio::test]
async fn two_codes_of_a_new_identity_create_one_account() {
    let (server, provider) = with_provider(|_| {}).await;
    let codes = [code_for(&server, &provider, ada()).await, code_for(&server, &provider, ada()).await];
    let client = server.anonymous();
    let answers = join_all(codes.iter().map(|code| exchange(&client, code, VERIFIER))).await;
    let ids: Vec<Value> = answers.iter().map(|answer| answer.data("/loginWithCode/user/id")).collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(rows(&server).await, (1, 1, 2));
}

#[tokio::test]
async fn code_is_useless_without_the_verifier_of_the_app() {
    let (server, provider) = with_provider(|_| {}).await;
    let code = code_for(&server, &provider, ada()).await;
    for verifier in
        ["", "another-verifier-that-is-long-enough-to-be-one", &challenge_of(VERIFIER), &format!("{VERIFIER} ")]
    {
        assert_eq!(exchange(&server.anonymous(), &code, verifier).await.code(), "CODE_INVALID", "{verifier}");
    }
    // The app itself is not locked out.
    exchange(&server.anonymous(), &code, VERIFIER).await.data("/loginWithCode");
}

#[tokio::test]
async fn short_verifier_is_refused() {
    let (server, provider) = with_provider(|_| {}).await;
    let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, "short")).await;
    let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
    let code = parameter(&location, "code").unwrap();
    assert_eq!(exchange(&server.anonymous(), &code, "short").await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn code_expires_after_a_minute() {
    let (server, provider) = with_provider(|_| {}).await;
    let code = code_for(&server, &provider, ada()).await;
    server.clock.advance(TimeDelta::seconds(60));
    assert_eq!(exchange(&server.anonymous(), &code, VERIFIER).await.code(), "CODE_INVALID");
    assert_eq!(rows(&server).await, (0, 0, 0));
}

#[tokio::test]
async fn expired_code_is_no_registration() {
    let (server, provider) = with_provider(|settings| settings.throttle.limits.registrations = 1).await;
    let code = code_for(&server, &provider, ada()).await;
    server.clock.advance(TimeDelta::seconds(60));
    assert_eq!(exchange(&server.anonymous(), &code, VERIFIER).await.code(), "CODE_INVALID");
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
}

#[tokio::test]
async fn code_is_not_in_the_database() {
    let (server, provider) = with_provider(|_| {}).await;
    let code = code_for(&server, &provider, ada()).await;
    let rows = provider_login::Entity::find().into_json().all(server.app.database.read()).await.unwrap();
    assert!(rows.len() == 1 && !rows[0].to_string().contains(&code));
}

// The browser.

#[tokio::test]
async fn return_of_another_browser_is_refused() {
    let (server, provider) = with_provider(|_| {}).await;
    // The attacker signs in, stops before the callback, and lets the victim open its address.
    let attacker = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let query = provider.approve(&attacker.location, ada());
    let victim = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    for browser in [&server.anonymous(), &victim.browser] {
        let answer = browser.get(&format!("/auth/acme/callback?{query}")).await;
        assert!(is_page(&answer) && answer.text.contains("Allow cookies for this site"), "{answer:#?}");
    }
    assert_eq!(provider.count("/token"), 0);
}

#[tokio::test]
async fn cookie_opens_with_its_own_state_only() {
    let (server, provider) = with_provider(|_| {}).await;
    let first = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let second = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let query = provider.approve(&second.location, ada());
    // The value of the first flow under the name of the second.
    let name = second.browser.cookie.as_ref().unwrap().split('=').next().unwrap().to_owned();
    let value = first.browser.cookie.as_ref().unwrap().split_once('=').unwrap().1.to_owned();
    let mut browser = server.anonymous();
    browser.cookie = Some(format!("{name}={value}"));
    assert!(is_page(&browser.get(&format!("/auth/acme/callback?{query}")).await));
    assert_eq!(provider.count("/token"), 0);
}

/// Another site on the same domain can set cookies with this name.
#[tokio::test]
async fn foreign_cookie_with_the_same_name_does_not_prevent_the_sign_in() {
    let (server, provider) = with_provider(|_| {}).await;
    let mut visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let cookie = visit.browser.cookie.take().unwrap();
    let name = cookie.split('=').next().unwrap();
    visit.browser.cookie = Some(format!("{name}=x; {cookie}; {name}=y"));
    let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
    assert!(parameter(&location, "code").is_some(), "{location}");
}

#[tokio::test]
async fn flow_expires_after_ten_minutes() {
    let (server, provider) = with_provider(|_| {}).await;
    let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let query = provider.approve(&visit.location, ada());
    server.clock.advance(TimeDelta::minutes(10));
    assert!(is_page(&visit.browser.get(&format!("/auth/acme/callback?{query}")).await));
}

#[tokio::test]
async fn callback_clears_its_cookie_and_cannot_be_repeated() {
    let (server, provider) = with_provider(|_| {}).await;
    let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let path = format!("/auth/acme/callback?{}", provider.approve(&visit.location, ada()));
    let answer = visit.browser.get(&path).await;
    let name = visit.browser.cookie.as_ref().unwrap().split('=').next().unwrap();
    let cleared = answer.header("set-cookie").unwrap();
    assert!(cleared.starts_with(&format!("{name}=;")) && cleared.contains("Max-Age=0"), "{cleared}");
    // A browser that keeps it nevertheless.
    let again = location_of(&visit.browser.get(&path).await);
    assert_eq!(parameter(&again, "error").as_deref(), Some("PROVIDER_FAILED"));
}

// Addresses.

#[tokio::test]
async fn foreign_return_addresses_are_refused() {
    let (server, _provider) = with_provider(|_| {}).await;
    for return_to in [
        "https://evil.example/",
        "http://localhost:3000.evil.example/",
        "http://localhost:3000@evil.example/",
        "//evil.example",
        "/signed-in",
        "javascript:alert(1)",
        "http://localhost:4000/",
        "",
    ] {
        let answer = server.anonymous().get(&start_path("acme", return_to, VERIFIER)).await;
        assert!(is_page(&answer) && answer.header("set-cookie").is_none(), "{return_to}: {answer:#?}");
    }
}

#[tokio::test]
async fn start_without_a_challenge_is_refused() {
    let (server, _provider) = with_provider(|_| {}).await;
    for query in ["", "&code_challenge=", "&code_challenge=short", "&code_challenge=x&code_challenge=y"] {
        let answer = server.anonymous().get(&format!("/auth/acme?return_to={RETURN_TO}{query}")).await;
        assert!(is_page(&answer), "{query}: {answer:#?}");
    }
}

#[tokio::test]
async fn no_address_contains_a_token() {
    let (server, provider) = with_provider(|_| {}).await;
    let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
    let names: Vec<String> = location.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!((names, location.fragment()), (vec!["code".to_owned()], None));
    assert_eq!(parameter(&location, "code").unwrap().len(), 43);
}

// Mix-up of providers.

#[tokio::test]
async fn code_of_another_provider_is_not_sent_anywhere() {
    let (evil, good) = (Provider::start("evil").await, Provider::start("acme").await);
    let server = TestServer::with(|settings| {
        evil.configure(settings);
        good.configure(settings);
    })
    .await;
    evil.follow(&server);
    good.follow(&server);
    // The victim starts with the attacker's provider, which redirects to the good one with its own state.
    let visit = open(&server.anonymous(), &start_path("evil", RETURN_TO, VERIFIER)).await;
    let at_good = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let mut forged = at_good.location.clone();
    let pairs: Vec<(String, String)> = forged
        .query_pairs()
        .map(|(name, value)| {
            let value = if name == "state" { parameter(&visit.location, "state").unwrap() } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    forged.query_pairs_mut().clear().extend_pairs(pairs);
    let query = good.approve(&forged, ada());
    // The code arrives at the good provider's callback, and, if the attacker can change that, at its own one.
    assert!(is_page(&visit.browser.get(&format!("/auth/acme/callback?{query}")).await));
    let location = come_back(&visit, &evil, &query).await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("PROVIDER_FAILED"));
    assert_eq!((evil.count("/token"), good.count("/token")), (0, 0));
}

#[tokio::test]
async fn same_subject_at_another_provider_is_another_user() {
    let (first, second) = (Provider::start("first").await, Provider::start("acme").await);
    let server = TestServer::with(|settings| {
        first.configure(settings);
        second.configure(settings);
    })
    .await;
    first.follow(&server);
    second.follow(&server);
    let claims = with(ada(), &json!({ "email": null }));
    let ids = [sign_in(&server, &first, claims.clone()).await, sign_in(&server, &second, claims).await]
        .map(|answer| answer.data("/loginWithCode/user/id"));
    assert_ne!(ids[0], ids[1]);
}

// Linking.

#[tokio::test]
async fn start_address_of_a_link_does_nothing_for_a_victim() {
    let (server, provider) = with_provider(|_| {}).await;
    let (attacker, victim) = (server.user("eve").await, server.user("ada").await);
    let path = start_link(&attacker, VERIFIER).await;
    // The victim opens it, and is signed in at the provider. The code arrives in the victim's browser only.
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    assert_eq!(finish_link(&victim, &code, VERIFIER).await.code(), "CODE_INVALID");
    assert_eq!(exchange(&server.anonymous(), &code, VERIFIER).await.code(), "CODE_INVALID");
    assert_eq!(rows(&server).await, (2, 0, 2));
}

#[tokio::test]
async fn link_is_finished_in_the_session_that_started_it() {
    let (server, provider) = with_provider(|_| {}).await;
    let here = server.user("ada").await;
    let elsewhere = server.signed_in("ada").await;
    let path = start_link(&here, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    for other in [&elsewhere, &server.user("eve").await] {
        assert_eq!(finish_link(other, &code, VERIFIER).await.code(), "CODE_INVALID");
    }
    assert_eq!(finish_link(&server.anonymous(), &code, VERIFIER).await.code(), "UNAUTHENTICATED");
    finish_link(&here, &code, VERIFIER).await.data("/finishIdentityLink/identity/id");
}

#[tokio::test]
async fn link_needs_the_verifier() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let path = start_link(&user, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    let other = "another-verifier-that-is-long-enough-to-be-one";
    assert_eq!(finish_link(&user, &code, other).await.code(), "CODE_INVALID");
    assert_eq!(rows(&server).await.1, 0);
}

#[tokio::test]
async fn codes_of_sign_ins_and_links_are_not_interchangeable() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let code = code_for(&server, &provider, ada()).await;
    assert_eq!(finish_link(&user, &code, VERIFIER).await.code(), "CODE_INVALID");
    let path = start_link(&user, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    assert_eq!(exchange(&server.anonymous(), &code, VERIFIER).await.code(), "CODE_INVALID");
    assert_eq!(rows(&server).await, (1, 0, 1));
}

#[tokio::test]
async fn ticket_of_a_link_is_no_cookie_of_a_flow() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let path = start_link(&user, VERIFIER).await;
    let (state, value) = path.split_once("link=").unwrap().1.split_once('.').unwrap();
    let mut browser = server.anonymous();
    browser.cookie = Some(format!("auth_{}_0121783a={value}", &state[..8]));
    let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let own = parameter(&visit.location, "state").unwrap();
    let query = provider.approve(&visit.location, ada()).replace(&own, state);
    let answer = browser.get(&format!("/auth/acme/callback?{query}")).await;
    assert!(is_page(&answer), "{answer:#?}");
    assert_eq!(provider.count("/token"), 0);
    // Nor is the cookie of a flow a ticket.
    let cookie = visit.browser.cookie.unwrap().split_once('=').unwrap().1.to_owned();
    let answer = server.anonymous().get(&format!("/auth/acme?link={own}.{cookie}")).await;
    assert!(is_page(&answer), "{answer:#?}");
}

#[tokio::test]
async fn changed_and_old_tickets_are_refused() {
    let (server, _provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let path = start_link(&user, VERIFIER).await;
    for other in
        [path.replace("link=", "link=x"), path.replace('.', ""), format!("{path}x"), "/auth/acme?link=.".to_owned()]
    {
        assert!(is_page(&server.anonymous().get(&other).await), "{other}");
    }
    assert!(is_page(&server.anonymous().get(&path.replace("/auth/acme", "/auth/other")).await));
    server.clock.advance(TimeDelta::minutes(10));
    assert!(is_page(&server.anonymous().get(&path).await));
}

#[tokio::test]
async fn code_of_a_link_works_once() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let path = start_link(&user, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    finish_link(&user, &code, VERIFIER).await.data("/finishIdentityLink/identity/id");
    assert_eq!(finish_link(&user, &code, VERIFIER).await.code(), "CODE_INVALID");
}

#[tokio::test]
async fn link_needs_the_second_factor_that_was_set_up_since_it_was_started() {
    let (server, provider) = with_provider(|_| {}).await;
    let (user, elsewhere) = (server.user("ada").await, server.signed_in("ada").await);
    let path = start_link(&user, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    passkeys::add(&elsewhere, &mut passkeys::authenticator()).await;
    assert_eq!(finish_link(&user, &code, VERIFIER).await.code(), "REAUTHENTICATION_REQUIRED");
    assert_eq!(rows(&server).await.1, 0);
}

#[tokio::test]
async fn link_that_was_started_ends_with_the_session() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let path = start_link(&user, VERIFIER).await;
    let code = link_code(&server.anonymous(), &provider, &path, ada()).await;
    user.logout(json!({})).await.data("/logout");
    assert_eq!(finish_link(&user, &code, VERIFIER).await.code(), "UNAUTHENTICATED");
    assert_eq!(rows(&server).await.1, 0);
}

#[tokio::test]
async fn link_needs_a_fresh_proof() {
    let (server, _provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    server.clock.advance(TimeDelta::minutes(10));
    let input = json!({ "providerId": "acme", "returnTo": RETURN_TO, "codeChallenge": challenge_of(VERIFIER) });
    assert_eq!(user.graphql(START, json!({ "input": input })).await.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test]
async fn link_to_a_foreign_return_address_is_refused() {
    let (server, _provider) = with_provider(|_| {}).await;
    let user = server.user("ada").await;
    let input = |return_to: &str, challenge: &str, provider: &str| json!({ "input": { "providerId": provider, "returnTo": return_to, "codeChallenge": challenge } });
    let challenge = challenge_of(VERIFIER);
    for (variables, code) in [
        (input("https://evil.example", &challenge, "acme"), "BAD_REQUEST"),
        (input(RETURN_TO, "short", "acme"), "BAD_REQUEST"),
        (input(RETURN_TO, &challenge, "other"), "PROVIDER_UNKNOWN"),
    ] {
        assert_eq!(user.graphql(START, variables.clone()).await.code(), code, "{variables}");
    }
}

#[tokio::test]
async fn malformed_callbacks_get_a_page() {
    let (server, _provider) = with_provider(|_| {}).await;
    for query in [
        "",
        "code=x",
        "state=x",
        "code=x&state=x",
        "state=a&state=b&code=x",
        &format!("code=x&state={}", "a".repeat(43)),
    ] {
        let answer = server.anonymous().get(&format!("/auth/acme/callback?{query}")).await;
        assert!(is_page(&answer) && answer.status == StatusCode::BAD_REQUEST, "{query}: {answer:#?}");
    }
}

#[tokio::test]
async fn expired_codes_are_purged() {
    let (server, provider) = with_provider(|_| {}).await;
    code_for(&server, &provider, ada()).await;
    let rows = async || provider_login::Entity::find().all(server.app.database.read()).await.unwrap().len();
    assert_eq!((purge(&server.app, Table::ProviderLogins).await.unwrap(), rows().await), (0, 1));
    server.clock.advance(TimeDelta::seconds(60));
    assert_eq!((purge(&server.app, Table::ProviderLogins).await.unwrap(), rows().await), (1, 0));
}
