//! The database of a command, and the log of a server start.

use std::{fs, io::BufRead, io::BufReader, process::Stdio};

use super::{FAST, Folder, Server, assert_fails, free_port, stderr};

fn files(folder: &Folder) -> usize {
    fs::read_dir(&folder.0).unwrap().count()
}

#[test]
fn commands_name_their_database() {
    let folder = Folder::new("named");
    let path = folder.0.canonicalize().unwrap().join("data.db");
    let named = format!("database: SQLite {}\n", path.display());
    let environment = [("DATABASE_URL", "sqlite://data.db"), FAST];
    for arguments in
        [&["migrate"][..], &["migrate", "status"], &["user", "list"], &["user", "add", "ada"], &["user", "export"]]
    {
        let output = folder.run(arguments, &environment);
        assert!(stderr(&output).starts_with(&named), "{arguments:?}: {}", stderr(&output));
    }
    let output = folder.run(&["key", "show"], &environment);
    let key = format!("key file: {}\n{named}", path.with_file_name("hallpass.key").display());
    assert!(stderr(&output).starts_with(&key), "{}", stderr(&output));
    for (scheme, name) in [("postgres", "PostgreSQL"), ("mysql", "MySQL")] {
        let port = free_port();
        let url = format!("{scheme}://scott:hunter2@127.0.0.1:{port}/accounts");
        let key = ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");
        let output = folder.run(&["user", "list"], &[("DATABASE_URL", &url), key]);
        assert_fails(&output, 1, &format!("database: {name} accounts at 127.0.0.1:{port}\n"));
        assert!(!stderr(&output).contains("hunter2") && !stderr(&output).contains("scott"), "{}", stderr(&output));
    }
}

#[test]
fn user_commands_create_no_database() {
    let folder = Folder::new("no_file");
    for arguments in [
        &["user", "list"][..],
        &["user", "add", "ada"],
        &["user", "disable", "ada"],
        &["user", "export"],
        &["user", "import", "-"],
    ] {
        let output = folder.run(arguments, &[]);
        assert_fails(&output, 1, "hallpass.db does not exist; run `hallpass migrate` first, or set DATABASE_URL");
        assert_eq!(files(&folder), 0, "{arguments:?}");
    }
}

#[test]
fn missing_key_folder_error_names_the_command() {
    let folder = Folder::new("no_key_folder");
    let environment = [("LISTEN", "127.0.0.1:0"), ("JWT_ALGORITHM", "EdDSA"), ("JWT_KEYS", "keys")];
    for arguments in [&[][..], &["serve", "--no-migrate"]] {
        let expected = "JWT_KEYS: the folder keys does not exist; create it and a key with `hallpass key generate`";
        assert_fails(&folder.run(arguments, &environment), 1, expected);
        assert_eq!(files(&folder), 0);
    }
}

#[test]
fn first_log_is_short_and_lists_locations() {
    let folder = Folder::new("first_log");
    let port = free_port();
    let mut command = folder.hallpass(&[], &[("LISTEN", &format!("127.0.0.1:{port}"))]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut log = Vec::new();
    for line in lines.map_while(Result::ok) {
        log.push(line);
        if log.last().is_some_and(|line| line.contains("ready at")) {
            break;
        }
    }
    drop(Server { child, log: std::sync::mpsc::channel().1, port });
    assert_eq!(log.len(), 2, "{log:#?}");
    assert!(log[0].contains(" migrations applied"), "{}", log[0]);
    let url = format!("http://localhost:{port}");
    let database = folder.0.canonicalize().unwrap().join("hallpass.db");
    let expected = format!(
        "ready at {url}/graphql explorer=\"{url}\" database=SQLite {} mailbox=\"{url}/dev/mail?key=",
        database.display()
    );
    assert!(log[1].contains(&expected), "{}\n{expected}", log[1]);
}
