use hallpass::database::Database;
use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;

use crate::support::{TestDatabase, TestServer, password_of};

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
async fn people_stay_when_what_extends_tables_is_taken_back_and_applied_again() {
    let server = TestServer::start().await;
    let (ada, _) = server.app_user("ada").await;
    let database = &server.app.database;
    // The first three make the tables of people, sessions and events.
    let extending = Migrator::migrations().len() - 3;
    for steps in (1..=extending).rev() {
        database.migrate_down(u32::try_from(steps).unwrap()).await.unwrap();
        assert!(!database.is_ready().await);
        assert_eq!(database.pending_migrations().await.unwrap().len(), steps);
        database.migrate().await.unwrap();
        assert!(database.is_ready().await);
        assert_eq!(ada.me().await.data("/me/username"), "ada");
        server.anonymous().login("ada", &password_of("ada")).await.data("/login/user/id");
    }
}

#[tokio::test]
async fn what_goes_up_comes_down_and_up_again() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let count = Migrator::migrations().len();
    assert_eq!(connected.applied_migrations().await.unwrap().len(), count);
    connected.migrate_down(u32::try_from(count).unwrap()).await.unwrap();
    assert_eq!(connected.pending_migrations().await.unwrap().len(), count);
    connected.migrate().await.unwrap();
    assert!(connected.is_ready().await);
    connected.close().await;
}
