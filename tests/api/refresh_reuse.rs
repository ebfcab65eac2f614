//! Reuse of refresh tokens: lost responses are tolerated, and theft is detected regardless of who refreshes first (RFC 9700
//! §4.14.2).

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::entity::{audit_event::Action, session};
use sea_orm::EntityTrait;

use crate::support::{REFRESH_COOKIE, TestDatabase, TestServer, json, refreshed_tokens};

async fn refresh(server: &TestServer, token: &str) -> (String, String) {
    refreshed_tokens(&server.anonymous().refresh(token).await)
}

async fn reuses(server: &TestServer) -> usize {
    server.events(Action::TokenReused).await
}

/// Uses an access token, and waits until its generation is confirmed, which happens outside the request.
async fn use_access_token(server: &TestServer, access_token: &str) {
    server.anonymous().with_bearer(access_token).me().await.data("/me/id");
    server.confirmed().await;
}

async fn me_reason(server: &TestServer, access_token: &str) -> String {
    let error = server.anonymous().with_bearer(access_token).me().await.error();
    error["extensions"]["reason"].as_str().unwrap().to_owned()
}

fn end_grace_period(server: &TestServer) {
    server.clock.advance(TimeDelta::seconds(31));
}

/// A session after its first refresh: the server, the stolen token, and the tokens of the first refresh.
async fn stolen() -> (TestServer, String, (String, String)) {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let first = refresh(&server, &token).await;
    end_grace_period(&server);
    (server, token, first)
}

#[tokio::test]
async fn thief_who_refreshed_first_is_detected_at_its_next_refresh() {
    let (server, token, (thief_refresh, _)) = stolen().await;
    let (_, owner_access) = refresh(&server, &token).await;
    assert_eq!(server.anonymous().refresh(&thief_refresh).await.code(), "SESSION_REVOKED");
    assert_eq!(me_reason(&server, &owner_access).await, "SESSION_REVOKED");
    assert_eq!(reuses(&server).await, 1);
}

#[tokio::test]
async fn thief_who_refreshed_first_is_detected_by_its_burnt_access_token() {
    let (server, token, (_, thief_access)) = stolen().await;
    let (owner_refresh, _) = refresh(&server, &token).await;
    assert_eq!(me_reason(&server, &thief_access).await, "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&owner_refresh).await.code(), "SESSION_REVOKED");
    assert_eq!(reuses(&server).await, 1);
}

#[tokio::test]
async fn thief_who_refreshed_first_and_used_its_access_token_is_detected_by_the_owners_refresh() {
    let (server, token, (thief_refresh, thief_access)) = stolen().await;
    use_access_token(&server, &thief_access).await;
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&thief_refresh).await.code(), "SESSION_REVOKED");
    assert_eq!(reuses(&server).await, 1);
}

#[tokio::test]
async fn thief_who_refreshes_second_is_detected_by_the_owners_next_request() {
    for by_refresh_token in [true, false] {
        let (server, token, (owner_refresh, owner_access)) = stolen().await;
        let (thief_refresh, thief_access) = refresh(&server, &token).await;
        if by_refresh_token {
            assert_eq!(server.anonymous().refresh(&owner_refresh).await.code(), "SESSION_REVOKED");
        } else {
            assert_eq!(me_reason(&server, &owner_access).await, "SESSION_REVOKED");
        }
        assert_eq!(server.anonymous().refresh(&thief_refresh).await.code(), "SESSION_REVOKED");
        assert_eq!(me_reason(&server, &thief_access).await, "SESSION_REVOKED");
        assert_eq!(reuses(&server).await, 1);
    }
}

#[tokio::test]
async fn thief_who_refreshes_second_is_detected_at_once_if_the_owner_used_the_session() {
    let (server, token, (owner_refresh, owner_access)) = stolen().await;
    use_access_token(&server, &owner_access).await;
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&owner_refresh).await.code(), "SESSION_REVOKED");
    assert_eq!(reuses(&server).await, 1);
}

#[tokio::test]
async fn burnt_token_ends_the_session_even_if_sent_in_the_wrong_way() {
    let (server, token, (burnt, _)) = stolen().await;
    let (current, _) = refresh(&server, &token).await;
    let mut browser = server.anonymous();
    browser.cookie = Some(format!("{REFRESH_COOKIE}={burnt}"));
    assert_eq!(browser.refresh_by_cookie().await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&current).await.code(), "SESSION_REVOKED");
}

#[tokio::test]
async fn burnt_access_token_ends_nothing_else() {
    let (server, token, (_, burnt_access)) = stolen().await;
    refresh(&server, &token).await;
    let (bo, _) = server.app_user("bo").await;
    let everywhere = server.anonymous().with_bearer(&burnt_access).logout(json!({ "everywhere": true })).await;
    assert_eq!(everywhere.error()["extensions"]["reason"], "SESSION_REVOKED");
    bo.me().await.data("/me/id");
}

#[tokio::test]
async fn lost_responses_never_end_the_session() {
    let server = TestServer::start().await;
    let (_, mut token) = server.app_user("ada").await;
    for round in 0..30 {
        // The responses to the first attempts are lost; some retries are late, some are quick.
        for attempt in 0..round % 4 {
            refresh(&server, &token).await;
            server.clock.advance(TimeDelta::seconds(if attempt % 2 == 0 { 40 } else { 10 }));
        }
        token = refresh(&server, &token).await.0;
        server.clock.advance(TimeDelta::minutes(29));
    }
    assert_eq!(reuses(&server).await, 0);
}

#[tokio::test]
async fn access_tokens_from_before_a_burnt_generation_stay_valid() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    let (second, second_access) = refresh(&server, &token).await;
    let (_, lost_access) = refresh(&server, &second).await;
    end_grace_period(&server);
    let (_, current_access) = refresh(&server, &second).await;
    for access in [ada.bearer.as_deref().unwrap(), &second_access, &current_access] {
        server.anonymous().with_bearer(access).me().await.data("/me/id");
    }
    assert_eq!(me_reason(&server, &lost_access).await, "SESSION_REVOKED");
}

#[tokio::test]
async fn grace_applies_to_the_predecessor_only() {
    let (server, token, (burnt, _)) = stolen().await;
    let (current, _) = refresh(&server, &token).await;
    // The predecessor gets the same successor again, but a burnt token does not.
    assert_eq!(refresh(&server, &token).await.0, current);
    assert_eq!(server.anonymous().refresh(&burnt).await.code(), "SESSION_REVOKED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_late_refreshes_on_two_instances_get_one_successor() {
    let database = Arc::new(TestDatabase::create().await);
    let servers =
        [TestServer::on(Arc::clone(&database), |_| {}).await, TestServer::on(Arc::clone(&database), |_| {}).await];
    for round in 0..6 {
        let (_, token) = servers[0].app_user(&format!("ada{round}")).await;
        let (lost, _) = refresh(&servers[0], &token).await;
        servers.iter().for_each(end_grace_period);
        let refreshes = (0..12).map(|n| {
            let (actor, token) = (servers[n % 2].anonymous(), token.clone());
            tokio::spawn(async move { actor.refresh(&token).await })
        });
        let answers = join_all(refreshes.collect::<Vec<_>>()).await;
        let successors: Vec<_> = answers.iter().map(|answer| refreshed_tokens(answer.as_ref().unwrap()).0).collect();
        assert!(successors.iter().all(|successor| *successor == successors[0] && *successor != lost));
    }
    let rows = session::Entity::find().all(servers[0].app.database.read()).await.unwrap();
    assert!(rows.iter().all(|row| (row.generation, row.predecessor) == (2, Some(0))), "{rows:?}");
}

/// The owner's request reads the row, the thief's access token confirms its generation, and then the owner's request writes.
#[tokio::test]
async fn concurrently_confirmed_generation_is_not_burnt() {
    let (server, _, (_, thief_access)) = stolen().await;
    let stale = server.only_session().await;
    use_access_token(&server, &thief_access).await;
    let (now, transaction) = (server.app.clock.now(), server.app.write().await.unwrap());
    let burnt = stale.burnt.with(1..=1, now, now).unwrap();
    let rotated = session::rotate_again(&transaction, &stale, burnt, stale.expires_at, now).await.unwrap();
    assert_eq!(rotated, None);
}

#[tokio::test]
async fn session_with_too_many_burnt_generations_ends() {
    let server = TestServer::with(|settings| settings.tokens.refresh_grace = TimeDelta::zero()).await;
    let (_, mut token) = server.app_user("ada").await;
    for _ in 0..24 {
        refresh(&server, &token).await;
        server.clock.advance(TimeDelta::microseconds(1));
        token = refresh(&server, &token).await.0;
        server.clock.advance(TimeDelta::microseconds(1));
    }
    refresh(&server, &token).await;
    server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(server.anonymous().refresh(&token).await.code(), "SESSION_REVOKED");
    assert_eq!(reuses(&server).await, 1);
}
