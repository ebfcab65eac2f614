//! Forward-auth: how a reverse proxy asks whether a request is signed in.

use url::Url;

use crate::config::{ServerSettings, is_domain_of, setting::Setting, vars::Vars};

/// What `GET /auth/verify` accepts.
#[derive(Clone, Debug)]
pub struct ForwardAuthSettings {
    /// Whether sign-ins in a browser set a cookie that the endpoint accepts. Bearer tokens are accepted anyway.
    pub cookie: bool,
    /// The `Domain` of the cookie. Without it, browsers send the cookie to the host of `PUBLIC_URL` only.
    pub cookie_domain: Option<String>,
}

impl ForwardAuthSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings) -> Self {
        vars.section("forward_auth", "Forward-auth");
        let cookie = Setting::new(
            "FORWARD_AUTH",
            "What a reverse proxy can send to `/auth/verify`; see [Protect other apps](operations/forward-auth.md): `bearer` for \
             access tokens, or `cookie` for access tokens and a cookie, which every sign-in in a browser sets then.",
        )
        .one_of(&[("bearer", false), ("cookie", true)])
        .read_or(vars, false);
        let cookie_domain = Setting::new(
            "FORWARD_AUTH_COOKIE_DOMAIN",
            "The domain whose hosts browsers send the cookie to: the host of `PUBLIC_URL`, or a domain above it. Every host of \
             this domain receives the cookie, so it must not have hosts that you do not trust. Without it, browsers send the \
             cookie to the host of `PUBLIC_URL` only.",
        )
        .text("a domain such as `example.org`", |text| url::Host::parse(text).ok().map(|host| host.to_string()))
        .read_optional(vars);
        let host = Url::parse(&server.public_url).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        if let Some(domain) = cookie_domain.as_ref().filter(|domain| !is_domain_of(domain, host)) {
            vars.mistake(format!(
                "FORWARD_AUTH_COOKIE_DOMAIN: expected the host of PUBLIC_URL, which is {host}, or a domain above it with at \
                 least two labels, got \"{domain}\""
            ));
        }
        if cookie_domain.is_some() && !cookie {
            vars.mistake("FORWARD_AUTH_COOKIE_DOMAIN: expected nothing, because FORWARD_AUTH is not cookie".to_owned());
        }
        Self { cookie, cookie_domain }
    }

    /// Whether browsers send the cookie to this host because of its domain.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.cookie_domain.as_ref().is_some_and(|domain| is_domain_of(domain, host))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{ForwardAuthSettings, Settings, SettingsError};

    fn read(variables: &[(&str, &str)]) -> Result<ForwardAuthSettings, SettingsError> {
        let others = [
            ("SECRET_KEY", "a secret that is for the tests only: 4c1f"),
            ("PUBLIC_URL", "https://accounts.eu.example.org"),
        ];
        let variables = others.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_vars(variables).map(|settings| settings.forward_auth)
    }

    #[test]
    fn domain_of_the_cookie_is_that_of_the_server_or_above_it() {
        for domain in ["accounts.eu.example.org", "eu.example.org", "Example.org"] {
            let settings = read(&[("FORWARD_AUTH", "cookie"), ("FORWARD_AUTH_COOKIE_DOMAIN", domain)]).unwrap();
            assert_eq!(settings.cookie_domain.unwrap(), domain.to_lowercase());
        }
        for domain in ["org", "ample.org", "x.accounts.eu.example.org", "example.com", "example.org; Secure", "."] {
            let settings = read(&[("FORWARD_AUTH", "cookie"), ("FORWARD_AUTH_COOKIE_DOMAIN", domain)]);
            assert!(
                settings.unwrap_err().0.iter().all(|text| text.starts_with("FORWARD_AUTH_COOKIE_DOMAIN: expected"))
            );
        }
    }

    #[test]
    fn domain_of_the_cookie_needs_the_cookie() {
        assert!(!read(&[]).unwrap().cookie);
        let mistakes = read(&[("FORWARD_AUTH_COOKIE_DOMAIN", "example.org")]).unwrap_err().0;
        assert_eq!(mistakes, ["FORWARD_AUTH_COOKIE_DOMAIN: expected nothing, because FORWARD_AUTH is not cookie"]);
    }
}
