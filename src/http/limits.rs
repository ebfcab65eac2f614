//! Limits and timeouts of the HTTP server.

use std::time::Duration;

/// Limits and timeouts of the HTTP server. They are not configurable; tests use shorter timeouts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of connections. Further ones wait in the accept queue of the operating system.
    pub connections: usize,
    /// Maximum number of connections from one network (an IPv4 address or an IPv6 /64). Further ones are closed at
    /// once.
    pub connections_per_network: usize,
    /// The timeout for the request line and headers, and for idle connections.
    pub head_timeout: Duration,
    /// The timeout for the body.
    pub body_timeout: Duration,
    /// The timeout for a write without any progress, because the client does not read.
    pub write_timeout: Duration,
    /// How long data from the client is discarded after the last response of a connection.
    pub discard_timeout: Duration,
    /// The timeout for handling a received request, including the wait for a database connection and for a hash. So a
    /// client gets an error within six seconds during an outage.
    pub handler_timeout: Duration,
    /// How long a WebSocket connection may take until it is initialized.
    pub init_timeout: Duration,
    /// How often a WebSocket connection is pinged. A client that has sent nothing in between is disconnected.
    pub ping_interval: Duration,
    /// How long a request waits while the server starts before it fails with SERVICE_UNAVAILABLE.
    pub start_timeout: Duration,
    /// How long running requests may continue during shutdown.
    pub drain: Duration,
    /// The part of `drain` in which open connections may still send one more request.
    pub linger: Duration,
}

/// Maximum number of connections if there are enough file descriptors.
const MAX_CONNECTIONS: usize = 4096;

impl Limits {
    /// The limits of a process with `descriptors` file descriptors for connections. One network may use a quarter of
    /// them.
    #[must_use]
    pub fn with_descriptors(descriptors: usize) -> Self {
        let connections = descriptors.clamp(1, MAX_CONNECTIONS);
        Self { connections, connections_per_network: connections.div_ceil(4), ..Self::default() }
    }

    /// Maximum number of streams of live events: half of the connections, so that the others remain for requests.
    #[must_use]
    pub const fn streams(&self) -> usize {
        self.connections.div_ceil(2)
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
            init_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(15),
            start_timeout: Duration::from_secs(3),
            drain: Duration::from_secs(10),
            linger: Duration::from_secs(1),
        }
    }
}
