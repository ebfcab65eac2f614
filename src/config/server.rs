//! The addresses of the server, and the origins that may call it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::{Host, Url};

use crate::config::{LOOPBACK_HOSTS, Proxies, is_loopback, is_loopback_host, setting::Setting, vars::Vars};

/// The default origins of the development servers of Next.js and Vite.
const LOCAL_APPS: [&str; 2] = ["http://localhost:3000", "http://localhost:5173"];

/// The default of `LISTEN` without `PORT`.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// Where the server listens, and how clients reach it.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The address that clients use, without a slash at its end; also the issuer of tokens.
    pub public_url: String,
    /// Whether the server is reachable only from this machine. Responses may then contain hints for developers.
    pub is_local: bool,
    /// Whether `DEVELOPMENT` makes the server local, although other machines may reach it.
    pub is_development: bool,
    /// Origins whose pages may call with credentials, including that of `public_url`.
    pub allowed_origins: Vec<String>,
    /// The proxies that report the client's address. `None` means that the peer of the connection is the client.
    pub proxies: Option<Proxies>,
}

impl ServerSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("server", "Network");
        let listen = Setting::new("LISTEN", "The address and port to listen on. Takes precedence over `PORT`.")
            .text("an IP address and port, such as `127.0.0.1:8000` or `[::]:8000`", |text| text.parse().ok())
            .read_or_computed(vars, DEFAULT_LISTEN, "`127.0.0.1:` and `PORT`, or 8000; see `PORT`");
        let port = Setting::new(
            "PORT",
            "The port to listen on, as platforms for containers set it. Has no effect with `LISTEN`. The address is `0.0.0.0` if \
             `PUBLIC_URL` is https or `DEVELOPMENT` is true, otherwise `127.0.0.1`.",
        )
        .example("8000")
        .number(1..=u16::MAX)
        .read_optional(vars)
        .filter(|_| !vars.is_set("LISTEN"));
        let public_url = Setting::new(
            "PUBLIC_URL",
            "The address that clients use; also the issuer of tokens. It can have a path, see [Path \
             prefix](operations/path-prefix.md).",
        )
        .text("an address such as `https://accounts.example.org` or `https://example.org/accounts`", public_url)
        .read_or_computed(
            vars,
            format!("http://localhost:{}", port.unwrap_or(listen.port())),
            "`http://localhost:` and the port of `LISTEN` or `PORT`",
        );
        expect_hosts(vars, "PUBLIC_URL", std::slice::from_ref(&public_url));
        let is_development = Setting::new(
            "DEVELOPMENT",
            "Whether the server is *local* whatever address it listens on, for a container on a developer's machine. Publish its \
             port on `127.0.0.1` only. `PUBLIC_URL` must be `http://localhost` or another loopback address.",
        )
        .flag()
        .read_or(vars, false);
        let is_https = public_url.starts_with("https://");
        let listen = match port {
            Some(port) if is_https || is_development => SocketAddr::from(([0, 0, 0, 0], port)),
            Some(port) => SocketAddr::from(([127, 0, 0, 1], port)),
            None => listen,
        };
        vars.show_default("LISTEN", &listen.to_string());
        let host = Url::parse(&public_url).ok();
        let is_public_url_local = host.as_ref().and_then(Url::host).is_some_and(|host| is_loopback_host(&host));
        if is_development && (is_https || !is_public_url_local) {
            vars.mistake(format!(
                "DEVELOPMENT: expected false, because PUBLIC_URL is \"{public_url}\" and not http://localhost"
            ));
        }
        let is_development = is_development && !is_https && is_public_url_local;
        let is_local = is_public_url_local && (is_loopback(listen.ip()) || is_development);
        if !is_local && !is_https {
            vars.mistake(format!(
                "PUBLIC_URL: expected the https:// address that clients use, because the server is not local (LISTEN is \
                 {listen}), got \"{public_url}\""
            ));
        }
        let port = listen.port();
        let defaults = if is_local { &LOCAL_APPS[..] } else { &[] };
        let mut allowed_origins = Setting::new(
            "ALLOWED_ORIGINS",
            "Origins of pages that may call from a browser, besides that of `PUBLIC_URL`. There are no wildcards. For apps in a \
             WebView and for browser extensions, see [Mobile and desktop apps](front-ends.md#mobile-and-desktop-apps).",
        )
        .list("origins separated by commas, such as `https://app.example.org,http://localhost:3000`", app_origin)
        .read_or_computed(
            vars,
            defaults.iter().map(ToString::to_string).collect(),
            &format!("while local `{}`, otherwise none", LOCAL_APPS.join("`, `")),
        );
        expect_hosts(vars, "ALLOWED_ORIGINS", &allowed_origins);
        allowed_origins.push(split(&public_url).0.to_owned());
        if is_local {
            allowed_origins.extend(LOOPBACK_HOSTS.map(|host| format!("http://{host}:{port}")));
        }
        allowed_origins.sort();
        allowed_origins.dedup();
        Self { listen, public_url, is_local, is_development, allowed_origins, proxies: Proxies::read(vars) }
    }

    /// Whether pages of an origin may send requests with credentials. There is no other rule about `Origin`.
    ///
    /// The settings are normalised as browsers do it, so the bytes must be equal. `null`, the origin of sandboxed pages and of
    /// files, is never allowed.
    #[must_use]
    pub fn allows_origin(&self, origin: &[u8]) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin)
    }

    /// The origin of `public_url`.
    #[must_use]
    pub fn origin(&self) -> &str {
        split(&self.public_url).0
    }

    /// The path of `public_url`, such as `/accounts`. Empty if the server has an origin of its own.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        split(&self.public_url).1
    }

    /// A path of this server as clients see it, for links, redirects and cookies.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.path_prefix())
    }

    /// Whether clients use TLS, which a proxy terminates.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Reports origins with a host that browsers cannot connect to.
fn expect_hosts(vars: &mut Vars, name: &str, origins: &[String]) {
    let wrong = origins.iter().find_map(|origin| Some((origin, foreign_character(origin)?)));
    if let Some((origin, character)) = wrong {
        vars.mistake(format!(
            "{name}: expected origins that browsers send, got \"{origin}\": a host name cannot contain \"{character}\". \
             List each origin; there are no wildcards"
        ));
    }
}

/// Parses a web origin with a path or without; `None` if the URL has more parts, or a path that cannot be a prefix.
fn public_url(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    let path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
    url.set_path("");
    let origin = origin(url.as_str())?;
    is_prefix(&path).then(|| format!("{origin}{path}"))
}

/// Whether a path is empty, or can be in front of the server's own paths: without characters that proxies may encode or resolve, and
/// without the paths that exist without it too.
fn is_prefix(path: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.starts_with('.')
            && !segment.is_empty()
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let Some(path) = path.strip_prefix('/') else { return path.is_empty() };
    path.split('/').all(is_segment) && path.split('/').next() != Some("health")
}

/// Splits a result of [`public_url`] into the origin and the path.
fn split(public_url: &str) -> (&str, &str) {
    let start = public_url.find("://").map_or(0, |scheme| scheme + 3);
    let host = public_url.get(start..).unwrap_or_default();
    public_url.split_at(host.find('/').map_or(public_url.len(), |end| start + end))
}

/// Parses a web origin and normalises it as browsers do; `None` if the URL has more parts.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && is_bare(&url)).then(|| url.origin().ascii_serialization())
}

/// Parses a web origin, or that of an app in a WebView or a browser extension, such as `capacitor://localhost` or
/// `chrome-extension://<id>`. `None` if the URL has more parts.
#[must_use]
pub fn app_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    if url.is_special() {
        return origin(text);
    }
    // The crate calls these origins opaque. Browsers send scheme, host and port.
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    is_bare(&url).then(|| format!("{}://{host}{port}", url.scheme()))
}

/// Whether a URL has nothing but scheme, host and port.
fn is_bare(url: &Url) -> bool {
    matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Returns a character in the host of an origin that URL parsers accept, but that host names cannot contain.
fn foreign_character(origin: &str) -> Option<char> {
    match Url::parse(origin).ok()?.host()? {
        Host::Domain(name) => name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c)),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn public_url_may_have_a_path_of_plain_segments() {
        for (text, expected) in [
            ("https://Example.org:443/", Some(("https://example.org", ""))),
            ("https://example.org/accounts", Some(("https://example.org", "/accounts"))),
            ("https://example.org/Accounts/", Some(("https://example.org", "/Accounts"))),
            ("http://[::1]:8000/a/b.c_d~e-1", Some(("http://[::1]:8000", "/a/b.c_d~e-1"))),
            ("https://example.org/a/../b", Some(("https://example.org", "/b"))),
            ("https://example.org/health", None),
            ("https://example.org/health/accounts", None),
            ("https://example.org/.well-known", None),
            ("https://example.org/a//b", None),
            ("https://example.org/a//", None),
            ("https://example.org//", None),
            ("https://example.org/a%20b", None),
            ("https://example.org/ä", None),
            ("https://example.org/a;b", None),
            ("https://example.org/a?b", None),
            ("https://user@example.org/a", None),
            ("ftp://example.org/a", None),
            ("/accounts", None),
        ] {
            assert_eq!(public_url(text).as_deref().map(split), expected, "{text}");
        }
    }

    #[test]
    fn origins_of_webviews_and_extensions_are_accepted() {
        for (text, expected) in [
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("Tauri://localhost/", Some("tauri://localhost")),
            ("chrome-extension://abcdefghijklmnop", Some("chrome-extension://abcdefghijklmnop")),
            ("app://host:8080", Some("app://host:8080")),
            ("https://example.org:443", Some("https://example.org")),
            ("capacitor://localhost/index.html", None),
            ("capacitor://", None),
            ("capacitor:localhost", None),
            ("capacitor://user@localhost", None),
            ("capacitor://localhost?a", None),
            ("file:///tmp", None),
            ("ws://example.org", None),
            ("javascript:alert(1)", None),
            ("null", None),
        ] {
            assert_eq!(app_origin(text).as_deref(), expected, "{text}");
        }
    }
}
