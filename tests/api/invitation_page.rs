//! The page that the link in an invitation opens.

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use serde_json::Value;

use super::invitations::invite;
use crate::support::{Answer, TestServer, jargon_in};

const PATH: &str = "/accept-invitation";
const NEW: &str = "new@example.org";

/// A server with an invitation. Returns its token.
async fn invited() -> (TestServer, String) {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    let token = server.token_to(NEW).await;
    (server, token)
}

async fn submit(server: &TestServer, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = headers.iter().fold(
        server
            .anonymous()
            .request(Method::POST, PATH)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        |request, (name, value)| request.header(*name, *value),
    );
    server.anonymous().send(request.body(form.into()).unwrap()).await
}

fn fields<'a>(token: &'a str, username: &'a str, password: &'a str) -> [(&'a str, &'a str); 5] {
    [("token", token), ("username", username), ("password", password), ("first_name", "Ada"), ("last_name", "")]
}

fn assert_redirects(answer: &Answer, result: &str) {
    let location = format!("{PATH}?result={result}");
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some(&*location)), "{answer:?}");
}

#[tokio::test]
async fn form_creates_the_account_without_signing_in() {
    let (server, token) = invited().await;
    let form = server.anonymous().get(&format!("{PATH}?token={token}")).await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(form.text.contains("<p>new@example.org</p>"), "{}", form.text);
    assert!(!form.text.contains("<script") && !form.text.contains("style="), "{}", form.text);
    let sent = submit(&server, &fields(&token, "ada", "a long password"), &[]).await;
    assert_redirects(&sent, "done");
    assert!(sent.header("set-cookie").is_none());
    let done = server.anonymous().get(&format!("{PATH}?result=done")).await;
    assert!(done.text.contains("<h1>Your account is ready</h1>"), "{}", done.text);
    let login = server.anonymous().login(NEW, "a long password").await;
    assert_eq!(login.data("/login/user/username"), "ada");
}

#[tokio::test]
async fn opening_the_page_accepts_nothing() {
    let (server, token) = invited().await;
    for _ in 0..2 {
        assert!(server.anonymous().get(&format!("{PATH}?token={token}")).await.text.contains("<form"));
    }
}

#[tokio::test]
async fn rejected_form_is_shown_again_without_the_password() {
    let (server, token) = invited().await;
    let answer = submit(&server, &fields(&token, "<b>", "short 1"), &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in
        ["Use only letters (A-Z)", "Use at least 8 characters.", "value=\"&lt;b&gt;\"", "value=\"Ada\"", NEW, &token]
    {
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    assert!(!answer.text.contains("short 1") && !answer.text.contains("<b>"), "{}", answer.text);
    assert_redirects(&submit(&server, &fields(&token, "ada", "a long password"), &[]).await, "done");
}

#[tokio::test]
async fn result_is_named_by_the_redirect() {
    let (server, token) = invited().await;
    assert_redirects(&submit(&server, &fields("x", "ada", "a long password"), &[]).await, "invalid");
    server.user_at("other", NEW).await;
    let verification = server.token_to(NEW).await;
    server.anonymous().verify_email(&verification).await.data("/verifyEmail");
    assert_redirects(&submit(&server, &fields(&token, "ada", "a long password"), &[]).await, "taken");
    server.clock.advance(TimeDelta::days(7));
    assert_redirects(&submit(&server, &fields(&token, "ada", "a long password"), &[]).await, "expired");
}

#[tokio::test]
async fn invalid_and_expired_links_show_no_form() {
    let (server, token) = invited().await;
    for path in [format!("{PATH}?token=x"), PATH.to_owned()] {
        let page = server.anonymous().get(&path).await;
        assert!(page.status == StatusCode::BAD_REQUEST && !page.text.contains("<form"), "{}", page.text);
        assert!(page.text.contains("ask for a new invitation"), "{}", page.text);
    }
    server.clock.advance(TimeDelta::days(7));
    let page = server.anonymous().get(&format!("{PATH}?token={token}")).await;
    assert!(page.text.contains("<h1>This link has expired</h1>") && !page.text.contains("<form"), "{}", page.text);
}

#[tokio::test]
async fn form_of_another_site_is_rejected() {
    let (server, token) = invited().await;
    let form = fields(&token, "ada", "a long password");
    for headers in [[("origin", "https://evil.example")], [("sec-fetch-site", "cross-site")]] {
        assert_eq!(submit(&server, &form, &headers).await.status, StatusCode::FORBIDDEN);
    }
    let own = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    assert_redirects(&submit(&server, &form, &own).await, "done");
}

#[tokio::test]
async fn page_is_in_the_accepted_language_and_without_jargon() {
    let (server, token) = invited().await;
    for (query, title) in [
        (format!("token={token}"), "Создайте учётную запись"),
        ("result=done".to_owned(), "Учётная запись создана"),
        ("result=invalid".to_owned(), "Эта ссылка недействительна"),
        ("result=expired".to_owned(), "Срок действия этой ссылки истёк"),
    ] {
        let path = format!("{PATH}?{query}");
        let page = server.anonymous().speaking("ru").get(&path).await;
        assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{}", page.text);
        for language in ["en", "ru"] {
            let html = server.anonymous().speaking(language).get(&path).await.text;
            let body = html.split("<body>").nth(1).unwrap();
            let text: Vec<_> =
                body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
            assert_eq!(jargon_in(&text.join(" ")), None, "{path}");
        }
    }
}

#[tokio::test]
async fn page_is_disabled_if_the_app_has_its_own() {
    let app = "https://app.example.org/account";
    let server = TestServer::with(|settings| settings.mail.app_url = app.to_owned()).await;
    let boss = server.administrator("boss").await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    let mail = server.mails_to(NEW).await.remove(0);
    assert!(mail.text.plain.contains(&format!("\n{app}/accept-invitation?token=")), "{}", mail.text.plain);
    assert_eq!(server.anonymous().get(&format!("{PATH}?token=x")).await.status, StatusCode::NOT_FOUND);
}
