use std::sync::{Arc, Mutex};

use axum::http::Method;
use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    database::Database,
    domain,
    entity::{audit_event::Action, session, user},
    error::UnauthenticatedReason,
    jobs::purge::{Table, purge},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, Statement};

use crate::support::{
    Actor, Answer, REFRESH, REFRESH_COOKIE, TestDatabase, TestServer, json, password_of, refreshed_tokens, settings,
};

/// The `Set-Cookie` header of a response as name, value and attributes.
fn set_cookie(answer: &Answer) -> (String, String, Vec<String>) {
    let mut parts = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {answer:#?}")).split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    (name.to_owned(), value.to_owned(), parts.map(ToOwned::to_owned).collect())
}

#[tokio::test]
async fn refresh_keeps_the_user_signed_in() {
    let server = TestServer::start().await;
    let (ada, mut refresh) = server.app_user("ada").await;
    // Every 29 minutes for ten days, beyond any token lifetime.
    for _ in 0..500 {
        server.clock.advance(TimeDelta::minutes(29));
        let (next, access) = refreshed_tokens(&server.anonymous().refresh(&refresh).await);
        assert_ne!(next, refresh);
        refresh = next;
        assert_eq!(ada.with_bearer(&access).me().await.data("/me/username"), "ada");
    }
    assert_eq!(server.only_session().await.generation, 500);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "TOKEN_EXPIRED");
}

#[tokio::test]
async fn session_expires_after_a_week_idle_or_ninety_days() {
    let server = TestServer::start().await;
    let (_, unused) = server.app_user("ada").await;
    server.clock.advance(TimeDelta::days(7) - TimeDelta::microseconds(1));
    let (mut used, _) = refreshed_tokens(&server.anonymous().refresh(&unused).await);
    for _ in 0..13 {
        server.clock.advance(TimeDelta::days(6));
        used = refreshed_tokens(&server.anonymous().refresh(&used).await).0;
    }
    // Day 85 of 90: the expiry no longer moves.
    server.clock.advance(TimeDelta::days(5));
    assert_eq!(server.anonymous().refresh(&used).await.data("/refreshToken/user/username"), "ada");
    server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(server.anonymous().refresh(&used).await.code(), "SESSION_EXPIRED");
    // Purged or not, the response is the same.
    assert_eq!(purge(&server.app, Table::Sessions).await.unwrap(), 1);
    assert_eq!(server.anonymous().refresh(&used).await.code(), "SESSION_EXPIRED");
}

#[tokio::test]
async fn sessions_work_after_2038() {
    let server = TestServer::start().await;
    // The largest Unix time of 32 bits is in January 2038.
    server.clock.advance(TimeDelta::days(15 * 365));
    let now = server.app.clock.now();
    let (ada, token) = server.app_user("ada").await;
    let (token, _) = refreshed_tokens(&server.anonymous().refresh(&token).await);
    let row = server.only_session().await;
    assert_eq!((row.rotated_at, row.expires_at), (Some(now), now + TimeDelta::days(7)));
    ada.logout(json!({ "refreshToken": token })).await.data("/logout");
    assert_eq!(server.only_session().await.revoked_at, Some(now));
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_refreshes_rotate_once() {
    // Two instances on one database, as behind a load balancer.
    let database = Arc::new(TestDatabase::create().await);
    let servers =
        [TestServer::on(Arc::clone(&database), |_| {}).await, TestServer::on(Arc::clone(&database), |_| {}).await];
    // Clocks of machines differ, so only the rotating instance may set the time.
    servers[1].clock.advance(TimeDelta::seconds(3));
    for round in 0..8 {
        let (_, token) = servers[0].app_user(&format!("ada{round}")).await;
        let refreshes = (0..12).map(|n| {
            let (actor, token) = (servers[n % 2].anonymous(), token.clone());
            tokio::spawn(async move { actor.refresh(&token).await })
        });
        let answers = join_all(refreshes.collect::<Vec<_>>()).await;
        let (successors, bearers): (Vec<_>, Vec<_>) =
            answers.iter().map(|a| refreshed_tokens(a.as_ref().unwrap())).unzip();
        assert!(successors.iter().all(|successor| *successor == successors[0] && *successor != token));
        for bearer in bearers {
            servers[1].anonymous().with_bearer(&bearer).me().await.data("/me/id");
        }
    }
    let rows = session::Entity::find().all(servers[0].app.database.read()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.generation).collect::<Vec<_>>(), [1; 8]);
    assert_eq!(servers[0].events(Action::TokenReused).await, 0);
}

#[tokio::test]
async fn previous_token_works_after_a_lost_response() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let (successor, _) = refreshed_tokens(&server.anonymous().refresh(&token).await);
    // The app was killed before it stored the response. The use of the old access token does not confirm the new tokens.
    ada.me().await.data("/me/id");
    // Gives a wrong confirmation, which would run in the background, time to be written.
    for _ in 0..10 {
        tokio::task::yield_now().await;
        server.app.write().await.unwrap().rollback().await.unwrap();
    }
    assert_eq!(server.only_session().await.confirmed_generation, 0);
    // It restarts days later and retries several times concurrently.
    server.clock.advance(TimeDelta::days(3));
    let app = server.anonymous();
    let answers = join_all((0..6).map(|_| app.refresh(&token))).await;
    let (next, _) = refreshed_tokens(&answers[0]);
    assert_ne!(next, successor);
    assert!(answers.iter().all(|answer| refreshed_tokens(answer).0 == next));
    assert_eq!(server.only_session().await.generation, 2);
    // A thief one generation behind would look the same, so it is audited, once.
    assert_eq!(server.events(Action::TokenRepeated).await, 1);
    // Once the new successor is used, the old token is invalid.
    let (current, access) = refreshed_tokens(&server.anonymous().refresh(&next).await);
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&current).await.code(), "SESSION_REVOKED");
    let me = server.anonymous().with_bearer(&access).me().await;
    assert_eq!(me.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.events(Action::TokenReused).await, 1);
}

#[tokio::test]
async fn previous_token_works_for_30_seconds() {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let (successor, access) = refreshed_tokens(&server.anonymous().refresh(&token).await);
    // The first tab uses its new access token, which confirms the rotation.
    server.anonymous().with_bearer(&access).me().await.data("/me/id");
    server.confirmed().await;
    server.clock.advance(TimeDelta::seconds(30));
    assert_eq!(refreshed_tokens(&server.anonymous().refresh(&token).await).0, successor);
    assert_eq!(server.events(Action::TokenRepeated).await, 0);
    // After the grace period, presenting it means theft.
    server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&successor).await.code(), "SESSION_REVOKED");
    let me = server.anonymous().with_bearer(&access).me().await;
    assert_eq!(me.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.events(Action::TokenReused).await, 1);
}

#[tokio::test]
async fn older_or_future_token_ends_the_session() {
    for (rotations, is_restored) in [(2, false), (1, true)] {
        let server = TestServer::start().await;
        let (_, first) = server.app_user("ada").await;
        let mut token = first.clone();
        for _ in 0..rotations {
            token = refreshed_tokens(&server.anonymous().refresh(&token).await).0;
        }
        let presented = if is_restored {
            // A restored backup does not include the refresh.
            let mut row = server.only_session().await.into_active_model();
            row.generation = Set(0);
            row.update(server.app.database.read()).await.unwrap();
            token
        } else {
            first
        };
        assert_eq!(server.anonymous().refresh(&presented).await.code(), "SESSION_REVOKED");
        assert_eq!(server.anonymous().refresh(&presented).await.code(), "SESSION_REVOKED");
        assert!(server.only_session().await.revoked_at.is_some());
        assert_eq!(server.events(Action::TokenReused).await, 1);
    }
}

#[tokio::test]
async fn malformed_refresh_token_matches_no_session() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let altered = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'E' } else { 'A' });
    let access = ada.bearer.clone().unwrap();
    for wrong in
        ["", "x", "a.b.c", &altered, &format!("{token}="), &format!("{token}.x"), &access, &"x".repeat(100_000)]
    {
        assert_eq!(server.anonymous().refresh(wrong).await.code(), "SESSION_NOT_FOUND", "{wrong:.80}");
    }
    assert_eq!(server.anonymous().refresh_by_cookie().await.code(), "SESSION_NOT_FOUND");
    // A refresh token is not accepted as an access token.
    assert_eq!(ada.with_bearer(&token).me().await.error()["extensions"]["reason"], "TOKEN_INVALID");
    assert_eq!(server.only_session().await.generation, 0);
}

#[tokio::test]
async fn disabled_account_cannot_refresh() {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let db = server.app.database.read();
    let mut ada = user::Entity::find().one(db).await.unwrap().unwrap().into_active_model();
    ada.is_active = Set(false);
    ada.update(db).await.unwrap();
    assert_eq!(server.anonymous().refresh(&token).await.code(), "ACCOUNT_DISABLED");
    assert_eq!(server.only_session().await.generation, 0);
    user::Entity::delete_many().exec(db).await.unwrap();
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
}

#[tokio::test]
async fn browser_refresh_token_is_in_an_http_only_cookie() {
    let server = TestServer::start().await;
    let answer = server.anonymous().register(json!({ "username": "ada", "password": password_of("ada") })).await;
    let (name, token, attributes) = set_cookie(&answer);
    // On a loopback address over plain HTTP.
    assert_eq!(name, REFRESH_COOKIE);
    assert_eq!(attributes, ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"]);
    assert!(!answer.text.contains(&token));

    let mut browser = server.anonymous();
    browser.cookie = Some(format!("theme=dark; {REFRESH_COOKIE}={token}; lang=en"));
    server.clock.advance(TimeDelta::days(1));
    let answer = browser.refresh_by_cookie().await;
    let (_, next, _) = set_cookie(&answer);
    assert_eq!(answer.data("/refreshToken/refreshToken"), serde_json::Value::Null);
    assert!(next != token && !answer.text.contains(&next));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    // It is not accepted elsewhere, and nothing is rotated.
    for wrong in [&token, &next] {
        assert_eq!(server.anonymous().refresh(wrong).await.code(), "SESSION_NOT_FOUND");
    }
    assert_eq!(server.only_session().await.generation, 1);
    let by_get = format!("/graphql?query={}", "mutation{refreshToken{accessToken}}");
    assert_eq!(browser.get(&by_get).await.status, 405);
    assert_eq!(server.only_session().await.generation, 1);
}

#[tokio::test]
async fn app_refresh_token_is_rejected_in_a_cookie() {
    let server = TestServer::start().await;
    let (mut ada, token) = server.app_user("ada").await;
    ada.cookie = Some(format!("{REFRESH_COOKIE}={token}"));
    assert_eq!(ada.refresh_by_cookie().await.code(), "SESSION_NOT_FOUND");
    assert_eq!(server.only_session().await.generation, 0);
    // The input takes precedence over the cookie.
    let answer = ada.refresh(&token).await;
    assert!(answer.header("set-cookie").is_none());
    let (next, _) = refreshed_tokens(&answer);
    ada.cookie = Some(format!("{REFRESH_COOKIE}=broken"));
    refreshed_tokens(&ada.refresh(&next).await);
}

/// Browsers send a cookie to all ports of a host.
#[tokio::test]
async fn cookie_name_differs_per_localhost_port() {
    let first = TestServer::start().await;
    let second = TestServer::with(|settings| settings.server.public_url = "http://localhost:8001".to_owned()).await;
    let mut cookies = Vec::new();
    for server in [&first, &second] {
        let answer = server.anonymous().register(json!({ "username": "ada", "password": password_of("ada") })).await;
        let (name, token, _) = set_cookie(&answer);
        cookies.push(format!("{name}={token}"));
    }
    for server in [&first, &second] {
        let mut browser = server.anonymous();
        browser.cookie = Some(cookies.join("; "));
        browser.refresh_by_cookie().await.data("/refreshToken/accessToken");
    }
}

#[tokio::test]
async fn cookie_has_the_host_prefix_over_https() {
    let server = TestServer::with(|settings| {
        settings.server.public_url = "https://accounts.example.org".to_owned();
        settings.server.allowed_origins = vec!["https://accounts.example.org".to_owned()];
    })
    .await;
    let answer = server.anonymous().register(json!({ "username": "ada", "password": password_of("ada") })).await;
    let (name, token, attributes) = set_cookie(&answer);
    assert_eq!(name, "__Host-refresh_token");
    assert_eq!(attributes, ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=604800"]);
    let mut browser = server.anonymous();
    // A cookie that a sibling host could set is ignored.
    browser.cookie = Some(format!("refresh_token={token}"));
    assert_eq!(browser.refresh_by_cookie().await.code(), "SESSION_NOT_FOUND");
    browser.cookie = Some(format!("__Host-refresh_token={token}"));
    browser.refresh_by_cookie().await.data("/refreshToken/accessToken");
}

#[tokio::test]
async fn failed_refresh_keeps_the_cookie_and_logout_clears_it() {
    let server = TestServer::start().await;
    let answer = server.anonymous().register(json!({ "username": "ada", "password": password_of("ada") })).await;
    let (_, token, _) = set_cookie(&answer);
    let mut browser = server.anonymous();
    for cookie in [format!("{REFRESH_COOKIE}="), format!("{REFRESH_COOKIE}=broken"), "other=1".to_owned()] {
        browser.cookie = Some(cookie);
        let answer = browser.refresh_by_cookie().await;
        assert_eq!(answer.code(), "SESSION_NOT_FOUND");
        assert!(answer.header("set-cookie").is_none());
    }
    browser.cookie = Some(format!("{REFRESH_COOKIE}={token}"));
    let answer = browser.logout(json!(null)).await;
    assert_eq!(answer.data("/logout/revokedSessions"), 1);
    let (name, value, attributes) = set_cookie(&answer);
    assert_eq!((&*name, &*value), (REFRESH_COOKIE, ""));
    assert_eq!(attributes, ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=0"]);
    let answer = browser.refresh_by_cookie().await;
    assert_eq!(answer.code(), "SESSION_REVOKED");
    assert!(answer.header("set-cookie").is_none());
}

#[tokio::test]
async fn cross_origin_page_cannot_use_the_cookie() {
    let server = TestServer::start().await;
    let answer = server.anonymous().register(json!({ "username": "ada", "password": password_of("ada") })).await;
    let cookie = format!("{REFRESH_COOKIE}={}", set_cookie(&answer).1);
    let send = async |origin: &str, body: &str| {
        let request = server
            .anonymous()
            .request(Method::POST, "/graphql")
            .header("content-type", "application/json")
            .header("cookie", &cookie)
            .header("origin", origin);
        server.anonymous().send(request.body(body.to_owned().into()).unwrap()).await
    };
    let refresh = json!({ "query": REFRESH }).to_string();
    for origin in ["https://evil.example", "null", "http://localhost:8001", "http://localhost:3000.evil.example", ""] {
        for body in [&*refresh, r#"{"query":"{ __typename }"}"#, "not JSON"] {
            let answer = send(origin, body).await;
            assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "BAD_REQUEST"), "{origin} {body}");
            assert!(answer.header("set-cookie").is_none());
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
    assert_eq!(server.only_session().await.generation, 0);
    for origin in ["http://localhost:8000", "http://127.0.0.1:8000", "http://localhost:3000"] {
        let answer = send(origin, &refresh).await;
        answer.data("/refreshToken/accessToken");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    }
}

#[tokio::test]
async fn stale_token_does_not_prevent_login_refresh_or_logout() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    server.clock.advance(TimeDelta::hours(1));
    for bearer in [ada.bearer.clone().unwrap(), "broken".to_owned()] {
        let stale = server.anonymous().with_bearer(&bearer);
        let name = if bearer == "broken" { "cy" } else { "bo" };
        stale.register(json!({ "username": name, "password": password_of(name) })).await.data("/register/user/id");
        stale.login("ada", &password_of("ada")).await.data("/login/user/id");
        assert!(stale.refresh(&token).await.header("www-authenticate").is_none());
        stale.logout(json!({})).await.data("/logout/revokedSessions");
    }
}

#[tokio::test]
async fn logout_ends_only_the_session_of_the_given_token() {
    let server = TestServer::start().await;
    let (ada, first) = server.app_user("ada").await;
    let elsewhere = server.anonymous().login("ada", &password_of("ada")).await;
    let elsewhere = server.anonymous().with_bearer(elsewhere.data("/login/accessToken").as_str().unwrap());

    // Without a token, nothing happens.
    assert_eq!(server.anonymous().logout(json!(null)).await.data("/logout/revokedSessions"), 0);
    assert_eq!(ada.with_bearer("broken").logout(json!({})).await.data("/logout/revokedSessions"), 0);
    // An expired access token and a long-replaced refresh token of the same session.
    let (second, _) = refreshed_tokens(&server.anonymous().refresh(&first).await);
    let (third, _) = refreshed_tokens(&server.anonymous().refresh(&second).await);
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(ada.logout(json!({ "refreshToken": first })).await.data("/logout/revokedSessions"), 1);
    assert_eq!(server.anonymous().refresh(&third).await.code(), "SESSION_REVOKED");
    assert_eq!(server.events(Action::LoggedOut).await, 1);
    // Logout is idempotent.
    assert_eq!(ada.logout(json!({ "refreshToken": first })).await.data("/logout/revokedSessions"), 0);
    let reason = elsewhere.me().await.error()["extensions"]["reason"].clone();
    assert_eq!(reason, "TOKEN_EXPIRED", "the other session is kept");
    assert_eq!(elsewhere.logout(json!({})).await.data("/logout/revokedSessions"), 1);
}

#[tokio::test]
async fn logout_takes_effect_immediately() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    ada.me().await.data("/me/id");
    assert_eq!(ada.logout(json!({})).await.data("/logout/revokedSessions"), 1);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
}

#[tokio::test]
async fn logout_everywhere_requires_a_valid_token() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let (bo, _) = server.app_user("bo").await;
    let login = async || {
        let answer = server.anonymous().login("ada", &password_of("ada")).await;
        server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap())
    };
    let other = login().await;
    let everywhere = json!({ "everywhere": true });
    assert_eq!(server.anonymous().logout(everywhere.clone()).await.error()["extensions"]["reason"], "TOKEN_MISSING");
    // A replaced token ends its own session, but does not authorize this.
    let (current, _) = refreshed_tokens(&server.anonymous().refresh(&token).await);
    let weak = server.anonymous().logout(json!({ "everywhere": true, "refreshToken": token })).await;
    assert_eq!(weak.code(), "UNAUTHENTICATED");
    assert!(weak.header("set-cookie").is_none());
    ada.me().await.data("/me/id");

    assert_eq!(ada.logout(everywhere).await.data("/logout/revokedSessions"), 2);
    assert_eq!(other.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&current).await.code(), "SESSION_REVOKED");
    bo.me().await.data("/me/id");
    assert_eq!(server.events(Action::LoggedOut).await, 1);

    // A current refresh token authorizes it, like a valid access token.
    let (_, token) = server.app_user("cy").await;
    server.clock.advance(TimeDelta::hours(1));
    let answer = server.anonymous().logout(json!({ "everywhere": true, "refreshToken": token })).await;
    assert_eq!(answer.data("/logout/revokedSessions"), 1);
}

const SESSIONS: &str = "{ me { sessions { id isCurrent device userAgent ipAddress createdAt lastUsedAt expiresAt } } }";

#[tokio::test]
async fn user_can_list_and_end_their_sessions() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let (bo, _) = server.app_user("bo").await;
    server.clock.advance(TimeDelta::minutes(1));
    let login = json!({ "query": crate::support::LOGIN,
        "variables": { "input": { "username": "ada", "password": password_of("ada") } } });
    let request = ada
        .request(Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
        .extension(hallpass::http::Peer("192.0.2.7:4711".parse().unwrap()));
    let answer = server.anonymous().send(request.body(login.to_string().into()).unwrap()).await;
    let elsewhere = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap());

    let listed = ada.query(SESSIONS).await.data("/me/sessions");
    assert_eq!(listed[0]["device"], "Firefox on Linux");
    assert_eq!(listed[0]["ipAddress"], "192.0.2.7");
    assert_eq!(listed[0]["isCurrent"], false);
    assert_eq!(listed[0]["createdAt"], "2026-01-31T12:01:00.123Z");
    assert_eq!(listed[0]["expiresAt"], "2026-02-07T12:01:00.123Z");
    assert_eq!(listed[1]["isCurrent"], true);
    assert_eq!(listed[1]["device"], "Unknown device");
    assert_eq!(listed.as_array().unwrap().len(), 2);

    // The most recently used session comes first, and the login payload marks the current one.
    server.clock.advance(TimeDelta::minutes(1));
    let refresh = "mutation($t: String!) { refreshToken(input: { refreshToken: $t }) { user { sessions { isCurrent lastUsedAt } } } }";
    let listed = bo.graphql(refresh, json!({ "t": token })).await.data("/refreshToken/user/sessions");
    assert_eq!(listed[0], json!({ "isCurrent": true, "lastUsedAt": "2026-01-31T12:02:00.123Z" }));

    let revoke = "mutation($id: ID!) { revokeSession(input: { sessionId: $id }) { revokedSessionId } }";
    let id = elsewhere.query(SESSIONS).await.data("/me/sessions/1/id");
    for wrong in [json!("no id"), json!("00000000-0000-7000-8000-000000000000")] {
        assert_eq!(ada.graphql(revoke, json!({ "id": wrong })).await.code(), "NOT_FOUND");
    }
    assert_eq!(bo.graphql(revoke, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(server.anonymous().graphql(revoke, json!({ "id": id })).await.code(), "UNAUTHENTICATED");
    assert_eq!(ada.graphql(revoke, json!({ "id": id })).await.data("/revokeSession/revokedSessionId"), id);
    assert_eq!(elsewhere.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(ada.graphql(revoke, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(ada.query(SESSIONS).await.data("/me/sessions").as_array().unwrap().len(), 1);
    assert_eq!(server.events(Action::SessionRevoked).await, 1);
}

#[tokio::test]
async fn user_can_end_all_other_sessions() {
    let server = TestServer::start().await;
    let (ada, _) = server.app_user("ada").await;
    let (bo, _) = server.app_user("bo").await;
    let others: Vec<Actor> = join_all((0..3).map(|_| async {
        let answer = server.anonymous().login("ada", &password_of("ada")).await;
        server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap())
    }))
    .await;
    let revoke = "mutation { revokeOtherSessions { revokedSessions } }";
    assert_eq!(ada.query(revoke).await.data("/revokeOtherSessions/revokedSessions"), 3);
    assert_eq!(ada.query(revoke).await.data("/revokeOtherSessions/revokedSessions"), 0);
    for other in others {
        assert_eq!(other.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    }
    ada.me().await.data("/me/id");
    bo.me().await.data("/me/id");
    assert_eq!(server.events(Action::SessionRevoked).await, 1);
}

/// The request is authenticated, but the session ends before the use case runs.
#[tokio::test]
async fn revoked_session_cannot_end_others() {
    let server = TestServer::start().await;
    let (ada, _) = server.app_user("ada").await;
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    let thief = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap());
    let (owner, other) = (server.principal(&ada).await, server.principal(&thief).await);
    let context = &domain::Context::of_request(&server.app, domain::Viewer::Anonymous, domain::Client::default());
    domain::sessions::revoke(context, &owner, other.session.id).await.unwrap();

    for attempt in [
        domain::sessions::revoke(context, &other, owner.session.id).await,
        domain::sessions::revoke(context, &other, other.session.id).await,
        domain::sessions::revoke_others(context, &other).await.map(drop),
    ] {
        assert_eq!(attempt.unwrap_err().reason(), Some(UnauthenticatedReason::SessionRevoked));
    }
    ada.me().await.data("/me/id");
    assert_eq!(server.events(Action::SessionRevoked).await, 1);
    // The owner's session can still end sessions, including itself.
    assert_eq!(domain::sessions::revoke_others(context, &owner).await.unwrap(), 0);
    domain::sessions::revoke(context, &owner, owner.session.id).await.unwrap();
}

#[tokio::test]
async fn logout_everywhere_fails_if_its_session_ends_concurrently() {
    for by_bearer in [true, false] {
        let database = TestDatabase::create().await;
        let mut settings = settings();
        settings.database.url = database.url().clone();
        let mut connected = Database::connect(database.url(), Some(4)).await.unwrap();
        let (sender, mut reads) = tokio::sync::mpsc::unbounded_channel();
        connected.observe(move |info| sender.send(info.statement.sql.starts_with("SELECT")).unwrap_or_default());
        let server = TestServer::assemble(database, settings, connected);
        let (ada, _) = server.app_user("ada").await;
        let (token, bearer) = {
            let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }";
            let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
            let answer = server.anonymous().graphql(login, json!({ "input": input })).await;
            let text = |pointer| answer.data(pointer).as_str().unwrap().to_owned();
            (text("/login/refreshToken"), text("/login/accessToken"))
        };
        let listed = server.anonymous().with_bearer(&bearer).query(SESSIONS).await.data("/me/sessions");
        let current = listed.as_array().unwrap().iter().find(|session| session["isCurrent"] == true).unwrap();
        let id: uuid::Uuid = current["id"].as_str().unwrap().parse().unwrap();
        let row = session::Entity::find_by_id(id).one(server.app.database.read()).await.unwrap().unwrap();

        // The session is ended by its owner, or rotated by another tab, in a transaction that is not committed yet. Other
        // requests do not see the change, and cannot write.
        let now = server.app.clock.now();
        let transaction = server.app.write().await.unwrap();
        let (actor, input, reason) = if by_bearer {
            let user = user::lock(&transaction, row.user_id).await.unwrap().unwrap();
            assert_eq!(session::revoke(&transaction, &user, vec![id], now).await.unwrap(), 1);
            (server.anonymous().with_bearer(&bearer), json!({ "everywhere": true }), "SESSION_REVOKED")
        } else {
            session::rotate(&transaction, &row, row.expires_at, now).await.unwrap().unwrap();
            (server.anonymous(), json!({ "everywhere": true, "refreshToken": token }), "TOKEN_MISSING")
        };
        while reads.try_recv().is_ok() {}
        let signing_out = tokio::spawn(async move { actor.logout(input).await });
        // The request has been authenticated.
        assert_eq!(reads.recv().await, Some(true));
        transaction.commit().await.unwrap();

        let answer = signing_out.await.unwrap();
        assert_eq!(answer.error()["extensions"]["reason"], reason);
        assert_eq!(answer.header("www-authenticate").is_some(), by_bearer);
        ada.me().await.data("/me/id");
        let left = ada.query(SESSIONS).await.data("/me/sessions").as_array().unwrap().len();
        assert_eq!(left, if by_bearer { 1 } else { 2 });
        assert_eq!(server.events(Action::LoggedOut).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_ending_each_other_leave_one() {
    let database = Arc::new(TestDatabase::create().await);
    let servers =
        [TestServer::on(Arc::clone(&database), |_| {}).await, TestServer::on(Arc::clone(&database), |_| {}).await];
    for round in 0..8 {
        let name = format!("ada{round}");
        let (first, _) = servers[0].app_user(&name).await;
        let mut sessions = vec![first];
        for _ in 0..5 {
            let answer = servers[0].anonymous().login(&name, &password_of(&name)).await;
            let bearer = answer.data("/login/accessToken").as_str().unwrap().to_owned();
            sessions.push(servers[sessions.len() % 2].anonymous().with_bearer(&bearer));
        }
        let endings = sessions.iter().cloned().map(|session| {
            tokio::spawn(async move { session.query("mutation { revokeOtherSessions { revokedSessions } }").await })
        });
        let (mut winners, mut losers) = (0, 0);
        for answer in join_all(endings.collect::<Vec<_>>()).await {
            let answer = answer.unwrap();
            let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
            if json["data"]["revokeOtherSessions"].is_null() {
                assert_eq!(answer.error()["extensions"]["reason"], "SESSION_REVOKED", "{answer:#?}");
                losers += 1;
            } else {
                assert_eq!(json["data"]["revokeOtherSessions"]["revokedSessions"], 5);
                winners += 1;
            }
        }
        assert_eq!((winners, losers), (1, 5));
    }
    let rows = session::Entity::find().all(servers[0].app.database.read()).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.epoch == 1).count(), 8);
}

/// 120 expired sessions and a live one, which is returned. The statements of the server are recorded.
async fn with_expired_sessions() -> (TestServer, Arc<Mutex<Vec<Statement>>>, session::Model) {
    let (server, statements) = TestServer::observed().await;
    server.user("ada").await;
    let template = server.only_session().await;
    let expired = (0..120).map(|n| {
        let mut session = template.clone().into_active_model();
        session.id = Set(uuid::Uuid::from_u128(n));
        session.expires_at = Set(template.created_at - TimeDelta::seconds(i64::try_from(n).unwrap()));
        session
    });
    session::Entity::insert_many(expired).exec(server.app.database.read()).await.unwrap();
    statements.lock().unwrap().clear();
    (server, statements, template)
}

#[tokio::test]
async fn expired_sessions_are_purged_in_batches() {
    let (server, _, live) = with_expired_sessions().await;
    assert_eq!(purge(&server.app, Table::Sessions).await.unwrap(), 120);
    assert_eq!(purge(&server.app, Table::Sessions).await.unwrap(), 0);
    assert_eq!(server.only_session().await, live);
}

fn values(statement: &Statement) -> &[sea_orm::Value] {
    &statement.values.as_ref().unwrap().0
}

/// On SQLite, all other writes wait for the transaction of a batch.
#[tokio::test]
async fn purge_deletes_at_most_fifty_sessions_at_a_time() {
    let (server, statements, _) = with_expired_sessions().await;
    purge(&server.app, Table::Sessions).await.unwrap();
    let statements = statements.lock().unwrap();
    let deletes = statements.iter().filter(|statement| statement.sql.starts_with("DELETE"));
    // The last value is the time.
    let counts: Vec<usize> = deletes.map(|delete| values(delete).len() - 1).collect();
    assert_eq!(counts, [50, 50, 20]);
}

/// PostgreSQL would read the index entries of all deleted rows again for each batch.
#[tokio::test]
async fn purge_continues_after_the_rows_of_the_previous_batch() {
    let (server, statements, live) = with_expired_sessions().await;
    purge(&server.app, Table::Sessions).await.unwrap();
    let statements = statements.lock().unwrap();
    let selects = statements.iter().filter(|statement| statement.sql.starts_with("SELECT"));
    let expired_from = |select: &Statement| values(select).get(1).cloned();
    let from: Vec<_> = selects.map(expired_from).collect();
    // The 120 rows expired one second after the other.
    let at = |seconds: i64| Some(sea_orm::Value::from(live.created_at - TimeDelta::seconds(seconds)));
    assert_eq!(from[1..], [at(70), at(20), at(0)]);
}

/// Lets a normalized cache update without another query.
#[tokio::test]
async fn ending_sessions_returns_their_user() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let other = server.anonymous().login("ada", &password_of("ada")).await.data("/login/user/id");
    server.anonymous().login("ada", &password_of("ada")).await.data("/login");
    let sessions = ada.query("{ me { id sessions { id isCurrent } } }").await.data("/me");
    assert_eq!(sessions["id"], other);
    let theirs = sessions["sessions"].as_array().unwrap().iter().find(|session| session["isCurrent"] == false).unwrap();
    let revoke = "mutation($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId user { id sessions { id } } } }";
    let revoked = ada.graphql(revoke, json!({ "input": { "sessionId": theirs["id"] } })).await.data("/revokeSession");
    assert_eq!(revoked["user"]["id"], sessions["id"]);
    let left = revoked["user"]["sessions"].as_array().unwrap();
    assert!(left.len() == 2 && left.iter().all(|session| session["id"] != theirs["id"]), "{revoked}");

    let others = "mutation { revokeOtherSessions { revokedSessions user { id sessions { isCurrent } } } }";
    let expected =
        json!({ "revokedSessions": 1, "user": { "id": sessions["id"], "sessions": [{ "isCurrent": true }] } });
    assert_eq!(ada.query(others).await.data("/revokeOtherSessions"), expected);
}
