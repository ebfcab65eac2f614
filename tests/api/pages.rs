//! The pages that links in mails open, and the development mailbox. `tests/e2e/clients/pages.mjs` opens them in a browser.

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use hallpass::http::Peer;

use crate::support::{Answer, TestServer, jargon_in, json, logged};

const CHROMIUM: &[(&str, &str)] = &[("origin", "null"), ("sec-fetch-site", "same-origin")];

async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let actor = server.anonymous();
    let request =
        headers.iter().fold(actor.request(Method::GET, path), |request, (name, value)| request.header(*name, *value));
    actor.send(request.body(Body::empty()).unwrap()).await
}

async fn send(server: &TestServer, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let actor = server.anonymous();
    let request =
        headers.iter().fold(actor.request(Method::POST, path), |request, (name, value)| request.header(*name, *value));
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    actor.send(request.body(form.into()).unwrap()).await
}

/// The page that a form redirects to. Its URL has no token.
async fn follow(server: &TestServer, answer: &Answer, headers: &[(&str, &str)]) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    let location = answer.header("location").unwrap();
    assert!(location.starts_with('/') && !location.contains("token"), "{location}");
    assert!(answer.text.is_empty());
    open(server, location, headers).await
}

/// Opens a link that shows no form.
async fn assert_no_form(server: &TestServer, path: &str, status: StatusCode, title: &str) {
    let page = open(server, path, &[]).await;
    assert_eq!(page.status, status, "{path}");
    assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{}", page.text);
    assert!(!page.text.contains("<form") && !page.text.contains("password\""), "{}", page.text);
}

/// Registers Ada, who requests a reset, and returns the token of her link.
async fn reset_link_of_ada(server: &TestServer) -> String {
    server.user_at("ada", "ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    server.token_to("ada@example.org").await
}

#[tokio::test]
async fn link_takes_effect_when_the_form_is_submitted() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    for (page, token) in [("verify-email", &verify), ("reset-password", &reset)] {
        for _ in 0..2 {
            let form = open(&server, &format!("/{page}?token={token}"), &[]).await;
            assert_eq!(form.status, StatusCode::OK);
            assert!(form.text.contains(&format!("name=\"token\" value=\"{token}\"")), "{}", form.text);
            assert_eq!(form.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(form.header("cache-control"), Some("no-store"));
            assert_eq!(form.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(
                form.header("content-security-policy"),
                Some(
                    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; \
                     base-uri 'none'"
                )
            );
            assert!(!form.text.contains("<script") && !form.text.contains("style=") && !form.text.contains("://"));
        }
    }
    assert_eq!(ada.query("{ me { emailVerified } }").await.data("/me/emailVerified"), false);
    let form = open(&server, &format!("/verify-email?token={verify}"), &[]).await;
    assert!(form.text.contains("<p>ada@example.org</p>"), "{}", form.text);
    let sent = send(&server, "/verify-email", &[("token", &verify)], CHROMIUM).await;
    let done = follow(&server, &sent, &[]).await;
    assert!(done.status == StatusCode::OK && done.text.contains("Your e-mail address is confirmed."), "{done:?}");
    assert_eq!(ada.query("{ me { emailVerified } }").await.data("/me/emailVerified"), true);

    let short = send(&server, "/reset-password", &[("token", &reset), ("password", "short &")], CHROMIUM).await;
    let cookie = short.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let short = follow(&server, &short, &[("cookie", &cookie)]).await;
    assert!(short.text.contains("Use at least 8 characters.") && short.text.contains(&reset), "{}", short.text);
    assert!(!short.text.contains("short &"));
    let password = "p@ss wörd & more";
    let sent = send(&server, "/reset-password", &[("token", &reset), ("password", password)], CHROMIUM).await;
    let done = follow(&server, &sent, &[]).await;
    assert!(done.status == StatusCode::OK && done.text.contains("The password is changed"), "{done:?}");
    server.anonymous().login("ada", password).await.data("/login/accessToken");
    let again = send(&server, "/reset-password", &[("token", &reset), ("password", password)], CHROMIUM).await;
    let again = follow(&server, &again, &[]).await;
    assert!(again.text.contains("The password was already changed with this link."), "{}", again.text);
    for secret in [&verify, &reset, "p@ss wörd"] {
        assert_eq!(logged(secret), Vec::<String>::new());
    }
}

#[tokio::test]
async fn second_click_on_a_link_succeeds() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    for _ in 0..2 {
        let sent = send(&server, "/verify-email", &[("token", &verify)], CHROMIUM).await;
        let done = follow(&server, &sent, &[]).await;
        assert!(done.status == StatusCode::OK && done.text.contains("Your e-mail address is confirmed."), "{done:?}");
    }
    assert_no_form(&server, &format!("/verify-email?token={verify}"), StatusCode::OK, "Thank you").await;
    let fields = [("token", reset.as_str()), ("password", "a new password")];
    follow(&server, &send(&server, "/reset-password", &fields, CHROMIUM).await, &[]).await;
    let link = format!("/reset-password?token={reset}");
    assert_no_form(&server, &link, StatusCode::OK, "This link was already used").await;
    let sent = send(&server, "/reset-password", &fields, CHROMIUM).await;
    for again in [follow(&server, &sent, &[]).await, open(&server, &link, CHROMIUM).await] {
        assert!(again.text.contains("already changed with this link"), "{}", again.text);
        assert!(!again.text.contains("<form") && !again.text.contains("This did not work"), "{}", again.text);
    }
    let russian = [("accept-language", "ru")];
    assert!(open(&server, &link, &russian).await.text.contains("Пароль уже изменён по этой ссылке"));
}

#[tokio::test]
async fn invalid_link_shows_no_form() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    for path in [
        "/verify-email?token=x".to_owned(),
        "/reset-password?token=x".to_owned(),
        format!("/verify-email?token={reset}"),
        format!("/reset-password?token={verify}"),
        "/reset-password?result=invalid".to_owned(),
    ] {
        assert_no_form(&server, &path, StatusCode::BAD_REQUEST, "This link is not valid").await;
    }
    server.clock.advance(TimeDelta::hours(24));
    for path in [format!("/verify-email?token={verify}"), format!("/reset-password?token={reset}")] {
        assert_no_form(&server, &path, StatusCode::BAD_REQUEST, "This link has expired").await;
    }
    for path in ["/verify-email", "/reset-password", "/reset-password?token=", "/reset-password?result=x"] {
        assert_no_form(&server, path, StatusCode::BAD_REQUEST, "This link is incomplete").await;
    }
}

#[tokio::test]
async fn form_redirects_to_its_result() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    for (path, token, password, location) in [
        ("/verify-email", "x", "", "/verify-email?result=invalid"),
        ("/verify-email", &*verify, "", "/verify-email?result=done"),
        ("/verify-email", &*verify, "", "/verify-email?result=done"),
        ("/reset-password", "x", "a new password", "/reset-password?result=invalid"),
        ("/reset-password", &*reset, "a new password", "/reset-password?result=done"),
        ("/reset-password", &*reset, "a new password", "/reset-password?result=used"),
    ] {
        let sent = send(&server, path, &[("token", token), ("password", password)], CHROMIUM).await;
        assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, Some(location)));
        assert_eq!(sent.header("cache-control"), Some("no-store"));
    }
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let late = server.token_to("ada@example.org").await;
    server.clock.advance(TimeDelta::hours(1));
    let sent = send(&server, "/reset-password", &[("token", &late), ("password", "a new password")], CHROMIUM).await;
    assert_eq!(sent.header("location"), Some("/reset-password?result=expired"));
}

#[tokio::test]
async fn rejected_password_is_reported_after_a_redirect() {
    let server = TestServer::start().await;
    let reset = reset_link_of_ada(&server).await;
    for (password, problem, message) in [
        ("", "required", "This field is required."),
        ("short", "too-short", "Use at least 8 characters."),
        (&*"x".repeat(129), "too-long", "Use at most 128 characters."),
        ("password123", "too-common", "This password is too easy to guess."),
    ] {
        let fields = [("token", &*reset), ("password", password)];
        let sent = send(&server, "/reset-password", &fields, CHROMIUM).await;
        assert!(sent.header("location").unwrap().ends_with(&format!("&problem={problem}")), "{sent:?}");
        let (cookie, attributes) = sent.header("set-cookie").unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/reset-password; Max-Age=600");
        let form = follow(&server, &sent, &[("cookie", cookie)]).await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.text.contains(message) && form.text.contains(&format!("value=\"{reset}\"")), "{}", form.text);
        // A browser without cookies, and one with the cookie of another link.
        for headers in [&[][..], &[("cookie", "reset_link_00000000=x")]] {
            let result = follow(&server, &sent, headers).await;
            assert!(result.status == StatusCode::BAD_REQUEST && result.text.contains(message), "{}", result.text);
            assert!(!result.text.contains("<form"), "{}", result.text);
        }
    }
}

#[tokio::test]
async fn rejected_form_reports_a_used_link_after_the_reset() {
    let server = TestServer::start().await;
    let reset = reset_link_of_ada(&server).await;
    let short = send(&server, "/reset-password", &[("token", &*reset), ("password", "short")], CHROMIUM).await;
    let cookie = short.header("set-cookie").unwrap().split(';').next().unwrap();
    let fields = [("token", &*reset), ("password", "a new password")];
    send(&server, "/reset-password", &fields, &[("cookie", cookie)]).await;
    let back = follow(&server, &short, &[("cookie", cookie)]).await;
    assert!(back.text.contains("<h1>This link was already used</h1>") && !back.text.contains("<form"), "{}", back.text);
}

#[tokio::test]
async fn cookie_alone_cannot_reset_the_password() {
    let server = TestServer::start().await;
    let reset = reset_link_of_ada(&server).await;
    let short = send(&server, "/reset-password", &[("token", &*reset), ("password", "short")], CHROMIUM).await;
    let cookie = short.header("set-cookie").unwrap().split(';').next().unwrap();
    let headers = [("cookie", cookie), ("sec-fetch-site", "same-origin")];
    let sent = send(&server, "/reset-password", &[("password", "a new password")], &headers).await;
    assert_eq!(sent.header("location"), Some("/reset-password?result=invalid"));
    assert_eq!(server.anonymous().login("ada", "a new password").await.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn form_cookie_is_secure_over_https() {
    let url = "https://accounts.example.org";
    let server = TestServer::with(|settings| {
        settings.server.public_url = url.to_owned();
        settings.mail.app_url = url.to_owned();
    })
    .await;
    let reset = reset_link_of_ada(&server).await;
    let short = send(&server, "/reset-password", &[("token", &*reset), ("password", "short")], CHROMIUM).await;
    assert!(short.header("set-cookie").unwrap().contains("; HttpOnly; SameSite=Strict; Secure; "), "{short:?}");
}

#[tokio::test]
async fn opening_a_link_reports_an_outage() {
    let server = TestServer::start().await;
    server.app.database.close().await;
    for path in ["/verify-email?token=x", "/reset-password?token=x"] {
        let page = open(&server, path, &[]).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.header("retry-after").is_some());
        assert!(page.text.contains("Try again in ") && !page.text.contains("<form"), "{}", page.text);
    }
}

#[tokio::test]
async fn page_uses_the_accepted_language() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    let russian = [("accept-language", "ru-RU,ru;q=0.9,en;q=0.5")];
    for (page, title) in [
        (&*format!("/verify-email?token={verify}"), "Подтвердите адрес электронной почты"),
        (&*format!("/reset-password?token={reset}"), "Выберите новый пароль"),
        ("/verify-email?token=x", "Эта ссылка недействительна"),
        ("/reset-password", "Ссылка неполная"),
        ("/verify-email?result=done", "Спасибо"),
        ("/verify-email?result=taken", "Этот адрес принадлежит другой учётной записи"),
        ("/reset-password?result=done", "Пароль изменён"),
        ("/reset-password?result=used", "Эта ссылка уже использована"),
        ("/reset-password?result=expired", "Срок действия этой ссылки истёк"),
    ] {
        let answer = open(&server, page, &russian).await;
        assert!(answer.text.contains(&format!("<h1>{title}</h1>")), "{}", answer.text);
        assert!(answer.text.contains("<html lang=\"ru\">"));
        assert_eq!(answer.header("content-language"), Some("ru"));
    }
    let invalid = send(&server, "/verify-email", &[("token", "x")], &russian).await;
    let invalid = follow(&server, &invalid, &russian).await;
    assert!(invalid.text.contains("Эта ссылка недействительна"), "{}", invalid.text);
    assert_eq!(open(&server, "/verify-email", &[]).await.status, StatusCode::BAD_REQUEST);
}

/// The visible text of a page.
fn visible_text(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap();
    body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn pages_have_no_jargon() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    let results = ["result=done", "result=used", "result=invalid", "result=expired", "result=taken", ""];
    let results =
        results.iter().flat_map(|query| ["/verify-email", "/reset-password"].map(|path| format!("{path}?{query}")));
    let links = [format!("/verify-email?token={verify}"), format!("/reset-password?token={reset}")];
    for path in results.chain(links) {
        for language in ["en", "ru"] {
            let text = visible_text(&open(&server, &path, &[("accept-language", language)]).await.text);
            assert!(text.len() > 40 && jargon_in(&text).is_none(), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn link_parameters_are_escaped_and_only_forms_are_parsed() {
    let server = TestServer::start().await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for page in ["verify-email", "reset-password"] {
        let path = format!("/{page}");
        for query in [format!("token={evil}"), format!("result={evil}"), format!("token={evil}&result=done")] {
            let opened = open(&server, &format!("{path}?{query}"), &[]).await;
            assert!(opened.status == StatusCode::BAD_REQUEST && !opened.text.contains("script"), "{}", opened.text);
        }
        for headers in [
            [("origin", "https://evil.example")],
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
        ] {
            assert_eq!(send(&server, &path, &[("token", "x")], &headers).await.status, StatusCode::FORBIDDEN);
        }
        for headers in [&[][..], &[("origin", "http://localhost:8000")], CHROMIUM] {
            assert_eq!(send(&server, &path, &[("token", "x")], headers).await.status, StatusCode::SEE_OTHER);
        }
        let large = send(&server, &path, &[("token", &"x".repeat(1024 * 1024))], &[]).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        let actor = server.anonymous();
        let body = json!({ "token": "x" }).to_string();
        let request = actor.request(Method::POST, &path).header("content-type", "application/json").body(body.into());
        assert_eq!(actor.send(request.unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(actor.send(actor.request(Method::DELETE, &path).body(Body::empty()).unwrap()).await.status, 405);
    }
}

#[tokio::test]
async fn link_forms_send_the_token_in_the_body_only() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    for (path, token) in [("/verify-email", &verify), ("/reset-password", &reset)] {
        let form = open(&server, &format!("{path}?token={token}"), &[]).await;
        assert_eq!(form.header("referrer-policy"), Some("no-referrer"));
        let text = form.text.replace("&#x2f;", "/");
        assert!(text.contains(&format!(r#"<form method="post" action="{path}">"#)), "{text}");
        assert_eq!(text.matches(&**token).count(), 1, "{text}");
        // A URL with the token, as earlier versions used, cannot bypass this.
        let sent = send(&server, &format!("{path}?token={token}"), &[], &[]).await;
        assert_eq!(sent.header("location"), Some(&*format!("{path}?result=invalid")));
    }
}

#[tokio::test]
async fn page_reports_a_taken_email() {
    let server = TestServer::start().await;
    server.user("bo").await.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
    let token = server.token_to("ada@example.org").await;
    server.user_at("ada", "ada@example.org").await;
    let own = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&own).await.data("/verifyEmail");
    let answer = send(&server, "/verify-email", &[("token", &token)], CHROMIUM).await;
    let result = follow(&server, &answer, &[]).await;
    assert_eq!(result.status, StatusCode::CONFLICT);
    assert!(result.text.contains("Another account has this e-mail address."), "{}", result.text);
}

#[tokio::test]
async fn pages_are_disabled_if_the_app_has_its_own() {
    let app = "https://app.example.org/account";
    let server = TestServer::with(|settings| settings.mail.app_url = app.to_owned()).await;
    for page in ["/verify-email?token=x", "/reset-password?token=x"] {
        assert_eq!(open(&server, page, &[]).await.status, StatusCode::NOT_FOUND);
    }
    server.user_at("ada", "ada@example.org").await;
    let mail = server.mails_to("ada@example.org").await.remove(0);
    assert!(mail.text.plain.contains(&format!("\n{app}/verify-email?token=")), "{}", mail.text.plain);
}

/// A request as received from a socket with this peer.
fn request_from(peer: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let builder = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    let mut request = builder.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::new(peer.parse().unwrap(), 4711)));
    request
}

#[tokio::test]
async fn mailbox_lists_mails_newest_first() {
    let server = TestServer::start().await;
    let headers = &[("host", "localhost:8000")];
    let key = server.app.mailer.dev_mailbox().unwrap().key();
    let open = async |path: &str| {
        let path = format!("{path}?key={key}");
        server.anonymous().send(request_from("127.0.0.1", &path, headers)).await
    };
    assert!(open("/dev/mail").await.text.contains("None yet."));
    server.user_at("ada", "ada@example.org").await;
    let token = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let mails = server.mails_to("ada@example.org").await;
    let page = open("/dev/mail").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    // The template engine also escapes slashes; browsers decode them.
    let text = page.text.replace("&#x2f;", "/");
    let link = format!("<a href=\"http://localhost:8000/verify-email?token={token}\">");
    assert!(text.contains(&link) && !text.contains("<script"), "{text}");
    assert!(text.find("Choose a new password").unwrap() < text.find("Confirm your e-mail address").unwrap());
    let html = open(&format!("/dev/mail/{}", mails[0].id)).await;
    assert_eq!(html.text, mails[0].text.html);
    assert!(html.header("content-security-policy").unwrap().starts_with("sandbox allow-popups; default-src 'none';"));
    for path in ["/dev/mail/x", "/dev/mail/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(open(path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn mailbox_is_local_only() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let mail = format!("/dev/mail/{}", server.mails_to("ada@example.org").await[0].id);
    let host = ("host", "127.0.0.1:8000");
    let key = server.app.mailer.dev_mailbox().unwrap().key();
    let is_shown = async |peer: &str, headers: &[(&str, &str)]| {
        let requests = ["/dev/mail", &mail].map(|path| request_from(peer, &format!("{path}?key={key}"), headers));
        let [list, one] = requests;
        let (list, one) = (server.anonymous().send(list).await, server.anonymous().send(one).await);
        assert_eq!(list.status, one.status);
        assert!(list.status == StatusCode::OK || list.text.contains("There is nothing at this path"), "{list:?}");
        list.status == StatusCode::OK
    };
    for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000", "LOCALHOST:8000"] {
        assert!(is_shown("127.0.0.1", &[("host", host)]).await, "{host}");
        assert!(is_shown("::1", &[("host", host)]).await, "{host}");
    }
    assert!(is_shown("::ffff:127.0.0.1", &[host]).await);
    for peer in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "0.0.0.0"] {
        assert!(!is_shown(peer, &[host]).await, "{peer}");
    }
    for host in
        ["evil.example", "localhost.evil.example:8000", "192.0.2.1:8000", "", "a@localhost@b", "127.0.0.1.nip.io"]
    {
        assert!(!is_shown("127.0.0.1", &[("host", host)]).await, "{host}");
    }
    assert!(!is_shown("127.0.0.1", &[]).await);
    assert!(!is_shown("127.0.0.1", &[host, host]).await);
    for name in ["x-forwarded-for", "forwarded", "via", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"] {
        assert!(!is_shown("127.0.0.1", &[host, (name, "for=127.0.0.1")]).await, "{name}");
    }
    // Without a socket, the peer is unknown.
    assert_eq!(server.anonymous().get(&format!("/dev/mail?key={key}")).await.status, StatusCode::NOT_FOUND);
    let without = TestServer::with(|settings| settings.mail.dev = false).await;
    let answer = without.anonymous().send(request_from("127.0.0.1", "/dev/mail", &[host])).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

/// The headers of a request through nginx's bare `proxy_pass http://127.0.0.1:8000`.
const THROUGH_A_BARE_PROXY: &[(&str, &str)] = &[("host", "127.0.0.1:8000"), ("connection", "close")];

#[tokio::test]
async fn mailbox_behind_a_bare_proxy_requires_its_key() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let mail = format!("/dev/mail/{}", server.mails_to("ada@example.org").await[0].id);
    let key = server.app.mailer.dev_mailbox().unwrap().key();
    let wrong = [String::new(), "?key=".to_owned(), format!("?key={}x", &key[1..]), format!("?key={key}x")];
    for query in wrong {
        let list = server
            .anonymous()
            .send(request_from("127.0.0.1", &format!("/dev/mail{query}"), THROUGH_A_BARE_PROXY))
            .await;
        assert_eq!(list.status, StatusCode::FORBIDDEN, "{query}");
        assert!(!list.text.contains("ada@") && list.header("set-cookie").is_none(), "{list:?}");
        let one =
            server.anonymous().send(request_from("127.0.0.1", &format!("{mail}{query}"), THROUGH_A_BARE_PROXY)).await;
        assert_eq!(one.status, StatusCode::NOT_FOUND, "{query}");
    }
}

#[tokio::test]
async fn mailbox_key_is_kept_in_a_cookie() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let mail = format!("/dev/mail/{}", server.mails_to("ada@example.org").await[0].id);
    let key = server.app.mailer.dev_mailbox().unwrap().key();
    let open = async |path: &str, cookie: &str| {
        let headers = [("host", "localhost:8000"), ("cookie", cookie)];
        server.anonymous().send(request_from("127.0.0.1", path, &headers)).await
    };
    let opened = open(&format!("/dev/mail?key={key}"), "a=b").await;
    let cookie = format!("dev_mail_key={key}");
    assert_eq!(
        opened.header("set-cookie"),
        Some(format!("{cookie}; HttpOnly; SameSite=Strict; Path=/dev/mail").as_str())
    );
    for path in ["/dev/mail", &mail] {
        assert_eq!(open(path, &format!("a=b; {cookie}")).await.status, StatusCode::OK, "{path}");
        assert_ne!(open(path, "dev_mail_key=x").await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn explorer_links_to_the_mailbox_without_its_key() {
    let server = TestServer::start().await;
    let key = server.app.mailer.dev_mailbox().unwrap().key();
    let html = ("accept", "text/html");
    let page = async |peer: &str, headers: &[(&str, &str)]| {
        let (page, graphql) = (request_from(peer, "/", headers), request_from(peer, "/graphql", headers));
        let page = server.anonymous().send(page).await.text;
        assert_eq!(server.anonymous().send(graphql).await.text, page);
        assert!(!page.contains(key));
        page.contains(r#"<link rel="help" title="Mails" href="dev/mail" />"#)
    };
    assert!(page("127.0.0.1", &[("host", "localhost:8000"), html]).await);
    assert!(!page("192.0.2.1", &[("host", "localhost:8000"), html]).await);
    assert!(!page("127.0.0.1", &[("host", "localhost:8000"), html, ("via", "1.1 proxy")]).await);
}

#[tokio::test]
async fn mailbox_keeps_100_mails() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    for number in 0..101 {
        server.user_at(&format!("user{number}"), &format!("user{number}@example.org")).await;
        server.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(server.mails_to("user100@example.org").await.len(), 1);
    assert_eq!(server.app.mailer.dev_mailbox().unwrap().all().len(), 100);
}
