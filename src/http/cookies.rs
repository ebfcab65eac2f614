//! The refresh cookie (RFC 6265), and who may use it.
//!
//! Scripts can't read it, other sites can't send it (SameSite), pages of other origins on the same site are refused by
//! their `Origin`, and what acts on it is sent by POST as JSON, which a browser sends across origins only after asking.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use chrono::{DateTime, Utc};

use crate::{
    config::{ExposeSecret, SecretString, Settings},
    graphql::CookieChange,
    http::middleware::cors,
    security::keys::hex,
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
                format!("refresh_token_{}", hex(hash.as_ref().get(..4).unwrap_or_default()))
            },
            is_secure,
        }
    }

    /// The refresh token that came with a request.
    ///
    /// # Errors
    /// It came from a page of an origin that is not allowed.
    pub(super) fn read(&self, settings: &Settings, headers: &HeaderMap) -> Result<Option<SecretString>, ForeignOrigin> {
        let token = find(headers, &self.name);
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
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{}={value}; HttpOnly{secure}; SameSite=Strict; Path=/; Max-Age={seconds}", self.name);
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// The value of a cookie that is not empty.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value)
}

/// The cookie came with the `Origin` of a page that may not use it.
#[derive(Debug)]
pub(super) struct ForeignOrigin;
