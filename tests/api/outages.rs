//! Writers that are interrupted, locked out or stuck: later writes must still succeed.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hallpass::{
    Error,
    config::DatabaseUrl,
    database::{Database, Transaction},
    entity::user,
    error::ErrorCode,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, sea_query::Expr};

use crate::support::{TestDatabase, TestServer, password_of};

/// Writes in a transaction.
async fn touch_users(server: &TestServer) {
    let transaction = server.app.write().await.unwrap();
    update_users(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn update_users(transaction: &Transaction) -> Result<(), sea_orm::DbErr> {
    let update = user::Entity::update_many().col_expr(user::Column::FirstName, Expr::value("Augusta"));
    update.filter(user::Column::Username.eq("ada")).exec(transaction).await.map(drop)
}

/// A statement that takes much longer than 50 ms, but less than a write may take, even on a busy machine.
fn slow(backend: DbBackend) -> Statement {
    let text = match backend {
        DbBackend::Postgres => "SELECT pg_sleep(2)",
        DbBackend::MySql => "SELECT SLEEP(2)",
        _ => "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n",
    };
    Statement::from_string(backend, text)
}

#[tokio::test]
async fn dropped_writes_leave_no_open_transaction() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let start = Instant::now();
    touch_users(&server).await;
    let duration = start.elapsed();
    // 200 writes, four at a time, are dropped at 50 points in time, from the start to slightly after the expected end.
    for point in 0..50 {
        let drop_after = duration * point / 40;
        join_all((0..4).map(|_| tokio::time::timeout(drop_after, touch_users(&server)))).await;
    }
    for name in ["grace", "linus", "margaret", "dennis"] {
        server.user(name).await.me().await.data("/me/id");
    }
    join_all((0..8).map(|_| touch_users(&server))).await;
    server.database.expect_no_open_transaction().await;
}

#[tokio::test]
async fn login_succeeds_after_two_lock_outages_with_12_waiting_writers() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    let ada = server.user("ada").await;
    let login = || ada.login("ada", "the password of ada");
    for _ in 0..2 {
        let lock = server.database.lock_users().await;
        for answer in join_all((0..12).map(|_| login())).await {
            assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
        }
        lock.release().await;
    }
    login().await.data("/login/accessToken");
    assert_eq!(ada.get("/health/ready").await.status, 200);
    server.database.expect_no_open_transaction().await;
}

/// The connection is closed during the statement, so that nothing can be committed on it.
#[tokio::test]
async fn interrupted_statement_ends_its_transaction() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let transaction = server.app.write().await.unwrap();
    update_users(&transaction).await.unwrap();
    let slow = transaction.query_one_raw(slow(transaction.get_database_backend()));
    tokio::time::timeout(Duration::from_millis(50), slow).await.expect_err("the statement was not slow");
    let error = update_users(&transaction).await.unwrap_err();
    assert_eq!(Error::from(error).code(), ErrorCode::ServiceUnavailable);
    transaction.commit().await.unwrap_err();
    let users = user::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(users[0].first_name, None);
    touch_users(&server).await;
}

/// On COMMIT, PostgreSQL would roll back and report success. MariaDB may already have rolled back, and would commit only the
/// later statements.
#[tokio::test]
async fn transaction_with_a_failed_statement_cannot_be_committed() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let transaction = server.app.write().await.unwrap();
    update_users(&transaction).await.unwrap();
    transaction.execute_unprepared("INSERT INTO users SELECT * FROM users").await.unwrap_err();
    update_users(&transaction).await.unwrap_err();
    transaction.commit().await.unwrap_err();
    let users = user::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(users[0].first_name, None);
}

#[tokio::test]
async fn server_is_not_ready_while_no_write_can_begin() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let mut writers = Vec::new();
    // Uses all connections, so that the next request would have to wait.
    while let Ok(writer) = tokio::time::timeout(Duration::from_millis(200), server.app.write()).await {
        writers.push(writer.unwrap());
    }
    let start = Instant::now();
    assert_eq!(actor.get("/health/ready").await.status, 503);
    assert!(start.elapsed() < Duration::from_millis(2500));
    join_all(writers.into_iter().map(Transaction::rollback)).await;
    assert_eq!(actor.get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn server_is_not_ready_on_a_read_only_database() {
    let server = TestServer::start().await;
    if !server.database.make_read_only().await {
        return;
    }
    let actor = server.anonymous();
    assert_eq!(actor.get("/health/ready").await.status, 503);
}

#[tokio::test]
async fn concurrent_readiness_probes_share_one_check() {
    let (server, statements) = TestServer::observed().await;
    let actor = server.anonymous();
    for answer in join_all((0..64).map(|_| actor.get("/health/ready"))).await {
        assert_eq!(answer.status, 200);
    }
    let statements = statements.lock().unwrap();
    let writes = statements.iter().filter(|statement| statement.sql.starts_with("UPDATE")).count();
    assert!((1..=2).contains(&writes), "{writes} of {}", statements.len());
}

#[tokio::test]
async fn closing_does_not_wait_forever_for_an_open_transaction() {
    let database = TestDatabase::create().await;
    let connected = Database::connect(database.url(), Some(2)).await.unwrap();
    let transaction = connected.write().await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(5), connected.close()).await;
    closed.expect("closing waits for the transaction");
    drop(transaction);
}

/// On SQLite, each waiting BEGIN blocks a thread. Their number must stay small while another process holds the lock.
#[tokio::test]
async fn begins_that_time_out_on_a_locked_file_leave_one_thread() {
    let server = TestServer::start().await;
    if !matches!(server.database.url(), DatabaseUrl::Sqlite(_)) {
        return;
    }
    server.user("ada").await;
    let lock = server.database.lock_users().await;
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    for _ in 0..50 {
        let _ = tokio::time::timeout(Duration::from_millis(2), server.app.write()).await;
    }
    // Other tests start and stop threads at the same time.
    assert!(threads() < before + 40, "{before} became {}", threads());
    lock.release().await;
    let grace = server.user("grace").await;
    assert_eq!(grace.login("grace", &password_of("grace")).await.status, 200);
}
