//! How long the audit log is kept.

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    entity::audit_event::{Action, Entity, Model},
    jobs::purge::{OldClients, Table, purge},
};
use sea_orm::EntityTrait;

use crate::{
    audit::{event, insert},
    support::{TestServer, start_of_time},
};

async fn rows(server: &TestServer) -> Vec<Model> {
    let mut rows = Entity::find().all(server.app.database.read()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

fn with_client(at: DateTime<Utc>) -> Model {
    let client = ("192.0.2.1".to_owned(), "agent".to_owned());
    Model { ip_address: Some(client.0), user_agent: Some(client.1), ..event(at, Action::LoggedIn) }
}

#[tokio::test]
async fn events_are_deleted_after_their_retention() {
    let server = TestServer::start().await;
    let limit = start_of_time() - TimeDelta::days(400);
    let old = (0..450).map(|n| event(limit - TimeDelta::milliseconds(1 + n), Action::LoggedIn));
    let kept = event(limit, Action::LoggedIn);
    insert(&server, old.chain([kept.clone()]).collect()).await;
    assert_eq!(purge(&server.app, Table::AuditLog).await.unwrap(), 450);
    assert_eq!(rows(&server).await, [kept]);
}

#[tokio::test]
async fn retention_is_a_setting() {
    let server = TestServer::with(|settings| settings.audit.retention = TimeDelta::days(1)).await;
    insert(&server, vec![event(start_of_time() - TimeDelta::days(2), Action::LoggedIn)]).await;
    assert_eq!(purge(&server.app, Table::AuditLog).await.unwrap(), 1);
}

#[tokio::test]
async fn clients_are_removed_after_their_retention() {
    let server = TestServer::start().await;
    let limit = start_of_time() - TimeDelta::days(90);
    let old = with_client(limit - TimeDelta::milliseconds(1));
    let kept = with_client(limit);
    insert(&server, vec![old.clone(), kept.clone()]).await;
    assert_eq!(OldClients::default().forget(&server.app).await.unwrap(), 1);
    let forgotten = Model { ip_address: None, user_agent: None, ..old };
    assert_eq!(rows(&server).await, [forgotten, kept]);
}

#[tokio::test]
async fn clients_are_found_behind_many_events_without_one() {
    let server = TestServer::start().await;
    let start = start_of_time() - TimeDelta::days(100);
    let empty = (0..450).map(|n| event(start + TimeDelta::seconds(n), Action::UserCreated));
    let last = Model { ip_address: None, ..with_client(start + TimeDelta::seconds(450)) };
    insert(&server, empty.chain([last]).collect()).await;
    let mut job = OldClients::default();
    assert_eq!(job.forget(&server.app).await.unwrap(), 1);
    assert!(rows(&server).await.iter().all(|row| row.user_agent.is_none()));
    assert_eq!(job.forget(&server.app).await.unwrap(), 0);
}

#[tokio::test]
async fn clients_are_removed_when_they_become_old() {
    let server = TestServer::start().await;
    insert(&server, vec![with_client(start_of_time())]).await;
    let mut job = OldClients::default();
    assert_eq!(job.forget(&server.app).await.unwrap(), 0);
    server.clock.advance(TimeDelta::days(91));
    assert_eq!(job.forget(&server.app).await.unwrap(), 1);
}
