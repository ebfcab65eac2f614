//! Database connections: replacement, session settings, and cleanup.

use std::{
    io,
    time::{Duration, Instant},
};

use hallpass::{
    Error,
    config::{DatabaseUrl, ExposeSecret},
    database::Database,
    entity::user,
    error::ErrorCode,
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};

use crate::support::{TestDatabase, TestServer, password_of};

const UPDATE: &str = "UPDATE users SET last_name = 'Lovelace'";

/// Sets the connection of a transaction to read-only, as a failover does to a whole node.
async fn make_connection_read_only(database: &Database) {
    let transaction = database.write().await.unwrap();
    let set = match transaction.get_database_backend() {
        DbBackend::Postgres => "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        DbBackend::MySql => "SET SESSION TRANSACTION READ ONLY",
        _ => "PRAGMA query_only = 1",
    };
    transaction.execute_unprepared(set).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Writes, and rolls back.
async fn write(database: &Database) -> hallpass::Result<()> {
    let transaction = database.write().await?;
    let result = transaction.execute_unprepared(UPDATE).await;
    transaction.rollback().await?;
    Ok(result.map(drop)?)
}

async fn query_value<T: sea_orm::TryGetable>(connection: &impl ConnectionTrait, sql: &str) -> T {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn connection_to_a_read_only_node_is_not_used_again() {
    let server = TestServer::start().await;
    let database = &server.app.database;
    make_connection_read_only(database).await;
    let error = write(database).await.expect_err("the connection is not read-only");
    assert_eq!(error.code(), ErrorCode::ServiceUnavailable);
    write(database).await.unwrap();
}

#[tokio::test]
async fn rejected_write_renews_read_connections() {
    let server = TestServer::start().await;
    let database = &server.app.database;
    let id = match database.read().get_database_backend() {
        DbBackend::Postgres => "SELECT CAST(pg_backend_pid() AS bigint)",
        DbBackend::MySql => "SELECT CAST(CONNECTION_ID() AS SIGNED)",
        _ => return,
    };
    let before: i64 = query_value(database.read(), id).await;
    assert_eq!(query_value::<i64>(database.read(), id).await, before);
    make_connection_read_only(database).await;
    write(database).await.unwrap_err();
    let during: i64 = query_value(database.read(), id).await;
    assert_ne!(during, before);
    // The new connection may have been opened while the address still pointed to the old node.
    write(database).await.unwrap();
    assert_ne!(query_value::<i64>(database.read(), id).await, during);
}

/// Poolers refuse other startup parameters and share session variables between clients.
#[tokio::test]
async fn postgres_sessions_have_no_settings_a_pooler_would_lose() {
    let server = TestServer::start().await;
    let database = &server.app.database;
    if database.read().get_database_backend() != DbBackend::Postgres {
        return;
    }
    let set = "SELECT coalesce(string_agg(name, ' '), '') FROM pg_settings WHERE source IN ('client', 'session') \
               AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone')";
    assert_eq!(query_value::<String>(database.read(), set).await, "");
    // Settings of a transaction end with it.
    let transaction = database.write().await.unwrap();
    transaction.commit().await.unwrap();
    let transaction = database.write().await.unwrap();
    transaction.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(query_value::<String>(&transaction, set).await, "");
}

#[tokio::test]
async fn statements_are_unnamed_if_the_url_says_so() {
    let database = TestDatabase::create().await;
    let DatabaseUrl::Postgres(url) = database.url() else {
        return;
    };
    let count = "SELECT count(*) FROM pg_prepared_statements";
    let connect = |url: String| async move {
        let connected = Database::connect(&DatabaseUrl::Postgres(url.into()), Some(2)).await.unwrap();
        user::Entity::find().all(connected.read()).await.unwrap();
        let transaction = connected.write().await.unwrap();
        user::Entity::find().all(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        connected
    };
    let url = url.expose_secret();
    let named = connect(url.to_owned()).await;
    assert!(query_value::<i64>(named.read(), count).await >= 2);
    let unnamed = connect(format!("{url}?statement-cache-capacity=0")).await;
    assert_eq!(query_value::<i64>(unnamed.read(), count).await, 0);
    let transaction = unnamed.write().await.unwrap();
    assert_eq!(query_value::<i64>(&transaction, count).await, 0);
    transaction.rollback().await.unwrap();
    tokio::join!(named.close(), unnamed.close());
}

/// Named statements would clash with those that other clients of a pooler prepared on the connection.
#[tokio::test]
async fn pooler_error_names_the_url_parameter() {
    let server = TestServer::start().await;
    if server.app.database.read().get_database_backend() != DbBackend::Postgres {
        return;
    }
    for code in ["26000", "42P05"] {
        let transaction = server.app.write().await.unwrap();
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
        let error = Error::from(transaction.execute_unprepared(&raise).await.unwrap_err());
        assert!(format!("{error:?}").contains("?statement-cache-capacity=0"), "{error:?}");
    }
}

/// Number of statements in the database of this connection that wait for a lock.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

async fn assert_no_waiting_statements(connection: &impl ConnectionTrait, limit: Duration) {
    let start = Instant::now();
    while query_value::<i64>(connection, WAITING).await > 0 {
        assert!(start.elapsed() < limit, "a statement still waits for the lock");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// PostgreSQL does not detect that a client has disconnected while its statement waits for a lock, so retries would use up all
/// connections.
#[tokio::test]
async fn abandoned_reads_are_cancelled_on_postgres() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    if server.app.database.read().get_database_backend() != DbBackend::Postgres {
        return;
    }
    let other = Database::connect(server.database.url(), Some(2)).await.unwrap();
    let lock = other.write().await.unwrap();
    lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await.unwrap();
    lock.execute_unprepared("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    // A disconnected client and one whose request times out.
    tokio::time::timeout(Duration::from_millis(300), ada.me()).await.expect_err("the request did not wait");
    assert_eq!(query_value::<i64>(server.app.database.read(), WAITING).await, 1);
    assert_eq!(ada.me().await.code(), "SERVICE_UNAVAILABLE");
    assert_no_waiting_statements(server.app.database.read(), Duration::from_secs(2)).await;
    drop(lock);
    other.close().await;
    ada.me().await.data("/me/id");
}

/// Neither Hallpass's timeout of 4 s nor a limit configured for the database user applies.
#[tokio::test]
async fn postgres_migrations_have_no_statement_timeout() {
    let database = TestDatabase::create_bare().await;
    let connect = || Database::connect(database.url(), Some(2));
    let connected = connect().await.unwrap();
    if connected.read().get_database_backend() != DbBackend::Postgres {
        return;
    }
    let slow = "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.7); END'; \
         CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION slow(); \
         DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET statement_timeout = 500'', current_database()); END'";
    let transaction = connected.write().await.unwrap();
    transaction.execute_unprepared(slow).await.unwrap();
    transaction.commit().await.unwrap();
    connected.close().await;
    let connected = connect().await.unwrap();
    let start = Instant::now();
    connected.migrate().await.unwrap();
    assert!(start.elapsed() > Duration::from_secs(4), "the migration was not slow");
    connected.close().await;
}

/// Columns whose type changes, as when another instance upgrades the database.
#[tokio::test]
async fn statement_is_prepared_again_after_a_column_change() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let login = || ada.login("ada", "the password of ada");
    assert_eq!(password_of("ada"), "the password of ada");
    let alter: &[&str] = match server.app.database.read().get_database_backend() {
        DbBackend::Postgres => &[
            "ALTER TABLE users ALTER COLUMN first_name TYPE varchar(200)",
            "ALTER TABLE sessions ALTER COLUMN user_agent TYPE varchar(2000)",
            "ALTER TABLE users ADD COLUMN shoe_size int",
        ],
        DbBackend::MySql => {
            &["ALTER TABLE users MODIFY first_name varchar(200)", "ALTER TABLE users ADD COLUMN shoe_size int"]
        }
        _ => &["ALTER TABLE users ADD COLUMN shoe_size int"],
    };
    let other = Database::connect(server.database.url(), Some(2)).await.unwrap();
    for change in alter {
        ada.me().await.data("/me/id");
        login().await.data("/login/accessToken");
        let transaction = other.write().await.unwrap();
        transaction.execute_unprepared(change).await.unwrap();
        transaction.commit().await.unwrap();
        ada.me().await.data("/me/id");
        login().await.data("/login/accessToken");
    }
    other.close().await;
}

/// A transaction that has not written yet restarts on a new connection.
#[tokio::test]
async fn first_statement_of_a_write_is_prepared_again_after_a_column_change() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let database = &server.app.database;
    let alter = match database.read().get_database_backend() {
        DbBackend::Postgres => "ALTER TABLE users ALTER COLUMN first_name TYPE varchar(200)",
        DbBackend::MySql => "ALTER TABLE users MODIFY first_name varchar(200)",
        _ => return,
    };
    let names = async |database: &Database| {
        let transaction = database.write().await.unwrap();
        let users = user::Entity::find().all(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        users.len()
    };
    assert_eq!(names(database).await, 1);
    let other = Database::connect(server.database.url(), Some(2)).await.unwrap();
    let transaction = other.write().await.unwrap();
    transaction.execute_unprepared(alter).await.unwrap();
    transaction.commit().await.unwrap();
    other.close().await;
    assert_eq!(names(database).await, 1);
}

/// Bit 11 of the capabilities of server and client.
const CLIENT_SSL: u32 = 1 << 11;

/// Acts as a MySQL 8 server up to the request for the cleartext password. Returns the capabilities that the client
/// sent.
async fn request_password(mut stream: impl AsyncRead + AsyncWrite + Unpin, capabilities: u32) -> io::Result<u32> {
    let [low, high] =
        [capabilities & 0xFFFF, capabilities >> 16].map(|half| u16::try_from(half).unwrap().to_le_bytes());
    let mut greeting = b"\x0a8.0.36\0\x01\0\0\0saltsalt\0".to_vec();
    greeting.extend(low);
    greeting.extend([45, 2, 0]);
    greeting.extend(high);
    greeting.extend(b"\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0caching_sha2_password\0");
    send(&mut stream, 0, &greeting).await?;
    let response = receive(&mut stream).await?;
    let client_capabilities = u32::from_le_bytes(response[..4].try_into().unwrap());
    if client_capabilities & CLIENT_SSL == 0 {
        send(&mut stream, 2, b"\x01\x04").await?;
        // The client requests the server's public key.
        assert_eq!(receive(&mut stream).await?, b"\x02");
        send(&mut stream, 4, b"\x01-----BEGIN PUBLIC KEY-----").await?;
    }
    Ok(client_capabilities)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), sequence: u8, payload: &[u8]) -> io::Result<()> {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap().to_le_bytes();
    stream.write_all(&[&[a, b, c, sequence], payload].concat()).await
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let mut payload = vec![0; usize::from(head[0]) + (usize::from(head[1]) << 8)];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

/// Protocol 4.1, connecting to a database, secure authentication, plugins and their data.
const MYSQL_8: u32 = 1 << 9 | 1 << 3 | 1 << 15 | 1 << 19 | 1 << 21;

async fn connect_to_mysql(url: String) -> String {
    let url = DatabaseUrl::parse(&url.into()).unwrap();
    let error = Database::connect(&url, Some(2)).await.expect_err("the server does not authenticate");
    format!("{:?}", Error::from(error))
}

#[tokio::test]
async fn mysql_password_that_needs_encryption_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://ada:secret@{}/hallpass", listener.local_addr().unwrap());
    let serving = async { request_password(listener.accept().await.unwrap().0, MYSQL_8).await.unwrap() };
    let (text, _) = tokio::join!(connect_to_mysql(url), serving);
    assert!(text.contains("`?ssl-mode=REQUIRED` in DATABASE_URL"), "{text}");
    assert!(!text.contains("feature"), "{text}");
}

#[tokio::test]
async fn mysql_password_that_needs_encryption_is_explained_on_a_socket() {
    let path = std::env::temp_dir().join(format!("hallpass_test_{}_mysql", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let url = format!("mysql://ada:secret@localhost/hallpass?socket={}", path.display());
    let serving = async { request_password(listener.accept().await.unwrap().0, MYSQL_8).await.unwrap() };
    let (text, _) = tokio::join!(connect_to_mysql(url), serving);
    std::fs::remove_file(path).unwrap();
    assert!(text.contains("`?ssl-mode=REQUIRED` in DATABASE_URL"), "{text}");
}

#[tokio::test]
async fn mysql_connection_is_encrypted_if_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://ada:secret@{}/hallpass", listener.local_addr().unwrap());
    let serving = async { request_password(listener.accept().await.unwrap().0, MYSQL_8 | CLIENT_SSL).await.unwrap() };
    let (_, client_capabilities) = tokio::join!(connect_to_mysql(url), serving);
    assert_ne!(client_capabilities & CLIENT_SSL, 0);
}
