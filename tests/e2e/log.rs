//! The lines that the server logs while it handles requests, as text and as JSON.

use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;

use super::{FAST, Folder, LOGIN, PATIENCE, REGISTER, Server, block_on};

/// Logged by the throttle when it can't withdraw an attempt.
const WARNING: &str = "failed to withdraw an attempt";

/// A server whose throttle can count attempts but not withdraw them.
fn start(folder: &Folder, format: &str) -> Server {
    let server = Server::start(folder, &[FAST, ("LOG_FORMAT", format)]);
    assert!(server.graphql(REGISTER).contains("ada"));
    let url = format!("sqlite://{}", folder.0.join("hallpass.db").display());
    block_on(async {
        let connection = Database::connect(url).await.unwrap();
        let trigger = "CREATE TRIGGER stuck BEFORE UPDATE ON throttles WHEN length(NEW.attempts) < length(OLD.attempts) \
                       BEGIN SELECT RAISE(ABORT, 'stuck'); END";
        connection.execute_unprepared(trigger).await.unwrap();
        connection.close().await.unwrap();
    });
    server
}

/// Signs in. Returns the request ID.
fn sign_in(server: &Server) -> String {
    let answer = server.graphql(LOGIN);
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    id.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn wait_for(server: &Server, text: &str) -> String {
    loop {
        let line = server.log.recv_timeout(PATIENCE).unwrap();
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn warning_from_the_domain_has_a_request_id_in_text() {
    let folder = Folder::new("warning_text");
    let server = start(&folder, "text");
    let id = sign_in(&server);
    let line = wait_for(&server, WARNING);
    assert!(line.contains(&format!("request_id={id}")) && line.contains("client=127.0.0.1"), "{line}");
}

#[test]
fn warning_from_the_domain_has_a_request_id_in_json() {
    let folder = Folder::new("warning_json");
    let server = start(&folder, "json");
    let id = sign_in(&server);
    let line: Value = serde_json::from_str(&wait_for(&server, WARNING)).unwrap();
    assert_eq!((&line["span"]["request_id"], &line["level"]), (&id.into(), &"WARN".into()), "{line}");
}

#[test]
fn json_contains_operation_code_and_status() {
    let folder = Folder::new("json_log");
    let server = Server::start(&folder, &[("LOG_FORMAT", "json")]);
    server.graphql(r#"{"query":"query WhoAmI { me { id } }"}"#);
    // All lines are JSON, including those before the request.
    let line = loop {
        let line: Value = serde_json::from_str(&server.log.recv_timeout(PATIENCE).unwrap()).unwrap();
        if !line["status"].is_null() {
            break line;
        }
    };
    assert_eq!(
        (&line["span"]["operation"], &line["code"], &line["status"]),
        (&"WhoAmI".into(), &"UNAUTHENTICATED".into(), &200.into())
    );
}
