//! Connects to addresses that have been checked, and establishes TLS.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        CertificateError, ClientConfig, Error as TlsError, RootCertStore,
        crypto::ring,
        pki_types::{ServerName, UnixTime},
        time_provider::TimeProvider,
    },
};

use crate::{Error, Result, clock::Clock, config::OutgoingSettings, outgoing::error::Failure};

/// Time limit for connecting to one address, so that time is left for the next one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Connects to the first address that accepts a connection.
pub(super) async fn connect(addresses: Vec<IpAddr>, port: u16) -> Result<TcpStream, Failure> {
    let mut failure = Failure::Connect("the host has no address".to_owned());
    for address in alternate_families(addresses) {
        let connecting = TcpStream::connect(SocketAddr::new(address, port));
        match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = Failure::Connect(format!("{address}: {error}")),
            Err(_) => failure = Failure::Connect(format!("{address}: no answer")),
        }
    }
    Err(failure)
}

/// Alternates between IPv6 and IPv4, beginning with the family of the first address, so that one family without a route costs
/// little time (RFC 8305 §4).
fn alternate_families(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let starts_with_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut next, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == starts_with_v6);
    let mut ordered = Vec::new();
    while let Some(address) = next.pop_front() {
        ordered.push(address);
        if !other.is_empty() {
            std::mem::swap(&mut next, &mut other);
        }
    }
    ordered
}

/// The clock for the validity of certificates.
#[derive(Debug)]
struct CertificateTime(Clock);

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.now().timestamp().try_into().ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Establishes TLS for outgoing requests. The authorities are those that the mail server's certificate is checked with, and those
/// of the settings.
pub(super) fn tls_connector(settings: &OutgoingSettings, clock: Clock) -> Result<TlsConnector> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in &settings.authorities {
        roots.add(authority.clone()).map_err(Error::internal)?;
    }
    // Named, because the default depends on the providers that the features of other crates enable.
    let builder =
        ClientConfig::builder_with_details(Arc::new(ring::default_provider()), Arc::new(CertificateTime(clock)));
    let versions = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

/// Establishes TLS, and verifies the certificate.
pub(super) async fn handshake(
    tls: &TlsConnector,
    name: ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    tls.connect(name, stream).await.map_err(|error| Failure::Tls(describe(&error)))
}

/// Describes a failed handshake, without the names in the certificate.
fn describe(error: &io::Error) -> String {
    let tls_error = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
    let Some(TlsError::InvalidCertificate(reason)) = tls_error else { return error.to_string() };
    let reason = match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "is for another name",
        CertificateError::UnknownIssuer => "is of an unknown authority; OUTGOING_CA adds authorities",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::Revoked => "is revoked",
        _ => "is not acceptable",
    };
    format!("the certificate {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (given, expected) in [
            (&["2::1", "2::2", "2::3", "1.0.0.1", "1.0.0.2"][..], &["2::1", "1.0.0.1", "2::2", "1.0.0.2", "2::3"][..]),
            (&["1.0.0.1", "2::1", "2::2"], &["1.0.0.1", "2::1", "2::2"]),
            (&["1.0.0.1", "1.0.0.2"], &["1.0.0.1", "1.0.0.2"]),
            (&[], &[]),
        ] {
            assert_eq!(alternate_families(addresses(given)), addresses(expected));
        }
    }
}
