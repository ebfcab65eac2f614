//! Which addresses and hosts are this machine: the only rule about it.

use std::net::IpAddr;

use url::Host;

/// The hosts by which browsers reach a server on this machine. Each is another site to them.
pub const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether an address is this machine's: in 127.0.0.0/8, also as IPv4-mapped IPv6, or `::1`.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether a host is `localhost` or an address of this machine.
#[must_use]
pub fn is_loopback_host<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => is_loopback((*address).into()),
        Host::Ipv6(address) => is_loopback((*address).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_and_loopback_addresses_are_this_machine() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("127.0.0.1", true),
            ("127.1", true),
            ("127.255.255.254", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.", false),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org", false),
            ("0.0.0.0", false),
            ("128.0.0.1", false),
            ("[::]", false),
            ("[::ffff:10.0.0.1]", false),
        ] {
            assert_eq!(is_loopback_host(&Host::parse(host).unwrap()), expected, "{host}");
        }
        assert!(LOOPBACK_HOSTS.iter().all(|host| is_loopback_host(&Host::parse(host).unwrap())));
    }
}
