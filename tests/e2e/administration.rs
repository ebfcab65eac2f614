//! `hallpass user`: what administrators can do over GraphQL, on the command line.

use serde_json::Value;

use super::{
    FAST, Folder, LOGIN, Server, assert_fails,
    users::{PASSWORD, pipe, stdout},
};

/// A folder with a database, and a user `ada` with the address ada@example.org.
fn with_ada(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    stdout(&pipe(&folder, &["user", "add", "ada", "--email", "ada@example.org"], PASSWORD));
    folder
}

fn show(folder: &Folder, user: &str) -> Value {
    serde_json::from_str(&stdout(&folder.run(&["user", "show", user, "--json"], &[]))).unwrap()
}

/// The details of the only event with this action: names and values.
fn details(folder: &Folder, action: &str) -> Value {
    let event = stdout(&folder.run(&["audit", "--json", "--action", action], &[]));
    let event: Value = serde_json::from_str(&event).unwrap();
    event.get("details").cloned().unwrap()
}

#[test]
fn show_has_the_fields_of_the_api_and_the_sessions() {
    let folder = with_ada("show");
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(LOGIN).contains("accessToken"));
    let ada = show(&folder, "ADA@example.org");
    assert_eq!(ada["username"], "ada");
    assert_eq!((&ada["emailVerified"], &ada["pendingEmail"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(ada["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(ada["sessions"][0]["ipAddress"], "127.0.0.1");

    let text = stdout(&folder.run(&["user", "show", "ada"], &[]));
    let ends = ["email          ada@example.org (not verified)\n", "active         yes\n", "sessions       1\n"];
    assert!(ends.iter().all(|line| text.contains(line)), "{text}");
    assert!(text.lines().last().unwrap().contains("127.0.0.1: signed in 20"), "{text}");
}

#[test]
fn show_prints_nothing_about_an_unknown_user() {
    let folder = with_ada("show_unknown");
    let output = folder.run(&["user", "show", "bo"], &[]);
    assert_fails(&output, 1, "there is no user with this username or e-mail address");
    assert!(output.stdout.is_empty());
}

#[test]
fn revoke_sessions_ends_the_sessions_of_a_running_server() {
    let folder = with_ada("revoke");
    let server = Server::start(&folder, &[FAST]);
    let signed_in = server.graphql(LOGIN);
    let token = signed_in.split(r#""accessToken":""#).nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(stdout(&folder.run(&["user", "revoke-sessions", "ada"], &[])), "sessions of ada that were ended: 1\n");
    assert!(server.me(token).contains("SESSION_REVOKED"));
    assert!(server.graphql(LOGIN).contains("accessToken"));
}

#[test]
fn update_changes_given_fields_only() {
    let folder = with_ada("update");
    let names = ["user", "update", "ada", "--first-name", "Ada", "--last-name", "Lovelace"];
    assert_eq!(stdout(&folder.run(&names, &[])), "ada is up to date\n");
    stdout(&folder.run(&["user", "update", "ada", "--username", "lovelace"], &[]));
    let ada = show(&folder, "lovelace");
    assert_eq!((&ada["firstName"], &ada["lastName"]), (&"Ada".into(), &"Lovelace".into()));
    assert_eq!(ada["email"], "ada@example.org");
}

#[test]
fn update_clears_a_name_with_an_empty_value() {
    let folder = with_ada("update_clear");
    stdout(&folder.run(&["user", "update", "ada", "--first-name", "Ada"], &[]));
    stdout(&folder.run(&["user", "update", "ada", "--first-name", ""], &[]));
    assert_eq!(show(&folder, "ada")["firstName"], Value::Null);
    let username = folder.run(&["user", "update", "ada", "--username", ""], &[]);
    assert_fails(&username, 1, "username: This field is required.");
}

#[test]
fn update_sets_and_withdraws_the_verification_of_an_address() {
    let folder = with_ada("update_email");
    stdout(&folder.run(&["user", "update", "ada", "--email", "ada@new.example", "--email-verified", "true"], &[]));
    let ada = show(&folder, "ada");
    assert_eq!((&ada["email"], &ada["emailVerified"]), (&"ada@new.example".into(), &Value::Bool(true)));
    stdout(&folder.run(&["user", "update", "ada", "--email-verified", "false"], &[]));
    assert_eq!(show(&folder, "ada")["emailVerified"], Value::Bool(false));
}

#[test]
fn update_without_fields_is_a_usage_error() {
    let folder = with_ada("update_nothing");
    assert_fails(&folder.run(&["user", "update", "ada"], &[]), 2, "--first-name");
}

#[test]
fn send_password_reset_keeps_the_password() {
    let folder = with_ada("send_reset");
    let sent = folder.run(&["user", "send-password-reset", "ada"], &[]);
    assert_eq!(stdout(&sent), "a link to choose a new password is sent to ada@example.org\n");
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(LOGIN).contains("accessToken"));
}

#[test]
fn send_password_reset_needs_an_address_and_an_active_account() {
    let folder = with_ada("send_reset_fails");
    stdout(&pipe(&folder, &["user", "add", "bo"], PASSWORD));
    assert_fails(&folder.run(&["user", "send-password-reset", "bo"], &[]), 1, "email: This field is required.");
    stdout(&folder.run(&["user", "disable", "ada"], &[]));
    assert_fails(&folder.run(&["user", "send-password-reset", "ada"], &[]), 1, "disabled");
}

#[test]
fn add_with_send_link_reads_no_password() {
    let folder = with_ada("send_link");
    let add = ["user", "add", "bo", "--email", "bo@example.org", "--send-link", "--verified"];
    assert_eq!(
        stdout(&folder.run(&add, &[FAST])),
        "bo was created, with the role user; a link to choose a password is sent to bo@example.org\n"
    );
    assert_eq!(show(&folder, "bo")["emailVerified"], Value::Bool(true));
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(&LOGIN.replace("ada", "bo")).contains("INVALID_CREDENTIALS"));
}

#[test]
fn add_with_send_link_needs_an_address() {
    let folder = with_ada("send_link_usage");
    assert_fails(&folder.run(&["user", "add", "bo", "--send-link"], &[]), 2, "--email");
    assert_fails(&folder.run(&["user", "add", "bo", "--email", "bo@example.org", "--verified"], &[]), 2, "--send-link");
}

#[test]
fn reason_is_in_the_audit_log() {
    let folder = with_ada("reason");
    stdout(&folder.run(&["user", "disable", "ada", "--reason", "asked for it"], &[]));
    stdout(&folder.run(&["user", "delete", "ada", "--yes", "--reason", "left"], &[]));
    for (action, reason) in [("USER_DISABLED", "asked for it"), ("USER_DELETED", "left")] {
        assert_eq!(details(&folder, action), serde_json::json!([{ "name": "reason", "value": reason }]));
    }
}

#[test]
fn too_long_reason_changes_nothing() {
    let folder = with_ada("long_reason");
    let disabled = folder.run(&["user", "disable", "ada", "--reason", &"x".repeat(501)], &[]);
    assert_fails(&disabled, 1, "reason: ");
    assert_eq!(show(&folder, "ada")["isActive"], Value::Bool(true));
}

#[test]
fn invitations_are_listed_newest_first() {
    let folder = with_ada("invitations");
    for email in ["bo@example.org", "carl@example.org"] {
        stdout(&folder.run(&["user", "invite", email], &[]));
    }
    let list = stdout(&folder.run(&["user", "invitations"], &[]));
    let emails: Vec<_> = list.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(emails, ["EMAIL", "carl@example.org", "bo@example.org"]);
    let list = stdout(&folder.run(&["user", "invitations", "--json"], &[]));
    let first: Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    assert_eq!((&first["email"], &first["invitedBy"]), (&"carl@example.org".into(), &Value::Null));
}

#[test]
fn invitation_is_revoked_by_address_or_id() {
    let folder = with_ada("revoke_invitation");
    for email in ["bo@example.org", "carl@example.org"] {
        stdout(&folder.run(&["user", "invite", email], &[]));
    }
    let revoke = |invitation: &str| folder.run(&["user", "revoke-invitation", invitation], &[]);
    assert_eq!(stdout(&revoke("BO@example.org")), "the invitation of bo@example.org is revoked\n");
    let rest: Value = serde_json::from_str(&stdout(&folder.run(&["user", "invitations", "--json"], &[]))).unwrap();
    assert_eq!(stdout(&revoke(rest["id"].as_str().unwrap())), "the invitation of carl@example.org is revoked\n");
    for gone in ["bo@example.org", rest["id"].as_str().unwrap(), "nobody"] {
        assert_fails(&revoke(gone), 1, "there is no open invitation with this id or e-mail address");
    }
}
