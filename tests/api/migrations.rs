use std::time::Duration;

use hallpass::{
    database::{Compatibility, Database},
    entity::user,
    error::ErrorCode,
};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::support::{TestDatabase, TestServer, logged, password_of, random_id, roles_of_users, user_roles};

const LATER: &str = "m29990101_000001_later";

/// Records a migration of a later version.
async fn apply_later(database: &Database, name: &str, is_additive: bool) {
    let later =
        format!("INSERT INTO seaql_migrations (version, applied_at, is_additive) VALUES ('{name}', 1, {is_additive})");
    database.read().execute_unprepared(&later).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_starting_concurrently_migrate_once() {
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
async fn database_with_an_undeclared_unknown_migration_is_too_new() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(2)).await.unwrap();
    assert!(connected.is_ready().await);
    // Earlier versions did not record whether a migration is additive.
    let later = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{LATER}', 1)");
    connected.read().execute_unprepared(&later).await.unwrap();
    assert!(!connected.is_ready().await);
    let error = connected.migrate().await.unwrap_err();
    assert!(error.cause().unwrap().contains(LATER), "{error:?}");
    connected.close().await;
}

#[tokio::test]
async fn older_instance_stays_ready_while_later_migrations_are_additive() {
    let server = TestServer::start().await;
    let database = &server.app.database;
    let ada = server.user("ada").await;
    // A unique name, because all tests share one log.
    let name = "m29990101_000001_additive";
    apply_later(database, name, true).await;
    for _ in 0..3 {
        assert_eq!(ada.get("/health/ready").await.status, 200);
    }
    assert_eq!(ada.me().await.data("/me/username"), "ada");
    assert_eq!(database.migrate().await.unwrap(), 0);
    assert_eq!(database.compatibility().await.unwrap(), Compatibility::Newer(vec![name.to_owned()]));
    let lines: Vec<_> = logged(name).into_iter().filter(|line| line.contains("continues to serve requests")).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let error = database.migrate_down(1).await.unwrap_err();
    assert!(error.cause().unwrap().contains(name), "{error:?}");
}

#[tokio::test]
async fn older_instance_is_not_ready_once_a_later_migration_is_not_additive() {
    let server = TestServer::start().await;
    let database = &server.app.database;
    apply_later(database, "m29990101_000001_additive", true).await;
    apply_later(database, LATER, false).await;
    assert_eq!(server.anonymous().get("/health/ready").await.status, 503);
    assert_eq!(database.compatibility().await.unwrap(), Compatibility::TooNew(vec![LATER.to_owned()]));
    let error = database.migrate().await.unwrap_err();
    let cause = error.cause().unwrap();
    assert!(cause.contains("newer than this version") && cause.contains(LATER), "{cause}");
    assert!(!cause.contains("additive"), "{cause}");
}

/// The names of the migrations that are incompatible with older versions.
fn incompatible_migrations() -> Vec<String> {
    let migrations = migration::migrations();
    let incompatible = migrations.iter().filter(|migration| !migration.is_additive());
    incompatible.map(|migration| migration.name().to_owned()).collect()
}

/// Each file states the reason.
#[test]
fn incompatible_migrations_are_declared() {
    assert_eq!(
        incompatible_migrations(),
        [
            "m20261121_000006_mail",
            "m20261128_000007_session_generations",
            "m20261128_000008_pending_email",
            "m20261128_000010_audit_log",
            "m20261128_000011_user_roles",
            "m20261128_000012_user_words",
            "m20261129_000015_second_factor",
            "m20261129_000016_passkeys",
            "m20261129_000017_identities",
        ]
    );
}

/// `docs/operations/upgrades.md` says so.
#[test]
fn changelog_names_incompatible_migrations() {
    let changelog = include_str!("../../CHANGELOG.md");
    for name in incompatible_migrations() {
        assert!(changelog.contains(&format!("`{name}`")), "{name} is not additive, which the changelog must say");
    }
}

#[tokio::test]
async fn older_database_is_upgraded_and_served() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let database = &server.app.database;
    let schema = server.database.schema().await;
    for before in [
        &["ALTER TABLE seaql_migrations DROP COLUMN state", "ALTER TABLE seaql_migrations DROP COLUMN is_additive"][..],
        // An older version that runs beside this one writes rows without the value.
        &["UPDATE seaql_migrations SET is_additive = NULL WHERE version LIKE '%mail_limits'"],
    ] {
        for statement in before {
            database.read().execute_unprepared(statement).await.unwrap();
        }
        assert!(database.is_ready().await);
        assert_eq!(database.migrate().await.unwrap(), 0);
        assert!(database.is_ready().await);
        assert_eq!(server.database.schema().await, schema);
        assert_eq!(ada.me().await.data("/me/username"), "ada");
        // This version sets the values for its own migrations.
        let unset = "SELECT version FROM seaql_migrations WHERE is_additive IS NULL OR state <> 'applied'";
        let unset = sea_orm::Statement::from_string(database.read().get_database_backend(), unset);
        assert!(database.read().query_all_raw(unset).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn interrupted_migrations_are_run_again() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let database = &server.app.database;
    let schema = server.database.schema().await;
    for state in ["applying", "reverting"] {
        let interrupted = format!("UPDATE seaql_migrations SET state = '{state}'");
        database.read().execute_unprepared(&interrupted).await.unwrap();
        assert!(!database.is_ready().await);
        assert_eq!(database.migrate().await.unwrap(), migration::migrations().len());
        assert_eq!(server.database.schema().await, schema);
        assert!(database.is_ready().await);
        assert_eq!(ada.me().await.data("/me/username"), "ada");
    }
}

#[tokio::test]
async fn rollback_completes_an_interrupted_rollback_only() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let latest = connected.migrations_to_revert(2).await.unwrap();
    let names = migration::migrations().into_iter().rev().take(2).map(|migration| migration.name().to_owned());
    assert_eq!(latest, names.collect::<Vec<_>>());
    let interrupted = format!("UPDATE seaql_migrations SET state = 'reverting' WHERE version >= '{}'", latest[1]);
    connected.read().execute_unprepared(&interrupted).await.unwrap();
    for steps in [1, 5] {
        assert_eq!(connected.migrations_to_revert(steps).await.unwrap(), latest);
    }
    connected.migrate_down(1).await.unwrap();
    assert_eq!(connected.pending_migrations().await.unwrap().len(), 2);
    connected.close().await;
}

#[tokio::test]
async fn rollback_reverts_only_confirmed_migrations() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let confirmed = connected.migrations_to_revert(1).await.unwrap();
    connected.migrate_down(1).await.unwrap();
    let applied = connected.applied_migrations().await.unwrap();
    let error = connected.revert(&confirmed).await.unwrap_err();
    assert!(error.cause().unwrap().contains("in the meantime"), "{error:?}");
    assert_eq!(connected.applied_migrations().await.unwrap(), applied);
    connected.close().await;
}

#[tokio::test]
async fn wait_for_the_migration_lock_is_limited() {
    let database = TestDatabase::create_bare().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let lock = database.lock_migrations().await;
    let error = connected.migrate_within(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ServiceUnavailable);
    assert!(error.cause().unwrap().contains("another process has been migrating the database"), "{error:?}");
    lock.release().await;
    assert_eq!(connected.migrate().await.unwrap(), migration::migrations().len());
    connected.close().await;
}

#[tokio::test]
async fn users_survive_rollback_and_reapplication() {
    let server = TestServer::start().await;
    let (ada, _) = server.app_user("ada").await;
    let database = &server.app.database;
    // The first three migrations create the tables of users, sessions and audit events.
    let later = migration::migrations().len() - 3;
    for steps in (1..=later).rev() {
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
async fn all_migrations_can_be_reverted_and_reapplied() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let count = migration::migrations().len();
    assert_eq!(connected.applied_migrations().await.unwrap().len(), count);
    connected.migrate_down(u32::try_from(count).unwrap()).await.unwrap();
    assert_eq!(connected.pending_migrations().await.unwrap().len(), count);
    connected.migrate().await.unwrap();
    assert!(connected.is_ready().await);
    connected.close().await;
}

/// Simulates a crash on a database that cannot roll back schema changes. Pending changes from before have no request id.
#[tokio::test]
async fn pending_change_migration_is_idempotent_and_cancels_older_changes() {
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
    let rows = user::Entity::find().all(database.read()).await.unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&row.pending_email, &row.pending_email_key), (&None, &None));
    assert_eq!(row.never_verified_since, Some(row.created_at));
}

/// Runs these statements, and then the migration that fills `user_roles` again.
async fn fill_user_roles_again(server: &TestServer, statements: &[&str]) {
    let database = &server.app.database;
    // The second one adds a column to the table that the first one creates.
    let interrupted = "UPDATE seaql_migrations SET state = 'applying' \
        WHERE version IN ('m20261128_000011_user_roles', 'm20261128_000012_user_words')";
    for statement in statements.iter().chain([&interrupted]) {
        database.read().execute_unprepared(statement).await.unwrap();
    }
    assert_eq!(database.migrate().await.unwrap(), 2);
}

#[tokio::test]
async fn user_roles_are_filled_from_existing_users() {
    let server = TestServer::start().await;
    server.user("ada").await;
    server.user("bo").await;
    let roles = "UPDATE users SET roles = 'admin,user' WHERE username = 'ada'";
    fill_user_roles_again(&server, &[roles, "DROP TABLE user_roles"]).await;
    assert_eq!(user_roles(&server).await.len(), 3);
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}

#[tokio::test]
async fn user_roles_are_filled_from_several_pages_of_users() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let ada = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    for _ in 0..3 {
        let users = (0..700).map(|_| {
            let id = random_id();
            user::Model { id, username_key: id.to_string(), ..ada.clone() }
        });
        let transaction = server.app.write().await.unwrap();
        user::insert_all(&transaction, users).await.unwrap();
        transaction.commit().await.unwrap();
    }
    fill_user_roles_again(&server, &["DELETE FROM user_roles"]).await;
    assert_eq!(user_roles(&server).await.len(), 2101);
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}

/// Simulates a crash on a database that cannot roll back schema changes, followed by changes of roles by an older version.
#[tokio::test]
async fn interrupted_filling_of_user_roles_starts_again() {
    let server = TestServer::start().await;
    server.user("ada").await;
    server.user("bo").await;
    let outdated = "INSERT INTO user_roles SELECT id, 'admin', created_at FROM users WHERE username = 'bo'";
    let half = "DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE username = 'ada')";
    fill_user_roles_again(&server, &[half, outdated]).await;
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}
