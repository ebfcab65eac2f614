//! The addresses of the server, its origins, and limits of attempts.

use url::Url;

use crate::{
    cli::doctor::{Level, Report},
    config::Settings,
};

pub(super) fn check(report: &mut Report, settings: &Settings) {
    let server = &settings.server;
    let (listen, public_url) = (server.listen, &server.public_url);
    let place = if server.is_local { "for this machine only" } else { "for other machines too" };
    report.add(Level::Ok, "addresses", format!("listens on {listen}; clients use {public_url}, {place}"));
    if server.is_development {
        report.add(
            Level::Warning,
            "addresses",
            "DEVELOPMENT is true: connections are not encrypted; never use it on a server",
        );
    }
    if !server.is_local && server.proxies.is_none() {
        let text = "PROXY_HEADER and TRUSTED_PROXIES are not set: if clients connect through a proxy, set both, or all clients \
                    count as one";
        report.add(Level::Warning, "addresses", text);
    }
    if !settings.throttle.is_enabled {
        report.add(
            Level::Warning,
            "limits",
            "THROTTLE is false: passwords may be guessed without limit; set it to true",
        );
    }
    if server.is_local {
        return;
    }
    let others = server.allowed_origins.iter().filter(|origin| *origin != public_url);
    for origin in others.filter(|origin| !is_same_site(origin, public_url)) {
        report.add(
            Level::Warning,
            "origins",
            format!(
                "{origin} and {public_url} are not on the same site, so browsers do not send the refresh cookie: the app must \
                 use tokenDelivery BODY, or be served below the same domain"
            ),
        );
    }
}

/// Whether browsers count two origins as one site, as far as that is known without the list of public suffixes: they have the
/// same scheme, and the same host or the same last two labels.
fn is_same_site(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Url::parse(one), Url::parse(other)) else { return false };
    let site = |url: &Url| match url.host() {
        Some(url::Host::Domain(domain)) => {
            let labels: Vec<_> = domain.rsplit('.').take(2).collect();
            labels.into_iter().rev().collect::<Vec<_>>().join(".")
        }
        host => host.map(|host| host.to_string()).unwrap_or_default(),
    };
    one.scheme() == other.scheme() && site(&one) == site(&other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_have_one_scheme_and_domain() {
        let url = "https://accounts.example.org";
        for same in ["https://example.org", "https://app.example.org:8443", "https://a.b.example.org"] {
            assert!(is_same_site(same, url), "{same}");
        }
        for other in ["http://app.example.org", "https://example.com", "https://org", "capacitor://localhost"] {
            assert!(!is_same_site(other, url), "{other}");
        }
        assert!(is_same_site("http://localhost:3000", "http://localhost:8000"));
        assert!(!is_same_site("http://127.0.0.1:3000", "http://localhost:8000"));
        assert!(!is_same_site("http://127.0.0.1", "http://10.0.0.1"));
    }
}
