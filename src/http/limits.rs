//! How much, and how long.

use std::time::Duration;

/// The bounds of the HTTP door. Tests turn the times down; nobody else has had a reason to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; the next one waits in the system's queue.
    pub connections: usize,
    /// Connections at a time from one network (an IPv4 address, or a /64 of IPv6); the next one is closed at once.
    pub connections_per_network: usize,
    /// How long a client may take to send a head; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How long a client may leave a pending write without reading any of it.
    pub write_timeout: Duration,
    /// How long a client may go on sending after the last response of its connection.
    pub discard_timeout: Duration,
    /// The longest that a request may take once it has arrived: waiting for a connection, for a hash, and the work
    /// itself. Whoever waits for an answer hears of an outage within six seconds.
    pub handler_timeout: Duration,
    /// How long a request waits for a server that is starting, before it is answered SERVICE_UNAVAILABLE.
    pub start_timeout: Duration,
    /// How long requests may go on after the server was told to stop.
    pub drain: Duration,
    /// How much of that those may take who are connected and have not asked for anything yet.
    pub linger: Duration,
}

/// Connections at a time, where there are file descriptors for them.
const MAX_CONNECTIONS: usize = 4096;

impl Limits {
    /// The limits of a process with so many file descriptors for connections. A network has a quarter of them.
    #[must_use]
    pub fn with_descriptors(descriptors: usize) -> Self {
        let connections = descriptors.clamp(1, MAX_CONNECTIONS);
        Self { connections, connections_per_network: connections.div_ceil(4), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            connections_per_network: MAX_CONNECTIONS / 4,
            head_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            discard_timeout: Duration::from_secs(2),
            handler_timeout: Duration::from_millis(5500),
            start_timeout: Duration::from_secs(3),
            drain: Duration::from_secs(10),
            linger: Duration::from_secs(1),
        }
    }
}
