use std::time::Duration;

use hallpass::{
    Error,
    config::DatabaseUrl,
    database::Database,
    entity::{session, user},
    error::ErrorCode,
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};

use crate::support::{TestDatabase, TestServer};

/// If the lock were taken only on the first write, a transaction could fail after a read.
#[tokio::test]
async fn sqlite_transaction_locks_the_file_from_its_start() {
    let database = TestDatabase::create().await;
    let [first, second] = [
        Database::connect(database.url(), Some(2)).await.unwrap(),
        Database::connect(database.url(), Some(2)).await.unwrap(),
    ];
    let writing = first.write().await.unwrap();
    let next = tokio::time::timeout(Duration::from_millis(50), second.write()).await;
    let is_sqlite = matches!(database.url(), DatabaseUrl::Sqlite(_));
    assert_eq!(next.is_err(), is_sqlite);
    // Readers are never blocked.
    assert_eq!(second.pending_migrations().await.unwrap(), Vec::<String>::new());
    writing.rollback().await.unwrap();
    drop(next);
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn uncommitted_transaction_is_rolled_back() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let transaction = server.app.write().await.unwrap();
    user::Entity::delete_many().exec(&transaction).await.unwrap();
    drop(transaction);
    let db = server.app.database.read();
    assert_eq!(user::Entity::find().all(db).await.unwrap().len(), 1);
    assert_eq!(session::Entity::find().all(db).await.unwrap().len(), 1);
}

/// SQLite rolls back a transaction itself, when the disk is full or on command, and its driver does not notice.
#[tokio::test]
async fn writes_after_an_sqlite_rollback_are_committed() {
    let server = TestServer::start().await;
    if !matches!(server.database.url(), DatabaseUrl::Sqlite(_)) {
        return;
    }
    server.user("ada").await;
    let transaction = server.app.write().await.unwrap();
    transaction.execute_unprepared("INSERT OR ROLLBACK INTO users SELECT * FROM users").await.unwrap_err();
    drop(transaction);
    let transaction = server.app.write().await.unwrap();
    user::Entity::delete_many().exec(&transaction).await.unwrap();
    drop(transaction);
    let grace = server.user("grace").await;
    // Read through another connection.
    grace.me().await.data("/me/id");
}

/// Hallpass gives up after 4 s. A statement that ran longer would keep its connection busy.
#[tokio::test]
async fn database_times_out_statements_before_hallpass() {
    let server = TestServer::start().await;
    let transaction = server.app.write().await.unwrap();
    let backend = transaction.get_database_backend();
    let (limit, expected) = match backend {
        DbBackend::Postgres => ("SELECT current_setting('statement_timeout')", "3500ms"),
        DbBackend::MySql => ("SELECT CAST(@@lock_wait_timeout AS CHAR)", "3"),
        _ => return,
    };
    let limit = Statement::from_string(backend, limit);
    let row = transaction.query_one_raw(limit).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), expected);
}

#[tokio::test]
async fn temporary_errors_are_outages_and_permanent_ones_are_not() {
    let server = TestServer::start().await;
    let (outages, permanent): (&[&str], &[&str]) = match server.app.database.read().get_database_backend() {
        DbBackend::Postgres => {
            (&["53100", "53300", "55P03", "57014", "57P01", "25006", "25P03", "40P01", "58030"], &["42P01", "22001"])
        }
        DbBackend::MySql => (
            &["1021", "1026", "1030", "1040", "1047", "1180", "1205", "1213", "1226", "1290", "1927", "1969", "4031"],
            &["1054", "1146", "1406"],
        ),
        _ => return,
    };
    let codes = outages.iter().map(|code| (code, ErrorCode::ServiceUnavailable));
    for (code, expected) in codes.chain(permanent.iter().map(|code| (code, ErrorCode::InternalServerError))) {
        let transaction = server.app.write().await.unwrap();
        let raise = match transaction.get_database_backend() {
            DbBackend::Postgres => format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"),
            _ => format!("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code}"),
        };
        let error = transaction.execute_unprepared(&raise).await.unwrap_err();
        assert_eq!(Error::from(error).code(), expected, "{code}");
        transaction.rollback().await.unwrap();
    }
}
