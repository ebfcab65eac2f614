//! Which hosts and addresses requests reach.

use hallpass::outgoing::{Failure, Outgoing, Request};
use url::Url;

use crate::support::{LOOPBACK, Names, OK, Server, client, failure};

fn is_forbidden(failure: &Failure, expected: &str) -> bool {
    matches!(failure, Failure::Forbidden { address, .. } if address.to_string() == expected)
}

#[tokio::test]
async fn special_addresses_are_refused_in_every_spelling() {
    let names = Names::default();
    let client = client(&[], names.clone());
    for (host, address) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0.0.0x1", "127.0.0.1"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("169.254.169.254", "169.254.169.254"),
        ("2852039166", "169.254.169.254"),
        ("10.65793", "10.1.1.1"),
        ("4294967295", "255.255.255.255"),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[::]", "::"),
        ("[::127.0.0.1]", "::7f00:1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("[::ffff:7f00:1]", "::ffff:127.0.0.1"),
        ("[::FFFF:8.8.8.8]", "::ffff:8.8.8.8"),
        ("[64:ff9b::10.0.0.1]", "64:ff9b::a00:1"),
        ("[fe80::1]", "fe80::1"),
        ("[fd00:ec2::254]", "fd00:ec2::254"),
    ] {
        let failure = failure(&client, &format!("https://{host}/")).await;
        assert!(is_forbidden(&failure, address), "{host}: {failure:?}");
    }
    assert_eq!(names.lookups(), Vec::<String>::new());
}

#[test]
fn malformed_addresses_are_no_urls() {
    for host in [
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1",
        "::1",
        "256.0.0.1",
        "127.0.0.1.1",
        "4294967296",
        "0x100000000",
        "127.0.0.08",
        "example.1",
        "127.0.0.1%00.example.org",
        "127.0.0.1%2f.example.org",
    ] {
        assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
    }
}

#[tokio::test]
async fn localhost_of_the_system_is_refused() {
    let client = Outgoing::new(&crate::support::settings(&[]), hallpass::clock::Clock::System).unwrap();
    let failure = failure(&client, "https://localhost/").await;
    assert!(is_forbidden(&failure, "127.0.0.1") || is_forbidden(&failure, "::1"), "{failure:?}");
}

#[tokio::test]
async fn name_with_one_special_address_is_refused() {
    let server = Server::answering(OK).await;
    for addresses in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]] {
        let client = client(&[LOOPBACK], Names::default().with("half.example.org", &[&addresses]));
        let failure = failure(&client, server.url_of("half.example.org", "/").as_str()).await;
        assert!(is_forbidden(&failure, "10.0.0.1"), "{failure:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn connection_goes_to_the_address_that_was_checked() {
    let server = Server::answering(OK).await;
    // The second lookup returns an address that is neither allowed nor reachable.
    let names = Names::default().with("rebind.example.org", &[&["127.0.0.1"], &["10.0.0.1"]]);
    let client = client(&[LOOPBACK], names.clone());
    let url = server.url_of("rebind.example.org", "/");
    assert_eq!(client.send(Request::get(&url)).await.unwrap().status, 200);
    assert_eq!((names.lookups().len(), server.connections()), (1, 1));
    // The addresses of the next request are checked again.
    let failure = failure(&client, url.as_str()).await;
    assert!(is_forbidden(&failure, "10.0.0.1"), "{failure:?}");
    assert_eq!((names.lookups().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn next_address_is_tried_if_one_refuses_connections() {
    let server = Server::answering(OK).await;
    let names = Names::default().with("two.example.org", &[&["127.0.0.2", "127.0.0.1"]]);
    let url = server.url_of("two.example.org", "/");
    assert_eq!(client(&[LOOPBACK], names).send(Request::get(&url)).await.unwrap().status, 200);
}

#[tokio::test]
async fn host_that_refuses_connections_is_an_error() {
    let server = Server::answering(OK).await;
    let url = format!("http://127.0.0.2:{}/", server.address.port());
    let failure = failure(&client(&[LOOPBACK], Names::default()), &url).await;
    assert!(matches!(&failure, Failure::Connect(cause) if cause.starts_with("127.0.0.2: ")), "{failure:?}");
}

#[tokio::test]
async fn names_without_addresses_are_refused() {
    let client = client(&[], Names::default().with("empty.example.org", &[&[]]));
    for host in ["empty.example.org", "unknown.example.org"] {
        let failure = failure(&client, &format!("https://{host}/")).await;
        assert!(matches!(failure, Failure::Resolve(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn http_is_refused_for_public_hosts() {
    let client = client(&[LOOPBACK], Names::default().with("public.example.org", &[&["1.1.1.1"]]));
    for url in ["http://public.example.org/", "http://8.8.8.8/", "http://[2606:4700::1111]/", "http://8.8.8.8:443/"] {
        assert_eq!(failure(&client, url).await, Failure::Insecure, "{url}");
    }
}

#[tokio::test]
async fn http_is_refused_if_one_address_of_an_allowed_network_is_public() {
    let client = client(&[LOOPBACK], Names::default().with("half.example.org", &[&["127.0.0.1", "1.1.1.1"]]));
    assert_eq!(failure(&client, "http://half.example.org/").await, Failure::Insecure);
}

#[tokio::test]
async fn allowed_host_is_reached_at_its_port_only() {
    let server = Server::answering(OK).await;
    let other = Server::answering(OK).await;
    let allowed = format!("idp.internal:{}", server.address.port());
    let names = Names::default().with("idp.internal", &[&["127.0.0.1"]]).with("other.internal", &[&["127.0.0.1"]]);
    let client = client(&[("OUTGOING_ALLOW", &allowed)], names);
    let url = server.url_of("IDP.internal", "/");
    assert_eq!(client.send(Request::get(&url)).await.unwrap().status, 200);
    for url in [other.url_of("idp.internal", "/"), server.url_of("other.internal", "/"), server.url("/")] {
        let failure = failure(&client, url.as_str()).await;
        assert!(is_forbidden(&failure, "127.0.0.1"), "{url}: {failure:?}");
    }
    assert_eq!((server.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn urls_with_credentials_or_other_schemes_are_refused() {
    let client = client(&[LOOPBACK], Names::default());
    for url in [
        "https://user@127.0.0.1/",
        "https://:password@127.0.0.1/",
        "http://user:password@127.0.0.1/",
        "ftp://127.0.0.1/",
        "ws://127.0.0.1/",
        "file:///etc/passwd",
        "data:text/plain,hello",
        "gopher://127.0.0.1:25/",
    ] {
        let failure = failure(&client, url).await;
        assert!(matches!(failure, Failure::InvalidRequest(_)), "{url}: {failure:?}");
    }
}
