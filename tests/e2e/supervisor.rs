//! Notifications to systemd.

use std::{fs, os::unix::net::UnixDatagram, path::PathBuf, process::Command};

use super::{FAST, Folder, PATIENCE, Server};

/// The end that systemd listens on. Its path is short, because that of a socket has at most 107 bytes.
struct Systemd {
    socket: UnixDatagram,
    path: Option<PathBuf>,
}

impl Systemd {
    fn at_path(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hallpass_{name}_{}", std::process::id()));
        let _ = fs::remove_file(&path);
        Self { socket: UnixDatagram::bind(&path).unwrap(), path: Some(path) }
    }

    /// The next notification.
    fn receive(&self) -> String {
        let mut buffer = vec![0; 1024];
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = self.socket.recv(&mut buffer).unwrap();
        buffer.truncate(length);
        String::from_utf8(buffer).unwrap()
    }

    fn address(&self) -> &str {
        self.path.as_ref().unwrap().to_str().unwrap()
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

#[test]
fn systemd_is_notified_of_start_and_stop() {
    let (folder, systemd) = (Folder::new("notify"), Systemd::at_path("notify"));
    let mut server = Server::start(&folder, &[("NOTIFY_SOCKET", systemd.address()), FAST]);
    assert_eq!(systemd.receive(), "READY=1");
    server.signal("-TERM");
    assert_eq!(systemd.receive(), "STOPPING=1");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_notify_socket_is_supported() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    let name = format!("hallpass/notify/{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let systemd = Systemd { socket: UnixDatagram::bind_addr(&address).unwrap(), path: None };
    let folder = Folder::new("notify_abstract");
    let _server = Server::start(&folder, &[("NOTIFY_SOCKET", &format!("@{name}")), FAST]);
    assert_eq!(systemd.receive(), "READY=1");
}

#[test]
fn watchdog_is_notified_while_the_server_runs() {
    let (folder, systemd) = (Folder::new("watchdog"), Systemd::at_path("watchdog"));
    let environment = [("NOTIFY_SOCKET", systemd.address()), ("WATCHDOG_USEC", "100000"), FAST];
    let server = Server::start(&folder, &environment);
    assert!((0..1000).any(|_| systemd.receive() == "READY=1"));
    for _ in 0..3 {
        assert_eq!(systemd.receive(), "WATCHDOG=1");
    }
    server.signal("-TERM");
    assert!((0..1000).any(|_| systemd.receive() == "STOPPING=1"));
}

#[test]
fn server_starts_if_the_notify_socket_cannot_be_used() {
    let folder = Folder::new("notify_missing");
    let server =
        Server::spawn(&folder, &[("NOTIFY_SOCKET", "/nonexistent/notify"), FAST], |binary| Command::new(binary));
    server.wait_for_line("NOTIFY_SOCKET cannot be used");
    server.wait_for_line("ready at");
}
