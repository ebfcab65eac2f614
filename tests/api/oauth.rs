//! OAuth 2.0: password and refresh token grants, revocation, introspection.

use axum::{
    body::Body,
    http::{Method, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::config::{OauthClient, SecretKey};
use serde_json::Value;

use crate::support::{Actor, Answer, REFRESH_COOKIE, TestServer, json, password_of};

const SECRET: &str = "4c1f4c1f4c1f4c1f4c1f4c1f4c1f4c1f";

/// A server with an account for Ada.
async fn with_ada() -> TestServer {
    let server = TestServer::with(client).await;
    server.user("ada").await;
    server
}

/// Configures the only client that may introspect tokens.
fn client(settings: &mut hallpass::config::Settings) {
    settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret: SECRET.into() }];
}

/// The tokens of a successful response.
fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:#?}");
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

/// An RFC 6749 §5.2 error: its status and its code.
fn error(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:#?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:#?}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:#?}");
    let description = body["error_description"].as_str().unwrap();
    let is_allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
    assert!(description.len() > 10 && description.chars().all(is_allowed), "{description}");
    assert!(body["detail"].is_string() && body["status_code"] == answer.status.as_u16(), "{body}");
    (answer.status.as_u16(), body["error"].as_str().unwrap().to_owned())
}

fn rejected(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn refresh(actor: &Actor, token: &str) -> Answer {
    actor.form("/token", format!("grant_type=refresh_token&refresh_token={token}")).await
}

async fn is_signed_in(actor: &Actor, token: &str) -> bool {
    let actor = actor.with_bearer(token);
    let by_rest = actor.get("/users/me").await;
    // REST and GraphQL agree.
    assert_eq!(by_rest.status == 200, actor.me().await.json()["data"]["me"].is_object(), "{by_rest:#?}");
    by_rest.status == 200
}

#[tokio::test]
async fn password_grant_works_with_and_without_grant_type() {
    let server = with_ada().await;
    let anonymous = server.anonymous();
    for grant in ["grant_type=password&", "", "grant_type=&", "scope=&client_id=app&unknown=1&", "client_secret=&"] {
        let answer = anonymous.form("/token", format!("{grant}username=Ada&password=the+password%20of+ada")).await;
        let (access, _) = tokens(&answer);
        let body = answer.json();
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(1800)));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        assert_eq!(answer.header("set-cookie"), None);
        assert!(is_signed_in(&anonymous, &access).await);
    }
    // Stale bearers, charsets and cookies are ignored.
    let stale = anonymous.with_bearer("not a token").with_header("cookie", &format!("{REFRESH_COOKIE}=nonsense"));
    let type_and_charset = "application/x-www-form-urlencoded; charset=UTF-8";
    let body = "username=ada&password=the password of ada";
    tokens(&stale.body("/token", type_and_charset, body).await);
}

#[tokio::test]
async fn errors_follow_rfc_6749() {
    let server = with_ada().await;
    let anonymous = server.anonymous();
    let large = format!("username=ada&password={}", "x".repeat(16 * 1024));
    for (form, status, code) in [
        ("", 400, "invalid_request"),
        ("grant_type=password", 400, "invalid_request"),
        ("username=ada", 400, "invalid_request"),
        ("username=ada&password=", 400, "invalid_request"),
        ("username=&password=secret", 400, "invalid_request"),
        ("grant_type=refresh_token", 400, "invalid_request"),
        ("grant_type=refresh_token&refresh_token=", 400, "invalid_request"),
        ("username=ada&username=ada&password=secret", 400, "invalid_request"),
        ("username=ada&password=secret&grant_type=password&grant%5ftype=password", 400, "invalid_request"),
        ("username=ada&password=secret&unknown=1&unknown=2", 400, "invalid_request"),
        ("username=ada%00&password=secret", 400, "invalid_request"),
        ("grant_type=refresh_token&refresh_token=%00", 400, "invalid_request"),
        ("username=%ff&password=secret", 400, "invalid_request"),
        ("username=ada&password=%ed%a0%80", 400, "invalid_request"),
        ("username=ada&password=secret&scope=admin", 400, "invalid_scope"),
        ("grant_type=authorization_code&code=1", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 400, "unsupported_grant_type"),
        ("grant_type=PASSWORD&username=ada&password=secret", 400, "unsupported_grant_type"),
        ("grant_type=refresh_token&refresh_token=nonsense", 400, "invalid_grant"),
        ("username=ada&password=%00", 401, "invalid_grant"),
        (&large, 413, "invalid_request"),
    ] {
        let answer = anonymous.form("/token", form.to_owned()).await;
        assert_eq!(error(&answer), rejected(status, code), "{}", &form[..form.len().min(80)]);
        assert!(!answer.text.contains("nonsense"));
    }
    let form = "username=ada&password=the+password+of+ada";
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=latin1",
    ] {
        assert_eq!(
            error(&anonymous.body("/token", content_type, form).await),
            rejected(400, "invalid_request"),
            "{content_type}"
        );
    }
    let json = json!({ "username": "ada", "password": password_of("ada") });
    assert_eq!(error(&anonymous.json("/token", json).await), rejected(400, "invalid_request"));
    let bare = anonymous.send(anonymous.request(Method::POST, "/token").body(form.into()).unwrap()).await;
    assert_eq!(error(&bare), rejected(400, "invalid_request"));
    let raw = anonymous.form("/token", [b"username=ada&password=".as_slice(), b"\xff"].concat()).await;
    assert_eq!(error(&raw), rejected(400, "invalid_request"));
}

#[tokio::test]
async fn credentials_in_the_query_string_are_rejected() {
    let server = with_ada().await;
    let anonymous = server.anonymous();
    let query = "/token?grant_type=password&username=ada&password=the+password+of+ada";
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let request = anonymous.request(method.clone(), query).body(Body::empty()).unwrap();
        let answer = anonymous.send(request).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
    for form in ["", "grant_type=password", "username=ada&password=the+password+of+ada"] {
        assert_eq!(error(&anonymous.form(query, form).await), rejected(400, "invalid_request"), "{form}");
    }
    tokens(&anonymous.form("/token?trace=1", "username=ada&password=the+password+of+ada").await);
}

#[tokio::test]
async fn wrong_password_response_matches_the_tutorials() {
    let server = with_ada().await;
    for name in ["ada", "nobody", "no such name!"] {
        let answer = server.anonymous().speaking("ru").token(name, "not the password").await;
        assert_eq!(error(&answer), rejected(401, "invalid_grant"));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.json()["detail"], "Неверное имя пользователя или пароль");
        assert_eq!(answer.json()["error_description"], "The username or password is incorrect.");
    }
    server.disable("ada").await;
    let answer = server.anonymous().speaking("ru").token("ada", &password_of("ada")).await;
    assert_eq!(error(&answer), rejected(400, "invalid_grant"));
    assert_eq!(answer.json()["detail"], "Неактивный пользователь");
}

#[tokio::test]
async fn outage_is_not_reported_as_a_wrong_password() {
    let server = with_ada().await;
    let (access, token) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    server.app.database.close().await;
    let ada = server.anonymous().with_bearer(&access);
    let answers = [
        ada.token("ada", &password_of("ada")).await,
        refresh(&ada, &token).await,
        ada.form("/revoke", format!("token={token}")).await,
        server.anonymous().form("/introspect", format!("token={access}&client_id=api&client_secret={SECRET}")).await,
    ];
    for answer in answers {
        assert_eq!(error(&answer), rejected(503, "temporarily_unavailable"));
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.json()["requestId"], answer.header("x-request-id").unwrap());
    }
    let credentials = json!({ "username": "ada", "password": password_of("ada") });
    for answer in [ada.get("/users/me").await, ada.get("/protected").await, ada.json("/login", credentials).await] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
        assert_eq!(answer.json()["requestId"], answer.header("x-request-id").unwrap());
    }
}

#[tokio::test]
async fn refresh_rotates_and_an_older_token_ends_the_session() {
    let server = with_ada().await;
    let app = server.anonymous();
    let (first_access, first) = tokens(&app.token("ada", &password_of("ada")).await);
    let (_, second) = tokens(&refresh(&app, &first).await);
    let (access, third) = tokens(&app.json("/refresh", json!({ "refresh_token": second })).await);
    // GraphQL sees the same session.
    let answer = app.refresh(&third).await.data("/refreshToken/refreshToken");
    assert!(is_signed_in(&app, &access).await && is_signed_in(&app, &first_access).await);

    assert_eq!(error(&refresh(&app, &first).await), rejected(400, "invalid_grant"));
    assert!(!is_signed_in(&app, &access).await && !is_signed_in(&app, &first_access).await);
    assert_eq!(error(&refresh(&app, answer.as_str().unwrap()).await), rejected(400, "invalid_grant"));
}

#[tokio::test]
async fn concurrent_refreshes_get_the_same_successor() {
    let server = with_ada().await;
    let (_, token) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    let refreshes = (0..12).map(|number| {
        let (actor, token) = (server.anonymous(), token.clone());
        tokio::spawn(async move {
            match number % 3 {
                0 => refresh(&actor, &token).await,
                1 => actor.json("/refresh", json!({ "refresh_token": token })).await,
                _ => actor.form("/refresh", format!("refresh_token={token}")).await,
            }
        })
    });
    let answers = join_all(refreshes.collect::<Vec<_>>()).await;
    let successors: Vec<String> = answers.iter().map(|answer| tokens(answer.as_ref().unwrap()).1).collect();
    assert!(successors.iter().all(|successor| *successor == successors[0] && *successor != token));
}

#[tokio::test]
async fn session_expires_at_its_maximum_age() {
    let server = with_ada().await;
    let app = server.anonymous();
    let (_, mut token) = tokens(&app.token("ada", &password_of("ada")).await);
    for _ in 0..14 {
        server.clock.advance(TimeDelta::days(6));
        token = tokens(&refresh(&app, &token).await).1;
    }
    server.clock.advance(TimeDelta::days(6));
    assert_eq!(error(&refresh(&app, &token).await), rejected(400, "invalid_grant"));
}

#[tokio::test]
async fn cookie_refresh_token_is_rejected_in_a_body() {
    let server = with_ada().await;
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (_, token) = cookie.split_once('=').unwrap();
    assert_eq!(error(&refresh(&server.anonymous(), token).await), rejected(400, "invalid_grant"));
    // The cookie is not read either.
    let browser = server.anonymous().with_header("cookie", &cookie);
    assert_eq!(error(&browser.form("/token", "grant_type=refresh_token").await), rejected(400, "invalid_request"));
    assert_eq!(browser.json("/refresh", json!({})).await.status, 422);
    assert_eq!(browser.get("/users/me").await.status, 401);
    // Nothing was rotated.
    browser.refresh_by_cookie().await.data("/refreshToken/accessToken");
}

#[tokio::test]
async fn revocation_of_either_token_ends_only_its_session() {
    let server = with_ada().await;
    let app = server.anonymous();
    let sign_in = async || tokens(&app.token("ada", &password_of("ada")).await);
    let (kept, kept_refresh) = sign_in().await;
    for hint in ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token", "&token_type_hint=nonsense"] {
        for by_access in [true, false] {
            let (access, refresh_token) = sign_in().await;
            let token = if by_access { &access } else { &refresh_token };
            let answer = app.form("/revoke", format!("token={token}{hint}")).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
            assert!(!is_signed_in(&app, &access).await);
            assert_eq!(error(&refresh(&app, &refresh_token).await), rejected(400, "invalid_grant"));
            // Revocation is idempotent.
            assert_eq!(app.form("/revoke", format!("token={token}")).await.status, 200);
        }
    }
    for unknown in ["nonsense", "a.b.c", &SECRET.repeat(100)] {
        assert_eq!(app.form("/revoke", format!("token={unknown}")).await.status, 200);
    }
    assert_eq!(error(&app.form("/revoke", "").await), rejected(400, "invalid_request"));
    assert_eq!(error(&app.form("/revoke", "token=a&token=b").await), rejected(400, "invalid_request"));
    assert_eq!(error(&app.form(&format!("/revoke?token={kept}"), "").await), rejected(400, "invalid_request"));
    assert_eq!(app.get("/revoke").await.status, 405);
    // The session of the bearer token is not revoked.
    assert_eq!(app.with_bearer(&kept).form("/revoke", "token=nonsense").await.status, 200);
    assert!(is_signed_in(&app, &kept).await);

    // An expired access token also ends its session.
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(app.form("/revoke", format!("token={kept}")).await.status, 200);
    assert_eq!(error(&refresh(&app, &kept_refresh).await), rejected(400, "invalid_grant"));
}

/// The introspection response to a client with the secret.
async fn introspect(server: &TestServer, token: &str) -> Value {
    let basic = format!("Basic {}", STANDARD.encode(format!("api:{SECRET}")));
    let service = server.anonymous().with_header("authorization", &basic);
    let by_header = service.form("/introspect", format!("token={token}&token_type_hint=access_token")).await;
    let in_form = format!("client_id=api&client_secret={SECRET}&token={token}");
    let by_form = server.anonymous().form("/introspect", in_form).await;
    assert_eq!((by_header.status, &by_header.text), (by_form.status, &by_form.text));
    assert_eq!((by_form.status.as_u16(), by_form.header("cache-control")), (200, Some("no-store")));
    by_form.json()
}

#[tokio::test]
async fn introspection_describes_tokens() {
    let server = with_ada().await;
    let (access, refresh_token) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    let introspected = introspect(&server, &access).await;
    let claims = crate::support::decode_part(access.split('.').nth(1).unwrap());
    assert_eq!(introspected["active"], true);
    for (name, value) in introspected.as_object().unwrap() {
        match name.as_str() {
            "active" => {}
            "username" => assert_eq!(*value, claims["preferred_username"]),
            "token_type" => assert_eq!(*value, "Bearer"),
            _ => assert_eq!(*value, claims[name], "{name}"),
        }
    }
    assert_eq!(introspected.as_object().unwrap().len(), 14, "{introspected}");

    let inactive = json!({ "active": false });
    // A refresh token must not pass for an access token.
    for bad in ["nonsense", "a.b.c", &refresh_token, &access[..access.len() - 2]] {
        assert_eq!(introspect(&server, bad).await, inactive, "{bad}");
    }
    // The database decides: a session that has just ended is inactive immediately.
    let (other, _) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    server.anonymous().form("/revoke", format!("token={other}")).await;
    assert_eq!(introspect(&server, &other).await, inactive);
    server.clock.advance(TimeDelta::minutes(30));
    assert_eq!(introspect(&server, &access).await, inactive);
    let (access, _) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    server.disable("ada").await;
    assert_eq!(introspect(&server, &access).await, inactive);
}

#[tokio::test]
async fn introspection_authenticates_the_client_before_it_requires_a_token() {
    let server = with_ada().await;
    assert_eq!(error(&server.anonymous().form("/introspect", "").await), rejected(401, "invalid_client"));
}

#[tokio::test]
async fn introspection_rejects_unauthenticated_clients() {
    let server = with_ada().await;
    let (access, _) = tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    let form = format!("token={access}");
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for header in [
        None,
        Some(basic("api:wrong")),
        Some(basic(&format!("other:{SECRET}"))),
        Some(basic(&format!("api:{SECRET}x"))),
        Some(basic("api")),
        Some(basic(":")),
        Some("Basic !".to_owned()),
        Some(format!("Bearer {access}")),
    ] {
        let actor = server.anonymous();
        let actor = header.as_ref().map_or(actor.clone(), |header| actor.with_header("authorization", header));
        let answer = actor.form("/introspect", form.clone()).await;
        assert_eq!(error(&answer), rejected(401, "invalid_client"), "{header:?}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
    }
    for form in [
        format!("{form}&client_id=api"),
        format!("{form}&client_secret={SECRET}"),
        format!("{form}&client_id=api&client_secret=x"),
    ] {
        let answer = server.anonymous().form("/introspect", form).await;
        assert_eq!(error(&answer), rejected(401, "invalid_client"));
    }
    let good = basic(&format!("api:{SECRET}"));
    let service = server.anonymous().with_header("authorization", &good);
    let both = format!("{form}&client_id=api&client_secret={SECRET}");
    assert_eq!(error(&service.form("/introspect", both).await), rejected(400, "invalid_request"));
    assert_eq!(error(&service.form("/introspect", "").await), rejected(400, "invalid_request"));

    let without = TestServer::start().await;
    assert_eq!(without.anonymous().form("/introspect", form).await.status, 404);
}

#[tokio::test]
async fn metadata_lists_the_endpoints() {
    let metadata =
        async |server: &TestServer| server.anonymous().get("/.well-known/oauth-authorization-server").await.json();
    let with = metadata(&TestServer::with(client).await).await;
    let base = "http://localhost:8000";
    assert_eq!(with["issuer"], base);
    for (name, path) in [("token", "/token"), ("revocation", "/revoke"), ("introspection", "/introspect")] {
        assert_eq!(with[format!("{name}_endpoint")], format!("{base}{path}"));
    }
    assert_eq!(with["grant_types_supported"], json!(["password", "refresh_token"]));
    assert_eq!(with["response_types_supported"], json!([]));
    assert_eq!(with["token_endpoint_auth_methods_supported"], json!(["none"]));
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    assert_eq!(with["introspection_endpoint_auth_methods_supported"], methods);

    let without_clients = metadata(&TestServer::start().await).await;
    assert!(!without_clients.to_string().contains("introspect"));

    let off = TestServer::with(|settings| {
        client(settings);
        settings.oauth.rest_api = false;
    })
    .await;
    let names: Vec<String> = metadata(&off).await.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["grant_types_supported", "issuer", "jwks_uri", "response_types_supported"]);
    assert_eq!(metadata(&off).await["grant_types_supported"], json!([]));
    for path in [
        "/token",
        "/revoke",
        "/introspect",
        "/login",
        "/register",
        "/refresh",
        "/users/me",
        "/protected",
        "/openapi.json",
        "/docs",
        "/redoc",
    ] {
        assert_eq!(off.anonymous().get(path).await.status, 404, "{path}");
        assert_eq!(off.anonymous().form(path, "").await.status, 404, "{path}");
    }
}

/// Makes a wrong guess through one of the endpoints. Returns whether it was evaluated.
async fn is_evaluated(actor: &Actor, endpoint: usize, name: &str) -> bool {
    let answer = match endpoint % 4 {
        0 => actor.token(name, "not the password").await,
        1 => actor.json("/login", json!({ "username": name, "password": "not the password" })).await,
        2 => actor.form("/token", format!("grant_type=password&username={name}&password=not")).await,
        _ => {
            return match actor.login(name, "not the password").await.code().as_str() {
                "INVALID_CREDENTIALS" => true,
                "RATE_LIMITED" => false,
                code => panic!("{code}"),
            };
        }
    };
    match answer.status.as_u16() {
        401 => true,
        429 => {
            assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
            assert!(endpoint % 4 == 1 || answer.json()["error"] == "temporarily_unavailable");
            false
        }
        _ => panic!("{answer:#?}"),
    }
}

#[tokio::test]
async fn graphql_rest_and_oauth_share_the_login_throttle() {
    let server = with_ada().await;
    for name in ["ada", "nobody"] {
        let mallory = server.anonymous().at("203.0.113.7").with_header("x-forwarded-for", "192.0.2.1");
        let spellings = [name.to_owned(), name.to_uppercase()];
        let mut evaluated = 0;
        for number in 0..101 {
            evaluated += usize::from(is_evaluated(&mallory, number, &spellings[number / 4 % 2]).await);
        }
        assert_eq!(evaluated, 10, "{name}");
        assert_eq!(mallory.token(name, &password_of(name)).await.status, 429);
    }
    // 40 concurrent guesses through all endpoints.
    server.user("eve").await;
    let guesses = (0..40).map(|number| {
        let mallory = server.anonymous().at("203.0.113.8");
        tokio::spawn(async move { is_evaluated(&mallory, number, "eve").await })
    });
    let answers = join_all(guesses.collect::<Vec<_>>()).await;
    assert_eq!(answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count(), 10);
}

#[tokio::test]
async fn throttle_allows_100_guesses_per_ip_and_50_per_username() {
    let server = with_ada().await;
    let mallory = server.anonymous().at("203.0.113.7");
    for number in 0..100 {
        assert!(is_evaluated(&mallory, number, &format!("name{}", number / 9)).await, "{number}");
    }
    assert!(!is_evaluated(&mallory, 1, "another").await);
    assert_eq!(mallory.token("ada", &password_of("ada")).await.status, 429);

    // Ada signed in at home before, so she is not locked out there.
    let home = server.anonymous().at("198.51.100.7");
    tokens(&home.token("ada", &password_of("ada")).await);
    for number in 0..50 {
        let stranger = server.anonymous().at(&format!("192.0.2.{number}"));
        assert!(is_evaluated(&stranger, number, "ada").await, "{number}");
    }
    let stranger = server.anonymous().at("192.0.2.200");
    assert!(!is_evaluated(&stranger, 0, "ada").await);
    assert_eq!(stranger.json("/login", json!({ "username": "ada", "password": password_of("ada") })).await.status, 429);
    // The counter is in the database, so it survives restarts and is shared by instances.
    let restarted = TestServer::on(server.database.clone(), |_| {}).await;
    assert!(!is_evaluated(&restarted.anonymous().at("192.0.2.200"), 0, "ada").await);
    tokens(&restarted.anonymous().at("198.51.100.7").token("ada", &password_of("ada")).await);
}

#[tokio::test]
async fn new_secret_keeps_live_sessions_and_ended_ones_stay_ended() {
    let [old, new] = ["the secret of last year: 8c5e7d10aa", "the secret of this year: 1f90b3c27e"];
    let server = TestServer::with(|settings| settings.tokens.secret_key = SecretKey::Given(old.into())).await;
    server.user("ada").await;
    let sign_in = async || tokens(&server.anonymous().token("ada", &password_of("ada")).await);
    let ((access, refresh_token), (ended, ended_refresh)) = (sign_in().await, sign_in().await);
    server.anonymous().form("/revoke", format!("token={ended}")).await;

    let changed = TestServer::on(server.database.clone(), |settings| {
        settings.tokens.secret_key = SecretKey::Given(new.into());
        settings.tokens.secret_key_previous = Some(old.into());
    })
    .await;
    let app = changed.anonymous();
    assert!(is_signed_in(&app, &access).await && !is_signed_in(&app, &ended).await);
    assert_eq!(error(&refresh(&app, &ended_refresh).await), rejected(400, "invalid_grant"));
    tokens(&refresh(&app, &refresh_token).await);
    server.clock.advance(TimeDelta::minutes(30));
    assert_eq!(server.anonymous().with_bearer(&access).get("/users/me").await.status, 401);
}

#[tokio::test]
async fn graphql_logout_revokes_oauth_tokens() {
    let server = with_ada().await;
    let app = server.anonymous();
    let sign_in = async || tokens(&app.token("ada", &password_of("ada")).await);
    let ((first, first_refresh), (second, _), (third, third_refresh)) =
        (sign_in().await, sign_in().await, sign_in().await);
    app.logout(json!({ "refreshToken": first_refresh })).await.data("/logout");
    assert!(!is_signed_in(&app, &first).await && is_signed_in(&app, &second).await);
    app.with_bearer(&second)
        .query("mutation { revokeOtherSessions { revokedSessions } }")
        .await
        .data("/revokeOtherSessions");
    assert!(is_signed_in(&app, &second).await && !is_signed_in(&app, &third).await);
    assert_eq!(error(&refresh(&app, &third_refresh).await), rejected(400, "invalid_grant"));
    let request = app.request(Method::OPTIONS, "/token").header(header::ORIGIN, "http://evil.example");
    let preflight =
        app.send(request.header("access-control-request-method", "POST").body(Body::empty()).unwrap()).await;
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}
