//! Where a request goes: parses the URL, and checks the addresses of its host.

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use crate::{
    config::AllowedTarget,
    outgoing::{addresses::special_kind, error::Failure, resolver::Resolver},
};

/// The parts of a URL that a request needs.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) is_https: bool,
    /// The value of the header `Host`.
    pub(super) authority: String,
    pub(super) path_and_query: String,
}

impl Target {
    pub(super) fn parse(url: &Url) -> Result<Self, Failure> {
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Failure::InvalidRequest("the scheme of the URL is not https")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::InvalidRequest("the URL contains a user name or password"));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Failure::InvalidRequest("the URL has no host"));
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            is_https,
            authority: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            path_and_query: url[Position::BeforePath..Position::AfterQuery].to_owned(),
        })
    }

    /// The name that the certificate must be for.
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, Failure> {
        match &self.host {
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|_| Failure::InvalidRequest("the host of the URL is not a name that certificates can have")),
            Host::Ipv4(address) => Ok(IpAddr::from(*address).into()),
            Host::Ipv6(address) => Ok(IpAddr::from(*address).into()),
        }
    }

    /// Returns the addresses of the host, all of which the request may connect to.
    pub(super) async fn addresses(
        &self,
        resolver: &dyn Resolver,
        allow: &[AllowedTarget],
    ) -> Result<Vec<IpAddr>, Failure> {
        let addresses = match &self.host {
            Host::Domain(name) => resolver.resolve(name).await.map_err(|error| Failure::Resolve(error.to_string()))?,
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
        };
        if addresses.is_empty() {
            return Err(Failure::Resolve("it has no address".to_owned()));
        }
        addresses.iter().try_for_each(|address| self.check(*address, allow))?;
        Ok(addresses)
    }

    fn check(&self, address: IpAddr, allow: &[AllowedTarget]) -> Result<(), Failure> {
        if allow.iter().any(|allowed| allowed.includes(&self.host, self.port, address)) {
            return Ok(());
        }
        match special_kind(address) {
            Some(kind) => Err(Failure::Forbidden { address, kind }),
            None if !self.is_https => Err(Failure::Insecure),
            None => Ok(()),
        }
    }
}
