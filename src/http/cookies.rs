//! The refresh cookie (RFC 6265), and who may use it.
//!
//! Scripts can't read it, other sites can't send it (SameSite), pages of other origins on the same site are refused by
//! their `Origin`, and what acts on it is sent by POST as JSON, which a browser sends across origins only after asking.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use chrono::{DateTime, Utc};
use cookie::{Cookie, SameSite, time::Duration};

use crate::{
    config::{ExposeSecret, SecretString, Settings},
    graphql::CookieChange,
    http::middleware::cors,
};

/// The cookie as these settings want it.
#[derive(Debug)]
pub(super) struct RefreshCookie {
    name: String,
    is_secure: bool,
}

impl RefreshCookie {
    pub(super) fn of(settings: &Settings) -> Self {
        let is_secure = settings.server.is_https();
        Self {
            // The prefix has browsers refuse one that was set without `Secure`, for a path, or by a sister host. They
            // don't take it over plain http, which is for this machine only.
            name: if is_secure {
                "__Host-refresh_token".to_owned()
            } else {
                // A browser sends a cookie to all ports of a host: other servers on this machine must have other names.
                let hash = digest(&SHA256, settings.server.public_url.as_bytes());
                format!("refresh_token_{}", hex::encode(hash.as_ref().get(..4).unwrap_or_default()))
            },
            is_secure,
        }
    }

    /// The refresh token that came with a request.
    ///
    /// # Errors
    /// It came from a page of an origin that is not allowed.
    pub(super) fn read(&self, settings: &Settings, headers: &HeaderMap) -> Result<Option<SecretString>, ForeignOrigin> {
        let token = values(headers, &self.name).next();
        if token.is_some() && cors::refused_origins(settings, headers).next().is_some() {
            return Err(ForeignOrigin);
        }
        Ok(token.map(Into::into))
    }

    /// `Set-Cookie`.
    pub(super) fn write(&self, change: &CookieChange, now: DateTime<Utc>) -> Option<HeaderValue> {
        let (value, seconds) = match change {
            CookieChange::Set { token, expires_at } => {
                (token.expose_secret(), (*expires_at - now).num_seconds().max(0))
            }
            CookieChange::Clear => ("", 0),
        };
        set_cookie(&self.name, value, "/", self.is_secure, Some(seconds))
    }
}

/// `Set-Cookie`, for a cookie that scripts can't read and other sites can't send. It lasts until the browser is closed, or
/// for some seconds.
///
/// `None` if the value has a character that RFC 6265 §4.1.1 does not allow. The crate writes values as they are, so that a
/// semicolon would add an attribute.
pub(super) fn set_cookie(
    name: &str,
    value: &str,
    path: &str,
    is_secure: bool,
    max_age: Option<i64>,
) -> Option<HeaderValue> {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    if !value.bytes().all(is_allowed) {
        return None;
    }
    let cookie = Cookie::build((name, value)).http_only(true).same_site(SameSite::Strict).secure(is_secure).path(path);
    let cookie = match max_age {
        Some(seconds) => cookie.max_age(Duration::seconds(seconds)),
        None => cookie,
    };
    let mut header = HeaderValue::try_from(cookie.to_string()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The values of the cookies of a name that are not empty.
///
/// Lines with other characters than ASCII are ignored: the crate trims Unicode spaces, and a browser lets a sister host set a
/// cookie whose name is one of these and then `__Host-`.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies
        .filter(move |cookie| cookie.name() == name)
        .filter_map(|cookie| cookie.value_raw())
        .filter(|value| !value.is_empty())
}

/// The cookie came with the `Origin` of a page that may not use it.
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
