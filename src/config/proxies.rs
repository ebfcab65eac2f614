//! The proxies that report the client's address.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{setting::Setting, vars::Vars};

/// The header in which proxies send the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, as most proxies write it.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies in front of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// The one header that is read.
    pub header: ProxyHeader,
    /// Their addresses.
    trusted: Vec<IpNet>,
}

impl Proxies {
    /// Reads both settings. Neither is accepted alone, because any client can send the header.
    pub(super) fn read(vars: &mut Vars) -> Option<Self> {
        let header = Setting::new("PROXY_HEADER", "The header in which proxies send the client's address.")
            .example("x-forwarded-for")
            .one_of(&[("x-forwarded-for", ProxyHeader::XForwardedFor), ("forwarded", ProxyHeader::Forwarded)])
            .read_optional(vars);
        let trusted = Setting::new(
            "TRUSTED_PROXIES",
            "Addresses of these proxies. The rightmost address in the header that is not a trusted proxy is the client. \
             Without both settings, the peer of the connection is the client.",
        )
        .example("10.0.0.0/8")
        .list("networks separated by commas, such as `10.0.0.0/8,192.0.2.7`", network)
        .read_optional(vars);
        match (vars.is_set("PROXY_HEADER"), vars.is_set("TRUSTED_PROXIES")) {
            (true, false) => vars.mistake(
                "TRUSTED_PROXIES: required with PROXY_HEADER. Set it to the addresses of your proxies, because any client \
                 can send that header",
            ),
            (false, true) => vars.mistake(
                "PROXY_HEADER: required with TRUSTED_PROXIES. Set it to the header in which they send the client's \
                 address, x-forwarded-for or forwarded",
            ),
            _ => {}
        }
        header.map(|header| Self { header, trusted: trusted.unwrap_or_default() })
    }

    /// Whether an address is that of a proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// A network, or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
