//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{ACCEPT_LANGUAGE, FORWARDED, USER_AGENT},
    },
};

use super::weights;
use crate::{
    accounts::Client,
    config::{Proxies, ProxyHeader, Settings},
    language::Language,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection, put into a request's extensions by [`super::serve()`].
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What is to be known of a request's origin.
pub(super) fn client(settings: &Settings, request: &Request) -> Client {
    let address = address(settings, request);
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut client = Client::new(address, user_agent.as_deref());
    client.language = language(request.headers().get(ACCEPT_LANGUAGE));
    client
}

/// The client's address, as far as the proxies are believed.
pub(super) fn address(settings: &Settings, request: &Request) -> Option<IpAddr> {
    let peer = connected(request)?;
    Some(match &settings.proxies {
        Some(proxies) => forwarded_for(proxies, peer, request.headers()),
        None => peer,
    })
}

/// Whether the request came from a proxy that is believed.
pub(super) fn is_trusted(settings: &Settings, request: &Request) -> bool {
    let proxies = settings.proxies.as_ref();
    proxies.zip(connected(request)).is_some_and(|(proxies, peer)| proxies.trusts(peer))
}

/// The other end of the connection.
fn connected(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// The language of the answer, from the header `Accept-Language`.
pub(super) fn language(accept_language: Option<&HeaderValue>) -> Language {
    let ranges = weights::parse(accept_language);
    Language::preferred(ranges.iter().map(|(range, weight)| (range.as_str(), *weight)))
}

/// Whether some proxy says whom it forwards for.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

/// Each proxy writes down at the right whom it got the request from. From there to the left, hops are believed as long
/// as trusted proxies tell of them: the first one that is not trusted is the client. What can't be read is nobody's word,
/// and leaves the request with the proxy that passed it on.
fn forwarded_for(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lines = |name| headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let mut hops: Vec<Option<IpAddr>> = match proxies.header {
        ProxyHeader::XForwardedFor => {
            lines(X_FORWARDED_FOR).flat_map(|line| line.split(',').map(hop).collect::<Vec<_>>()).collect()
        }
        ProxyHeader::Forwarded => {
            let elements = |line: std::borrow::Cow<'_, str>| split(&line, ',').map(forwarded_hop).collect::<Vec<_>>();
            lines(FORWARDED).flat_map(elements).collect()
        }
    };
    let mut address = peer;
    while proxies.trusts(address) {
        match hops.pop().flatten() {
            Some(told) => address = told,
            None => break,
        }
    }
    address
}

/// The parts of a list. Separators in quotes (RFC 9110 §5.6.4) are none, because what is quoted may be a client's word.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c: char| {
        let is_separator = !is_quoted && c == separator;
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        is_separator
    })
}

/// An address, perhaps with a port, an IPv6 one perhaps in brackets.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// `for=` of one element (RFC 7239 §4). Names that hide an address (§6.3) are none.
fn forwarded_hop(element: &str) -> Option<IpAddr> {
    let mut pairs = split(element, ';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    hop(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
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
        ] {
            assert_eq!(told("forwarded", "10.0.0.1", lines), expected, "{lines:?}");
        }
    }
}
