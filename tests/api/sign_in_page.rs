//! The sign-in page. `tests/e2e/clients/sign_in.mjs` opens it in a browser.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use hallpass::config::{ExposeSecret, Settings};
use serde_json::json;
use url::{Url, form_urlencoded};

use crate::{
    second_factor,
    support::{
        Actor, Answer, REFRESH, TestServer, jargon_in, password_of,
        provider::{Provider, ada, with_provider},
        token_in,
    },
};

const ADA: &str = "ada@example.org";
const HOME: &str = "http://localhost:8000";
const APP: &str = "http://localhost:3000/app?page=2";

/// A browser, with the headers and cookies that it sends to its own pages.
#[derive(Clone)]
struct Browser {
    actor: Actor,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn of(server: &TestServer) -> Self {
        Self { actor: server.anonymous(), cookies: Vec::new() }
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.actor.cookie = (!cookies.is_empty()).then(|| cookies.join("; "));
        let request = headers
            .iter()
            .fold(self.actor.request(method, path), |request, (name, value)| request.header(*name, *value));
        let answer = self.actor.send(request.body(body).unwrap()).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn open(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("sec-fetch-site", "same-origin")], Body::empty()).await
    }

    async fn submit_from(&mut self, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([form_type]).collect();
        self.send(Method::POST, "/sign-in", &headers, form.into()).await
    }

    /// Submits a form of the page.
    async fn submit(&mut self, fields: &[(&str, &str)]) -> Answer {
        self.submit_from(&[("origin", HOME), ("sec-fetch-site", "same-origin")], fields).await
    }

    async fn enter_password(&mut self, identifier: &str, password: &str) -> Answer {
        self.submit(&[("step", "password"), ("identifier", identifier), ("password", password)]).await
    }

    fn has(&self, cookie: &str) -> bool {
        self.cookies.iter().any(|(name, _)| name.starts_with(cookie))
    }

    /// The user whom the page shows as signed in.
    async fn user(&mut self) -> Option<String> {
        let page = self.open("/sign-in").await;
        Some(between(&page.text, "<strong>", "</strong>")?.to_owned())
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// The problem that a page shows.
fn problem(page: &Answer) -> &str {
    between(&page.text, "role=\"alert\">", "</p>").unwrap_or_else(|| panic!("no problem: {page:?}"))
}

/// The path that a successful step redirects to.
fn redirect(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    answer.header("location").unwrap()
}

/// The value of a hidden field.
fn field<'a>(page: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    between(&page.text, &start, "\"").unwrap_or_else(|| panic!("no field {name}: {page:?}"))
}

async fn with_mails() -> TestServer {
    let server = TestServer::with(|settings| settings.mail.sign_in = true).await;
    server.user_at("ada", ADA).await;
    let token = server.token_to(ADA).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    server.clock.advance(TimeDelta::minutes(1));
    server
}

/// Requests a mail to Ada. Returns the page with the form for the code.
async fn request_mail(browser: &mut Browser, return_to: &str) -> Answer {
    browser.submit(&[("step", "email"), ("email", ADA), ("return_to", return_to)]).await
}

/// The text of the latest mail to Ada.
async fn latest_mail(server: &TestServer) -> String {
    server.mails_to(ADA).await.first().unwrap().text.plain.clone()
}

fn code_in(mail: &str) -> &str {
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.lines().find(is_code).unwrap_or_else(|| panic!("no code: {mail}"))
}

/// The browser goes to the provider and comes back. Returns the path of the page with the code.
async fn flow(browser: &mut Browser, provider: &Provider) -> String {
    let start = browser.open(&format!("/sign-in?provider=acme&return_to={}", encoded(APP))).await;
    let started = browser.open(redirect(&start)).await;
    let location = Url::parse(redirect(&started)).unwrap();
    let returned = browser.open(&format!("/auth/acme/callback?{}", provider.approve(&location, ada()))).await;
    redirect(&returned).strip_prefix(HOME).unwrap().to_owned()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn password_signs_in_and_returns_to_the_app() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let mut browser = Browser::of(&server);
    let password = password_of("ada");
    let fields = [("step", "password"), ("identifier", "ada"), ("password", &password), ("return_to", APP)];
    let answer = browser.submit(&fields).await;
    assert_eq!(redirect(&answer), format!("/sign-in?done=1&return_to={}", encoded(APP)));
    let page = browser.open(redirect(&answer)).await;
    assert!(page.text.contains("content=\"0;url=http:&#x2f;&#x2f;localhost:3000&#x2f;app?page=2\""), "{}", page.text);
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    browser.actor.cookie = Some(browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect());
    assert_eq!(browser.actor.refresh_by_cookie().await.data("/refreshToken/user/username"), "ada");
}

#[tokio::test]
async fn response_is_the_same_for_known_and_unknown_users() {
    let server = with_mails().await;
    let mut known = Browser::of(&server);
    let mut unknown = Browser::of(&server);
    let wrong = known.enter_password("ada", "wrong password").await;
    let absent_user = unknown.enter_password("bob", "wrong password").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!((wrong.status, wrong.text), (absent_user.status, absent_user.text.replace("bob", "ada")));
    for step in ["email", "reset"] {
        let sent = known.submit(&[("step", step), ("email", ADA)]).await;
        let dropped = unknown.submit(&[("step", step), ("email", "bob@example.org")]).await;
        assert_eq!(sent.status, StatusCode::OK, "{step}");
        assert_eq!(sent.text, dropped.text.replace("bob@", "ada@"), "{step}");
    }
}

#[tokio::test]
async fn forms_of_other_origins_are_refused() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let password = password_of("ada");
    let fields = [("step", "password"), ("identifier", "ada"), ("password", password.as_str())];
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", HOME), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")],
    ] {
        let mut browser = Browser::of(&server);
        let answer = browser.submit_from(headers, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(browser.cookies.is_empty() && !answer.text.contains("<form"), "{headers:?}");
    }
}

#[tokio::test]
async fn only_allowed_addresses_are_returned_to() {
    let server = TestServer::start().await;
    for refused in ["https://evil.example/", "//evil.example/", "/app", "javascript:alert(1)"] {
        let mut browser = Browser::of(&server);
        let page = browser.open(&format!("/sign-in?done=1&return_to={}", encoded(refused))).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(!page.text.contains("evil.example") && !page.text.contains("alert"), "{}", page.text);
        let page = browser.submit(&[("step", "sign_out"), ("return_to", refused)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{refused}");
    }
}

#[tokio::test]
async fn entered_values_are_escaped() {
    let server = TestServer::start().await;
    let mut browser = Browser::of(&server);
    let page = browser.enter_password("\"><script>alert(1)</script>", "wrong password").await;
    assert!(!page.text.contains("<script>") && page.text.contains("&lt;script&gt;"), "{}", page.text);
    let page = browser.open("/sign-in?error=%3Cscript%3E").await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn failed_attempts_count_together_with_those_of_graphql() {
    let limits = || {
        let limit = ("LIMIT_FAILED_LOGINS_BY_NAME_AND_NETWORK_PER_15_MINUTES".to_owned(), "2".to_owned());
        Settings::from_vars([limit]).unwrap().throttle.limits
    };
    let server = TestServer::with(|settings| settings.throttle.limits = limits()).await;
    server.user("ada").await;
    let mut browser = Browser { actor: server.anonymous().at("203.0.113.7"), cookies: Vec::new() };
    browser.enter_password("ada", "wrong password").await;
    assert_eq!(browser.actor.login("ada", "wrong password").await.code(), "INVALID_CREDENTIALS");
    let page = browser.enter_password("ada", &password_of("ada")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("retry-after").is_some());
    assert!(problem(&page).starts_with("Too many attempts."), "{}", problem(&page));
}

#[tokio::test]
async fn new_account_is_signed_in_and_returns_to_the_app() {
    let server = TestServer::start().await;
    let mut browser = Browser::of(&server);
    let form = browser.open("/sign-in?method=register").await;
    assert_eq!(field(&form, "step"), "register");
    let password = password_of("ada");
    let fields =
        [("step", "register"), ("username", "ada"), ("email", ""), ("password", &password), ("return_to", APP)];
    assert_eq!(redirect(&browser.submit(&fields).await), format!("/sign-in?done=1&return_to={}", encoded(APP)));
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn problems_of_a_new_account_are_at_their_fields() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let mut browser = Browser::of(&server);
    let fields = [("step", "register"), ("username", "Ada"), ("email", "ada@"), ("password", "short")];
    let page = browser.submit(&fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["email", "password"] {
        assert!(page.text.contains(&format!("id=\"{name}-problem\"")), "{name}: {}", page.text);
    }
    assert!(!page.text.contains("role=\"alert\">"), "{}", page.text);
    assert!(page.text.contains("value=\"Ada\"") && !page.text.contains("short\""), "{}", page.text);
    let password = password_of("ada");
    let fields = [("step", "register"), ("username", "Ada"), ("password", &password)];
    let page = browser.submit(&fields).await;
    assert!(page.text.contains("id=\"username-problem\""), "{}", page.text);
}

#[tokio::test]
async fn new_account_verifies_its_address_first_if_it_must() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let mut browser = Browser::of(&server);
    let password = password_of("ada");
    let fields = [("step", "register"), ("username", "ada"), ("email", ADA), ("password", &password)];
    let page = browser.submit(&fields).await;
    assert_eq!((page.status, browser.has("refresh_token")), (StatusCode::OK, false));
    assert!(page.text.contains("Open the link in the message"), "{}", page.text);
    let token = server.token_to(ADA).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    redirect(&browser.enter_password("ada", &password).await);
}

#[tokio::test]
async fn closed_registration_has_no_form() {
    let server = TestServer::with(|settings| settings.registration.is_enabled = false).await;
    let mut browser = Browser::of(&server);
    let page = browser.open("/sign-in?method=register").await;
    assert!(field(&page, "step") == "password" && !page.text.contains("Create an account"), "{}", page.text);
    let fields = [("step", "register"), ("username", "ada"), ("password", &password_of("ada"))];
    let page = browser.submit(&fields).await;
    assert_eq!(problem(&page), "Registration is closed. Ask an administrator for an account.");
}

#[tokio::test]
async fn malformed_address_is_explained() {
    let server = with_mails().await;
    let mut browser = Browser::of(&server);
    for step in ["email", "reset"] {
        let page = browser.submit(&[("step", step), ("email", "ada@")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{step}");
        assert!(problem(&page).contains("address"), "{step}: {}", problem(&page));
    }
}

#[tokio::test]
async fn page_shows_the_methods_that_the_settings_enable() {
    let plain = TestServer::with(|settings| settings.mail.dev = false).await;
    let page = Browser::of(&plain).open("/sign-in").await;
    assert_eq!(page.status, StatusCode::OK);
    for absent in ["by mail", "Forgot", "Sign in with The provider"] {
        assert!(!page.text.contains(absent), "{absent}: {}", page.text);
    }
    let (server, _) = with_provider(|settings| settings.mail.sign_in = true).await;
    let page = Browser::of(&server).open("/sign-in").await;
    for present in ["by mail", "Forgot", "Sign in with The provider acme", "passkey"] {
        assert!(page.text.contains(present), "{present}: {}", page.text);
    }
    let page = Browser::of(&plain).open("/sign-in?method=email").await;
    assert!(page.text.contains("name=\"password\""), "{}", page.text);
}

#[tokio::test]
async fn page_is_absent_if_the_app_has_its_own() {
    let server = TestServer::with(|settings| settings.mail.app_url = "https://app.example.org".to_owned()).await;
    assert_eq!(Browser::of(&server).open("/sign-in").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn scripts_are_only_those_of_the_server() {
    let server = TestServer::start().await;
    let mut browser = Browser::of(&server);
    let page = browser.open("/sign-in").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let script = browser.open("/pages/sign-in.js").await;
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
}

#[tokio::test]
async fn page_opens_itself_again_if_another_site_opened_it() {
    let server = TestServer::start().await;
    let mut browser = Browser::of(&server);
    let path = format!("/sign-in?return_to={}", encoded(APP));
    let page = browser.send(Method::GET, &path, &[("sec-fetch-site", "cross-site")], Body::empty()).await;
    assert!(page.text.contains("http-equiv=\"refresh\"") && !page.text.contains("<form"), "{}", page.text);
    assert!(page.text.contains("&amp;reloaded=1"), "{}", page.text);
    // A browser that says so again gets the page.
    let path = format!("{path}&reloaded=1");
    let page = browser.send(Method::GET, &path, &[("sec-fetch-site", "cross-site")], Body::empty()).await;
    assert!(!page.text.contains("http-equiv=\"refresh\"") && page.text.contains("<form"), "{}", page.text);
}

#[tokio::test]
async fn missing_cookies_are_explained() {
    let server = TestServer::start().await;
    let page = Browser::of(&server).open("/sign-in?done=1").await;
    assert!(problem(&page).contains("Allow cookies"), "{}", page.text);
}

#[tokio::test]
async fn ended_session_is_not_shown_as_signed_in() {
    let server = TestServer::start().await;
    let elsewhere = server.user("ada").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    elsewhere.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    assert_eq!(browser.user().await, None);
}

#[tokio::test]
async fn refresh_token_of_an_earlier_generation_is_not_shown_as_signed_in() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    let mut stolen = browser.clone();
    for _ in 0..2 {
        let body = json!({ "query": REFRESH }).to_string();
        let headers = [("content-type", "application/json"), ("origin", HOME)];
        browser.send(Method::POST, "/graphql", &headers, body.into()).await.data("/refreshToken");
    }
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    assert_eq!(stolen.user().await, None);
}

#[tokio::test]
async fn refresh_token_of_an_app_is_not_shown_as_signed_in() {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    let cookie = browser.cookies.iter_mut().find(|(name, _)| name.starts_with("refresh_token")).unwrap();
    cookie.1 = token;
    assert_eq!(browser.user().await, None);
}

#[tokio::test]
async fn looking_at_the_page_does_not_use_the_refresh_token() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    let cookies = browser.cookies.clone();
    browser.open("/sign-in").await;
    assert_eq!(browser.cookies, cookies);
}

#[tokio::test]
async fn sign_out_ends_the_session() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    let stolen = browser.clone();
    redirect(&browser.submit(&[("step", "sign_out")]).await);
    assert!(!browser.has("refresh_token"));
    assert_eq!({ stolen }.user().await, None);
}

#[tokio::test]
async fn next_sign_in_replaces_the_session_of_the_browser() {
    let server = TestServer::start().await;
    server.user("ada").await;
    server.user("bob").await;
    let mut browser = Browser::of(&server);
    browser.enter_password("ada", &password_of("ada")).await;
    let mut before = browser.clone();
    browser.enter_password("bob", &password_of("bob")).await;
    assert_eq!(browser.user().await.as_deref(), Some("bob"));
    assert_eq!(before.user().await, None);
}

#[tokio::test]
async fn second_factor_is_asked_for_in_the_same_browser() {
    let server = TestServer::start().await;
    let (principal, _) = second_factor::enrolled(&server).await;
    let username = principal.user.username;
    let mut browser = Browser::of(&server);
    let form = browser.enter_password(&username, &password_of(&username)).await;
    assert!(!browser.has("refresh_token") && browser.has("mfa_client"), "{:?}", browser.cookies);
    let (token, methods) = (field(&form, "token"), field(&form, "methods"));
    let step = [("step", "second_factor"), ("token", token), ("methods", methods)];
    let with = |code| [&step[..], &[("code", code)]].concat();

    let code = second_factor::code(&server).await;
    let stranger = Browser::of(&server).submit(&with(code.expose_secret())).await;
    assert_eq!(problem(&stranger), "This sign-in has expired. Sign in again.");
    let wrong = browser.submit(&with("000000")).await;
    assert_eq!(problem(&wrong), "This code is incorrect or was already used. Enter the current code.");
    assert_eq!(field(&wrong, "token"), token);
    redirect(&browser.submit(&with(code.expose_secret())).await);
    assert_eq!(browser.user().await, Some(username));
    assert!(!browser.has("remembered_device"));
}

#[tokio::test]
async fn recovery_code_is_a_second_factor_and_the_browser_is_remembered() {
    let server = TestServer::start().await;
    let (principal, codes) = second_factor::enrolled(&server).await;
    let username = principal.user.username;
    let mut browser = Browser::of(&server);
    let form = browser.enter_password(&username, &password_of(&username)).await;
    let (token, code) = (field(&form, "token"), codes[0].expose_secret());
    let fields = [("step", "second_factor"), ("token", token), ("code", code), ("remember", "1")];
    redirect(&browser.submit(&fields).await);
    browser.submit(&[("step", "sign_out")]).await;
    redirect(&browser.enter_password(&username, &password_of(&username)).await);
    assert_eq!(browser.user().await, Some(username));
}

#[tokio::test]
async fn passkey_options_belong_to_the_challenge_of_the_browser() {
    let server = TestServer::start().await;
    let mut browser = Browser::of(&server);
    let started = browser.submit(&[("step", "passkey_options")]).await;
    assert!(started.json()["options"]["challenge"].is_string() && started.json()["ceremonyToken"].is_string());
    let unknown = browser.submit(&[("step", "passkey_options"), ("token", "unknown")]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(unknown.json()["detail"], "This sign-in has expired. Sign in again.");
    for credential in ["", "{}", "no JSON"] {
        let fields = [("step", "passkey"), ("ceremony_token", "x"), ("credential", credential)];
        assert!(problem(&browser.submit(&fields).await).starts_with("This passkey could not be verified."));
    }
}

#[tokio::test]
async fn code_of_a_mail_signs_in_only_in_the_browser_that_asked() {
    let server = with_mails().await;
    let mut browser = Browser::of(&server);
    let form = request_mail(&mut browser, APP).await;
    assert_eq!((field(&form, "email"), field(&form, "step")), (ADA, "code"));
    let mail = latest_mail(&server).await;
    let fields = [("step", "code"), ("email", ADA), ("code", code_in(&mail)), ("return_to", APP)];
    let mut stranger = Browser::of(&server);
    request_mail(&mut stranger, APP).await;
    assert!(problem(&stranger.submit(&fields).await).starts_with("This link or code is incorrect"));
    let answer = browser.submit(&fields).await;
    assert_eq!(redirect(&answer), format!("/sign-in?done=1&return_to={}", encoded(APP)));
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn link_of_a_mail_signs_in_and_returns_to_the_app() {
    let server = with_mails().await;
    let mut browser = Browser::of(&server);
    request_mail(&mut browser, APP).await;
    let token = token_in(&latest_mail(&server).await);
    let path = format!("/sign-in?token={token}");

    let elsewhere = Browser::of(&server).open(&path).await;
    assert!(elsewhere.text.contains("Enter the code") && !elsewhere.text.contains("<form"), "{}", elsewhere.text);
    for _ in 0..2 {
        // Opening it uses nothing up.
        let form = browser.open(&path).await;
        assert_eq!((field(&form, "step"), field(&form, "token")), ("link", token.as_str()));
        assert!(form.text.contains("localhost:3000"), "{}", form.text);
    }
    redirect(&browser.submit(&[("step", "link"), ("token", &token)]).await);
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    let again = browser.submit(&[("step", "link"), ("token", &token)]).await;
    assert!(problem(&again).starts_with("This link or code is incorrect"));
}

#[tokio::test]
async fn several_mails_of_one_browser_can_be_used() {
    let server = with_mails().await;
    let mut browser = Browser::of(&server);
    request_mail(&mut browser, APP).await;
    let first = token_in(&latest_mail(&server).await);
    server.clock.advance(TimeDelta::minutes(1));
    request_mail(&mut browser, APP).await;
    redirect(&browser.submit(&[("step", "link"), ("token", &first)]).await);
}

#[tokio::test]
async fn provider_signs_in_and_returns_to_the_app() {
    let (server, provider) = with_provider(|_| {}).await;
    let mut browser = Browser::of(&server);
    let path = flow(&mut browser, &provider).await;
    let answer = browser.open(&path).await;
    assert_eq!(redirect(&answer), format!("/sign-in?done=1&return_to={}", encoded(APP)));
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    let again = browser.open(&path).await;
    assert!(problem(&again).starts_with("This link or code is incorrect"), "{}", again.text);
}

#[tokio::test]
async fn code_of_a_provider_is_refused_in_another_browser() {
    let (server, provider) = with_provider(|_| {}).await;
    let mut browser = Browser::of(&server);
    let path = flow(&mut browser, &provider).await;
    let mut stranger = Browser::of(&server);
    for _ in 0..2 {
        let page = stranger.open(&path).await;
        assert_eq!((page.status, stranger.has("refresh_token")), (StatusCode::BAD_REQUEST, false));
        // The second time with a verifier of its own.
        stranger.open("/sign-in?provider=acme").await;
    }
    redirect(&browser.open(&path).await);
}

#[tokio::test]
async fn head_request_does_not_use_a_code() {
    let (server, provider) = with_provider(|_| {}).await;
    let mut browser = Browser::of(&server);
    let path = flow(&mut browser, &provider).await;
    let answer = browser.send(Method::HEAD, &path, &[], Body::empty()).await;
    assert_eq!((answer.status, browser.has("refresh_token")), (StatusCode::OK, false));
    redirect(&browser.open(&path).await);
}

#[tokio::test]
async fn page_opens_itself_again_with_a_code_if_the_browser_does_not_say_where_it_comes_from() {
    let (server, provider) = with_provider(|_| {}).await;
    let mut browser = Browser::of(&server);
    let path = flow(&mut browser, &provider).await;
    let page = browser.send(Method::GET, &path, &[], Body::empty()).await;
    assert!(page.text.contains("http-equiv=\"refresh\"") && !browser.has("refresh_token"), "{}", page.text);
    redirect(&browser.send(Method::GET, &format!("{path}&reloaded=1"), &[], Body::empty()).await);
}

#[tokio::test]
async fn unknown_provider_is_not_redirected_to() {
    let (server, _provider) = with_provider(|_| {}).await;
    for id in ["other", "../graphql", "acme/callback"] {
        let page = Browser::of(&server).open(&format!("/sign-in?provider={}", encoded(id))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{id}");
        assert!(problem(&page).starts_with("Sign-in with this provider is not available."), "{id}");
    }
}

#[tokio::test]
async fn failure_of_a_provider_is_explained() {
    let (server, _provider) = with_provider(|_| {}).await;
    let mut browser = Browser::of(&server);
    for (name, start) in [
        ("PROVIDER_REFUSED", "The sign-in was cancelled at the provider."),
        ("PROVIDER_FAILED", "The provider could not confirm the sign-in."),
        ("Call +1 555 0100", "The provider could not confirm the sign-in."),
    ] {
        let page = browser.open(&format!("/sign-in?error={}", encoded(name))).await;
        assert!(problem(&page).starts_with(start), "{name}: {}", problem(&page));
    }
}

#[tokio::test]
async fn pages_contain_no_jargon() {
    let server = with_mails().await;
    let mut browser = Browser::of(&server);
    let pages = [
        browser.open("/sign-in").await,
        browser.open("/sign-in?method=email").await,
        browser.open("/sign-in?method=reset").await,
        browser.submit(&[("step", "register"), ("username", "?"), ("email", "ada@"), ("password", "short")]).await,
        browser.enter_password("ada", "wrong password").await,
        request_mail(&mut browser, APP).await,
        browser.submit(&[("step", "unknown")]).await,
    ];
    for page in pages {
        let text: String = page.text.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
        assert_eq!(jargon_in(&text), None, "{text}");
    }
}
