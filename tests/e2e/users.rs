//! `hallpass user`: account administration while a server is running.

use std::{
    io::Write,
    process::{Output, Stdio},
};

use super::{FAST, Folder, LOGIN, Server, assert_fails, error_text, stderr};

pub(super) const PASSWORD: &str = "correct horse";

/// Runs a command with this standard input.
pub(super) fn pipe(folder: &Folder, arguments: &[&str], input: &str) -> Output {
    let mut command = folder.hallpass(arguments, &[FAST]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The process may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(text.clone()).unwrap();
        assert!(input.lines().all(|line| line.is_empty() || !text.contains(line)), "{text}");
        assert!(!text.contains("bcrypt"), "{text}");
    }
    output
}

pub(super) fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn first_administrator_can_be_created_before_the_first_start() {
    let folder = Folder::new("first_admin");
    let add = ["user", "add", "ada", "--email", "ada@example.org", "--role", "user", "--role", "admin"];
    let output = pipe(&folder, &add, PASSWORD);
    assert_fails(&output, 1, "run `hallpass migrate` first");
    assert!(folder.run(&["migrate"], &[]).status.success());

    assert_eq!(stdout(&pipe(&folder, &add, "correct horse\n")), "ada was created, with the roles admin, user\n");
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(LOGIN).contains("accessToken"));

    let list = stdout(&folder.run(&["user", "list"], &[FAST]));
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert_eq!(lines[0], ["USERNAME", "EMAIL", "ROLES", "ACTIVE", "CREATED", "LAST", "LOGIN"]);
    assert_eq!(lines[1][..4], ["ada", "ada@example.org", "admin,user", "yes"]);
    assert!(lines[1][4..].iter().all(|at| at.starts_with("20") && at.ends_with('Z')), "{list}");

    let list = stdout(&folder.run(&["user", "list", "--json"], &[FAST]));
    let ada: serde_json::Value = serde_json::from_str(list.trim()).unwrap();
    assert_eq!((&ada["username"], &ada["isActive"]), (&"ada".into(), &true.into()));
    assert!(!list.contains("hash") && !list.contains("Hash"), "{list}");
}

#[test]
fn operator_changes_affect_a_running_server() {
    let folder = Folder::new("operator");
    let server = Server::start(&folder, &[FAST]);
    for (name, roles) in [("ada", "user"), ("grace", "admin")] {
        stdout(&pipe(&folder, &["user", "add", name, "--role", roles], PASSWORD));
    }
    let sign_in =
        || server.graphql(LOGIN).split(r#""accessToken":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let token = sign_in();
    assert!(server.me(&token).contains(r#""username":"ada""#));

    assert_eq!(stdout(&folder.run(&["user", "disable", "ADA"], &[])), "ada is disabled; all sessions were ended\n");
    assert!(server.me(&token).contains("SESSION_REVOKED"));
    assert!(server.graphql(LOGIN).contains("ACCOUNT_DISABLED"));
    assert_eq!(stdout(&folder.run(&["user", "enable", "ada"], &[])), "ada is enabled\n");
    let token = sign_in();

    let changed = pipe(&folder, &["user", "set-password", "ada"], "another horse\r\n");
    assert_eq!(stdout(&changed), "the password of ada was changed; all sessions were ended\n");
    assert!(server.me(&token).contains("SESSION_REVOKED"));
    assert!(server.graphql(LOGIN).contains("INVALID_CREDENTIALS"));
    assert!(server.graphql(&LOGIN.replace(PASSWORD, "another horse")).contains("accessToken"));

    let last = folder.run(&["user", "disable", "grace"], &[]);
    assert_fails(&last, 1, "This is the last active administrator.");
    assert_fails(&folder.run(&["user", "set-roles", "grace", ""], &[]), 1, "last active administrator");
    assert_eq!(
        stdout(&folder.run(&["user", "set-roles", "ada", "user, admin"], &[])),
        "ada has the roles admin, user\n"
    );
    assert_eq!(stdout(&folder.run(&["user", "set-roles", "grace", ""], &[])), "grace has no roles\n");
}

#[test]
fn operator_can_set_and_verify_emails_and_delete_users() {
    let folder = Folder::new("addresses");
    assert!(folder.run(&["migrate"], &[]).status.success());
    stdout(&pipe(&folder, &["user", "add", "ada", "--email", "ada@exmaple.org"], PASSWORD));
    let print = |arguments: &[&str]| stdout(&folder.run(arguments, &[]));
    let unverified = "ada has the address ada@example.org, which is not verified yet\n";
    assert_eq!(print(&["user", "set-email", "ada", "ada@example.org"]), unverified);
    let verified = "ada has the address ada@example.org, which is verified\n";
    assert_eq!(print(&["user", "verify-email", "ada@example.org"]), verified);
    let verified = "ada has the address ada@new.example, which is verified\n";
    assert_eq!(print(&["user", "set-email", "ada", "ada@new.example", "--verified"]), verified);

    assert_fails(&pipe(&folder, &["user", "delete", "ada"], "ada\n"), 2, "use --yes");
    assert_eq!(print(&["user", "delete", "ada", "--yes"]), "ada is deleted\n");
    assert_fails(&folder.run(&["user", "delete", "ada", "--yes"], &[]), 1, "there is no user with this username");
    stdout(&pipe(&folder, &["user", "add", "grace", "--role", "admin"], PASSWORD));
    assert_fails(&folder.run(&["user", "delete", "grace", "--yes"], &[]), 1, "This is the last active administrator.");
    assert_fails(&folder.run(&["user", "verify-email", "grace"], &[]), 1, "email: This field is required.");
}

#[test]
fn impossible_commands_are_reported() {
    let folder = Folder::new("operator_errs");
    assert!(folder.run(&["migrate"], &[]).status.success());
    let short = pipe(&folder, &["user", "add", "a da", "--role", "root"], "hunter2");
    assert_fails(
        &short,
        1,
        "nothing was changed:\n  username: Use only letters (A-Z), digits, underscores and hyphens, and do not start with a hyphen.\n",
    );
    assert!(stderr(&short).contains("\n  password: Use at least 8 characters.\n"), "{}", stderr(&short));
    assert!(stderr(&short).ends_with(
        "\n  roles: This role does not exist. Choose one of the roles of this server. ROLES has admin, user.\n"
    ));
    for arguments in
        [["user", "disable", "ada"], ["user", "enable", "ada"], ["user", "set-password", "ada@example.org"]]
    {
        assert_fails(&pipe(&folder, &arguments, PASSWORD), 1, "there is no user with this username or e-mail address");
    }
    assert_fails(&folder.run(&["user", "add", "ada"], &[]), 1, "the first line of standard input");
    assert_fails(&pipe(&folder, &["user", "add", "ada"], "\n"), 1, "password: This field is required.");
    stdout(&pipe(&folder, &["user", "add", "ada"], PASSWORD));
    assert_fails(&pipe(&folder, &["user", "add", "Ada"], PASSWORD), 1, "username: This username is taken.");
    assert_fails(&folder.run(&["user", "set-roles", "ada", "user,root"], &[]), 1, "roles: This role does not exist.");

    for wrong in [
        ["user"].as_slice(),
        &["user", "remove", "ada"],
        &["user", "add"],
        &["user", "add", "ada", PASSWORD],
        &["user", "add", "ada", "--password", PASSWORD],
        &["user", "set-password", "ada", PASSWORD],
        &["user", "set-roles", "ada"],
        &["user", "list", "--xml"],
    ] {
        assert_eq!(folder.run(wrong, &[]).status.code(), Some(2), "{wrong:?}");
    }
    let listed = stdout(&folder.run(&["user", "list"], &[]));
    assert_eq!(listed.lines().count(), 2, "{listed}");
}

#[test]
fn closed_pipe_does_not_fail_a_list() {
    let folder = Folder::new("cut_off");
    assert!(folder.run(&["migrate"], &[]).status.success());
    stdout(&pipe(&folder, &["user", "add", "ada"], PASSWORD));
    let mut child =
        folder.hallpass(&["user", "list"], &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), error_text(&output).as_str()), (Some(0), ""));
}

#[test]
fn removed_role_is_reported_marked_and_kept() {
    const BEFORE: (&str, &str) = ("ROLES", "admin,editor,user");
    let folder = Folder::new("removed_role");
    assert!(folder.run(&["migrate"], &[]).status.success());
    stdout(&pipe(&folder, &["user", "add", "ada"], PASSWORD));
    stdout(&folder.run(&["user", "set-roles", "ada", "editor,user"], &[BEFORE]));
    let server = Server::start(&folder, &[FAST]);
    server.wait_for_line("users hold a role that is not in ROLES; it is ignored role=\"editor\" users=1");

    assert!(stdout(&folder.run(&["user", "list"], &[])).contains("  user,editor (not in ROLES)  "));
    let list: serde_json::Value = serde_json::from_str(&stdout(&folder.run(&["user", "list", "--json"], &[]))).unwrap();
    assert_eq!((&list["roles"], &list["unknownRoles"]), (&["user"].into(), &["editor"].into()));

    for format in ["jsonl", "csv"] {
        let exported = stdout(&folder.run(&["user", "export", "--with-hashes", "--format", format], &[]));
        let new = Folder::new(&format!("removed_role_{format}"));
        assert!(new.run(&["migrate"], &[]).status.success());
        std::fs::write(new.0.join("people"), &exported).unwrap();
        let imported = new.run(&["user", "import", "people", "--format", format], &[]);
        assert_eq!(stdout(&imported), "1 imported, 0 already there, 0 refused\n");
        let again = stdout(&new.run(&["user", "export", "--with-hashes", "--format", format], &[]));
        assert_eq!(again, exported);
    }
}

#[test]
fn username_with_a_leading_hyphen_follows_a_double_hyphen() {
    let folder = Folder::new("hyphen");
    assert!(folder.run(&["migrate"], &[]).status.success());
    assert_fails(&pipe(&folder, &["user", "add", "--", "-x"], PASSWORD), 1, "do not start with a hyphen.");
    // A user of an older version.
    let hash = "$2b$04$DxDNUd7wpVTwsZfGb5CqwuZhVbFtlVWFDS7xb25wIVeKhcK3WIXMG";
    std::fs::write(folder.0.join("people.csv"), format!("username,hashed_password\n-h,{hash}\n")).unwrap();
    stdout(&folder.run(&["user", "import", "people.csv"], &[]));
    assert!(stdout(&folder.run(&["user", "disable", "-h"], &[])).contains("Usage: "));
    assert_eq!(stdout(&folder.run(&["user", "disable", "--", "-h"], &[])), "-h is disabled; all sessions were ended\n");
}

#[test]
fn operator_invites_by_mail() {
    let folder = Folder::new("invite");
    assert!(folder.run(&["migrate"], &[]).status.success());
    let invite = ["user", "invite", "ada@example.org", "--role", "user", "--role", "admin"];
    let printed = stdout(&folder.run(&invite, &[FAST]));
    assert!(printed.starts_with("ada@example.org is invited until 20"), "{printed}");
    assert!(printed.ends_with("Z, with the roles admin, user\n"), "{printed}");
    assert_fails(&folder.run(&["user", "invite", "ada"], &[FAST]), 1, "email: This is not an e-mail address.");
    let unknown = folder.run(&["user", "invite", "bo@example.org", "--role", "root"], &[FAST]);
    assert_fails(&unknown, 1, "ROLES has admin, user.");
    stdout(&pipe(&folder, &["user", "add", "bo", "--email", "bo@example.org"], PASSWORD));
    assert_fails(&folder.run(&["user", "invite", "bo@example.org"], &[FAST]), 1, "already exists");
}
