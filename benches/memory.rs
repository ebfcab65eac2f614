//! How much memory 200 requests of the largest legal size take: while their bodies arrive, and while they wait for a hash.
//!
//! `cargo bench --bench memory` prints a table, and fails where the server takes more than 100 MiB. It needs Linux, for
//! `/proc`.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and one that can't go on has failed"
)]

#[path = "shared/process.rs"]
mod process;

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::Duration,
};

use process::Process;

const REQUESTS: usize = 200;
const MAX_MIB: f64 = 100.0;
const MAX_BODY: usize = 128 * 1024;
/// A little less than a head may have.
const HEADERS: usize = 60 * 1024;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--test") {
        // `cargo test` runs benches too; there is nothing to see then.
        return;
    }
    println!("| {REQUESTS} requests | idle, MiB | at most, MiB |\n|---|---|---|");
    let mut is_good = true;
    for (what, body, sent) in [
        ("slow: all but the last byte of 128 KiB has come", large_login(), MAX_BODY - 1),
        ("waiting for a hash: a document of 62 KiB with 450 fields, a name of 60 kB", large_login(), MAX_BODY),
        ("waiting for a hash: 1,990 values that are not declared", many_values(), MAX_BODY),
    ] {
        let server = start();
        let idle = server.mib("VmRSS");
        let clients: Vec<_> = (0..REQUESTS).map(|_| send(&server, body.as_bytes(), sent)).collect();
        thread::sleep(Duration::from_secs(3));
        let waiting = clients.iter().filter(|client| is_unanswered(client)).count();
        clients.iter().for_each(wait_for_answer);
        // The most there ever was: all requests have been read by now.
        let most = server.mib("VmHWM");
        println!("| {what} ({waiting} unanswered after 3 s) | {idle:.1} | {most:.1} |");
        is_good &= most < MAX_MIB;
    }
    assert!(is_good, "a bar was missed");
}

/// A login with as large a document, and as large a value in it, as are accepted.
fn large_login() -> String {
    let document = format!(
        "mutation($input: LoginInput!) {{ login(input: $input) {{ user {{ {} }} }} }} #{}",
        "username ".repeat(450),
        "x".repeat(58_000)
    );
    padded(&document, &format!(r#"{{"input":{{"username":"{}","password":"not the password"}}}}"#, "x".repeat(60_000)))
}

/// A login with as many values as are accepted, of which it declares one.
fn many_values() -> String {
    let document = "mutation($input: LoginInput!) { login(input: $input) { tokenType } }";
    let values = vec![r#"{"a":{}}"#; 990].join(",");
    let input = r#"{"username":"nobody","password":"not the password"}"#;
    padded(document, &format!(r#"{{"input":{input},"more":[{values}]}}"#))
}

fn padded(document: &str, variables: &str) -> String {
    let body = format!(r#"{{"query":"{document}","variables":{variables}}}"#);
    let missing = MAX_BODY - body.len();
    body + &" ".repeat(missing)
}

fn is_unanswered(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    client.peek(&mut [0]).is_err()
}

fn wait_for_answer(mut client: &TcpStream) {
    client.set_nonblocking(false).unwrap();
    let mut start = [0; 9];
    client.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 ");
}

/// The binary, with a database of its own.
fn start() -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    // So many threads that no request is refused because it would wait too long.
    command.env_clear().env("RUST_LOG", "off").env("BCRYPT_COST", "12").env("HASH_CONCURRENCY", "64");
    Process::start(command)
}

/// Begins a request with the largest head, of whose body so much is sent.
fn send(server: &Process, body: &[u8], sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-more: {}\r\ncontent-length: {}\r\n\r\n",
        "x".repeat(HEADERS),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..sent]).unwrap();
    stream
}
