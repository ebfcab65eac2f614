//! Clients that hold connections without reading.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use crate::{FAST, Folder, PATIENCE, Server};

/// A connection with more response data than the system buffers for a client that does not read.
fn unread_connection(server: &Server) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let requests = "GET /schema.graphql HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(300);
    stream.write_all(requests.as_bytes()).ok().map(|()| stream)
}

#[test]
fn clients_that_do_not_read_do_not_block_others() {
    let folder = Folder::new("unread_connection");
    let server = Server::start_by(&folder, &[FAST], |hallpass| {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 256; exec \"$0\""]).arg(hallpass);
        limited
    });
    // More than the connection limit; the rest wait in the accept queue.
    let connections: Vec<_> = (0..300).filter_map(|_| unread_connection(&server)).collect();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    drop(connections);
}
