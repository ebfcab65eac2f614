use hallpass::database::Database;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, EntityTrait};

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

/// As after a crash on a database that keeps half a migration; what waits from before it has no request to belong to.
#[tokio::test]
async fn binding_pending_changes_to_requests_can_be_run_again_and_cancels_those_from_before() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let database = &server.app.database;
    for statement in [
        "UPDATE users SET pending_email = 'thief@example.org', pending_email_key = 'thief@example.org', \
         never_verified_since = NULL",
        "DELETE FROM seaql_migrations WHERE version = 'm20261128_000008_pending_email'",
    ] {
        database.read().execute_unprepared(statement).await.unwrap();
    }
    database.migrate().await.unwrap();
    assert!(database.is_ready().await);
    assert_eq!(ada.me().await.data("/me/username"), "ada");
    let rows = hallpass::entity::user::Entity::find().all(database.read()).await.unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&row.pending_email, &row.pending_email_key), (&None, &None));
    assert_eq!(row.never_verified_since, Some(row.created_at));
}
