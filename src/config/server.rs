//! The addresses of the server, and who may call it.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::config::{Proxies, vars::Vars};

/// Where the server listens, and how clients reach it.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The origin that clients use, without a slash at its end; also the issuer of tokens.
    pub public_url: String,
    /// Whether only this machine can reach the server. Responses may then contain hints for developers.
    pub is_local: bool,
    /// Origins whose pages may call with credentials, including that of `public_url`.
    pub allowed_origins: Vec<String>,
    /// The proxies that report the client's address. `None` means that the peer of the connection is the client.
    pub proxies: Option<Proxies>,
}

/// What follows from `LISTEN`, `PUBLIC_URL` and `ALLOWED_ORIGINS`.
pub(super) struct Addresses {
    /// `LISTEN` is loopback, and the host of `PUBLIC_URL` is loopback or `localhost`.
    pub(super) is_local: bool,
    pub(super) public_url: String,
    pub(super) allowed_origins: Vec<String>,
}

impl Addresses {
    pub(super) fn read(vars: &mut Vars, listen: SocketAddr) -> Self {
        let default = format!("http://localhost:{}", listen.port());
        let public_url =
            vars.get("PUBLIC_URL", default, "an origin without a path, such as https://accounts.example.org", origin);
        let host = Url::parse(&public_url).ok();
        let is_local =
            listen.ip().is_loopback() && host.as_ref().and_then(Url::host).is_some_and(|host| is_loopback(&host));
        if !is_local && !public_url.starts_with("https://") {
            vars.mistake(format!(
                "PUBLIC_URL: expected the https:// origin that clients use, because the server is not local (LISTEN is \
                 {listen}), got \"{public_url}\""
            ));
        }
        let defaults: &[&str] = if is_local { &["http://localhost:3000", "http://localhost:5173"] } else { &[] };
        let mut allowed_origins = vars.get(
            "ALLOWED_ORIGINS",
            defaults.iter().map(ToString::to_string).collect(),
            "origins separated by commas, such as https://app.example.org,http://localhost:3000",
            |text| text.split(',').map(|text| origin(text.trim())).collect::<Option<Vec<_>>>(),
        );
        for (name, origins) in
            [("PUBLIC_URL", std::slice::from_ref(&public_url)), ("ALLOWED_ORIGINS", &allowed_origins)]
        {
            if let Some((origin, character)) =
                origins.iter().find_map(|origin| Some((origin, foreign_character(origin)?)))
            {
                vars.mistake(format!(
                    "{name}: expected origins that browsers send, got \"{origin}\": a host name cannot contain \
                     \"{character}\". List each origin; there are no wildcards"
                ));
            }
        }
        allowed_origins.push(public_url.clone());
        if is_local {
            let port = listen.port();
            allowed_origins.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}")));
        }
        allowed_origins.sort();
        allowed_origins.dedup();
        Self { is_local, public_url, allowed_origins }
    }
}

/// The origin that `text` spells, normalised as browsers send it; `None` if there is more to it than an origin.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    bare.then(|| url.origin().ascii_serialization())
}

/// A character of an origin's host that parsers of URLs let through, and no host has that a browser connects to.
fn foreign_character(origin: &str) -> Option<char> {
    match Url::parse(origin).ok()?.host()? {
        Host::Domain(name) => name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c)),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}
