use hallpass::database::Database;
use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;

use crate::support::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_that_start_at_once_migrate_once() {
    let database = TestDatabase::create_bare().await;
    let instances = (0..6).map(|_| {
        let url = database.url().clone();
        tokio::spawn(async move {
            let database = Database::connect(&url, Some(2)).await.unwrap();
            database.migrate().await.unwrap();
            assert!(database.is_ready().await);
            database.close().await;
        })
    });
    for instance in instances.collect::<Vec<_>>() {
        instance.await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_is_not_served() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(2)).await.unwrap();
    assert!(connected.is_ready().await);
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 1)";
    connected.read().execute_unprepared(later).await.unwrap();
    assert!(!connected.is_ready().await);
    let error = connected.migrate().await.unwrap_err();
    assert!(error.cause().unwrap().contains("m29990101_000001_later"), "{error:?}");
    connected.close().await;
}

#[tokio::test]
async fn what_goes_up_comes_down_and_up_again() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let count = Migrator::migrations().len();
    assert_eq!(connected.applied_migrations().await.unwrap().len(), count);
    let transaction = connected.write().await.unwrap();
    Migrator::down(&transaction, None).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(connected.pending_migrations().await.unwrap().len(), count);
    connected.migrate().await.unwrap();
    assert!(connected.is_ready().await);
    connected.close().await;
}
