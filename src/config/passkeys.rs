//! Passkeys: the domain that they are bound to, and the origins that may use them.

use url::{Host, Url};

use crate::config::{ServerSettings, is_loopback_host, setting::Setting, vars::Vars};

/// The length of a SHA-256 hash in base64url without padding.
const HASH_LENGTH: usize = 43;

/// The relying party of passkeys (WebAuthn §4).
#[derive(Clone, Debug)]
pub struct PasskeySettings {
    /// The RP id: the domain that passkeys are bound to. Passkeys of another RP id cannot be used.
    pub rp_id: String,
    /// The origins of pages that may use passkeys.
    pub web_origins: Vec<String>,
    /// The origins of apps that may use passkeys, as the platform reports them.
    pub app_origins: Vec<String>,
}

impl PasskeySettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings) -> Self {
        vars.section("passkeys", "Passkeys");
        let public_url = Url::parse(&server.public_url).ok();
        let host = public_url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        let rp_id = Setting::new(
            "PASSKEY_RP_ID",
            "The domain that passkeys are bound to: the host of `PUBLIC_URL`, or a domain above it. **It cannot be changed \
             later: all existing passkeys are lost then.** Set it to the domain that you keep, such as `example.org`, before \
             the first user adds a passkey. Browsers accept no IP address.",
        )
        .text("a domain such as `example.org`", domain)
        .read_or_computed(vars, host.clone(), "the host of `PUBLIC_URL`");
        if !is_domain_of(&rp_id, &host) {
            vars.mistake(format!(
                "PASSKEY_RP_ID: expected the host of PUBLIC_URL, which is {host}, or a domain above it with at least two \
                 labels, got \"{rp_id}\""
            ));
        }
        let app_origins = Setting::new(
            "PASSKEY_APP_ORIGINS",
            "Origins of apps that may use passkeys. Pages of `PUBLIC_URL` and the https origins of `ALLOWED_ORIGINS` may use \
             them anyway.",
        )
        .list(
            "origins separated by commas: `android:apk-key-hash:` and the SHA-256 hash of the signing certificate in base64url, \
             or an https origin",
            app_origin,
        )
        .read_optional(vars)
        .unwrap_or_default();
        Self { rp_id, web_origins: web_origins(server), app_origins }
    }

    /// Whether browsers can use passkeys: they refuse an IP address as RP id.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(Host::parse(&self.rp_id), Ok(Host::Domain(_)))
    }

    /// All origins that may use passkeys.
    #[must_use]
    pub fn origins(&self) -> Vec<&str> {
        self.web_origins.iter().chain(&self.app_origins).map(String::as_str).collect()
    }
}

/// The origins of pages: https, and http on this machine while the server is local. `allowed_origins` contains that of
/// PUBLIC_URL.
fn web_origins(server: &ServerSettings) -> Vec<String> {
    let is_usable = |origin: &&String| {
        let Ok(url) = Url::parse(origin) else { return false };
        let is_loopback = url.host().is_some_and(|host| is_loopback_host(&host));
        url.scheme() == "https" || (url.scheme() == "http" && server.is_local && is_loopback)
    };
    server.allowed_origins.iter().filter(is_usable).cloned().collect()
}

/// Parses a domain, and normalises it as browsers do.
fn domain(text: &str) -> Option<String> {
    match Host::parse(text).ok()? {
        Host::Domain(domain) if !domain.ends_with('.') => Some(domain),
        _ => None,
    }
}

/// Whether a host is this domain, or below it. A domain with one label is not enough, unless it is the whole host. The list of
/// public suffixes with several labels is not known here; browsers refuse them.
pub(super) fn is_domain_of(domain: &str, host: &str) -> bool {
    let is_above = || host.strip_suffix(domain).is_some_and(|labels| labels.ends_with('.'));
    domain == host || (domain.contains('.') && is_above())
}

fn app_origin(text: &str) -> Option<String> {
    if let Some(hash) = text.strip_prefix("android:apk-key-hash:") {
        let is_hash =
            hash.len() == HASH_LENGTH && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        return is_hash.then(|| text.to_owned());
    }
    text.starts_with("https://").then(|| super::app_origin(text)).flatten()
}

#[cfg(test)]
mod tests {
    use crate::config::{PasskeySettings, Settings, SettingsError};

    fn read(variables: &[(&str, &str)]) -> Result<PasskeySettings, SettingsError> {
        let secret = ("SECRET_KEY", "a secret that is for the tests only: 4c1f");
        let variables =
            variables.iter().chain([&secret]).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_vars(variables).map(|settings| settings.passkeys)
    }

    #[test]
    fn rp_id_is_the_host_or_a_domain_above_it() {
        let url = ("PUBLIC_URL", "https://accounts.eu.example.org");
        assert_eq!(read(&[url]).unwrap().rp_id, "accounts.eu.example.org");
        for good in ["accounts.eu.example.org", "eu.example.org", "Example.org"] {
            assert_eq!(read(&[url, ("PASSKEY_RP_ID", good)]).unwrap().rp_id, good.to_lowercase());
        }
        for bad in
            ["org", "ample.org", "x.accounts.eu.example.org", "example.com", "127.0.0.1", "https://example.org", ".org"]
        {
            let mistakes = read(&[url, ("PASSKEY_RP_ID", bad)]).unwrap_err().0;
            assert!(
                mistakes.iter().all(|mistake| mistake.starts_with("PASSKEY_RP_ID: expected")),
                "{bad}: {mistakes:?}"
            );
        }
    }

    #[test]
    fn ip_address_is_no_usable_rp_id() {
        for (url, expected) in [
            ("http://localhost:8000", true),
            ("https://example.org", true),
            ("http://127.0.0.1:8000", false),
            ("http://[::1]:8000", false),
            ("https://192.0.2.1", false),
        ] {
            assert_eq!(read(&[("PUBLIC_URL", url)]).unwrap().is_usable(), expected, "{url}");
        }
    }

    #[test]
    fn origins_are_https_except_on_this_machine() {
        let allowed = ("ALLOWED_ORIGINS", "https://app.example.org,http://localhost:3000,capacitor://localhost");
        let local = read(&[allowed]).unwrap();
        assert_eq!(local.rp_id, "localhost");
        for expected in ["https://app.example.org", "http://localhost:3000", "http://localhost:8000"] {
            assert!(local.web_origins.iter().any(|origin| origin == expected), "{expected}");
        }
        assert!(!local.web_origins.iter().any(|origin| origin.starts_with("capacitor")));
        let public = read(&[allowed, ("PUBLIC_URL", "https://example.org")]).unwrap();
        assert_eq!(public.web_origins, ["https://app.example.org", "https://example.org"]);
    }

    #[test]
    fn apps_are_known_by_certificate_or_domain() {
        let hash = "A".repeat(43);
        let good = format!("android:apk-key-hash:{hash}, https://example.org");
        let origins = read(&[("PASSKEY_APP_ORIGINS", &good)]).unwrap().app_origins;
        assert_eq!(origins, [format!("android:apk-key-hash:{hash}"), "https://example.org".to_owned()]);
        for bad in ["android:apk-key-hash:AAAA", "http://example.org", "ios:org.example", "https://example.org/path"] {
            assert!(read(&[("PASSKEY_APP_ORIGINS", bad)]).is_err(), "{bad}");
        }
    }
}
