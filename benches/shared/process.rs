//! A server process under test, with its own folder. Dropping the value kills the process and deletes the folder.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub struct Process {
    child: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Process {
    /// Starts a command that listens on `LISTEN`, and waits until it responds.
    pub fn start(mut command: Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("hallpass-bench-{port}"));
        fs::create_dir_all(&folder).unwrap();
        command.current_dir(&folder).stderr(Stdio::null()).env("LISTEN", format!("127.0.0.1:{port}"));
        // All requests come from one address.
        command.env("THROTTLE", "false");
        let process = Self { child: command.spawn().unwrap(), port, folder };
        let start = Instant::now();
        while !process.is_live() {
            assert!(start.elapsed() < Duration::from_secs(10), "the server did not start");
            thread::sleep(Duration::from_millis(1));
        }
        process
    }

    fn is_live(&self) -> bool {
        let response = self.send("GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        response.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
    }

    /// Sends a request and reads until the server closes the connection.
    pub fn send(&self, request: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    }

    /// The path of a file of the process in `/proc`.
    pub fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }

    /// A value of `/proc/…/status` in MiB, such as `VmRSS`.
    pub fn mib(&self, name: &str) -> f64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
