//! Outgoing requests: which addresses they may reach besides public ones, and whose certificates they accept.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use tokio_rustls::rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::Host;

use crate::config::{proxies::network, setting::Setting, vars::Vars};

/// What outgoing requests may reach, and whose certificates they accept. Public addresses and public authorities need no
/// setting.
#[derive(Clone, Debug, Default)]
pub struct OutgoingSettings {
    /// Networks and hosts that may be reached although they are not public, and without TLS.
    pub allow: Vec<AllowedTarget>,
    /// Certificate authorities that are trusted besides the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl OutgoingSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("outgoing", "Outgoing requests");
        let allow = Setting::new(
            "OUTGOING_ALLOW",
            "Targets of outgoing requests that are not on the public internet. A request to `host:port` may then reach every \
             address of that host. http is accepted for these targets only.",
        )
        .example("10.20.0.0/16,keycloak.internal:8443")
        .list("networks, addresses and `host:port`, separated by commas", AllowedTarget::parse)
        .read_optional(vars)
        .unwrap_or_default();
        let authorities = Setting::new(
            "OUTGOING_CA",
            "Certificates of authorities that outgoing requests trust besides the public ones.",
        )
        .text("the path of a file in PEM format", |path| Some(path.to_owned()))
        .read_optional(vars)
        .and_then(|path: String| match read_authorities(&path) {
            Ok(authorities) => Some(authorities),
            Err(problem) => {
                vars.mistake(format!("OUTGOING_CA: {problem} (\"{path}\")"));
                None
            }
        });
        Self { allow, authorities: authorities.unwrap_or_default() }
    }
}

/// A target of outgoing requests that the operator allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedTarget {
    /// All hosts with an address in this network, on every port.
    Network(IpNet),
    /// This host and port, whatever its address.
    Host(Host, u16),
}

impl AllowedTarget {
    fn parse(text: &str) -> Option<Self> {
        if let Some(network) = network(text) {
            return Some(Self::Network(network));
        }
        let (host, port) = text.rsplit_once(':')?;
        let host = Host::parse(host).ok()?;
        // URL parsers accept more characters, such as the `*` of a wildcard, which would match no request.
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let is_valid = !matches!(&host, Host::Domain(name) if !is_name(name));
        let port = port.parse().ok().filter(|port| *port != 0)?;
        is_valid.then_some(Self::Host(host, port))
    }

    /// Whether a request to this host and port may connect to this address.
    #[must_use]
    pub fn includes(&self, host: &Host, port: u16, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(&address),
            Self::Host(allowed, allowed_port) => (allowed, *allowed_port) == (host, port),
        }
    }
}

impl fmt::Display for AllowedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// Reads certificates, and checks that each can be an authority.
fn read_authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    const WANTED: &str = "expected certificates of authorities in PEM format";
    let pem = std::fs::read(path).map_err(|_| "cannot read the file")?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| WANTED)?;
    let are_valid = certificates.iter().all(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    if certificates.is_empty() || !are_valid {
        return Err(WANTED);
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn read(name: &str, value: &str) -> Result<OutgoingSettings, Vec<String>> {
        let variables = [(name.to_owned(), value.to_owned())];
        Settings::from_vars(variables).map(|settings| settings.outgoing).map_err(|mistakes| mistakes.0)
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let settings = Settings::from_vars([]).unwrap().outgoing;
        assert!(settings.allow.is_empty() && settings.authorities.is_empty());
    }

    #[test]
    fn networks_addresses_and_hosts_with_ports_are_allowed() {
        let text = "10.0.0.0/8, 192.168.1.7,fd00::/8,fd00::1,Keycloak.Internal:8080,127.0.0.1:9000,[::1]:9000,bücher.example:80";
        let allowed = read("OUTGOING_ALLOW", text).unwrap().allow;
        let shown: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let expected = [
            "10.0.0.0/8",
            "192.168.1.7/32",
            "fd00::/8",
            "fd00::1/128",
            "keycloak.internal:8080",
            "127.0.0.1:9000",
            "[::1]:9000",
            "xn--bcher-kva.example:80",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn other_targets_are_mistakes() {
        for wrong in [
            "keycloak",
            "keycloak:",
            "keycloak:0",
            "keycloak:65536",
            ":80",
            "*.example.org:443",
            "https://keycloak:443",
            "keycloak:443/path",
            "10.0.0.0/33",
            "10.0.0.0/8:80",
            "10.0.0.0/8,",
            "::1:x",
        ] {
            let mistakes = read("OUTGOING_ALLOW", wrong).unwrap_err();
            let expected = "OUTGOING_ALLOW: expected networks, addresses and host:port, separated by commas, got";
            assert_eq!(mistakes, [format!("{expected} \"{wrong}\"")]);
        }
    }

    #[test]
    fn host_is_allowed_with_its_port_only() {
        let allowed = AllowedTarget::parse("idp.example:8443").unwrap();
        let address = "10.0.0.1".parse().unwrap();
        for (host, port, expected) in [
            ("idp.example", 8443, true),
            ("IDP.example", 8443, true),
            ("idp.example", 443, false),
            ("x.idp.example", 8443, false),
            ("10.0.0.1", 8443, false),
        ] {
            assert_eq!(allowed.includes(&Host::parse(host).unwrap(), port, address), expected, "{host}:{port}");
        }
    }

    #[test]
    fn authorities_must_be_certificates_in_pem_format() {
        let file = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
        let authorities = read("OUTGOING_CA", &file("tests/outgoing/certificates/authority.pem")).unwrap().authorities;
        assert_eq!(authorities.len(), 1);
        for wrong in ["no/such/file", "Cargo.toml", "tests/outgoing/certificates/server.key"] {
            let mistakes = read("OUTGOING_CA", &file(wrong)).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].starts_with("OUTGOING_CA: "), "{mistakes:?}");
        }
    }
}
