use hallpass::database::Database;

use crate::support::{TestDatabase, TestServer, settings};

#[tokio::test]
async fn migrated_server_is_ready() {
    let server = TestServer::start().await;
    let answer = server.anonymous().get("/health/ready").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"status":"ready"}"#));
    assert_eq!(server.anonymous().get("/health/live").await.status, 200);
}

#[tokio::test]
async fn server_without_tables_is_alive_but_not_ready() {
    let database = TestDatabase::create_bare().await;
    let mut settings = settings();
    settings.database.url = database.url().clone();
    let connected = Database::connect(database.url(), Some(1)).await.unwrap();
    let server = TestServer::assemble(database, settings, connected);
    let answer = server.anonymous().get("/health/ready").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, r#"{"status":"not ready"}"#));
    assert_eq!(server.anonymous().get("/health/live").await.status, 200);
}

#[tokio::test]
async fn lost_database_is_an_outage_not_a_wrong_password() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.app.database.close().await;
    for answer in [ada.me().await, ada.login("ada", "the password of ada").await, ada.login("nobody", "whatever").await]
    {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
        assert_eq!(answer.error()["extensions"]["retryAfter"], 5);
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    assert_eq!(ada.get("/health/ready").await.status, 503);
}
