//! Forward-auth: what a reverse proxy learns about a request. `tests/e2e/clients/forward_auth.mjs` runs it behind nginx and Caddy.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, header},
};
use chrono::TimeDelta;
use hallpass::config::Settings;

use crate::support::{Actor, Answer, REFRESH_COOKIE, TestServer, json, logged, password_of};

const PATH: &str = "/auth/verify";
const COOKIE: &str = "forward_auth_0121783a";
const REMOTE: [&str; 4] = ["remote-user", "remote-user-id", "remote-email", "remote-groups"];

fn with_cookie(settings: &mut Settings) {
    settings.forward_auth.cookie = true;
}

/// The line of `Set-Cookie` for a cookie.
fn line_of(answer: &Answer, name: &str) -> Option<String> {
    let lines = answer.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned());
    lines.into_iter().find(|line| line.starts_with(&format!("{name}=")))
}

fn value_of(answer: &Answer, name: &str) -> String {
    let line = line_of(answer, name).unwrap_or_else(|| panic!("no cookie {name}: {answer:?}"));
    line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
}

/// A browser of Ada that has just signed in, with the cookies for her refresh token and for forward-auth.
async fn browser(server: &TestServer) -> (Actor, Actor) {
    server.user("ada").await;
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    answer.data("/login/accessToken");
    (with(server, REFRESH_COOKIE, &value_of(&answer, REFRESH_COOKIE)), with(server, COOKIE, &value_of(&answer, COOKIE)))
}

fn with(server: &TestServer, cookie: &str, value: &str) -> Actor {
    let mut actor = server.anonymous();
    actor.cookie = Some(format!("{cookie}={value}"));
    actor
}

fn is_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(REMOTE.iter().all(|name| answer.header(name).is_none()), "{answer:?}");
}

async fn verified_ada(server: &TestServer) -> Actor {
    let ada = server.user_at("ada", "ada@example.org").await;
    let token = server.token_to("ada@example.org").await;
    ada.verify_email(&token).await.data("/verifyEmail");
    ada
}

#[tokio::test]
async fn access_token_names_the_user_with_verified_address_and_known_roles() {
    let before = TestServer::with(|settings| {
        settings.registration.roles.extend(["editor", "removed"].map(ToOwned::to_owned));
    })
    .await;
    let ada = verified_ada(&before).await;
    before.set_roles("ada", &["user", "editor", "removed"]).await;
    let id = before.principal(&ada).await.user.id.to_string();
    let server = TestServer::on(Arc::clone(&before.database), |settings| {
        settings.registration.roles.push("editor".to_owned());
    })
    .await;
    let answer = server.anonymous().with_bearer(ada.bearer.as_ref().unwrap()).get(PATH).await;
    assert_eq!(answer.status, 200);
    let expected = ["ada", &id, "ada@example.org", "editor,user"];
    assert_eq!(REMOTE.map(|name| answer.header(name).unwrap_or_default()), expected);
    assert_eq!(answer.text, "");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn unverified_address_is_not_told() {
    let server = TestServer::start().await;
    let answer = server.user_at("ada", "ada@example.org").await.get(PATH).await;
    assert_eq!((answer.status.as_u16(), answer.header("remote-user")), (200, Some("ada")));
    assert_eq!(answer.header("remote-email"), Some(""));
    let other = TestServer::start().await;
    let ada = verified_ada(&other).await;
    let change = json!({ "newEmail": "new@example.org" });
    ada.change_email(change).await.data("/changeEmail");
    assert_eq!(ada.get(PATH).await.header("remote-email"), Some("ada@example.org"));
}

#[tokio::test]
async fn requests_without_valid_token_are_unauthorized() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let anonymous = server.anonymous();
    let answer = anonymous.get(PATH).await;
    is_refused(&answer, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let answer = anonymous.with_bearer("x.y.z").get(PATH).await;
    is_refused(&answer, 401);
    assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
    server.clock.advance(TimeDelta::hours(1));
    is_refused(&ada.get(PATH).await, 401);
}

#[tokio::test]
async fn every_way_to_end_a_session_takes_effect_at_once() {
    let server = TestServer::with(with_cookie).await;
    let (refresh, cookie) = browser(&server).await;
    assert_eq!(cookie.get(PATH).await.status, 200);
    let answer = refresh.logout(json!({})).await;
    assert!(line_of(&answer, COOKIE).unwrap().contains("Max-Age=0"), "{answer:?}");
    is_refused(&cookie.get(PATH).await, 401);

    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    let cookie = with(&server, COOKIE, &value_of(&answer, COOKIE));
    let ada = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap());
    assert_eq!(cookie.get(PATH).await.status, 200);
    server.disable("ada").await;
    is_refused(&cookie.get(PATH).await, 401);
    is_refused(&ada.get(PATH).await, 401);
}

#[tokio::test]
async fn user_who_must_set_up_a_second_factor_is_forbidden() {
    let server = TestServer::with(|settings| {
        with_cookie(settings);
        settings.registration.mfa_required_roles = vec!["user".to_owned()];
    })
    .await;
    let answer = server.anonymous().register(json!({ "username": "bob", "password": password_of("bob") })).await;
    let bob = server.anonymous().with_bearer(answer.data("/register/accessToken").as_str().unwrap());
    is_refused(&bob.get(PATH).await, 403);
    is_refused(&with(&server, COOKIE, &value_of(&answer, COOKIE)).get(PATH).await, 403);
}

#[tokio::test]
async fn failures_are_forbidden() {
    let server = TestServer::with(with_cookie).await;
    let (_, cookie) = browser(&server).await;
    server.app.database.clone().close().await;
    let answer = cookie.with_header("user-agent", "probe").get(PATH).await;
    is_refused(&answer, 403);
    assert_eq!(answer.header("location"), None);
    assert!(!answer.text.contains("pool"), "{}", answer.text);
}

#[tokio::test]
async fn any_method_and_path_below_is_answered_even_preflights() {
    let server = TestServer::with(with_cookie).await;
    let (_, cookie) = browser(&server).await;
    for (method, path) in [(Method::POST, PATH), (Method::DELETE, "/auth/verify/files/1"), (Method::HEAD, PATH)] {
        let send =
            async |actor: &Actor| actor.send(actor.request(method.clone(), path).body(Body::empty()).unwrap()).await;
        assert_eq!(send(&cookie).await.header("remote-user"), Some("ada"), "{method} {path}");
        is_refused(&send(&server.anonymous()).await, 401);
    }
    for path in [PATH, "/auth/verify/callback"] {
        let preflight = server
            .anonymous()
            .request(Method::OPTIONS, path)
            .header("origin", "http://localhost:3000")
            .header("access-control-request-method", "GET");
        is_refused(&server.anonymous().send(preflight.body(Body::empty()).unwrap()).await, 401);
    }
}

#[tokio::test]
async fn cookie_is_neither_set_nor_accepted_by_default() {
    let enabled = TestServer::with(with_cookie).await;
    let (_, cookie) = browser(&enabled).await;
    let server = TestServer::on(Arc::clone(&enabled.database), |_| {}).await;
    assert_eq!(cookie.get(PATH).await.status, 200);
    let mut elsewhere = server.anonymous();
    elsewhere.cookie.clone_from(&cookie.cookie);
    is_refused(&elsewhere.get(PATH).await, 401);
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    assert!(line_of(&answer, REFRESH_COOKIE).is_some());
    assert_eq!(line_of(&answer, COOKIE), None);
}

#[tokio::test]
async fn cookie_has_the_attributes_of_its_hosts() {
    for (url, domain, name, attributes) in [
        ("https://accounts.example.org", None, "__Host-forward_auth", "HttpOnly; SameSite=Lax; Secure; Path=/;"),
        (
            "https://accounts.example.org",
            Some("example.org"),
            "__Secure-forward_auth",
            "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org;",
        ),
    ] {
        let server = TestServer::with(|settings| {
            with_cookie(settings);
            url.clone_into(&mut settings.server.public_url);
            settings.forward_auth.cookie_domain = domain.map(ToOwned::to_owned);
        })
        .await;
        server.user("ada").await;
        let answer = server.anonymous().login("ada", &password_of("ada")).await;
        let line = line_of(&answer, name).unwrap_or_else(|| panic!("{answer:?}"));
        assert_eq!(line.split_once("; ").unwrap().1.rsplit_once(' ').unwrap().0, attributes);
        let lifetime = server.app.settings.tokens.refresh_lifetime.num_seconds();
        let seconds: i64 = line.rsplit_once("Max-Age=").unwrap().1.parse().unwrap();
        assert!((lifetime - 1..=lifetime).contains(&seconds), "{line}");
        let browser = with(&server, name, &value_of(&answer, name));
        assert_eq!(browser.get(PATH).await.header("remote-user"), Some("ada"));
    }
}

#[tokio::test]
async fn tokens_of_each_kind_are_accepted_at_their_place_only() {
    let server = TestServer::with(with_cookie).await;
    let (refresh, cookie) = browser(&server).await;
    let token = |actor: &Actor| actor.cookie.as_ref().unwrap().split_once('=').unwrap().1.to_owned();
    let (forward_auth, refresh_token) = (token(&cookie), token(&refresh));
    let access_token = server.signed_in("ada").await.bearer.unwrap();
    for other in [&refresh_token, &access_token] {
        is_refused(&with(&server, COOKIE, other).get(PATH).await, 401);
    }
    assert_eq!(server.anonymous().with_bearer(&forward_auth).me().await.code(), "UNAUTHENTICATED");
    is_refused(&server.anonymous().with_bearer(&forward_auth).get(PATH).await, 401);
    assert_eq!(cookie.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(with(&server, REFRESH_COOKIE, &forward_auth).refresh_by_cookie().await.code(), "SESSION_NOT_FOUND");
}

#[tokio::test]
async fn cookie_does_not_replace_an_invalid_access_token() {
    let server = TestServer::with(with_cookie).await;
    let (_, cookie) = browser(&server).await;
    is_refused(&cookie.with_bearer("x.y.z").get(PATH).await, 401);
}

#[tokio::test]
async fn cookie_ends_with_the_session_and_continues_with_a_refresh() {
    let server = TestServer::with(with_cookie).await;
    let (refresh, first) = browser(&server).await;
    let lifetime = server.app.settings.tokens.refresh_lifetime;
    server.clock.advance(lifetime - TimeDelta::minutes(1));
    let answer = refresh.refresh_by_cookie().await;
    let second = with(&server, COOKIE, &value_of(&answer, COOKIE));
    server.clock.advance(TimeDelta::minutes(2));
    is_refused(&first.get(PATH).await, 401);
    assert_eq!(second.get(PATH).await.status, 200);
    server.clock.advance(lifetime);
    is_refused(&second.get(PATH).await, 401);
}

#[tokio::test]
async fn browsers_are_sent_to_the_sign_in_page_and_back_to_allowed_addresses_only() {
    let server = TestServer::with(with_cookie).await;
    let asked = |host: &str, uri: &str| {
        let headers = [("x-forwarded-proto", "http"), ("x-forwarded-host", host), ("x-forwarded-uri", uri)];
        headers.iter().fold(server.anonymous(), |actor, (name, value)| actor.with_header(name, value))
    };
    let answer = asked("localhost:3000", "/reports?a=1&b=2").get(PATH).await;
    let expected = "http://localhost:8000/sign-in?return_to=http%3A%2F%2Flocalhost%3A3000%2Freports%3Fa%3D1%26b%3D2";
    assert_eq!((answer.status.as_u16(), answer.header("location")), (401, Some(expected)));
    for host in ["evil.example", "localhost:3000@evil.example", "localhost:3000.evil.example"] {
        let answer = asked(host, "/").get(PATH).await;
        assert_eq!(answer.header("location"), Some("http://localhost:8000/sign-in"), "{host}");
    }
    let bearer_only = TestServer::start().await;
    assert_eq!(bearer_only.anonymous().get(PATH).await.header("location"), None);
    let with_app = TestServer::with(|settings| {
        with_cookie(settings);
        settings.mail.app_url = "http://localhost:3000".to_owned();
    })
    .await;
    assert_eq!(with_app.anonymous().get(PATH).await.header("location"), None);
}

#[tokio::test]
async fn sign_in_page_adds_the_cookie_to_a_session_without_one_and_continues() {
    let server = TestServer::with(with_cookie).await;
    let (refresh, cookie) = browser(&server).await;
    let page = "/sign-in?return_to=http%3A%2F%2Flocalhost%3A3000%2F";
    let open = async |actor: &Actor| {
        let request = actor.request(Method::GET, page).header("sec-fetch-site", "same-origin");
        actor.send(request.body(Body::empty()).unwrap()).await
    };
    let answer = open(&refresh).await;
    assert_eq!(with(&server, COOKIE, &value_of(&answer, COOKIE)).get(PATH).await.header("remote-user"), Some("ada"));
    assert!(answer.text.contains("http-equiv=\"refresh\""), "{}", answer.text);

    // With the cookie, continuing would lead from the proxy to this page again and again.
    let mut both = refresh.clone();
    both.cookie = Some(format!("{}; {}", refresh.cookie.unwrap(), cookie.cookie.unwrap()));
    let answer = open(&both).await;
    assert_eq!(line_of(&answer, COOKIE), None);
    assert!(!answer.text.contains("http-equiv=\"refresh\""), "{}", answer.text);
}

#[tokio::test]
async fn requests_that_are_passed_on_are_logged_at_debug_and_refused_ones_at_info() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for (actor, path, level) in
        [(ada, "/auth/verify/logged-passed", "DEBUG"), (server.anonymous(), "/auth/verify/logged-refused", "INFO")]
    {
        actor.get(path).await;
        let lines = logged(path);
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(level)), "{lines:?}");
    }
}

#[tokio::test]
async fn log_has_no_cookie() {
    let server = TestServer::with(with_cookie).await;
    let (_, cookie) = browser(&server).await;
    cookie.get(PATH).await;
    let token = cookie.cookie.unwrap();
    assert!(logged(token.split_once('=').unwrap().1).is_empty());
}
