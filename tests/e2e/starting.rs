//! A server that starts while another process migrates its database.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{
    FAST, Folder, Server, block_on, stderr,
    support::database::{Lock, TestDatabase},
};

/// Maximum time from SIGTERM to exit. Idle connections are closed after one second.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Starts a server while another process holds the migration lock, and runs a closure with it.
fn with_migration_lock(name: &str, is_new: bool, work: impl AsyncFnOnce(&mut Server, Lock)) {
    let folder = Folder::new(name);
    block_on(async {
        let database = if is_new { TestDatabase::create_bare().await } else { TestDatabase::create().await };
        let url = database.url_text();
        let environment = [("DATABASE_URL", url.as_str()), ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8"), FAST];
        if !is_new {
            let down = folder.run(&["migrate", "down", "--yes"], &environment);
            assert!(down.status.success(), "{}", stderr(&down));
        }
        let lock = database.lock_migrations().await;
        let mut server = Server::spawn(&folder, &environment, |binary| Command::new(binary));
        server.wait_for_line("waiting for another process that is migrating the database");
        work(&mut server, lock).await;
    });
}

fn get(server: &Server, path: &str) -> String {
    server.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
}

const INFO: &str = r#"{"query":"{ serverInfo { registrationEnabled } }"}"#;

#[test]
fn health_checks_work_while_another_process_migrates() {
    with_migration_lock("probes", false, async |server, lock| {
        assert!(get(server, "/health/live").starts_with("HTTP/1.1 200"));
        assert!(get(server, "/health/ready").starts_with("HTTP/1.1 503"));
        let answer = server.graphql(INFO);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("SERVICE_UNAVAILABLE"), "{answer}");
        assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
        lock.release().await;
        server.wait_for_line("1 migrations applied");
        server.wait_for_line("ready at");
        assert!(get(server, "/health/ready").starts_with("HTTP/1.1 200"));
        assert!(server.graphql(INFO).starts_with("HTTP/1.1 200"));
    });
}

#[test]
fn server_waiting_for_another_migration_stops_immediately() {
    with_migration_lock("stop_waiting", false, async |server, lock| {
        assert!(get(server, "/health/live").starts_with("HTTP/1.1 200"));
        let start = Instant::now();
        server.signal("-TERM");
        server.last_lines();
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert!(start.elapsed() < SHUTDOWN_LIMIT, "{:?}", start.elapsed());
        lock.release().await;
    });
}

#[test]
fn server_on_a_new_database_waits_for_another_migration() {
    with_migration_lock("new_database", true, async |server, lock| {
        assert!(get(server, "/health/live").starts_with("HTTP/1.1 200"));
        assert!(get(server, "/health/ready").starts_with("HTTP/1.1 503"));
        lock.release().await;
        server.wait_for_line("ready at");
        assert!(get(server, "/health/ready").starts_with("HTTP/1.1 200"));
    });
}
