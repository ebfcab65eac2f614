//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{ACCEPT_LANGUAGE, FORWARDED, USER_AGENT},
    },
};

use crate::{
    config::{Proxies, ProxyHeader, Settings},
    domain::Client,
    http::{middleware::forwarded, negotiation},
    language::Language,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection, put into a request's extensions by [`crate::http::serve()`].
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What is to be known of a request's origin.
pub(in crate::http) fn client(settings: &Settings, request: &Request) -> Client {
    let address = address(settings, request);
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut client = Client::new(address, user_agent.as_deref());
    client.language = language(request.headers().get(ACCEPT_LANGUAGE));
    client
}

/// The client's address, as far as the proxies are believed.
pub(in crate::http) fn address(settings: &Settings, request: &Request) -> Option<IpAddr> {
    let peer = connected(request)?;
    Some(match &settings.server.proxies {
        Some(proxies) => forwarded_for(proxies, peer, request.headers()),
        None => peer,
    })
}

/// Whether the request came from a proxy that is believed.
pub(in crate::http) fn is_trusted(settings: &Settings, request: &Request) -> bool {
    let proxies = settings.server.proxies.as_ref();
    proxies.zip(connected(request)).is_some_and(|(proxies, peer)| proxies.trusts(peer))
}

/// The other end of the connection.
fn connected(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// The language of the answer, from the header `Accept-Language`.
pub(in crate::http) fn language(accept_language: Option<&HeaderValue>) -> Language {
    let ranges = negotiation::parse(accept_language);
    Language::preferred(ranges.iter().map(|(range, weight)| (range.as_str(), *weight)))
}

/// Whether some proxy says whom it forwards for.
pub(in crate::http) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// The client, as the proxies tell. What can't be read is nobody's word, and leaves the request with the proxy that
/// passed it on.
fn forwarded_for(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lines = |name| headers.get_all(name).iter().rev().map(HeaderValue::as_bytes);
    match proxies.header {
        ProxyHeader::XForwardedFor => {
            let hops = lines(X_FORWARDED_FOR).flat_map(|line| line.rsplit(|byte| *byte == b','));
            first_untrusted(proxies, peer, hops.map(|text| hop(str::from_utf8(text).ok()?)))
        }
        ProxyHeader::Forwarded => {
            let hops = lines(FORWARDED).flat_map(|line| forwarded::hops(line).unwrap_or(vec![None]).into_iter().rev());
            first_untrusted(proxies, peer, hops)
        }
    }
}

/// Each proxy writes down at the right whom it got the request from. From there to the left, hops are believed as long
/// as trusted proxies tell of them: the first one that is not trusted is the client.
fn first_untrusted(proxies: &Proxies, peer: IpAddr, mut hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut address = peer;
    while proxies.trusts(address) {
        match hops.next().flatten() {
            Some(told) => address = told,
            None => break,
        }
    }
    address
}

/// An address, perhaps with a port, an IPv6 one perhaps in brackets.
pub(in crate::http) fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(header: &str, peer: &str, lines: &[&str]) -> String {
        let variables = [("PROXY_HEADER", header), ("TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32,192.0.2.1")];
        let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        let mut request = Request::new(axum::body::Body::empty());
        request.extensions_mut().insert(Peer(SocketAddr::new(peer.parse().unwrap(), 4711)));
        for line in lines {
            let name: HeaderName = header.parse().unwrap();
            request.headers_mut().append(name, line.parse().unwrap());
        }
        // The other header is never read.
        let other = if header == "forwarded" { X_FORWARDED_FOR } else { FORWARDED };
        request.headers_mut().append(other, "203.0.113.99".parse().unwrap());
        client(&settings, &request).ip_address.unwrap().to_string()
    }

    #[test]
    fn the_rightmost_hop_that_is_not_trusted_counts() {
        for (peer, lines, expected) in [
            ("203.0.113.7", &["198.51.100.1"][..], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1", "10.9.9.9,192.0.2.1"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.1:8080"], "198.51.100.1"),
            ("2001:db8::1", &["2001:dead::7"], "2001:dead::7"),
            ("10.0.0.1", &["[2001:dead::7]:443"], "2001:dead::7"),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["198.51.100.1,"], "10.0.0.1"),
        ] {
            assert_eq!(told("x-forwarded-for", peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_standard_header_is_read_as_well() {
        for (lines, expected) in [
            (&["for=198.51.100.1"][..], "198.51.100.1"),
            (&["for=1.1.1.1, For=\"198.51.100.1:4711\";proto=https;by=10.0.0.1"], "198.51.100.1"),
            (&["proto=https; for=\"[2001:dead::7]:4711\""], "2001:dead::7"),
            (&["for=198.51.100.1", "for=10.0.0.2"], "198.51.100.1"),
            (&["for=198.51.100.1, for=_hidden"], "10.0.0.1"),
            (&["for=198.51.100.1, for=unknown"], "10.0.0.1"),
            (&["for=198.51.100.1, for=\"10.0.0.2,x\""], "10.0.0.1"),
            // A proxy that writes down what the client sent as its host.
            (&["for=198.51.100.1;host=\"a,for=1.1.1.1;b\""], "198.51.100.1"),
            (&["host=\"a;for=1.1.1.1\";for=198.51.100.1"], "198.51.100.1"),
            (&["for=198.51.100.1;host=\"\\\",for=1.1.1.1;\""], "198.51.100.1"),
            (&["proto=https"], "10.0.0.1"),
            (&["198.51.100.1"], "10.0.0.1"),
            (&["for=198.51.100.1,"], "10.0.0.1"),
            (&["For=\"198.51.100.1\" ; by=10.0.0.1 , for=10.0.0.2"], "198.51.100.1"),
        ] {
            assert_eq!(told("forwarded", "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_line_that_a_client_has_begun_with_an_open_quote_says_nothing() {
        // Each is what a client sent, and what its proxy appended.
        for lines in [
            &["for=9.9.9.9;x=\", for=198.51.100.1"][..],
            &["for=9.9.9.9;x=\"\\, for=198.51.100.1"],
            &["for=9.9.9.9;x=\", for=\"[2001:dead::7]:4711\""],
            &["for=9.9.9.9;x=\", for=198.51.100.1;host=\"accounts.example.org\""],
            &["for=9.9.9.9;x=\"\\\", for=198.51.100.1;host=\"a\";by=\"b\""],
            &["for=198.51.100.1", "for=9.9.9.9;x=\", for=198.51.100.1"],
            &["for=9.9.9.9 x"],
            &["for=9.9.9.9;=x"],
            &["for=9.9.9.9;x"],
            &["for=9.9.9.9;x=\"a\"b"],
            &["for=9.9.9.9;for=198.51.100.1"],
            &["for=9.9.9.9:80"],
        ] {
            assert_eq!(told("forwarded", "10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        // A line of the client's own takes nothing from the proxy's.
        assert_eq!(told("forwarded", "10.0.0.1", &["for=9.9.9.9;x=\"", "for=198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn no_more_hops_are_read_than_decide() {
        let spoofed = "1.1.1.1,".repeat(5000);
        let lines = [spoofed.as_str(), "198.51.100.1, 10.0.0.2"];
        let mut read = 0;
        let mut hops = lines.into_iter().rev().flat_map(|line| line.rsplit(',')).inspect(|_| read += 1).map(hop);
        let variables = [("PROXY_HEADER", "x-forwarded-for"), ("TRUSTED_PROXIES", "10.0.0.0/8")];
        let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        let client = first_untrusted(&settings.server.proxies.unwrap(), "10.0.0.1".parse().unwrap(), &mut hops);
        assert_eq!((client.to_string().as_str(), read), ("198.51.100.1", 2));
    }
}
