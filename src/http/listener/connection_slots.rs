//! ConnectionSlots for connections: so many at a time, and so many of them for one network.

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

/// Whether connections from this address carry the requests of many clients: a trusted proxy's, and this machine's own,
/// where a proxy may run that is not configured. Such an address has no share of its own.
#[must_use]
pub fn carries_many_clients(proxies: Option<&Proxies>, address: IpAddr) -> bool {
    let address = address.to_canonical();
    is_loopback(address) || proxies.is_some_and(|proxies| proxies.trusts(address))
}

/// Hands out places.
pub(in crate::http) struct ConnectionSlots<F> {
    all: Arc<Semaphore>,
    connections: usize,
    share: usize,
    has_no_share: F,
    taken: Taken,
}

/// ConnectionSlots that are taken, by network.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    share: Option<(IpAddr, Taken)>,
}

impl<F: Fn(IpAddr) -> bool> ConnectionSlots<F> {
    pub(in crate::http) fn new(limits: &Limits, has_no_share: F) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections)),
            connections: limits.connections,
            share: limits.connections_per_network,
            has_no_share,
            taken: Taken::default(),
        }
    }

    /// Waits for a free place.
    ///
    /// # Errors
    /// Never: the semaphore is not closed.
    pub(in crate::http) async fn wait(&self) -> std::io::Result<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.map_err(std::io::Error::other)
    }

    /// A place that is free now.
    pub(in crate::http) fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).try_acquire_owned().ok()
    }

    /// Gives the place to a connection from this address, unless its network has its share already.
    pub(in crate::http) fn take(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<ConnectionSlot> {
        let share = if (self.has_no_share)(address) {
            None
        } else {
            let network = network(address);
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(network).or_default();
            if *count >= self.share {
                return None;
            }
            *count += 1;
            Some((network, Arc::clone(&self.taken)))
        };
        Some(ConnectionSlot { _permit: permit, share })
    }

    /// Waits until all places are free, but not longer than this.
    pub(in crate::http) async fn wait_for_all(&self, timeout: Duration) {
        let all = self.all.acquire_many(u32::try_from(self.connections).unwrap_or(u32::MAX));
        let _ = tokio::time::timeout(timeout, all).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let Some((network, taken)) = &self.share else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}

/// What one client has to itself: an IPv4 address, or the /64 network of an IPv6 address.
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
    fn a_network_has_its_share_and_no_more() {
        let limits = Limits { connections: 10, connections_per_network: 2, ..Limits::default() };
        let places = ConnectionSlots::new(&limits, |address| address.is_loopback());
        let take = |address: &str| places.take(places.free().unwrap(), address.parse().unwrap());
        let first = take("2001:db8::1").unwrap();
        let second = take("2001:db8::2").unwrap();
        assert!(take("2001:db8::3").is_none());
        let other = [take("2001:db8:0:1::1").unwrap(), take("192.0.2.1").unwrap(), take("192.0.2.2").unwrap()];
        let local = [take("::1").unwrap(), take("::1").unwrap(), take("::1").unwrap()];
        drop(second);
        let third = take("2001:db8::4").unwrap();
        assert!(take("2001:db8::5").is_none());
        drop((first, third, other, local));
        assert!(places.taken.lock().unwrap().is_empty());
        assert_eq!(places.all.available_permits(), 10);
    }

    #[test]
    fn proxies_and_this_machine_have_no_share() {
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
