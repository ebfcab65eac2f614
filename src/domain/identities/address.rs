//! The address to which a browser returns at the end of a flow.

use url::Url;

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString, Settings, app_origin},
    error::ErrorCode,
    security::oidc::MAX_RETURN_TO_LENGTH,
};

/// The parameters that the server adds. An address cannot have its own.
const RESULTS: [&str; 2] = ["code", "error"];

/// An address of an app, checked: its origin is that of the server or one of `ALLOWED_ORIGINS`, or it is protected by forward-auth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress(Url);

impl ReturnAddress {
    /// Parses an address. The text that browsers get is the one that was checked, not the one that was sent. The results of an
    /// earlier flow are removed.
    ///
    /// # Errors
    /// BAD_REQUEST.
    pub fn parse(settings: &Settings, text: &str) -> Result<Self> {
        Self::parse_if(text, |_, origin| settings.server.allows_origin(origin.as_bytes()))
    }

    /// Like [`Self::parse`], for the sign-in page, which returns without a code. So the hosts that receive the cookie of
    /// forward-auth are allowed too, although their pages must not call the API.
    ///
    /// # Errors
    /// BAD_REQUEST.
    pub fn parse_for_page(settings: &Settings, text: &str) -> Result<Self> {
        let has_same_scheme = |url: &Url| (url.scheme() == "https") == settings.server.is_https();
        Self::parse_if(text, |url, origin| {
            let is_protected =
                has_same_scheme(url) && url.host_str().is_some_and(|host| settings.forward_auth.covers(host));
            is_protected || settings.server.allows_origin(origin.as_bytes())
        })
    }

    fn parse_if(text: &str, is_allowed: impl FnOnce(&Url, &str) -> bool) -> Result<Self> {
        let mut url = Url::parse(text).map_err(|_| REFUSED)?;
        if !is_allowed(&url, &origin(&url)?) {
            return Err(REFUSED);
        }
        if url.query_pairs().any(|(name, _)| RESULTS.contains(&&*name)) {
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(name, _)| !RESULTS.contains(&&**name)).collect();
            url.query_pairs_mut().clear().extend_pairs(others);
        }
        if url.as_str().len() > MAX_RETURN_TO_LENGTH {
            return Err(Error::BadRequest("`return_to` is too long."));
        }
        Ok(Self(url))
    }

    /// The address with the one-time code.
    pub(super) fn with_code(&self, code: &SecretString) -> String {
        self.with("code", code.expose_secret())
    }

    /// The address with the code of an error.
    #[must_use]
    pub fn with_error(&self, code: ErrorCode) -> String {
        self.with("error", &code.to_string())
    }

    fn with(&self, name: &str, value: &str) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(name, value);
        url.into()
    }

    /// The address without a result.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

const REFUSED: Error =
    Error::BadRequest("`return_to` must be an address whose origin is that of this server or in ALLOWED_ORIGINS.");

/// The origin of an address, as browsers send it. Refuses a username and a password.
fn origin(url: &Url) -> Result<String> {
    let mut bare = url.clone();
    bare.set_path("");
    bare.set_query(None);
    bare.set_fragment(None);
    app_origin(bare.as_str()).ok_or(REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ReturnAddress> {
        let variables = [("ALLOWED_ORIGINS", "https://app.example.org,capacitor://localhost")];
        let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        ReturnAddress::parse(&settings.unwrap(), text)
    }

    #[test]
    fn only_exact_origins_are_accepted() {
        for accepted in [
            "https://app.example.org",
            "https://app.example.org:443/signed-in?tab=1#/home",
            "http://localhost:8000/",
            "capacitor://localhost/callback",
        ] {
            assert!(parse(accepted).is_ok(), "{accepted}");
        }
        for refused in [
            "",
            "/signed-in",
            "//app.example.org/",
            "http://app.example.org/",
            "https://app.example.org:8443/",
            "https://app.example.org.evil.example/",
            "https://app.example.org@evil.example/",
            "https://user@app.example.org/",
            "https://evil.example/?https://app.example.org",
            "https://evil.example\\@app.example.org/",
            "https:evil.example",
            "https://app.example.org%2eevil.example/",
            "javascript://app.example.org/%0aalert(1)",
            "javascript:alert(1)",
            "data:text/html,x",
            "capacitor://evil/",
            "null",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn sign_in_page_returns_to_hosts_of_the_forward_auth_cookie_too() {
        let variables = [
            ("PUBLIC_URL", "https://accounts.example.org"),
            ("SECRET_KEY", "a secret that is for the tests only: 4c1f"),
            ("FORWARD_AUTH", "cookie"),
            ("FORWARD_AUTH_COOKIE_DOMAIN", "example.org"),
        ];
        let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        for accepted in ["https://example.org/", "https://grafana.example.org:8443/d?x=1", "https://a.b.example.org"] {
            assert!(ReturnAddress::parse_for_page(&settings, accepted).is_ok(), "{accepted}");
            assert!(ReturnAddress::parse(&settings, accepted).is_err(), "{accepted}");
        }
        for refused in [
            "http://grafana.example.org/",
            "ftp://grafana.example.org/",
            "https://evilexample.org/",
            "https://example.org.evil.example/",
            "https://user@grafana.example.org/",
        ] {
            assert!(ReturnAddress::parse_for_page(&settings, refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn result_is_the_only_one() {
        let address = parse("https://app.example.org/?code=1&tab=2&error=3&code=4#/home").unwrap();
        assert_eq!(address.with_code(&"x".into()), "https://app.example.org/?tab=2&code=x#/home");
        assert_eq!(
            address.with_error(ErrorCode::ProviderFailed),
            "https://app.example.org/?tab=2&error=PROVIDER_FAILED#/home"
        );
        let plain = parse("https://app.example.org").unwrap();
        assert_eq!(plain.with_code(&"x".into()), "https://app.example.org/?code=x");
    }

    #[test]
    fn long_address_is_refused() {
        assert!(parse(&format!("https://app.example.org/{}", "a".repeat(1000))).is_ok());
        assert!(parse(&format!("https://app.example.org/{}", "a".repeat(1001))).is_err());
    }
}
