//! The addresses of the server, and who may call it.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::config::{LOOPBACK_HOSTS, Proxies, is_loopback, is_loopback_host, setting::Setting, vars::Vars};

/// Origins where front ends run while they are developed: those of Next.js and of Vite.
const LOCAL_APPS: [&str; 2] = ["http://localhost:3000", "http://localhost:5173"];

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

impl ServerSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("server", "Network");
        let listen = Setting::new("LISTEN", "The address and port to listen on.")
            .text("an IP address and port, such as `127.0.0.1:8000` or `[::]:8000`", |text| text.parse().ok())
            .read_or(vars, SocketAddr::from(([127, 0, 0, 1], 8000)));
        let port = listen.port();
        let public_url = Setting::new("PUBLIC_URL", "The origin that clients use; also the issuer of tokens.")
            .text("an origin without a path, such as `https://accounts.example.org`", origin)
            .read_or_computed(vars, format!("http://localhost:{port}"), "`http://localhost:` and the port of `LISTEN`");
        expect_hosts(vars, "PUBLIC_URL", std::slice::from_ref(&public_url));
        let host = Url::parse(&public_url).ok();
        let is_local =
            is_loopback(listen.ip()) && host.as_ref().and_then(Url::host).is_some_and(|host| is_loopback_host(&host));
        if !is_local && !public_url.starts_with("https://") {
            vars.mistake(format!(
                "PUBLIC_URL: expected the https:// origin that clients use, because the server is not local (LISTEN is \
                 {listen}), got \"{public_url}\""
            ));
        }
        let defaults = if is_local { &LOCAL_APPS[..] } else { &[] };
        let mut allowed_origins = Setting::new(
            "ALLOWED_ORIGINS",
            "Origins of pages that may call from a browser, besides that of `PUBLIC_URL`. There are no wildcards.",
        )
        .list("origins separated by commas, such as `https://app.example.org,http://localhost:3000`", origin)
        .read_or_computed(
            vars,
            defaults.iter().map(ToString::to_string).collect(),
            &format!("while local `{}`, otherwise none", LOCAL_APPS.join("`, `")),
        );
        expect_hosts(vars, "ALLOWED_ORIGINS", &allowed_origins);
        allowed_origins.push(public_url.clone());
        if is_local {
            allowed_origins.extend(LOOPBACK_HOSTS.map(|host| format!("http://{host}:{port}")));
        }
        allowed_origins.sort();
        allowed_origins.dedup();
        Self { listen, public_url, is_local, allowed_origins, proxies: Proxies::read(vars) }
    }

    /// Whether pages of an origin may call with credentials: the only rule about `Origin`.
    ///
    /// Browsers send an origin in the form to which the settings are normalised, so it must be equal byte for byte. `null`, the
    /// origin of sandboxed pages and of files, is never allowed.
    #[must_use]
    pub fn allows_origin(&self, origin: &[u8]) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin)
    }

    /// Whether clients reach the server by TLS, at a proxy.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Refuses origins whose host no browser can connect to.
fn expect_hosts(vars: &mut Vars, name: &str, origins: &[String]) {
    let wrong = origins.iter().find_map(|origin| Some((origin, foreign_character(origin)?)));
    if let Some((origin, character)) = wrong {
        vars.mistake(format!(
            "{name}: expected origins that browsers send, got \"{origin}\": a host name cannot contain \"{character}\". \
             List each origin; there are no wildcards"
        ));
    }
}

/// Parses an origin and normalises it as browsers do; `None` if the URL has more parts.
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

/// A character in the host of an origin that URL parsers accept, but that no host name has.
fn foreign_character(origin: &str) -> Option<char> {
    match Url::parse(origin).ok()?.host()? {
        Host::Domain(name) => name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c)),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    #[test]
    fn origins_are_compared_byte_for_byte() {
        let variables = [("ALLOWED_ORIGINS", "https://App.example.org:443,http://localhost:3000")];
        let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        for (origin, expected) in [
            ("https://app.example.org", true),
            ("http://localhost:3000", true),
            ("http://localhost:8000", true),
            ("http://127.0.0.1:8000", true),
            ("http://127.0.0.1:3000", false),
            ("https://APP.example.org", false),
            ("https://app.example.org:443", false),
            ("https://app.example.org/", false),
            ("https://app.example.org.evil.example", false),
            ("http://app.example.org", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(settings.server.allows_origin(origin.as_bytes()), expected, "{origin}");
        }
    }
}
