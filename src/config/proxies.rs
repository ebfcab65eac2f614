//! `PROXY_HEADER` and `TRUSTED_PROXIES`: who may say where a request comes from.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::vars::Vars;

/// The header in which proxies say whom they forward for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, as most proxies write it.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What is believed of the proxies before this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// The one header that is read.
    pub header: ProxyHeader,
    /// From whom it is believed.
    trusted: Vec<IpNet>,
}

impl Proxies {
    /// Whether a peer's word counts.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// Both settings, or none: a header that anybody may send says nothing.
pub(super) fn read(vars: &mut Vars) -> Option<Proxies> {
    let header = vars.get("PROXY_HEADER", None, "x-forwarded-for or forwarded", |text| {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Some(Some(ProxyHeader::XForwardedFor)),
            "forwarded" => Some(Some(ProxyHeader::Forwarded)),
            _ => None,
        }
    });
    let wanted = "networks separated by commas, such as 10.0.0.0/8,192.0.2.7";
    let trusted = vars.get("TRUSTED_PROXIES", Vec::new(), wanted, |text| {
        text.split(',').map(|text| network(text.trim())).collect::<Option<Vec<_>>>()
    });
    let is_set = |name| vars.is_set(name);
    match (is_set("PROXY_HEADER"), is_set("TRUSTED_PROXIES")) {
        (true, false) => vars.mistake(
            "TRUSTED_PROXIES: required with PROXY_HEADER. Set it to the addresses of your proxies, because any client can \
             send that header"
                .to_owned(),
        ),
        (false, true) => vars.mistake(
            "PROXY_HEADER: required with TRUSTED_PROXIES. Set it to the header in which they send the client's address, \
             x-forwarded-for or forwarded"
                .to_owned(),
        ),
        _ => {}
    }
    header.map(|header| Proxies { header, trusted })
}

/// A network, or a single address.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
