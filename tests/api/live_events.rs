//! Live events: who receives what, and when a stream ends.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::{
    entity::audit_event::{self, Action},
    jobs::live_events::Reader,
};

use crate::{
    audit::event,
    support::{Actor, TestServer, json},
};

const ACCOUNT: &str = "subscription { accountEvents { endsSession event { action ipAddress userAgent actorType actor { username } user { username } } user { username firstName } } }";
const AUDIT: &str =
    "subscription($filter: AuditEventFilter) { auditEvents(filter: $filter) { action user { username } } }";
const RENAME: &str = "mutation($name: String) { updateProfile(input: { firstName: $name }) { user { id } } }";

async fn rename(actor: &Actor, name: &str) {
    actor.graphql(RENAME, json!({ "name": name })).await.data("/updateProfile/user/id");
}

async fn revoke_others(actor: &Actor) {
    actor.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
}

#[tokio::test]
async fn event_of_the_account_is_delivered_with_the_user_after_it() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    rename(&ada, "Augusta").await;
    let next = events.next().await;
    assert_eq!(next.data("/accountEvents/event/action"), "PROFILE_UPDATED");
    assert_eq!(next.data("/accountEvents/event/actor/username"), "ada");
    assert_eq!(next.data("/accountEvents/user/firstName"), "Augusta");
    assert_eq!(next.data("/accountEvents/endsSession"), false);
}

#[tokio::test]
async fn each_event_has_the_user_of_its_own_time() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    for name in ["Augusta", "Ada"] {
        rename(&ada, name).await;
        assert_eq!(events.next().await.data("/accountEvents/user/firstName"), name);
    }
}

#[tokio::test]
async fn events_before_the_subscription_are_not_delivered() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    rename(&ada, "Augusta").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    rename(&ada, "Ada").await;
    assert_eq!(events.next().await.data("/accountEvents/user/firstName"), "Ada");
}

#[tokio::test]
async fn events_of_other_accounts_are_not_delivered() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let grace = server.user("grace").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    rename(&grace, "Grace").await;
    rename(&ada, "Ada").await;
    assert_eq!(events.next().await.data("/accountEvents/event/user/username"), "ada");
}

#[tokio::test]
async fn end_of_the_session_is_the_last_event() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let other = server.signed_in("ada").await;
    let mut events = other.subscribe(ACCOUNT, json!({})).await;
    revoke_others(&ada).await;
    let next = events.next().await;
    assert_eq!(next.data("/accountEvents/endsSession"), true);
    assert_eq!(next.data("/accountEvents/event/action"), "SESSION_REVOKED");
    assert_eq!(next.data("/accountEvents/event/actor/username"), "ada");
    let error = events.end().await;
    assert_eq!((&error["code"], &error["reason"]), (&json!("UNAUTHENTICATED"), &json!("SESSION_REVOKED")));
}

#[tokio::test]
async fn session_that_has_ended_learns_nothing_new() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let other = server.signed_in("ada").await;
    let document = "subscription { accountEvents { endsSession event { ipAddress userAgent actor { firstName } } user { firstName } } }";
    let mut events = other.subscribe(document, json!({})).await;
    let browser = ada.at("192.0.2.1").with_header("user-agent", "browser");
    revoke_others(&browser).await;
    rename(&browser, "Augusta").await;
    let user = json!({ "firstName": null });
    let event = json!({ "ipAddress": null, "userAgent": null, "actor": user });
    let expected = json!({ "endsSession": true, "event": event, "user": user });
    assert_eq!(events.next().await.data("/accountEvents"), expected);
    assert_eq!(events.end().await["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn lists_are_refused_after_the_session_has_ended() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let other = server.signed_in("ada").await;
    let mut events = other.subscribe("subscription { accountEvents { user { sessions { id } } } }", json!({})).await;
    revoke_others(&ada).await;
    assert_eq!(events.next().await.error()["reason"], "SESSION_REVOKED");
    assert_eq!(events.end().await["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn deletion_of_the_account_ends_the_stream() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe("subscription { accountEvents { endsSession event { action } } }", json!({})).await;
    server.deleted("ada").await;
    assert_eq!(events.next().await.data("/accountEvents/event/action"), "USER_DELETED");
    assert_eq!(events.end().await["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn address_of_an_administrator_is_hidden_from_the_user() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let boss = server.administrator("boss").await;
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    let id = ada.me().await.data("/me/id");
    let update = "mutation($id: ID!) { updateUser(input: { userId: $id, firstName: \"Ada\" }) { user { id } } }";
    boss.at("192.0.2.1").graphql(update, json!({ "id": id })).await.data("/updateUser");
    let next = events.next().await;
    assert_eq!(next.data("/accountEvents/event/actorType"), "ADMINISTRATOR");
    assert_eq!(next.data("/accountEvents/event/ipAddress"), json!(null));
    assert_eq!(next.data("/accountEvents/event/actor"), json!(null));
}

#[tokio::test]
async fn expired_token_ends_the_stream_before_the_next_event() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let ada = server.user("ada").await;
    let mut events = ada.subscribe(ACCOUNT, json!({})).await;
    server.clock.advance(TimeDelta::hours(1));
    rename(&server.signed_in("ada").await, "Ada").await;
    let error = events.end().await;
    assert_eq!((&error["code"], &error["reason"]), (&json!("UNAUTHENTICATED"), &json!("TOKEN_EXPIRED")));
}

#[tokio::test]
async fn audit_log_is_delivered_to_administrators() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let boss = server.administrator("boss").await;
    let mut events = boss.subscribe(AUDIT, json!({})).await;
    let ada = server.user("ada").await;
    assert_eq!(events.next().await.data("/auditEvents/action"), "USER_REGISTERED");
    rename(&ada, "Ada").await;
    loop {
        let next = events.next().await;
        if next.data("/auditEvents/action") == "PROFILE_UPDATED" {
            assert_eq!(next.data("/auditEvents/user/username"), "ada");
            break;
        }
    }
}

#[tokio::test]
async fn filter_of_the_audit_log_applies_to_each_event() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let boss = server.administrator("boss").await;
    let filter = json!({ "filter": { "actions": ["PROFILE_UPDATED"] } });
    let mut events = boss.subscribe(AUDIT, filter).await;
    rename(&server.user("ada").await, "Ada").await;
    assert_eq!(events.next().await.data("/auditEvents/action"), "PROFILE_UPDATED");
}

#[tokio::test]
async fn role_that_is_taken_away_ends_the_audit_log() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    server.administrator("other").await;
    let boss = server.administrator("boss").await;
    // Although the filter does not match the event that takes it.
    let mut events = boss.subscribe(AUDIT, json!({ "filter": { "actions": ["USER_INVITED"] } })).await;
    server.set_roles("boss", &["user"]).await;
    assert_eq!(events.end().await["code"], "FORBIDDEN");
}

#[tokio::test]
async fn end_of_the_session_ends_the_audit_log() {
    let server = TestServer::start().await;
    let _reading = server.read_events();
    let boss = server.administrator("boss").await;
    let other = server.signed_in("boss").await;
    let mut events = other.subscribe(AUDIT, json!({ "filter": { "actions": ["USER_INVITED"] } })).await;
    revoke_others(&boss).await;
    assert_eq!(events.end().await["reason"], "SESSION_REVOKED");
}

#[tokio::test]
async fn event_of_another_instance_is_delivered() {
    let first = TestServer::start().await;
    let second = TestServer::on(Arc::clone(&first.database), |_| {}).await;
    let _reading = second.read_events();
    let ada = first.user("ada").await;
    let mut events = second.anonymous().with_bearer(ada.bearer.as_deref().unwrap()).subscribe(ACCOUNT, json!({})).await;
    rename(&ada, "Ada").await;
    // Instead of waiting for the interval.
    second.app.live_events.wake();
    assert_eq!(events.next().await.data("/accountEvents/user/firstName"), "Ada");
}

/// A row whose id begins with the time `seconds` ago.
fn row(server: &TestServer, seconds: i64) -> audit_event::Model {
    event(server.app.clock.now() - TimeDelta::seconds(seconds), Action::LoggedIn)
}

async fn commit(server: &TestServer, row: audit_event::Model) {
    let transaction = server.app.write().await.unwrap();
    audit_event::insert(&transaction, vec![row]).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn row_with_an_older_id_than_those_that_were_read_is_found_once() {
    let server = TestServer::start().await;
    commit(&server, row(&server, 5)).await;
    let mut reader = Reader::start(&server.app).await.unwrap();
    commit(&server, row(&server, 0)).await;
    assert_eq!(reader.pass(&server.app).await.unwrap(), 1);
    commit(&server, row(&server, 10)).await;
    assert_eq!(reader.pass(&server.app).await.unwrap(), 1);
    assert_eq!(reader.pass(&server.app).await.unwrap(), 0);
}

#[tokio::test]
async fn transaction_that_commits_later_is_found() {
    let server = TestServer::start().await;
    if matches!(server.database.url(), hallpass::config::DatabaseUrl::Sqlite(_)) {
        // It has one writer at a time.
        return;
    }
    let mut reader = Reader::start(&server.app).await.unwrap();
    let first = server.app.write().await.unwrap();
    audit_event::insert(&first, vec![row(&server, 2)]).await.unwrap();
    commit(&server, row(&server, 1)).await;
    assert_eq!(reader.pass(&server.app).await.unwrap(), 1);
    first.commit().await.unwrap();
    assert_eq!(reader.pass(&server.app).await.unwrap(), 1);
}

#[tokio::test]
async fn rows_of_a_time_without_passes_are_found() {
    let server = TestServer::start().await;
    let mut reader = Reader::start(&server.app).await.unwrap();
    commit(&server, row(&server, 0)).await;
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(reader.pass(&server.app).await.unwrap(), 1);
}
