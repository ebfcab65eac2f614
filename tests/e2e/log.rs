//! The lines that the server logs while it handles requests, as text and as JSON.

use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;

use super::{FAST, Folder, LOGIN, PATIENCE, REGISTER, Server, block_on};

/// Logged by the throttle when it can't take back an attempt.
const WARNING: &str = "failed to withdraw an attempt";

/// A server whose throttle can count attempts but not take them back.
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

/// Signs in, and returns the id of the request.
fn fail_to_sign_in(server: &Server) -> String {
    let answer = server.graphql(LOGIN);
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    id.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn line_with(server: &Server, text: &str) -> String {
    loop {
        let line = server.log.recv_timeout(PATIENCE).unwrap();
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn warning_of_the_domain_names_its_request_in_text() {
    let folder = Folder::new("warning_text");
    let server = start(&folder, "text");
    let id = fail_to_sign_in(&server);
    let line = line_with(&server, WARNING);
    assert!(line.contains(&format!("request_id={id}")) && line.contains("client=127.0.0.1"), "{line}");
}

#[test]
fn warning_of_the_domain_names_its_request_in_json() {
    let folder = Folder::new("warning_json");
    let server = start(&folder, "json");
    let id = fail_to_sign_in(&server);
    let line: Value = serde_json::from_str(&line_with(&server, WARNING)).unwrap();
    assert_eq!((&line["span"]["request_id"], &line["level"]), (&id.into(), &"WARN".into()), "{line}");
}

#[test]
fn json_names_operation_code_and_status_of_a_request() {
    let folder = Folder::new("json_log");
    let server = Server::start(&folder, &[("LOG_FORMAT", "json")]);
    server.graphql(r#"{"query":"query WhoAmI { me { id } }"}"#);
    // Each line is JSON, those before the request's too.
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
