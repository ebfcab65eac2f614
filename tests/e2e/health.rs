//! `hallpass health`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread,
};

use super::{FAST, Folder, Server, assert_fails, block_on, error_text, free_port, support::database::TestDatabase};

fn check(folder: &Folder, arguments: &[&str], port: u16) -> Output {
    let arguments = [&["health"], arguments].concat();
    folder.run(&arguments, &[("LISTEN", &format!("127.0.0.1:{port}"))])
}

#[test]
fn running_server_is_ready_and_live() {
    let folder = Folder::new("health");
    let server = Server::start(&folder, &[FAST]);
    for (arguments, state) in [(&[][..], "ready\n"), (&["--live"], "live\n")] {
        let output = check(&folder, arguments, server.port);
        assert_eq!(output.status.code(), Some(0), "{}", error_text(&output));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), state);
    }
}

#[test]
fn server_that_waits_for_a_migration_is_live_but_not_ready() {
    let folder = Folder::new("health_waiting");
    block_on(async {
        let database = TestDatabase::create_bare().await;
        let url = database.url_text();
        let environment = [("DATABASE_URL", url.as_str()), ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8"), FAST];
        let lock = database.lock_migrations().await;
        let server = Server::spawn(&folder, &environment, |binary| Command::new(binary));
        server.wait_for_line("waiting for another process that is migrating the database");
        assert_eq!(check(&folder, &["--live"], server.port).status.code(), Some(0));
        assert_fails(&check(&folder, &[], server.port), 1, "is not ready");
        lock.release().await;
    });
}

#[test]
fn server_that_does_not_run_is_unhealthy() {
    let folder = Folder::new("health_none");
    let port = free_port();
    assert_fails(&check(&folder, &[], port), 1, &format!("the server at 127.0.0.1:{port} cannot be reached"));
}

#[test]
fn another_program_on_the_port_is_unhealthy() {
    let folder = Folder::new("health_other");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello").unwrap();
    });
    assert_fails(&check(&folder, &[], port), 1, "is not ready");
    other.join().unwrap();
}

#[test]
fn server_on_the_port_of_the_platform_is_checked() {
    let folder = Folder::new("health_port");
    let free = free_port();
    let port = free.to_string();
    let environment = [("PORT", port.as_str()), FAST];
    let mut child = folder.hallpass(&[], &environment).stderr(Stdio::piped()).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let is_ready = log.lines().map_while(Result::ok).any(|line| line.contains("ready at"));
    let output = folder.run(&["health"], &environment);
    let by_address = check(&folder, &[], free);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_ready && output.status.success(), "{}", error_text(&output));
    assert!(by_address.status.success(), "{}", error_text(&by_address));
}
