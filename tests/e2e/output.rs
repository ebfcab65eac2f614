//! Commands whose output cannot be written: a full disk, a closed pipe.

use std::{
    fs::{self, File},
    process::{Command, Output, Stdio},
};

use super::{FAST, Folder, PATIENCE, Server, assert_fails, stderr};

const EDDSA: [(&str, &str); 2] = [("JWT_ALGORITHM", "EdDSA"), ("JWT_KEYS", "keys")];
const FULL: &str = "standard output cannot be written: No space left on device";

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn into(mut command: Command, stdout: Stdio) -> Output {
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn command_fails_if_its_output_is_lost() {
    let folder = Folder::new("full_disk");
    fs::write(folder.0.join("nobody.jsonl"), "").unwrap();
    for (arguments, environment) in [
        (&["schema"][..], &[][..]),
        (&["config"], &[]),
        (&["key", "show"], &[]),
        (&["key", "show", "access"], &[]),
        (&["key", "generate"], &EDDSA),
        (&["migrate"], &[]),
        (&["migrate", "status"], &[]),
        (&["user", "list"], &[]),
        (&["user", "list", "--json"], &[]),
        (&["user", "invitations"], &[]),
        (&["audit"], &[]),
        (&["audit", "--follow"], &[]),
        (&["user", "import", "nobody.jsonl"], &[]),
    ] {
        let output = into(folder.hallpass(arguments, environment), full());
        // An empty list as JSON has no output.
        if arguments != ["user", "list", "--json"] {
            assert_fails(&output, 1, FULL);
        }
    }
    let input = folder.0.join("password");
    fs::write(&input, "correct horse").unwrap();
    let mut add = folder.hallpass(&["user", "add", "ada"], &[FAST]);
    let output = add.stdin(File::open(&input).unwrap()).stdout(full()).output().unwrap();
    assert_fails(&output, 1, FULL);
    for arguments in [
        &["user", "set-roles", "ada", "admin"][..],
        &["user", "enable", "ada"],
        &["user", "list", "--json"],
        &["user", "show", "ada"],
        &["audit", "--json"],
        &["--help"],
        &["--version"],
        &["completions", "bash"],
    ] {
        let output = into(folder.hallpass(arguments, &[]), full());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(!stderr(&output).contains("panicked"), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(into(folder.hallpass(&["user", "export"], &[]), full()).status.code(), Some(1));
}

#[test]
fn closed_pipe_is_an_error_for_keys_and_schema() {
    let folder = Folder::new("closed_pipe");
    for arguments in [&["schema"][..], &["key", "show"], &["key", "show", "access"], &["migrate"]] {
        let mut command = folder.hallpass(arguments, &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_fails(&child.wait_with_output().unwrap(), 1, "standard output cannot be written: Broken pipe");
    }
}

#[test]
fn closed_pipe_does_not_panic() {
    let folder = Folder::new("no_stderr");
    let status = folder.hallpass(&["key", "show"], &[("LISTEN", "here")]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn server_survives_a_lost_log() {
    let folder = Folder::new("no_log");
    let port = super::free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = folder.hallpass(&[], &[("LISTEN", &listen)]);
    let child = command.stdin(Stdio::null()).stderr(full()).spawn().unwrap();
    let server = Server { child, log: std::sync::mpsc::channel().1, port };
    let end = std::time::Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&listen).is_err() {
        assert!(std::time::Instant::now() < end, "the server does not listen");
        std::thread::yield_now();
    }
    let answer = server.graphql(r#"{"query":"{ serverInfo { registrationEnabled } }"}"#);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
