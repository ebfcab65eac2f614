//! `hallpass audit`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;

use super::{
    FAST, Folder, LOGIN, PATIENCE, Server, error_text,
    user_list::import_users,
    users::{PASSWORD, pipe, stdout},
};

/// A folder with a database, and these users.
fn with_users(name: &str, usernames: &[&str]) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    for username in usernames {
        stdout(&pipe(&folder, &["user", "add", username], PASSWORD));
    }
    folder
}

/// The events that a command prints.
fn events(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let output = stdout(&folder.run(&[&["audit", "--json"], arguments].concat(), &[]));
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

/// `hallpass audit --follow`, and the actions that it prints.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.hallpass(&[&["audit", "--follow"], arguments].concat(), &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || output.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn next_action(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// Stops it with Ctrl-C. Returns its exit code and the lines that were not read.
    fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

#[test]
fn log_is_oldest_first() {
    let folder = with_users("audit_order", &["ada"]);
    stdout(&folder.run(&["user", "disable", "ada"], &[]));
    stdout(&folder.run(&["user", "enable", "ada"], &[]));
    assert_eq!(actions(&events(&folder, &[])), ["USER_CREATED", "USER_DISABLED", "USER_ENABLED"]);
    let text = stdout(&folder.run(&["audit"], &[]));
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["TIME", "ACTION", "USER", "ACTOR", "ADDRESS", "DETAILS"]);
    assert_eq!(lines[2][1..], ["USER_DISABLED", "ada", "(command", "line)", "-"]);
}

#[test]
fn json_has_the_fields_of_the_api() {
    let folder = with_users("audit_json", &["ada"]);
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(LOGIN).contains("accessToken"));
    let event = &events(&folder, &["--action", "logged_in"])[0];
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    let fields = schema.split("type AuditEvent implements Node {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields = fields.lines().filter_map(|line| line.strip_prefix('\t').or(line.strip_prefix("  "))?.split_once(':'));
    let fields: Vec<&str> = fields.map(|(name, _)| name).filter(|name| name.chars().all(char::is_alphabetic)).collect();
    assert!(fields.len() > 8, "{fields:?}");
    for field in fields {
        assert!(event.get(field).is_some(), "{field}: {event}");
    }
    assert_eq!(event["actor"], event["user"]);
    assert_eq!((&event["user"]["username"], &event["ipAddress"]), (&"ada".into(), &"127.0.0.1".into()));
}

#[test]
fn log_has_the_events_that_meet_all_criteria() {
    let folder = with_users("audit_filter", &["ada", "bo"]);
    stdout(&folder.run(&["user", "disable", "bo"], &[]));
    assert_eq!(actions(&events(&folder, &["--user", "BO"])), ["USER_CREATED", "USER_DISABLED"]);
    let both = ["--action", "USER_DISABLED", "--action", "USER_CREATED"];
    assert_eq!(actions(&events(&folder, &both)), ["USER_CREATED", "USER_CREATED", "USER_DISABLED"]);
    assert_eq!(actions(&events(&folder, &["--user", "bo", "--action", "USER_DISABLED"])), ["USER_DISABLED"]);
    for none in [["--user", "ada", "--until", "1h"], ["--actor", "ada", "--since", "1h"]] {
        assert_eq!(events(&folder, &none), [Value::Null; 0], "{none:?}");
    }
    assert_eq!(events(&folder, &["--since", "1h"]).len(), 3);
    assert_eq!(events(&folder, &["--since", "2999-01-01"]).len(), 0);
}

#[test]
fn deleted_user_is_shown_and_found_by_id() {
    let folder = with_users("audit_deleted", &["ada"]);
    let id = events(&folder, &[])[0]["userId"].as_str().unwrap().to_owned();
    stdout(&folder.run(&["user", "delete", "ada", "--yes"], &[]));
    let of_ada = events(&folder, &["--user", &id]);
    assert_eq!(actions(&of_ada), ["USER_CREATED", "USER_DELETED"]);
    assert_eq!((&of_ada[0]["user"], &of_ada[0]["userId"]), (&Value::Null, &id.as_str().into()));
    let text = stdout(&folder.run(&["audit"], &[]));
    assert!(text.lines().skip(1).all(|line| line.contains(&id)), "{text}");
}

#[test]
fn all_pages_of_the_log_are_printed_once() {
    let folder = with_users("audit_pages", &[]);
    // A page has 500 events.
    import_users(&folder, 1001);
    let events = events(&folder, &[]);
    let mut ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1001);
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 1001);
}

#[test]
fn follow_appends_new_events_once_until_interrupted() {
    let folder = with_users("audit_follow", &["ada"]);
    let follower = Follower::start(&folder, &[]);
    assert_eq!(follower.next_action(), "ACTION");
    assert_eq!(follower.next_action(), "USER_CREATED");
    for (command, action) in [("disable", "USER_DISABLED"), ("enable", "USER_ENABLED")] {
        stdout(&folder.run(&["user", command, "ada"], &[]));
        assert_eq!(follower.next_action(), action);
    }
    assert_eq!(follower.interrupt(), (Some(0), Vec::new()));
}

#[test]
fn follow_waits_for_the_first_event() {
    let folder = with_users("audit_follow_empty", &["ada"]);
    let follower = Follower::start(&folder, &["--user", "ada", "--action", "USER_DISABLED"]);
    assert_eq!(follower.next_action(), "ACTION");
    stdout(&folder.run(&["user", "disable", "ada"], &[]));
    assert_eq!(follower.next_action(), "USER_DISABLED");
    assert_eq!(follower.interrupt(), (Some(0), Vec::new()));
}

#[test]
fn closed_pipe_ends_the_log_quietly() {
    let folder = with_users("audit_closed", &["ada"]);
    for arguments in [&["audit"][..], &["audit", "--json"], &["audit", "--follow"]] {
        let mut command = folder.hallpass(arguments, &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), error_text(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn unknown_users_actions_and_times_are_refused() {
    let folder = with_users("audit_usage", &[]);
    let exit_code = |arguments: &[&str]| folder.run(&[&["audit"], arguments].concat(), &[]).status.code();
    assert_eq!(exit_code(&["--user", "ada"]), Some(1));
    for wrong in [&["--action", "DANCED"][..], &["--since", "1x"], &["--ip", "here"], &["--follow", "--until", "1h"]] {
        assert_eq!(exit_code(wrong), Some(2), "{wrong:?}");
    }
}
