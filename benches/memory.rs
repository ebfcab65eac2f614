//! Memory used by 200 requests of the largest permitted size, while their bodies arrive and while they wait for a hash.
//!
//! `cargo bench --bench memory` prints a table and fails if the server uses more than 100 MiB. It requires Linux, for
//! `/proc`.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics when it fails"
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
/// Slightly less than the maximum size of the headers.
const HEADERS: usize = 60 * 1024;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--test") {
        // `cargo test` also runs benches, with nothing to measure.
        return;
    }
    println!("| {REQUESTS} requests | idle, MiB | peak, MiB |\n|---|---|---|");
    let mut is_within_limit = true;
    for (name, body, sent) in [
        ("slow upload: all but the last byte of 128 KiB received", large_login(), MAX_BODY - 1),
        ("waiting for a hash: document of 62 KiB with 450 fields, username of 60 kB", large_login(), MAX_BODY),
        ("waiting for a hash: 1,990 undeclared values", many_values(), MAX_BODY),
    ] {
        let server = start();
        let idle = server.mib("VmRSS");
        let clients: Vec<_> = (0..REQUESTS).map(|_| send(&server, body.as_bytes(), sent)).collect();
        thread::sleep(Duration::from_secs(3));
        let waiting = clients.iter().filter(|client| is_pending(client)).count();
        clients.iter().for_each(wait_for_response);
        // The high-water mark. All requests have been read by now.
        let peak = server.mib("VmHWM");
        println!("| {name} ({waiting} unanswered after 3 s) | {idle:.1} | {peak:.1} |");
        is_within_limit &= peak < MAX_MIB;
    }
    assert!(is_within_limit, "the memory limit was exceeded");
}

/// A login with a document and a value of the maximum size.
fn large_login() -> String {
    let document = format!(
        "mutation($input: LoginInput!) {{ login(input: $input) {{ user {{ {} }} }} }} #{}",
        "username ".repeat(450),
        "x".repeat(58_000)
    );
    padded(&document, &format!(r#"{{"input":{{"username":"{}","password":"not the password"}}}}"#, "x".repeat(60_000)))
}

/// A login with the maximum number of values, of which it declares one.
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

fn is_pending(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    client.peek(&mut [0]).is_err()
}

fn wait_for_response(mut client: &TcpStream) {
    client.set_nonblocking(false).unwrap();
    let mut start = [0; 9];
    client.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 ");
}

/// Starts the binary with its own database.
fn start() -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    // Enough threads that no request is rejected because of its waiting time.
    command.env_clear().env("RUST_LOG", "off").env("BCRYPT_COST", "12").env("HASH_CONCURRENCY", "64");
    Process::start(command)
}

/// Begins a request with the largest headers and sends the first `sent` bytes of its body.
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
