//! `hallpass health`: asks the running server whether it is live or ready.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{cli::output::print_line, config::Settings};

/// The timeout for the whole check. During an outage of the database, `/health/ready` responds within two seconds.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of a response that is read. Those of Hallpass have less than 1 kB.
const MAX_RESPONSE: u64 = 8 * 1024;

/// Fails unless the server at `LISTEN` is ready, or live with `only_live`.
pub(super) async fn run(settings: Settings, only_live: bool) -> Result<()> {
    let state = if only_live { "live" } else { "ready" };
    let address = reachable(settings.server.listen);
    let response = tokio::time::timeout(TIMEOUT, get(address, state)).await;
    let response = response
        .with_context(|| format!("the server at {address} did not respond in {} seconds", TIMEOUT.as_secs()))?
        .with_context(|| format!("the server at {address} cannot be reached"))?;
    // The body too, because another program may listen on this port.
    let is_ok = response.starts_with(b"HTTP/1.1 200 ")
        && response.ends_with(format!("\r\n\r\n{{\"status\":\"{state}\"}}").as_bytes());
    if !is_ok {
        bail!("the server at {address} is not {state}");
    }
    print_line(state)
}

/// Requests `/health/<state>`.
async fn get(address: SocketAddr, state: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /health/{state} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response).await?;
    Ok(response)
}

/// The address at which this machine reaches a server that listens on `listen`.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_on_all_addresses_is_reached_by_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("127.0.0.1:8000", "127.0.0.1:8000"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }
}
