//! The listener of the metrics.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use super::{FAST, Folder, PATIENCE, Server, assert_fails, free_port};

fn scrape(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn metrics_are_served_until_the_server_has_stopped() {
    let folder = Folder::new("metrics");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut server = Server::start(&folder, &[FAST, ("METRICS_LISTEN", &listen)]);
    let answer = scrape(port, "/metrics");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\nhallpass_database_up 1\n"), "{answer}");
    assert!(scrape(port, "/graphql").starts_with("HTTP/1.1 404"));
    // An idle connection of a scraper does not delay the shutdown.
    let _idle = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.signal("-TERM");
    server.last_lines();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    TcpStream::connect(("127.0.0.1", port)).unwrap_err();
}

#[test]
fn taken_port_of_the_metrics_is_reported_before_anything_is_created() {
    let folder = Folder::new("taken_metrics_port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:0"), ("METRICS_LISTEN", &listen)]);
    assert_fails(&output, 1, &format!("can't listen on {listen}, look at METRICS_LISTEN"));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn malformed_address_of_the_metrics_is_reported() {
    let folder = Folder::new("malformed_metrics");
    let output = folder.run(&[], &[("METRICS_LISTEN", "9464")]);
    assert_fails(&output, 2, "METRICS_LISTEN: expected an IP address and port");
}

#[test]
fn metrics_cannot_share_the_address_of_the_api() {
    let folder = Folder::new("same_metrics");
    let output = folder.run(&[], &[("LISTEN", "127.0.0.1:8000"), ("METRICS_LISTEN", "127.0.0.1:8000")]);
    assert_fails(&output, 2, "METRICS_LISTEN: expected another address or port than that of LISTEN");
}
