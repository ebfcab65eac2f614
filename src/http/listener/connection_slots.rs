//! Connection slots: a limit on all connections, and on those from one network.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::{Proxies, is_loopback},
    http::Limits,
};

/// Whether connections from this address carry the requests of many clients. True for trusted proxies and for loopback,
/// where an unconfigured proxy may run. The limit per network does not apply to them.
#[must_use]
pub fn carries_many_clients(proxies: Option<&Proxies>, address: IpAddr) -> bool {
    let address = address.to_canonical();
    is_loopback(address) || proxies.is_some_and(|proxies| proxies.trusts(address))
}

/// The slots of all connections.
pub(in crate::http) struct ConnectionSlots<F> {
    all: Arc<Semaphore>,
    max_connections: usize,
    max_per_network: usize,
    is_unlimited: F,
    by_network: ByNetwork,
}

/// The number of connections, by network.
type ByNetwork = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The slot of one connection. Dropping it releases the slot.
#[derive(Debug)]
pub(in crate::http) struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    network: Option<(IpAddr, ByNetwork)>,
}

impl<F: Fn(IpAddr) -> bool> ConnectionSlots<F> {
    pub(in crate::http) fn new(limits: &Limits, is_unlimited: F) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections)),
            max_connections: limits.connections,
            max_per_network: limits.connections_per_network,
            is_unlimited,
            by_network: ByNetwork::default(),
        }
    }

    /// Waits for a free slot.
    ///
    /// # Errors
    /// Never, because the semaphore is not closed.
    pub(in crate::http) async fn acquire(&self) -> std::io::Result<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.map_err(std::io::Error::other)
    }

    /// Returns a free slot, if there is one.
    pub(in crate::http) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).try_acquire_owned().ok()
    }

    /// Assigns the slot to a connection from this address. Returns `None` if its network has reached its limit.
    pub(in crate::http) fn assign(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<ConnectionSlot> {
        let network = if (self.is_unlimited)(address) {
            None
        } else {
            let network = network(address);
            let mut by_network = self.by_network.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_network.entry(network).or_default();
            if *count >= self.max_per_network {
                return None;
            }
            *count += 1;
            Some((network, Arc::clone(&self.by_network)))
        };
        Some(ConnectionSlot { _permit: permit, network })
    }

    /// Waits until all slots are free, at most for `timeout`.
    pub(in crate::http) async fn wait_for_all(&self, timeout: Duration) {
        let all = self.all.acquire_many(u32::try_from(self.max_connections).unwrap_or(u32::MAX));
        let _ = tokio::time::timeout(timeout, all).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let Some((network, by_network)) = &self.network else { return };
        let mut by_network = by_network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_network.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                by_network.remove(network);
            }
        }
    }
}

/// The network of a client: its IPv4 address, or the /64 of its IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_a_network_are_limited() {
        let limits = Limits { connections: 10, connections_per_network: 2, ..Limits::default() };
        let slots = ConnectionSlots::new(&limits, |address| address.is_loopback());
        let assign = |address: &str| slots.assign(slots.try_acquire().unwrap(), address.parse().unwrap());
        let first = assign("2001:db8::1").unwrap();
        let second = assign("2001:db8::2").unwrap();
        assert!(assign("2001:db8::3").is_none());
        let other = [assign("2001:db8:0:1::1").unwrap(), assign("192.0.2.1").unwrap(), assign("192.0.2.2").unwrap()];
        let local = [assign("::1").unwrap(), assign("::1").unwrap(), assign("::1").unwrap()];
        drop(second);
        let third = assign("2001:db8::4").unwrap();
        assert!(assign("2001:db8::5").is_none());
        drop((first, third, other, local));
        assert!(slots.by_network.lock().unwrap().is_empty());
        assert_eq!(slots.all.available_permits(), 10);
    }

    #[test]
    fn trusted_proxies_and_loopback_are_unlimited() {
        let variables = [("PROXY_HEADER", "forwarded"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let proxies = crate::config::Settings::from_vars(variables).unwrap().server.proxies;
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.1", false),
        ] {
            assert_eq!(carries_many_clients(proxies.as_ref(), address.parse().unwrap()), expected, "{address}");
        }
        assert!(!carries_many_clients(None, "10.1.2.3".parse().unwrap()));
    }
}
