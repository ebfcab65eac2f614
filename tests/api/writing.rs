use std::time::Duration;

use hallpass::{
    config::DatabaseUrl,
    database::Database,
    entity::{session, user},
};
use sea_orm::EntityTrait;

use crate::support::{TestDatabase, TestServer};

/// A transaction that took its lock only when it first writes would fail where it has read before.
#[tokio::test]
async fn on_sqlite_a_transaction_has_the_file_to_itself_from_its_start() {
    let database = TestDatabase::create().await;
    let [first, second] = [
        Database::connect(database.url(), Some(2)).await.unwrap(),
        Database::connect(database.url(), Some(2)).await.unwrap(),
    ];
    let writing = first.write().await.unwrap();
    let next = tokio::time::timeout(Duration::from_millis(50), second.write()).await;
    let is_sqlite = matches!(database.url(), DatabaseUrl::Sqlite(_));
    assert_eq!(next.is_err(), is_sqlite);
    // Readers are not kept waiting by anyone.
    assert!(second.is_ready().await);
    writing.rollback().await.unwrap();
    drop(next);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn what_is_not_committed_has_not_happened() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let transaction = server.app.write().await.unwrap();
    user::Entity::delete_many().exec(&transaction).await.unwrap();
    drop(transaction);
    let db = server.app.database.read();
    assert_eq!(user::Entity::find().all(db).await.unwrap().len(), 1);
    assert_eq!(session::Entity::find().all(db).await.unwrap().len(), 1);
}
