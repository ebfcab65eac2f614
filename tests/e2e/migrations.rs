//! `hallpass migrate`, and processes killed during it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{BINARY, Folder, Server, assert_fails, block_on, stderr, support::database::TestDatabase};

/// How often a process is killed while migrating up, and how often while migrating down.
fn kills() -> u32 {
    std::env::var_os("MIGRATION_KILLS").map_or(20, |kills| kills.into_string().unwrap().parse().unwrap())
}

/// A separate database on the server of `TEST_DATABASE_URL`, and the binary.
struct Migrated {
    folder: Folder,
    database: TestDatabase,
}

impl Migrated {
    fn new(name: &str) -> Self {
        Self { folder: Folder::new(name), database: block_on(TestDatabase::create_bare()) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let secret = ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");
        self.folder.hallpass(arguments, &[("DATABASE_URL", &self.database.url_text()), secret])
    }

    /// Runs it successfully to completion. Returns the output, and how long it took after it had named the
    /// database.
    fn run(&self, arguments: &[&str]) -> (String, Duration) {
        let (output, took) = self.run_and_kill(arguments, None);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        (String::from_utf8(output.stdout).unwrap(), took)
    }

    /// Kills it this long after it has named the database.
    fn run_and_kill(&self, arguments: &[&str], kill_after: Option<Duration>) -> (Output, Duration) {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        log.read_line(&mut text).unwrap();
        let start = Instant::now();
        if let Some(delay) = kill_after {
            thread::sleep(delay);
            child.kill().unwrap();
        }
        std::io::Read::read_to_string(&mut log, &mut text).unwrap();
        let mut output = child.wait_with_output().unwrap();
        output.stderr = text.into_bytes();
        (output, start.elapsed())
    }

    fn schema(&self) -> Vec<String> {
        block_on(self.database.schema())
    }
}

const UP: [&str; 2] = ["migrate", "up"];
const DOWN: [&str; 5] = ["migrate", "down", "--steps", "99", "--yes"];

#[test]
fn killed_migration_can_be_run_again() {
    let migrated = Migrated::new("killed_migration");
    let (listed, up_takes) = migrated.run(&UP);
    let full = migrated.schema();
    let (_, down_takes) = migrated.run(&DOWN);
    let bare = migrated.schema();
    let kills = kills();
    let mut partial = 0;
    for kill in 0..kills {
        migrated.run_and_kill(&UP, Some(up_takes * kill / kills));
        partial += u32::from(![&full, &bare].contains(&&migrated.schema()));
        assert_eq!(migrated.run(&UP).0, listed, "kill {kill} of {kills} while migrating up");
        assert_eq!(migrated.schema(), full, "kill {kill} of {kills} while migrating up");

        migrated.run_and_kill(&DOWN, Some(down_takes * kill / kills));
        partial += u32::from(![&full, &bare].contains(&&migrated.schema()));
        // The next server start would migrate up again.
        if kill % 2 == 1 {
            assert_eq!(migrated.run(&UP).0, listed, "up again after kill {kill} of {kills} while migrating down");
            assert_eq!(migrated.schema(), full, "up again after kill {kill} of {kills} while migrating down");
        }
        migrated.run(&DOWN);
        assert_eq!(migrated.schema(), bare, "kill {kill} of {kills} while migrating down");
    }
    let is_mysql = migrated.database.url_text().starts_with("mysql");
    assert!(is_mysql || partial == 0, "{partial} kills left some of the tables, which should have been rolled back");
    assert!(!is_mysql || partial > 0 || kills < 20, "no kill interrupted a migration");
}

#[test]
fn migrations_are_listed_applied_and_reverted() {
    let migrated = Migrated::new("migrate");
    migrated.run(&["migrate", "up"]);
    migrated.run(&["migrate", "down", "--steps", "99", "--yes"]);
    assert!(migrated.run(&["migrate", "status"]).0.lines().all(|line| line.starts_with("pending  m2026")));
    let output = migrated.command(&["serve", "--no-migrate"]).env("LISTEN", "127.0.0.1:0").output().unwrap();
    assert_fails(&output, 1, "run `hallpass migrate` first");
    let applied = migrated.run(&["migrate"]).0;
    assert!(applied.lines().count() >= 3 && applied.lines().all(|line| line.starts_with("applied  m2026")));
    assert_eq!(migrated.run(&["migrate", "status"]).0, applied);
    let after = migrated.run(&["migrate", "down", "--steps", "2", "--yes"]).0;
    assert_eq!(after.lines().filter(|line| line.starts_with("pending  ")).count(), 2, "{after}");
    assert_eq!(migrated.run(&["migrate", "up"]).0, applied);
}

#[test]
fn only_serve_and_migrate_up_create_an_sqlite_file() {
    let folder = Folder::new("no_database_file");
    for arguments in [&["migrate", "status"][..], &["migrate", "down", "--yes"], &["serve", "--no-migrate"]] {
        let output = folder.run(arguments, &[("LISTEN", "127.0.0.1:0")]);
        assert_fails(&output, 1, "hallpass.db does not exist; run `hallpass migrate` first, or set DATABASE_URL");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "{arguments:?}");
    }
    assert_eq!(folder.run(&["migrate", "up"], &[]).status.code(), Some(0));
}

#[test]
fn rollback_without_a_terminal_requires_a_flag() {
    let folder = Folder::new("down_unasked");
    assert_eq!(folder.run(&["migrate"], &[]).status.code(), Some(0));
    let before = folder.run(&["migrate", "status"], &[]).stdout;
    let output = folder.run(&["migrate", "down", "--steps", "2"], &[]);
    assert_fails(&output, 1, "nothing was changed");
    let message = stderr(&output);
    assert!(message.contains("Run it with --yes") && message.contains("m20261130_000018_email_sign_in\n"), "{message}");
    assert!(message.contains("m20261129_000017_identities") && !message.contains("_000016_"), "{message}");
    assert_eq!(folder.run(&["migrate", "status"], &[]).stdout, before);
    assert_eq!(folder.run(&["migrate", "down", "--yes"], &[]).status.code(), Some(0));
    assert_ne!(folder.run(&["migrate", "status"], &[]).stdout, before);
}

/// Answers the prompt of `migrate down` at a terminal. Returns the exit code and the terminal's content.
fn answer_at_terminal(folder: &Folder, answer: &str) -> (Option<i32>, String) {
    let mut script = Command::new("script");
    script.args(["-qec", &format!("{BINARY} migrate down"), "/dev/null"]);
    let mut child = folder.prepare(script, &[("PATH", "/usr/bin:/bin")]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn rollback_at_a_terminal_asks_for_confirmation() {
    let folder = Folder::new("down_asked");
    assert_eq!(folder.run(&["migrate"], &[]).status.code(), Some(0));
    let before = folder.run(&["migrate", "status"], &[]).stdout;
    let path = folder.0.canonicalize().unwrap().join("hallpass.db");
    for (answer, code) in [("no\n", 1), ("y\n", 1), ("yes\n", 0)] {
        let (exit_code, shown) = answer_at_terminal(&folder, answer);
        assert_eq!(exit_code, Some(code), "{answer:?}: {shown}");
        let asked = format!("This reverts these migrations of the database SQLite {}:", path.display());
        assert!(shown.contains(&asked) && shown.contains("  m20261130_000018_email_sign_in"), "{shown}");
        assert_eq!(folder.run(&["migrate", "status"], &[]).stdout == before, code == 1, "{answer:?}");
    }
}

impl Migrated {
    fn execute(&self, sql: &str) {
        block_on(async {
            let connection = self.database.connect().await;
            sea_orm::ConnectionTrait::execute_unprepared(&connection, sql).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// Records a migration of a later version.
    fn record_later_migration(&self, is_additive: bool) {
        self.execute(&format!(
            "INSERT INTO seaql_migrations (version, applied_at, is_additive) VALUES ('m29990101_000001_later', 1, {is_additive})"
        ));
    }
}

#[test]
fn commands_work_on_a_newer_database_whose_migrations_are_additive() {
    let migrated = Migrated::new("newer");
    migrated.run(&UP);
    migrated.record_later_migration(true);
    assert!(migrated.run(&["migrate", "status"]).0.ends_with("\nunknown  m29990101_000001_later (additive)\n"));
    migrated.run(&["migrate", "up"]);
    migrated.run(&["user", "list"]);
    let url = migrated.database.url_text();
    let environment = [("DATABASE_URL", url.as_str()), ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8")];
    let server = Server::spawn(&migrated.folder, &environment, |binary| Command::new(binary));
    server.wait_for_line("this version continues to serve requests because these migrations are additive");
    server.wait_for_line("ready at");
}

#[test]
fn commands_distinguish_newer_databases_from_unmigrated_ones() {
    let migrated = Migrated::new("too_new");
    migrated.run(&UP);
    migrated.record_later_migration(false);
    let fails = |arguments: &[&str], message: &str| {
        let output = migrated.command(arguments).env("LISTEN", "127.0.0.1:0").output().unwrap();
        assert_fails(&output, 1, message);
    };
    for arguments in [
        &["serve"][..],
        &["serve", "--no-migrate"],
        &["user", "list"],
        &["migrate", "up"],
        &["migrate", "down", "--yes"],
    ] {
        fails(arguments, "the database is newer than this version of Hallpass");
        fails(arguments, "m29990101_000001_later");
    }
    assert!(migrated.run(&["migrate", "status"]).0.ends_with("\nunknown  m29990101_000001_later\n"));
    migrated.execute("DELETE FROM seaql_migrations WHERE version = 'm29990101_000001_later'");
    migrated.run(&["migrate", "down", "--yes"]);
    for arguments in [&["serve", "--no-migrate"][..], &["user", "list"]] {
        fails(arguments, "the database lacks migrations; run `hallpass migrate` first");
    }
}
