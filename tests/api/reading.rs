use hallpass::entity::user;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};

use crate::support::TestServer;

#[tokio::test]
async fn a_read_does_not_notice_that_its_connection_was_lost() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let all = [ada.me(), ada.me(), ada.me(), ada.me()];
    futures_util::future::join_all(all).await.iter().for_each(|answer| drop(answer.data("/me/id")));
    server.database.end_connections().await;
    // One after the other: each connection that idled is dead.
    for _ in 0..4 {
        ada.me().await.data("/me/id");
    }
}

/// An administrator who looks at PostgreSQL's connections sees whose they are.
#[tokio::test]
async fn connections_to_postgres_have_a_name() {
    let server = TestServer::start().await;
    let backend = server.app.database.read().get_database_backend();
    if backend != DbBackend::Postgres {
        return;
    }
    let name = || Statement::from_string(backend, "SELECT current_setting('application_name')");
    let transaction = server.app.write().await.unwrap();
    for row in [server.app.database.read().query_one_raw(name()).await, transaction.query_one_raw(name()).await] {
        assert_eq!(row.unwrap().unwrap().try_get_by_index::<String>(0).unwrap(), "hallpass");
    }
}

#[tokio::test]
async fn more_readers_than_connections_wait_for_their_turn() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let db = server.app.database.read();
    let reads = (0..64).map(|_| async { user::Entity::find().all(db).await.unwrap().len() });
    assert_eq!(futures_util::future::join_all(reads).await, vec![1; 64]);
}
