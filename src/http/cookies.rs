//! The cookies (RFC 6265), and protection against their use by other sites.
//!
//! Scripts cannot read the cookies, and other sites cannot send them (`SameSite`). Requests from other origins on the same
//! site are rejected by their `Origin`. Operations that use a cookie require POST with JSON, which a browser sends to
//! another origin only after a preflight.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use chrono::{DateTime, Utc};
use cookie::{Cookie, SameSite, time::Duration};

use crate::{
    config::{ExposeSecret, SecretString, Settings},
    domain::sessions::Cookies,
    graphql::{self, CookieChange},
    http::middleware::cors,
    security::oidc::FlowCookie,
};

/// The names and attributes of the cookies, derived from the settings.
#[derive(Debug)]
pub(super) struct CookieNames {
    refresh_token: String,
    mfa_client: String,
    remembered_device: String,
    is_secure: bool,
    /// What the names begin with. Empty on plain HTTP.
    prefix: &'static str,
    /// What the names end with. Empty on HTTPS.
    suffix: String,
    /// The paths that browsers send the cookies to.
    path: String,
}

impl CookieNames {
    pub(super) fn of(settings: &Settings) -> Self {
        let is_secure = settings.server.is_https();
        let (prefix, path) = match settings.server.path_prefix() {
            "" => (HOST_PREFIX, "/"),
            path => (SECURE_PREFIX, path),
        };
        let (prefix, suffix) = if is_secure { (prefix, String::new()) } else { ("", suffix_of(settings)) };
        let name = |name: &str| format!("{prefix}{name}{suffix}");
        Self {
            refresh_token: name("refresh_token"),
            mfa_client: name("mfa_client"),
            remembered_device: name("remembered_device"),
            is_secure,
            prefix,
            suffix,
            path: path.to_owned(),
        }
    }

    /// What the names end with. Empty on HTTPS.
    pub(super) fn suffix(&self) -> &str {
        &self.suffix
    }

    /// The full name of the cookie of a flow.
    pub(super) fn flow(&self, name: &str) -> String {
        format!("{}{name}{}", self.prefix, self.suffix)
    }

    /// The full names of the cookies of all flows in a request.
    pub(super) fn flows<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = String> + 'a {
        let is_flow = move |name: &str| {
            name.strip_prefix(self.prefix)
                .is_some_and(|rest| rest.starts_with(FlowCookie::NAME_PREFIX) && rest.ends_with(&self.suffix))
        };
        cookies(headers).map(|cookie| cookie.name().to_owned()).filter(move |name| is_flow(name))
    }

    /// Returns the value of `Set-Cookie` for the cookie of a flow with this full name. The provider's redirect is a navigation from
    /// another site, so it must be sent with those.
    pub(super) fn set_flow(&self, name: &str, value: &str, max_age: i64) -> Option<HeaderValue> {
        set_cookie_with(name, value, &self.path, (self.is_secure, SameSite::Lax), Some(max_age))
    }

    /// Returns the tokens in the cookies of a request.
    ///
    /// # Errors
    /// The request has one of the cookies, but its origin is not allowed.
    pub(super) fn read(&self, settings: &Settings, headers: &HeaderMap) -> Result<Cookies, ForeignOrigin> {
        let token = |name| values(headers, name).next().map(SecretString::from);
        let cookies = Cookies {
            refresh_token: token(&self.refresh_token),
            mfa_client: token(&self.mfa_client),
            remembered_device: token(&self.remembered_device),
        };
        let has_one = [&cookies.refresh_token, &cookies.mfa_client, &cookies.remembered_device]
            .iter()
            .any(|token| token.is_some());
        if has_one && cors::refused_origins(settings, headers).next().is_some() {
            return Err(ForeignOrigin);
        }
        Ok(cookies)
    }

    /// Returns the value of `Set-Cookie` for a change.
    pub(super) fn write(&self, change: &CookieChange, now: DateTime<Utc>) -> Option<HeaderValue> {
        let name = match change.cookie {
            graphql::Cookie::RefreshToken => &self.refresh_token,
            graphql::Cookie::MfaClient => &self.mfa_client,
            graphql::Cookie::RememberedDevice => &self.remembered_device,
        };
        let (value, seconds) = match &change.token {
            Some((token, expires_at)) => (token.expose_secret(), (*expires_at - now).num_seconds().max(0)),
            None => ("", 0),
        };
        set_cookie(name, value, &self.path, self.is_secure, Some(seconds))
    }
}

/// With this prefix, browsers reject a cookie that was set without `Secure`, for a path, or by a sibling domain. They also reject it
/// over plain HTTP, which is supported only on loopback.
const HOST_PREFIX: &str = "__Host-";

/// For a server below a path. Browsers reject the cookie only if it was set without `Secure`.
const SECURE_PREFIX: &str = "__Secure-";

/// Browsers send a cookie to all ports of a host, so each server on this machine needs its own names.
fn suffix_of(settings: &Settings) -> String {
    let hash = digest(&SHA256, settings.server.public_url.as_bytes());
    format!("_{}", hex::encode(hash.as_ref().get(..4).unwrap_or_default()))
}

/// Returns the value of `Set-Cookie` for a cookie that scripts cannot read and other sites cannot send. Without `max_age`
/// (in seconds), it is a session cookie.
///
/// Returns `None` if the value contains a character that RFC 6265 §4.1.1 does not allow. The crate does not escape values,
/// so a semicolon would add an attribute.
pub(super) fn set_cookie(
    name: &str,
    value: &str,
    path: &str,
    is_secure: bool,
    max_age: Option<i64>,
) -> Option<HeaderValue> {
    set_cookie_with(name, value, path, (is_secure, SameSite::Strict), max_age)
}

fn set_cookie_with(
    name: &str,
    value: &str,
    path: &str,
    (is_secure, same_site): (bool, SameSite),
    max_age: Option<i64>,
) -> Option<HeaderValue> {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    if !value.bytes().all(is_allowed) {
        return None;
    }
    let cookie = Cookie::build((name, value)).http_only(true).same_site(same_site).secure(is_secure).path(path);
    let cookie = match max_age {
        Some(seconds) => cookie.max_age(Duration::seconds(seconds)),
        None => cookie,
    };
    let mut header = HeaderValue::try_from(cookie.to_string()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Returns the values of all cookies with this name, except for empty ones.
///
/// Lines that are not ASCII are ignored. The crate trims Unicode spaces, and browsers let a sibling domain set a cookie
/// whose name is such a space followed by `__Host-`.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    cookies(headers)
        .filter(move |cookie| cookie.name() == name)
        .filter_map(|cookie| cookie.value_raw())
        .filter(|value| !value.is_empty())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(Cookie::split_parse).filter_map(Result::ok)
}

/// The error for a request with a cookie from an origin that is not allowed.
#[derive(Debug)]
pub(super) struct ForeignOrigin;

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(line: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        values(&headers, "__Host-a").map(ToOwned::to_owned).collect()
    }

    #[test]
    fn cookies_are_found_by_their_exact_names() {
        for (line, expected) in [
            ("__Host-a=1", &["1"][..]),
            ("b=2; __Host-a=1;c=3", &["1"]),
            ("__Host-a=1; __Host-a=2", &["1", "2"]),
            ("__Host-a=a=b==", &["a=b=="]),
            ("__Host-a=%31", &["%31"]),
            ("__Host-a=", &[]),
            ("__Host-a", &[]),
            ("__host-a=1", &[]),
            ("x__Host-a=1", &[]),
            ("b=__Host-a=1", &[]),
            ("\u{2000}__Host-a=1", &[]),
            ("\u{a0}__Host-a=1", &[]),
            ("; ;;=;__Host-a=1", &["1"]),
        ] {
            assert_eq!(values_of(line), expected, "{line}");
        }
    }

    #[test]
    fn values_cannot_add_attributes() {
        let set = |value| set_cookie("a", value, "/", false, None);
        assert_eq!(set("eyJ.-_~+/=").unwrap(), "a=eyJ.-_~+/=; HttpOnly; SameSite=Strict; Path=/");
        for value in ["x; Domain=example.org", "a,b", "a b", "a\"b", "a\\b", "a\r\nb", "\u{e9}", "\t"] {
            assert_eq!(set(value), None, "{value:?}");
        }
    }
}
