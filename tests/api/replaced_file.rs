//! An SQLite file that is deleted or replaced while a server uses it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hallpass::config::DatabaseUrl;
use serde_json::json;

use crate::support::{Actor, TestServer, logged};

/// A server on an SQLite file with a user, and the file. `None` if the tests run on a database server.
async fn server() -> Option<(TestServer, Actor, PathBuf)> {
    let server = TestServer::start().await;
    let DatabaseUrl::Sqlite(path) = server.database.url().clone() else { return None };
    let ada = server.user("ada").await;
    Some((server, ada, path))
}

fn log_of(path: &Path) -> usize {
    logged(&format!("the database file {} was deleted or replaced", path.display())).len()
}

async fn expect_unavailable(server: &TestServer, ada: &Actor) {
    let register = json!({ "username": "bo", "password": "the password of bo" });
    assert_eq!(server.anonymous().register(register).await.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(ada.me().await.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(ada.get("/health/ready").await.status, 503);
    assert_eq!(ada.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn deleted_file_is_logged_once_and_requests_fail() {
    let Some((server, ada, path)) = server().await else { return };
    fs::remove_file(&path).unwrap();
    expect_unavailable(&server, &ada).await;
    expect_unavailable(&server, &ada).await;
    assert_eq!(log_of(&path), 1);
    assert!(!path.exists(), "a request has created a new database");
}

#[tokio::test]
async fn replaced_file_is_neither_read_nor_written() {
    let Some((server, ada, path)) = server().await else { return };
    let other = TestServer::start().await;
    let DatabaseUrl::Sqlite(replacement) = other.database.url().clone() else { return };
    other.app.database.close().await;
    fs::rename(&replacement, &path).unwrap();
    let before = fs::read(&path).unwrap();
    expect_unavailable(&server, &ada).await;
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(log_of(&path), 1);
}

#[tokio::test]
async fn lookups_notice_a_replaced_file_at_the_next_check() {
    let Some((server, ada, path)) = server().await else { return };
    fs::rename(&path, path.with_extension("moved")).unwrap();
    server.app.database.check_file().unwrap_err();
    assert_eq!(ada.me().await.code(), "SERVICE_UNAVAILABLE");
    fs::remove_file(path.with_extension("moved")).unwrap();
}

#[tokio::test]
async fn file_that_is_moved_back_is_used_again() {
    let Some((server, ada, path)) = server().await else { return };
    let moved = path.with_extension("moved");
    fs::rename(&path, &moved).unwrap();
    expect_unavailable(&server, &ada).await;
    fs::rename(&moved, &path).unwrap();
    assert_eq!(ada.get("/health/ready").await.status, 200);
    assert_eq!(ada.me().await.data("/me/username"), "ada");
    server.user("bo").await;
    assert_eq!(log_of(&path), 1);
    assert_eq!(logged(&format!("the database file {} is in its place again", path.display())).len(), 1);
}

/// The file is replaced after the transaction has begun, so only the check after COMMIT can notice it.
#[tokio::test]
async fn commit_to_a_file_that_is_gone_is_not_acknowledged() {
    let Some((server, _, path)) = server().await else { return };
    let transaction = server.app.database.write().await.unwrap();
    fs::remove_file(&path).unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(error.to_string().contains("deleted or replaced"), "{error}");
}
