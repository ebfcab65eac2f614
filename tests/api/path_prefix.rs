//! A server whose `PUBLIC_URL` has a path. `tests/e2e/clients/path_prefix.mjs` runs it behind nginx and Caddy.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use hallpass::config::Settings;
use serde_json::{Value, json};
use url::Url;

use crate::support::{
    Actor, Answer, TestServer, logged, password_of,
    provider::{ada, with_provider},
    token_in,
};

const HOME: &str = "http://localhost:8000/accounts";
const ADA: &str = "ada@example.org";

fn below(url: &str) -> impl FnOnce(&mut Settings) {
    move |settings| {
        url.clone_into(&mut settings.server.public_url);
        url.clone_into(&mut settings.mail.app_url);
    }
}

async fn server() -> TestServer {
    TestServer::with(below(HOME)).await
}

async fn graphql(actor: &Actor, query: &str, input: &Value) -> Answer {
    actor.json("/accounts/graphql", json!({ "query": query, "variables": { "input": input } })).await
}

async fn register(actor: &Actor) -> Answer {
    let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
    let input = json!({ "username": "ada", "email": ADA, "password": password_of("ada") });
    let answer = graphql(actor, register, &input).await;
    answer.data("/register");
    answer
}

async fn submit(actor: &Actor, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    actor.with_header("origin", "http://localhost:8000").form(path, form).await
}

fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.get_all(header::SET_COOKIE).iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}

fn unescaped(page: &Answer) -> String {
    page.text.replace("&#x2f;", "/").replace("&amp;", "&")
}

/// The addresses in a page that lead to this server, as a browser resolves them.
fn addresses(page: &Answer, path: &str) -> Vec<String> {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let base = Url::parse("http://localhost:8000").unwrap().join(path).unwrap();
    let text = unescaped(page);
    let attributes = ["href=\"", "src=\"", "action=\""];
    let values = attributes.iter().flat_map(|start| text.split(start).skip(1));
    let values = values.filter_map(|rest| rest.split('"').next());
    values.map(|value| base.join(value).unwrap()).filter(|url| url.scheme() == "http").map(String::from).collect()
}

#[tokio::test]
async fn paths_begin_with_the_prefix() {
    let server = server().await;
    let client = server.anonymous();
    assert_eq!(graphql(&client, "{ serverInfo { version } }", &Value::Null).await.status, StatusCode::OK);
    for path in ["/graphql", "/", "/token", "/sign-in", "/accountsx/graphql", "/.well-known/jwks.json"] {
        let answer = client.json(path, json!({ "query": "{ serverInfo { version } }" })).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["detail"], "There is nothing at this path. The API is at /accounts/graphql.");
        assert!(answer.header("x-request-id").is_some() && answer.header("x-frame-options").is_some(), "{answer:?}");
    }
}

#[tokio::test]
async fn health_checks_need_no_prefix() {
    let server = server().await;
    for path in ["/health/live", "/health/ready", "/accounts/health/ready"] {
        assert_eq!(server.anonymous().get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn metadata_is_found_as_the_standards_say() {
    let server = server().await;
    for path in [
        "/.well-known/oauth-authorization-server/accounts",
        "/.well-known/openid-configuration/accounts",
        "/accounts/.well-known/openid-configuration",
        "/accounts/.well-known/oauth-authorization-server",
    ] {
        let metadata = server.anonymous().get(path).await.json();
        assert_eq!(metadata["issuer"], HOME, "{path}");
        assert_eq!(metadata["token_endpoint"], format!("{HOME}/token"), "{path}");
        let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix("http://localhost:8000").unwrap();
        assert!(server.anonymous().get(keys).await.json()["keys"].is_array(), "{path}");
    }
    let origins = server.anonymous().get("/.well-known/webauthn").await.json();
    assert!(origins["origins"].as_array().unwrap().contains(&json!("http://localhost:8000")), "{origins}");
}

#[tokio::test]
async fn cookies_are_sent_below_the_prefix_only() {
    for (url, start) in [(HOME, "refresh_token_"), ("https://example.org/accounts", "__Secure-refresh_token=")] {
        let server = TestServer::with(below(url)).await;
        let [cookie] = &cookies(&register(&server.anonymous()).await)[..] else { panic!("one cookie") };
        assert!(cookie.starts_with(start) && cookie.contains("; Path=/accounts; "), "{cookie}");
        assert_eq!(cookie.contains("; Secure; "), url.starts_with("https"), "{cookie}");
        let mut browser = server.anonymous();
        browser.cookie = cookie.split(';').next().map(ToOwned::to_owned);
        graphql(&browser, "mutation { refreshToken { accessToken } }", &Value::Null).await.data("/refreshToken");
    }
}

#[tokio::test]
async fn cookie_of_forward_auth_is_sent_to_all_apps_of_the_origin() {
    let server = TestServer::with(|settings| {
        below("https://example.org/accounts")(settings);
        settings.forward_auth.cookie = true;
    })
    .await;
    let cookies = cookies(&register(&server.anonymous()).await);
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-forward_auth=")).unwrap();
    assert!(cookie.contains("; Path=/; "), "{cookie}");
    let mut proxy = server.anonymous();
    proxy.cookie = cookie.split(';').next().map(ToOwned::to_owned);
    assert_eq!(proxy.get("/accounts/auth/verify").await.header("remote-user"), Some("ada"));
    let refused = server.anonymous().get("/accounts/auth/verify").await;
    assert_eq!(refused.header("location"), Some("https://example.org/accounts/sign-in"));
}

#[tokio::test]
async fn pages_lead_to_addresses_below_the_prefix() {
    let server = server().await;
    register(&server.anonymous()).await;
    let token = server.token_to(ADA).await;
    for path in [
        "/accounts/",
        "/accounts/playground",
        "/accounts/docs",
        "/accounts/redoc",
        "/accounts/sign-in?return_to=http://localhost:8000/",
        &format!("/accounts/verify-email?token={token}"),
    ] {
        let page = server.anonymous().get(path).await;
        let addresses = addresses(&page, path);
        assert!(addresses.len() >= 2, "{path}: {addresses:?}");
        for address in addresses {
            assert!(address.starts_with(&format!("{HOME}/")), "{path}: {address}");
        }
    }
    let style = server.anonymous().get("/accounts/pages/style.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
}

#[tokio::test]
async fn address_without_a_slash_leads_to_the_explorer() {
    let server = server().await;
    let answer = server.anonymous().get("/accounts").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, Some("/accounts/")));
}

#[tokio::test]
async fn forms_redirect_below_the_prefix() {
    let server = server().await;
    register(&server.anonymous()).await;
    let token = server.token_to(ADA).await;
    let verified = submit(&server.anonymous(), "/accounts/verify-email", &[("token", &token)]).await;
    assert_eq!(verified.header("location"), Some("/accounts/verify-email?result=done"));

    let password = password_of("ada");
    let fields = [("step", "password"), ("identifier", "ada"), ("password", &password)];
    let signed_in = submit(&server.anonymous(), "/accounts/sign-in", &fields).await;
    assert_eq!(signed_in.header("location"), Some("/accounts/sign-in?done=1"));

    let opened = server.anonymous().with_header("sec-fetch-site", "cross-site").get("/accounts/sign-in").await;
    let address = "url=/accounts/sign-in?reloaded=1";
    assert!(unescaped(&opened).contains(address), "{}", opened.text);
}

#[tokio::test]
async fn rejected_password_is_corrected_below_the_prefix() {
    let server = server().await;
    register(&server.anonymous()).await;
    let request = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
    graphql(&server.anonymous(), request, &json!({ "email": ADA })).await.data("/requestPasswordReset");
    let mail = server.mails_to(ADA).await.first().unwrap().text.plain.clone();
    assert!(mail.contains(&format!("{HOME}/reset-password?token=")), "{mail}");
    let token = token_in(&mail);
    let fields = [("token", &*token), ("password", "short")];
    let answer = submit(&server.anonymous(), "/accounts/reset-password", &fields).await;
    assert!(answer.header("location").unwrap().starts_with("/accounts/reset-password?link="), "{answer:?}");
    assert!(cookies(&answer)[0].contains("; Path=/accounts/reset-password; "), "{answer:?}");
}

#[tokio::test]
async fn provider_returns_below_the_prefix() {
    let (server, provider) = with_provider(below(HOME)).await;
    let mut browser = server.anonymous().with_header("sec-fetch-site", "same-origin");
    let page = browser.get("/accounts/sign-in?provider=acme").await;
    let path = page.header("location").unwrap();
    assert!(
        path.starts_with("/accounts/auth/acme?return_to=http%3A%2F%2Flocalhost%3A8000%2Faccounts%2Fsign-in&"),
        "{path}"
    );
    let started = browser.get(path).await;
    let location = Url::parse(started.header("location").unwrap()).unwrap();
    let callback = format!("{HOME}/auth/acme/callback");
    assert!(location.query_pairs().any(|(name, value)| name == "redirect_uri" && value == callback), "{location}");
    let all = [cookies(&page), cookies(&started)].concat();
    assert!(all.iter().all(|cookie| cookie.contains("; Path=/accounts; ")), "{all:?}");
    let values: Vec<&str> = all.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    browser.cookie = Some(values.join("; "));
    let returned = browser.get(&format!("/accounts/auth/acme/callback?{}", provider.approve(&location, ada()))).await;
    let page = returned.header("location").unwrap();
    assert!(page.starts_with(&format!("{HOME}/sign-in?code=")), "{page}");
    let signed_in = browser.get(page.strip_prefix("http://localhost:8000").unwrap()).await;
    assert_eq!(signed_in.header("location"), Some("/accounts/sign-in?done=1"));
}

#[tokio::test]
async fn rest_documentation_names_the_prefix() {
    let server = server().await;
    let document = server.anonymous().get("/accounts/openapi.json").await.json();
    assert_eq!(document["servers"], json!([{ "url": "/accounts" }]));
    let flow = &document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"];
    assert_eq!((&flow["tokenUrl"], &flow["refreshUrl"]), (&json!("/accounts/token"), &json!("/accounts/token")));
    let tokens = server.anonymous().form("/accounts/token", "username=nobody&password=x").await;
    assert_eq!(tokens.json()["error"], "invalid_grant");
    let without = TestServer::start().await;
    assert_eq!(without.anonymous().get("/openapi.json").await.json().get("servers"), None);
}

#[tokio::test]
async fn log_has_the_path_that_was_requested() {
    let server = server().await;
    let request = server.anonymous().request(Method::GET, "/accounts/there-is-no-such-page");
    server.anonymous().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(logged("/accounts/there-is-no-such-page").len(), 1);
    server.anonymous().get("/graphql/outside-of-the-prefix").await;
    assert_eq!(logged("/graphql/outside-of-the-prefix").len(), 1);
}
