//! The log of this test process, at every level and from every crate.

use std::{
    io,
    sync::{Mutex, Once},
};

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Buffer;

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(|| Buffer).init();
    });
}

/// The log lines so far that contain `text`.
pub fn logged(text: &str) -> Vec<String> {
    let log = LOGGED.lock().unwrap();
    String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).map(ToOwned::to_owned).collect()
}
