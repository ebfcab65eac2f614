//! `hallpass backup` and `hallpass restore`.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use super::{FAST, Folder, LOGIN, REGISTER, Server, assert_fails, stderr};

fn run(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.run(arguments, &[]);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the files that begin with `hallpass.db.before-`.
fn kept(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("hallpass.db.before-")).collect()
}

/// A folder with a database in which Ada has registered, its backup without her, and no server.
fn with_backup(name: &str) -> Folder {
    let folder = Folder::new(name);
    run(&folder, &["migrate"]);
    run(&folder, &["backup", "backup.db"]);
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(REGISTER).contains("ada"));
    drop(server);
    folder
}

#[test]
fn backup_of_a_running_server_is_private_and_complete() {
    let folder = Folder::new("backup");
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(REGISTER).contains("ada"));
    let printed = run(&folder, &["backup", "backup.db"]);
    assert!(printed.starts_with("backup.db has ") && printed.contains("SECRET_KEY"), "{printed}");
    let mode = fs::metadata(folder.0.join("backup.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
    for file in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        let _ = fs::remove_file(folder.0.join(file));
    }
    run(&folder, &["restore", "backup.db"]);
    assert!(Server::start(&folder, &[FAST]).graphql(LOGIN).contains("accessToken"));
}

#[test]
fn backup_never_replaces_a_file() {
    let folder = Folder::new("backup_exists");
    run(&folder, &["migrate"]);
    fs::write(folder.0.join("backup.db"), "precious").unwrap();
    assert_fails(&folder.run(&["backup", "backup.db"], &[]), 1, "backup.db can't be written");
    assert_fails(&folder.run(&["backup", "hallpass.db"], &[]), 1, "hallpass.db can't be written");
    assert_fails(&folder.run(&["backup", "no/folder.db"], &[]), 1, "no/folder.db can't be written");
    assert_eq!(fs::read_to_string(folder.0.join("backup.db")).unwrap(), "precious");
}

#[test]
fn restore_keeps_the_replaced_database_with_its_latest_changes() {
    let folder = with_backup("restore");
    // The server was killed.
    assert!(folder.0.join("hallpass.db-wal").exists());
    let printed = run(&folder, &["restore", "backup.db"]);
    let names = kept(&folder);
    assert!(names.len() == 1 && printed.contains(&names[0]), "{printed}{names:?}");
    assert!(!folder.0.join("hallpass.db-wal").exists() && !folder.0.join("hallpass.db-shm").exists());
    assert!(Server::start(&folder, &[FAST]).graphql(LOGIN).contains("INVALID_CREDENTIALS"));
    fs::remove_file(folder.0.join("hallpass.db")).unwrap();
    run(&folder, &["restore", &names[0]]);
    assert!(Server::start(&folder, &[FAST]).graphql(LOGIN).contains("accessToken"));
}

#[test]
fn restore_is_refused_while_a_server_runs() {
    let folder = with_backup("restore_in_use");
    let server = Server::start(&folder, &[FAST]);
    let output = folder.run(&["restore", "backup.db"], &[]);
    assert_fails(&output, 1, "nothing was changed: another process has opened hallpass.db. Stop Hallpass");
    assert!(server.graphql(LOGIN).contains("accessToken"));
    assert_eq!(kept(&folder), Vec::<String>::new());
}

#[test]
fn damaged_and_foreign_files_are_not_restored() {
    let folder = with_backup("restore_damaged");
    let backup = fs::read(folder.0.join("backup.db")).unwrap();
    let mut damaged = backup.clone();
    damaged[8192..20_000].fill(0xA5);
    fs::write(folder.0.join("damaged.db"), damaged).unwrap();
    fs::write(folder.0.join("cut.db"), &backup[..backup.len() / 2]).unwrap();
    fs::write(folder.0.join("text.db"), "no database".repeat(1000)).unwrap();
    fs::write(folder.0.join("empty.db"), "").unwrap();
    fs::write(folder.0.join("copied.db"), &backup).unwrap();
    fs::write(folder.0.join("copied.db-wal"), "the rest").unwrap();
    let before = fs::read(folder.0.join("hallpass.db")).unwrap();
    for (file, expected) in [
        ("damaged.db", "it is not an intact SQLite database"),
        ("cut.db", "it is not an intact SQLite database"),
        ("text.db", "it is not an intact SQLite database"),
        ("empty.db", "it is not a database of Hallpass"),
        ("copied.db", "copied.db-wal has a part of its data"),
        ("hallpass.db", "it is the database itself"),
        ("missing.db", "nothing was changed: missing.db can't be restored"),
    ] {
        assert_fails(&folder.run(&["restore", file], &[]), 1, expected);
        assert!(fs::read(folder.0.join("hallpass.db")).unwrap() == before, "{file}");
    }
    let drafts = fs::read_dir(&folder.0)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("draft"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn backup_of_a_later_version_is_not_restored() {
    let folder = with_backup("restore_newer");
    let later = "INSERT INTO seaql_migrations (version, applied_at, is_additive) VALUES ('m29990101_later', 1, 0)";
    let status = Command::new("sqlite3").arg(folder.0.join("backup.db")).arg(later).status().unwrap();
    assert!(status.success());
    assert_fails(&folder.run(&["restore", "backup.db"], &[]), 1, "the database is newer than this version of Hallpass");
}

#[test]
fn damaged_database_is_replaced_and_kept_as_it_is() {
    let folder = with_backup("restore_over_damaged");
    fs::write(folder.0.join("hallpass.db"), "damaged".repeat(1000)).unwrap();
    fs::write(folder.0.join("hallpass.db-wal"), "old log").unwrap();
    run(&folder, &["restore", "backup.db"]);
    let name = kept(&folder).into_iter().find(|name| !name.ends_with("-wal")).unwrap();
    assert_eq!(fs::read_to_string(folder.0.join(&name)).unwrap(), "damaged".repeat(1000));
    assert_eq!(fs::read_to_string(folder.0.join(format!("{name}-wal"))).unwrap(), "old log");
    assert!(Server::start(&folder, &[FAST]).graphql(REGISTER).contains("ada"));
}

#[test]
fn backup_of_a_server_database_names_its_tools() {
    let folder = Folder::new("backup_of_server");
    let key = ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");
    for (scheme, tool) in [("postgres", "pg_dump"), ("mysql", "mysqldump")] {
        let url = format!("{scheme}://ada:hunter2@127.0.0.1:1/accounts");
        for command in ["backup", "restore"] {
            assert_fails(&folder.run(&[command, "backup.db"], &[("DATABASE_URL", &url), key]), 1, tool);
        }
    }
}
