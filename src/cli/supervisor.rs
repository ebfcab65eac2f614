//! Notifications to systemd: `READY=1`, `STOPPING=1` and `WATCHDOG=1`, by the protocol of sd_notify(3).
//!
//! A notification that cannot be sent is a warning. It never stops the server.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::{
        ffi::OsStrExt,
        net::{SocketAddr, UnixDatagram},
    },
    path::Path,
    sync::Arc,
    time::Duration,
};

use tokio::time::MissedTickBehavior;

/// The service manager that started this process, if there is one that wants to be notified.
#[derive(Clone, Debug, Default)]
pub(super) struct Supervisor {
    socket: Option<Arc<UnixDatagram>>,
    /// After how long without `WATCHDOG=1` the process is killed.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// Finds the service manager by `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub(super) fn find(environment: &[(OsString, OsString)]) -> Self {
        let variable =
            |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str());
        let Some(address) = variable("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Self::default();
        };
        match connect(address) {
            Ok(socket) => Self {
                socket: Some(Arc::new(socket)),
                watchdog: watchdog(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"), std::process::id()),
            },
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET cannot be used, so the service manager gets no notifications");
                Self::default()
            }
        }
    }

    /// Reports that the server is ready.
    pub(super) fn ready(&self) {
        self.send("READY=1");
    }

    /// Reports that the server has begun to stop.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Reports twice in the time of the watchdog that the process works, until the runtime ends. The state of the database
    /// does not matter, because a restart would not help.
    pub(super) fn start_watchdog(&self) {
        let Some(limit) = self.watchdog else { return };
        let supervisor = self.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(limit / 2);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                interval.tick().await;
                supervisor.send("WATCHDOG=1");
            }
        });
    }

    fn send(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(state.as_bytes()) {
            tracing::warn!(%error, state, "the service manager was not notified");
        }
    }
}

/// Connects to a path, or to an abstract address, which begins with `@`.
fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let address = match address.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(Path::new(address))?,
        [b'@', name @ ..] => abstract_address(name)?,
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "expected a path or an abstract address")),
    };
    let socket = UnixDatagram::unbound()?;
    // A service manager that does not read must not block the server.
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "abstract addresses exist only on Linux"))
}

/// The time of the watchdog; `None` if there is none, or if it is for another process.
fn watchdog(microseconds: Option<&OsStr>, pid: Option<&OsStr>, own_pid: u32) -> Option<Duration> {
    let is_own = match pid {
        Some(pid) => pid.to_str()?.parse::<u32>().ok()? == own_pid,
        None => true,
    };
    let microseconds = microseconds?.to_str()?.parse().ok().filter(|limit| *limit > 1)?;
    is_own.then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchdog_is_for_the_process_with_its_pid() {
        for (microseconds, pid, expected) in [
            (Some("30000000"), Some("42"), Some(Duration::from_secs(30))),
            (Some("30000000"), None, Some(Duration::from_secs(30))),
            (Some("30000000"), Some("43"), None),
            (Some("30000000"), Some("this"), None),
            (Some("0"), None, None),
            (Some("1"), None, None),
            (Some("soon"), None, None),
            (None, Some("42"), None),
        ] {
            let actual = watchdog(microseconds.map(OsStr::new), pid.map(OsStr::new), 42);
            assert_eq!(actual, expected, "{microseconds:?} {pid:?}");
        }
    }

    #[test]
    fn other_kinds_of_addresses_are_refused() {
        for address in ["vsock:2:1234", "relative/path", ""] {
            let error = connect(OsStr::new(address)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{address}");
        }
    }
}
