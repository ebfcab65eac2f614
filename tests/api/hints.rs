//! Hints for developers of clients on the same machine as the server.

use axum::http::{Method, header};

use crate::support::{Actor, TestServer, json};

/// The hint of `me`, requested with these headers.
async fn hint(actor: &Actor, headers: &[(header::HeaderName, &str)]) -> Option<String> {
    hint_of("{ me { id } }", actor, headers).await
}

async fn hint_of(query: &str, actor: &Actor, headers: &[(header::HeaderName, &str)]) -> Option<String> {
    let mut request = actor.request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let answer = actor.send(request.body(json!({ "query": query }).to_string().into()).unwrap()).await;
    answer.error()["extensions"]["hint"].as_str().map(ToOwned::to_owned)
}

#[tokio::test]
async fn missing_token_gets_a_hint() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let without_header = hint(&actor, &[]).await.unwrap();
    assert!(without_header.starts_with("The request has no `Authorization` header."), "{without_header}");
    for value in ["Basic YWRhOmx1bmNo", "eyJ0eXAiOiJhdCtqd3QifQ.e30.x", ""] {
        let hint = hint(&actor, &[(header::AUTHORIZATION, value)]).await.unwrap();
        assert!(hint.contains("does not start with `Bearer`"), "{value}: {hint}");
        assert!(value.is_empty() || !hint.contains(value), "{hint}");
    }
    // For an invalid token, `reason` states the cause.
    assert_eq!(hint(&actor, &[(header::AUTHORIZATION, "Bearer x.y.z")]).await, None);
    let wrong = actor.login("nobody", "correct horse battery").await;
    assert!(wrong.error()["extensions"]["hint"].is_null());
}

#[tokio::test]
async fn cross_site_loopback_origin_gets_a_cookie_hint() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for (origin, host, is_expected) in [
        ("http://localhost:3000", "127.0.0.1:8000", true),
        ("http://127.0.0.1:3000", "localhost:8000", true),
        ("http://localhost:3000", "[::1]:8000", true),
        ("http://localhost:3000", "localhost:8000", false),
        ("http://127.0.0.1:3000", "127.0.0.1", false),
        ("https://app.example.org", "localhost:8000", false),
        ("null", "localhost:8000", false),
        ("http://localhost:3000", "an invalid host", false),
    ] {
        let hint = hint(&actor, &[(header::ORIGIN, origin), (header::HOST, host)]).await.unwrap();
        assert_eq!(hint.contains("two sites"), is_expected, "{origin} and {host}: {hint}");
        // The server cannot distinguish a cookie that the browser did not send from a missing one.
        let headers = [(header::ORIGIN, origin), (header::HOST, host)];
        let hint = hint_of("mutation { refreshToken { tokenType } }", &actor, &headers).await;
        assert_eq!(
            hint.is_some_and(|hint| hint.starts_with("The page and this server")),
            is_expected,
            "{origin} and {host}"
        );
    }
}

#[tokio::test]
async fn forbidden_says_how_to_become_an_administrator() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let hint = hint_of("{ users { totalCount } }", &ada, &[]).await.unwrap();
    assert!(hint.contains("the role `admin`"), "{hint}");
    assert!(hint.contains("`hallpass user set-roles <username> admin,user`"), "{hint}");
}

#[tokio::test]
async fn forbidden_says_that_the_role_does_not_exist() {
    let server = TestServer::with(|settings| settings.registration.roles = vec!["user".to_owned()]).await;
    let ada = server.user("ada").await;
    let hint = hint_of("{ users { totalCount } }", &ada, &[]).await.unwrap();
    assert!(hint.contains("ROLES does not contain `admin`"), "{hint}");
}

#[tokio::test]
async fn public_server_gives_no_hints() {
    let server = TestServer::with(|settings| settings.server.is_local = false).await;
    let headers = [(header::ORIGIN, "http://localhost:3000"), (header::HOST, "127.0.0.1:8000")];
    assert_eq!(hint(&server.anonymous(), &headers).await, None);
    assert_eq!(hint(&server.anonymous(), &[]).await, None);
    assert_eq!(hint_of("{ users { totalCount } }", &server.user("ada").await, &[]).await, None);
}

#[tokio::test]
async fn second_step_without_the_cookie_of_the_first_gets_a_hint() {
    let server = TestServer::start().await;
    let query = "mutation { verifyMfa(input: { token: \"x\", factor: { totpCode: \"123456\" } }) { tokenType } }";
    let without = hint_of(query, &server.anonymous(), &[]).await.unwrap();
    assert!(without.starts_with("The request has no cookie of the first step."), "{without}");
    let cookie = [(header::COOKIE, "mfa_client_0121783a=x")];
    assert_eq!(hint_of(query, &server.anonymous(), &cookie).await, None);
}
