//! `hallpass copy` as a command. Its rules are in `tests/api/copy.rs`.

use std::{fs, io::Write, process::Stdio};

use super::{Folder, Server, assert_fails, error_text, stderr};

const USER: &str =
    "{\"username\":\"ada\",\"hashed_password\":\"$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\"}\n";

/// A folder with a database with one user.
fn filled(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert_eq!(folder.run(&["migrate"], &[]).status.code(), Some(0));
    fs::write(folder.0.join("users.jsonl"), USER).unwrap();
    assert_eq!(folder.run(&["user", "import", "users.jsonl"], &[]).status.code(), Some(0));
    folder
}

#[test]
fn copy_prints_the_rows_of_each_table_and_what_to_set() {
    let folder = filled("copy");
    let output = folder.run(&["copy", "--to", "sqlite://new.db"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("        1  users\n") && printed.contains("rows were copied to SQLite "), "{printed}");
    assert!(printed.ends_with("authenticator apps stop working\n") && printed.contains("SECRET_KEY_FILE=hallpass.key"));
    assert!(!printed.contains("provider_logins"), "{printed}");
    let listed = folder.run(&["user", "list"], &[("DATABASE_URL", "sqlite://new.db")]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains("ada"));
}

#[test]
fn url_of_the_target_can_be_in_a_file_or_on_standard_input() {
    let folder = filled("copy_from_file");
    fs::write(folder.0.join("url"), "sqlite://first.db\n").unwrap();
    let output = folder.run(&["copy", "--to-file", "url"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut command = folder.hallpass(&["copy", "--to-file", "-"], &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sqlite://second.db\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(folder.0.join("first.db").exists() && folder.0.join("second.db").exists());
}

#[test]
fn wrong_arguments_of_copy_exit_with_2_and_show_no_password() {
    let folder = filled("copy_usage");
    for arguments in
        [&["copy"][..], &["copy", "--to", "sqlite://a.db", "--to-file", "a"], &["copy", "--to", "oracle:x"]]
    {
        assert_eq!(folder.run(arguments, &[]).status.code(), Some(2), "{arguments:?}");
    }
    let output = folder.run(&["copy", "--to", "postgres://ada:hunter2@127.0.0.1:1/db"], &[]);
    assert_fails(&output, 1, "all users of this machine can see the password in --to; use --to-file instead");
    assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
    assert_fails(&folder.run(&["copy", "--to-file", "missing"], &[]), 1, "missing can't be read");
}

#[test]
fn source_that_a_server_uses_is_not_copied() {
    let folder = filled("copy_in_use");
    let server = Server::start(&folder, &[]);
    let output = folder.run(&["copy", "--to", "sqlite://new.db"], &[]);
    assert_fails(&output, 1, "nothing was copied: another process has opened SQLite ");
    assert!(!folder.0.join("new.db").exists());
    drop(server);
    assert_eq!(folder.run(&["copy", "--to", "sqlite://new.db"], &[]).status.code(), Some(0));
}

#[test]
fn copy_to_the_same_file_by_another_path_is_refused() {
    let folder = filled("copy_to_itself");
    std::os::unix::fs::symlink("hallpass.db", folder.0.join("link.db")).unwrap();
    for url in ["sqlite://hallpass.db", "sqlite://./hallpass.db", "sqlite://link.db"] {
        let output = folder.run(&["copy", "--to", url], &[]);
        assert_fails(&output, 1, "the source and the target are the same database");
    }
}

#[test]
fn missing_source_of_a_copy_is_not_created() {
    let folder = Folder::new("copy_nothing");
    let output = folder.run(&["copy", "--to", "sqlite://new.db"], &[]);
    assert!(error_text(&output).contains("hallpass.db does not exist"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}
