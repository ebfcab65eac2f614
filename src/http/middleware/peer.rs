//! The client of a request: its address, user agent and language.

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

/// The remote address of the connection. [`crate::http::serve()`] inserts it into the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Returns the client of a request.
pub(in crate::http) fn client(settings: &Settings, request: &Request) -> Client {
    let address = address(settings, request);
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut client = Client::new(address, user_agent.as_deref());
    client.language = language(request.headers().get(ACCEPT_LANGUAGE));
    client
}

/// The client's address, from the header of a trusted proxy or the connection.
pub(in crate::http) fn address(settings: &Settings, request: &Request) -> Option<IpAddr> {
    let peer = remote_address(request)?;
    Some(match &settings.server.proxies {
        Some(proxies) => forwarded_for(proxies, peer, request.headers()),
        None => peer,
    })
}

/// Whether the request came from a trusted proxy.
pub(in crate::http) fn is_trusted(settings: &Settings, request: &Request) -> bool {
    let proxies = settings.server.proxies.as_ref();
    proxies.zip(remote_address(request)).is_some_and(|(proxies, peer)| proxies.trusts(peer))
}

/// The remote address of the connection.
fn remote_address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// The language of the response, from the header `Accept-Language`.
pub(in crate::http) fn language(accept_language: Option<&HeaderValue>) -> Language {
    let ranges = negotiation::parse(accept_language);
    Language::preferred(ranges.iter().map(|(range, weight)| (range.as_str(), *weight)))
}

/// Whether a proxy has added a header with the client's address.
pub(in crate::http) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// The client's address according to the trusted proxies. An invalid hop ends the search; the last trusted proxy then
/// counts as the client.
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

/// Returns the first untrusted hop. Each proxy appends the address that it received the request from, so the hops are
/// read from right to left, as long as the previous one is a trusted proxy.
fn first_untrusted(proxies: &Proxies, peer: IpAddr, mut hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut address = peer;
    while proxies.trusts(address) {
        match hops.next().flatten() {
            Some(hop) => address = hop,
            None => break,
        }
    }
    address
}

/// Parses an address with an optional port. An IPv6 address may be in brackets.
pub(in crate::http) fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_address(header: &str, peer: &str, lines: &[&str]) -> String {
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
    fn client_is_the_rightmost_untrusted_hop() {
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
            assert_eq!(client_address("x-forwarded-for", peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded_header_is_supported() {
        for (lines, expected) in [
            (&["for=198.51.100.1"][..], "198.51.100.1"),
            (&["for=1.1.1.1, For=\"198.51.100.1:4711\";proto=https;by=10.0.0.1"], "198.51.100.1"),
            (&["proto=https; for=\"[2001:dead::7]:4711\""], "2001:dead::7"),
            (&["for=198.51.100.1", "for=10.0.0.2"], "198.51.100.1"),
            (&["for=198.51.100.1, for=_hidden"], "10.0.0.1"),
            (&["for=198.51.100.1, for=unknown"], "10.0.0.1"),
            (&["for=198.51.100.1, for=\"10.0.0.2,x\""], "10.0.0.1"),
            // A proxy that copies the client's `Host` header.
            (&["for=198.51.100.1;host=\"a,for=1.1.1.1;b\""], "198.51.100.1"),
            (&["host=\"a;for=1.1.1.1\";for=198.51.100.1"], "198.51.100.1"),
            (&["for=198.51.100.1;host=\"\\\",for=1.1.1.1;\""], "198.51.100.1"),
            (&["proto=https"], "10.0.0.1"),
            (&["198.51.100.1"], "10.0.0.1"),
            (&["for=198.51.100.1,"], "10.0.0.1"),
            (&["For=\"198.51.100.1\" ; by=10.0.0.1 , for=10.0.0.2"], "198.51.100.1"),
        ] {
            assert_eq!(client_address("forwarded", "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn malformed_forwarded_line_is_ignored() {
        // Each line starts with text from the client, to which the proxy has appended its element.
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
            assert_eq!(client_address("forwarded", "10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        // A separate malformed line from the client does not affect the line of the proxy.
        assert_eq!(client_address("forwarded", "10.0.0.1", &["for=9.9.9.9;x=\"", "for=198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn parsing_stops_at_the_first_untrusted_hop() {
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
