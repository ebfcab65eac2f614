//! Looks up host names.

use std::{
    collections::BTreeSet,
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::sync::Semaphore;

/// Maximum number of concurrent lookups.
const MAX_LOOKUPS: usize = 8;

/// Looks up host names. Tests have resolvers of their own.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync {
    /// Returns all addresses of a host name, which is in ASCII.
    ///
    /// # Errors
    /// Returns an error if the lookup fails. The text is for the log.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the system, which also reads `/etc/hosts`.
#[derive(Debug)]
pub(super) struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // A lookup cannot be cancelled. It keeps its permit until it ends, so that slow name servers cannot fill the thread
        // pool with lookups whose request has ended.
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut seen = BTreeSet::new();
            let addresses = (host.as_str(), 0).to_socket_addrs()?.map(|address| address.ip());
            Ok(addresses.filter(|address| seen.insert(*address)).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_a_loopback_address() {
        let addresses = SystemResolver::default().resolve("localhost").await.unwrap();
        assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
