//! The cookie of the page. It binds what the browser has asked for to the browser (RFC 7636).

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    http::cookies::{self, CookieNames},
    security::{pkce::CodeChallenge, random},
};

const NAME: &str = "sign_in";

/// Longer than any mail or flow is valid.
const LIFETIME_SECONDS: i64 = 1200;

/// What the page keeps in a browser.
#[derive(Debug)]
pub(super) struct BrowserState {
    /// The verifier of mails and flows.
    pub(super) verifier: SecretString,
    /// The address to return to from the link in a mail, unchecked.
    pub(super) return_to: Option<String>,
}

impl BrowserState {
    /// Reads the cookie of a request.
    pub(super) fn read(names: &CookieNames, headers: &HeaderMap) -> Option<Self> {
        cookies::values(headers, &names.flow(NAME)).find_map(Self::parse)
    }

    fn parse(value: &str) -> Option<Self> {
        let (verifier, return_to) = match value.split_once(':') {
            Some((verifier, return_to)) => (verifier, Some(return_to)),
            None => (value, None),
        };
        let verifier = SecretString::from(verifier);
        CodeChallenge::of_verifier(&verifier)?;
        let return_to = return_to.and_then(|text| String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok());
        Some(Self { verifier, return_to })
    }

    /// The state for a new mail or flow. Keeps the verifier, so that several tabs and earlier mails can be used.
    ///
    /// # Errors
    /// Internal if the operating system provides no random bytes.
    pub(super) fn renewed(previous: Option<Self>, return_to: Option<&str>) -> Result<Self> {
        let verifier = match previous {
            Some(Self { verifier, .. }) => verifier,
            None => URL_SAFE_NO_PAD.encode(random::bytes::<32>()?).into(),
        };
        Ok(Self { verifier, return_to: return_to.map(ToOwned::to_owned) })
    }

    /// The challenge for the verifier.
    pub(super) fn challenge(&self) -> Option<CodeChallenge> {
        CodeChallenge::of_verifier(&self.verifier)
    }

    /// The value of `Set-Cookie`. Links in mails and redirects of providers are navigations from other sites, and must send the cookie.
    pub(super) fn write(&self, names: &CookieNames) -> Option<HeaderValue> {
        let return_to = self.return_to.as_ref().map(|text| format!(":{}", URL_SAFE_NO_PAD.encode(text)));
        let value = format!("{}{}", self.verifier.expose_secret(), return_to.unwrap_or_default());
        names.set_flow(&names.flow(NAME), &value, LIFETIME_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifier_is_kept_and_the_address_replaced() {
        let first = BrowserState::renewed(None, Some("https://app.example.org/?a=1;b=\"2\"")).unwrap();
        let names = CookieNames::of(&crate::config::Settings::from_vars([]).unwrap());
        let cookie = first.write(&names).unwrap();
        let (name_and_value, _) = cookie.to_str().unwrap().split_once(';').unwrap();
        let (_, value) = name_and_value.split_once('=').unwrap();
        let read = BrowserState::parse(value).unwrap();
        assert_eq!(read.return_to, first.return_to);
        let second = BrowserState::renewed(Some(read), None).unwrap();
        assert_eq!(second.verifier.expose_secret(), first.verifier.expose_secret());
        assert_eq!(second.return_to, None);
    }

    #[test]
    fn other_values_are_ignored() {
        for value in ["", "short", ":aHR0cHM6Ly9hcHA", &"ä".repeat(43)] {
            assert!(BrowserState::parse(value).is_none(), "{value}");
        }
        let with_bad_address = BrowserState::parse(&format!("{}:!", "v".repeat(43))).unwrap();
        assert_eq!(with_bad_address.return_to, None);
    }
}
