//! Which certificates are accepted.

use std::sync::Arc;

use hallpass::outgoing::{Failure, Outgoing, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use url::Url;

use crate::support::{LOOPBACK, NOW, Names, OK, Server, client_at};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outgoing/certificates");
const CA: (&str, &str) =
    ("OUTGOING_CA", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outgoing/certificates/authority.pem"));

/// A server with a certificate for `idp.example.org` and `127.0.0.1`.
async fn server() -> Server {
    let certificate = CertificateDer::from_pem_file(format!("{FOLDER}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |stream, server| {
        let acceptor = acceptor.clone();
        async move {
            // Clients that do not accept the certificate end the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                server.answer(stream, OK.as_bytes()).await;
            }
        }
    })
    .await
}

fn names() -> Names {
    let addresses: &[&[&str]] = &[&["127.0.0.1"]];
    Names::default().with("idp.example.org", addresses).with("other.example.org", addresses)
}

fn url(server: &Server, host: &str) -> Url {
    Url::parse(&format!("https://{host}:{}/token", server.address.port())).unwrap()
}

async fn post(client: &Outgoing, url: &Url) -> Result<Response, Failure> {
    client.send(Request::post_form(url, &[("code", "abc")])).await.map_err(|error| error.failure)
}

#[tokio::test]
async fn certificate_of_a_known_authority_is_accepted() {
    let server = server().await;
    let client = client_at(NOW, &[LOOPBACK, CA], names());
    for host in ["idp.example.org", "IDP.example.org", "127.0.0.1"] {
        assert_eq!(post(&client, &url(&server, host)).await.unwrap().body, "{}", "{host}");
    }
    assert!(server.requests().iter().all(|request| request.ends_with("\r\n\r\ncode=abc")));
}

/// The server has received nothing, neither the form nor credentials.
async fn assert_refused(client: &Outgoing, server: &Server, host: &str, expected: &str) {
    let failure = post(client, &url(server, host)).await.unwrap_err();
    assert_eq!(failure, Failure::Tls(expected.to_owned()));
    assert_eq!((server.connections(), server.requests()), (1, Vec::new()));
}

#[tokio::test]
async fn certificate_for_another_name_is_refused() {
    let client = client_at(NOW, &[LOOPBACK, CA], names());
    assert_refused(&client, &server().await, "other.example.org", "the certificate is for another name").await;
}

#[tokio::test]
async fn certificate_of_an_unknown_authority_is_refused() {
    let client = client_at(NOW, &[LOOPBACK], names());
    let expected = "the certificate is of an unknown authority; OUTGOING_CA adds authorities";
    assert_refused(&client, &server().await, "idp.example.org", expected).await;
}

/// OUTGOING_ALLOW makes http acceptable, but not a wrong certificate.
#[tokio::test]
async fn allowed_host_needs_an_acceptable_certificate() {
    let server = server().await;
    let allowed = format!("idp.example.org:{}", server.address.port());
    let client = client_at(NOW, &[("OUTGOING_ALLOW", &allowed)], names());
    let expected = "the certificate is of an unknown authority; OUTGOING_CA adds authorities";
    assert_refused(&client, &server, "idp.example.org", expected).await;
}

#[tokio::test]
async fn certificates_outside_their_validity_are_refused() {
    for (now, expected) in [
        ("2200-01-01T00:00:00Z", "the certificate has expired"),
        ("2020-01-01T00:00:00Z", "the certificate is not valid yet"),
    ] {
        let client = client_at(now, &[LOOPBACK, CA], names());
        assert_refused(&client, &server().await, "idp.example.org", expected).await;
    }
}

#[tokio::test]
async fn servers_without_tls_are_refused() {
    let server = Server::start(|mut stream, _| async move {
        stream.write_all(OK.as_bytes()).await.unwrap();
        // Closed by the client.
        while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let client = client_at(NOW, &[LOOPBACK, CA], names());
    let failure = post(&client, &url(&server, "idp.example.org")).await.unwrap_err();
    assert!(matches!(failure, Failure::Tls(_)), "{failure:?}");
}
