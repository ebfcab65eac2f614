//! `database::copy`, from one database to another of the same kind. `tests/e2e/clients/copy.mjs` copies between all kinds.

use std::sync::Arc;

use anyhow::Result;
use hallpass::{
    database::{
        Compatibility, Database,
        copy::{self, Event},
    },
    entity::{spent_challenge, tables, user, user_word},
};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, Set};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{TestDatabase, TestServer};

/// More than one page of the narrow tables.
const ROWS: u128 = 4500;

/// A database with a user and some rows, and no server.
async fn source() -> TestDatabase {
    filled(10).await
}

/// A source with this many rows in one table with a simple key and in one with a key of two columns.
async fn filled(rows: u128) -> TestDatabase {
    let database = Arc::new(TestDatabase::create().await);
    let server = TestServer::on(Arc::clone(&database), |_| {}).await;
    server.user("ada").await;
    server.app.database.close().await;
    drop(server);
    let connection = database.connect().await;
    let ada = user::Entity::find().one(&connection).await.unwrap().unwrap().id;
    let at = "2026-01-31T12:34:56.789123Z".parse().unwrap();
    let keys: Vec<u128> = (0..rows).collect();
    for keys in keys.chunks(3000) {
        let spent = keys
            .iter()
            .map(|key| spent_challenge::ActiveModel { nonce: Set(Uuid::from_u128(key * 7919)), expires_at: Set(at) });
        spent_challenge::Entity::insert_many(spent).exec_without_returning(&connection).await.unwrap();
        let words = keys.iter().map(|key| {
            let word = format!("word{}", key * 7919 % rows).into_bytes();
            user_word::ActiveModel { user_id: Set(ada), word: Set(word) }
        });
        user_word::Entity::insert_many(words).exec_without_returning(&connection).await.unwrap();
    }
    connection.close().await.unwrap();
    Arc::into_inner(database).unwrap()
}

async fn copy(from: &TestDatabase, to: &TestDatabase) -> Result<u64> {
    let copied = copy::copy(from.url(), to.url(), &tables::all()?, |_| {}).await?;
    Ok(copied.into_iter().map(|(_, rows)| rows).sum())
}

/// Begins a copy and drops it when the first batch of this table is copied.
async fn interrupt(from: &TestDatabase, to: &TestDatabase, in_table: &str) {
    let enough = Notify::new();
    let tables = tables::all().unwrap();
    let copying = copy::copy(from.url(), to.url(), &tables, |event| {
        if matches!(event, Event::Copied { table, .. } if table == in_table) {
            enough.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = enough.notified() => {}
        copied = copying => panic!("the copy was not interrupted: {copied:?}"),
    }
    to.end_connections().await;
}

fn fails(copied: Result<u64>, expected: &str) {
    let error = format!("{:#}", copied.unwrap_err());
    assert!(error.contains(expected), "{error}");
}

async fn compatibility(database: &TestDatabase) -> Compatibility {
    let database = Database::connect(database.url(), Some(2)).await.unwrap();
    let compatibility = database.compatibility().await.unwrap();
    let is_ready = database.is_ready().await;
    assert_eq!(is_ready, compatibility == Compatibility::Current);
    database.close().await;
    compatibility
}

async fn execute(database: &TestDatabase, sql: &str) {
    let connection = database.connect().await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn copied_database_is_complete_and_can_be_served() {
    let (from, to) = (filled(ROWS).await, TestDatabase::create_bare().await);
    let rows = copy(&from, &to).await.unwrap();
    let connection = to.connect().await;
    let spent = spent_challenge::Entity::find().count(&connection).await.unwrap();
    let words = user_word::Entity::find().count(&connection).await.unwrap();
    assert!(u128::from(spent) == ROWS && u128::from(words) > ROWS && rows > spent + words, "{rows} {spent} {words}");
    connection.close().await.unwrap();
    assert_eq!(compatibility(&to).await, Compatibility::Current);
}

#[tokio::test]
async fn interrupted_copy_continues() {
    let (from, to) = (filled(ROWS).await, TestDatabase::create_bare().await);
    for table in ["users", "user_words", "sessions", "spent_challenges"] {
        interrupt(&from, &to, table).await;
    }
    let other = TestDatabase::create_bare().await;
    assert_eq!(copy(&from, &to).await.unwrap(), copy(&from, &other).await.unwrap());
}

#[tokio::test]
async fn target_of_an_interrupted_copy_is_neither_served_nor_migrated() {
    let (from, to) = (source().await, TestDatabase::create_bare().await);
    interrupt(&from, &to, "users").await;
    assert_eq!(compatibility(&to).await, Compatibility::UnfinishedCopy);
    let database = Database::connect(to.url(), Some(2)).await.unwrap();
    for result in [database.migrate().await.map(drop), database.migrate_down(1).await] {
        assert!(result.unwrap_err().cause().unwrap().contains("unfinished copy"));
    }
    database.close().await;
    let third = TestDatabase::create_bare().await;
    fails(copy(&to, &third).await, "the source can't be copied: the database is an unfinished copy");
}

#[tokio::test]
async fn target_with_rows_is_refused() {
    let (from, to) = (source().await, source().await);
    fails(copy(&from, &to).await, "the target is not empty, its table users has rows");
    assert_eq!(compatibility(&to).await, Compatibility::Current);
    copy(&from, &TestDatabase::create().await).await.unwrap();
}

#[tokio::test]
async fn target_with_tables_of_another_application_is_refused() {
    let (from, to) = (source().await, TestDatabase::create_bare().await);
    execute(&to, "CREATE TABLE users (id INTEGER PRIMARY KEY)").await;
    fails(copy(&from, &to).await, "the target has tables of another application (users)");
}

#[tokio::test]
async fn copy_to_itself_is_refused_and_leaves_no_mark() {
    let (full, empty) = (source().await, TestDatabase::create().await);
    copy(&full, &full).await.unwrap_err();
    fails(copy(&empty, &empty).await, "the source and the target are the same database");
    for database in [full, empty] {
        assert_eq!(compatibility(&database).await, Compatibility::Current);
    }
}

#[tokio::test]
async fn source_that_has_changed_since_the_interruption_is_refused() {
    for change in [
        "DELETE FROM user_words WHERE 1 = 1",
        "UPDATE users SET first_name = 'Bo'",
        "UPDATE spent_challenges SET expires_at = '2026-02-01 00:00:00'",
    ] {
        let (from, to) = (source().await, TestDatabase::create_bare().await);
        interrupt(&from, &to, "spent_challenges").await;
        execute(&from, change).await;
        fails(copy(&from, &to).await, "the source has changed since the copy began");
        assert_eq!(compatibility(&to).await, Compatibility::UnfinishedCopy);
    }
}

#[tokio::test]
async fn target_that_was_changed_by_others_is_never_finished() {
    let (from, to) = (source().await, TestDatabase::create_bare().await);
    interrupt(&from, &to, "spent_challenges").await;
    execute(&to, "UPDATE users SET first_name = 'Bo'").await;
    fails(copy(&from, &to).await, "the table users of the target is not equal to the source");
    assert_eq!(compatibility(&to).await, Compatibility::UnfinishedCopy);
}

#[tokio::test]
async fn target_of_another_source_is_refused() {
    let (from, other, to) = (source().await, source().await, TestDatabase::create_bare().await);
    interrupt(&from, &to, "users").await;
    fails(copy(&other, &to).await, "the target is an unfinished copy of another database: ");
    copy(&from, &to).await.unwrap();
}

#[tokio::test]
async fn source_without_all_migrations_is_refused() {
    let (from, to) = (TestDatabase::create_bare().await, TestDatabase::create_bare().await);
    Database::connect(from.url(), Some(2)).await.unwrap().close().await;
    fails(copy(&from, &to).await, "the source lacks migrations; run `hallpass migrate` first");
}
