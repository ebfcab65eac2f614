//! The explorer, with or without the bundled pages. `tests/e2e/clients/explorer.mjs` uses it in a browser.

use std::{collections::BTreeSet, io::Read};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, StatusCode, header},
};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::support::{Answer, TestServer};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

async fn open(server: &TestServer, method: Method, path: &str) -> Answer {
    let actor = server.anonymous();
    let request = actor.request(method, path).header(header::ACCEPT, BROWSER);
    actor.send(request.body(Body::empty()).unwrap()).await
}

/// The encoding of an asset, and its bytes as sent.
async fn fetch(server: &TestServer, path: &str, accept_encoding: &str) -> (Option<String>, Bytes) {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, accept_encoding).body(Body::empty()).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let headers = response.headers();
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable", "{path}");
    assert!(headers.get_all(header::VARY).iter().any(|vary| vary == "accept-encoding"), "{path}");
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned());
    let kind = headers[header::CONTENT_TYPE].to_str().unwrap();
    let expected = match path.rsplit_once('.').unwrap().1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    assert_eq!(kind, expected, "{path}");
    (encoding, response.into_body().collect().await.unwrap().to_bytes())
}

/// The paths of assets in a text.
fn assets(text: &str) -> BTreeSet<String> {
    let addresses = text.split("\"playground/assets/").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap();
        format!("/playground/assets/{}", &rest[..end])
    });
    addresses.collect()
}

#[tokio::test]
async fn browser_gets_the_explorer_at_each_path() {
    let server = TestServer::start().await;
    for path in ["/", "/playground", "/graphql", "/graphql?from=here"] {
        let page = open(&server, Method::GET, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert!(page.headers.get_all("vary").iter().any(|vary| vary == "accept"));
        assert_eq!(
            page.header("content-security-policy"),
            Some(
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                 font-src 'self' data:; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                 form-action 'none'"
            )
        );
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert!(page.text.starts_with("<!doctype html>") && assets(&page.text).len() >= 2, "{path}");
        assert_eq!(open(&server, Method::HEAD, path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(open(&server, Method::POST, "/").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn explorer_links_to_what_the_server_offers() {
    for is_offered in [true, false] {
        let server = TestServer::with(|settings| {
            settings.oauth.rest_api = is_offered;
            settings.graphql.introspection = is_offered;
        });
        let page = open(&server.await, Method::GET, "/").await.text;
        for link in [r#"title="REST and OAuth" href="docs""#, r#"title="Schema" href="schema.graphql""#] {
            assert_eq!(page.contains(link), is_offered, "{link}");
        }
    }
}

#[tokio::test]
async fn explorer_links_to_the_sign_in_page_of_the_server_only() {
    for (app, is_offered) in [(None, true), (Some("https://app.example.org"), false)] {
        let server = TestServer::with(|settings| {
            if let Some(app) = app {
                settings.mail.app_url = app.to_owned();
            }
        });
        let page = open(&server.await, Method::GET, "/").await.text;
        assert_eq!(page.contains(r#"<link rel="login" href="sign-in" />"#), is_offered, "{app:?}");
    }
}

#[tokio::test]
async fn assets_of_the_page_are_served_compressed_or_not() {
    let server = TestServer::start().await;
    let page = open(&server, Method::GET, "/").await.text;
    // The only URLs are the SVG namespace, which is never fetched, and the page's own.
    let own = &server.app.settings.server.public_url;
    assert!(!page.replace("http://www.w3.org/2000/svg", "").replace(own, "").contains("://"), "{page}");
    for path in assets(&page) {
        let (encoding, plain) = fetch(&server, &path, "identity").await;
        assert_eq!(encoding, None);
        assert!(!plain.is_empty());
        let (encoding, packed) = fetch(&server, &path, "gzip, deflate, br").await;
        let unpacked = if encoding.as_deref() == Some("gzip") {
            let mut bytes = Vec::new();
            GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
            bytes.into()
        } else {
            packed
        };
        assert!(plain == unpacked, "{path}");
        assert_eq!(open(&server, Method::HEAD, &path).await.status, StatusCode::OK);
    }
    for path in ["/playground/", "/playground/assets/", "/playground/assets/index.html", "/playground/assets/none.js"] {
        assert_eq!(open(&server, Method::GET, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn rest_documentation_is_embedded() {
    let server = TestServer::with(|settings| settings.graphql.playground = false).await;
    let policy = open(&TestServer::start().await, Method::GET, "/").await;
    for path in ["/docs", "/redoc"] {
        let page = open(&server, Method::GET, path).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
        assert_eq!(page.header("content-security-policy"), policy.header("content-security-policy"));
        assert!(!page.text.contains("://") && !page.text.contains("{{"), "{}", page.text);
        let assets: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("docs/assets/")).collect();
        assert!(assets.len() >= 2, "{}", page.text);
        for asset in assets {
            assert!(!fetch(&server, &format!("/{asset}"), "gzip").await.1.is_empty());
        }
    }
    assert_eq!(open(&server, Method::GET, "/docs/assets/none.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(open(&server, Method::POST, "/docs").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn api_request_gets_json_at_the_same_path() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for accept in ["application/json", "application/graphql-response+json", "*/*", "application/json, text/html"] {
        let request = actor.request(Method::GET, "/graphql?query=%7B__typename%7D").header(header::ACCEPT, accept);
        let answer = actor.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.data("/__typename"), "Query", "{accept}");
    }
    assert_eq!(actor.get("/graphql?query=%7B__typename%7D").await.data("/__typename"), "Query");
    // A URL with a query is a GraphQL request even in a browser, and is rejected if it is a mutation.
    let query = open(&server, Method::GET, "/graphql?query=%7B__typename%7D").await;
    assert_eq!(query.data("/__typename"), "Query");
    let mutation = open(&server, Method::GET, "/graphql?query=mutation%7Blogout%7BrevokedSessions%7D%7D").await;
    assert_eq!(mutation.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn disabled_explorer_is_not_found() {
    let with = TestServer::start().await;
    let page = open(&with, Method::GET, "/").await.text;
    let without = TestServer::with(|settings| settings.graphql.playground = false).await;
    for path in ["/".to_owned(), "/playground".to_owned()].into_iter().chain(assets(&page)) {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(open(&without, method, &path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let graphql = open(&without, Method::GET, "/graphql?query=%7B__typename%7D").await;
    assert_eq!(graphql.data("/__typename"), "Query");
    assert_eq!(graphql.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
}
