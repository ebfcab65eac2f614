//! The cookie of forward-auth. Browsers send it to the protected apps too, so it is not the refresh token: it can only be used at
//! the endpoint, and ends with its session.

use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Utc};
use cookie::{Cookie, SameSite, time::Duration};

use crate::{
    App,
    config::{ExposeSecret, Settings},
    graphql::{self, CookieChange},
    http::cookies,
    security::forward_auth_token::ForwardAuthClaims,
};

/// The name and attributes of the cookie, derived from the settings.
#[derive(Debug)]
pub(in crate::http) struct ForwardAuthCookie {
    name: String,
    domain: Option<String>,
    is_secure: bool,
}

impl ForwardAuthCookie {
    /// `None` if the settings do not enable the cookie. `suffix` separates the servers of one machine.
    pub(in crate::http) fn of(settings: &Settings, suffix: &str) -> Option<Self> {
        if !settings.forward_auth.cookie {
            return None;
        }
        let domain = settings.forward_auth.cookie_domain.clone();
        let is_secure = settings.server.is_https();
        let name = match (is_secure, &domain) {
            (false, _) => format!("forward_auth{suffix}"),
            // Browsers accept `__Host-` without a domain only.
            (true, None) => "__Host-forward_auth".to_owned(),
            (true, Some(_)) => "__Secure-forward_auth".to_owned(),
        };
        Some(Self { name, domain, is_secure })
    }

    /// The claims of the first valid cookie of a request. A sibling domain can set a cookie with the same name.
    pub(super) fn read(&self, app: &App, headers: &HeaderMap) -> Option<ForwardAuthClaims> {
        let now = app.clock.now();
        cookies::values(headers, &self.name).find_map(|token| app.forward_auth_tokens.verify(token, now))
    }

    /// Returns the value of `Set-Cookie` that follows a change of the refresh token. `None` for other cookies.
    pub(in crate::http) fn follow(&self, app: &App, change: &CookieChange) -> Option<HeaderValue> {
        if change.cookie != graphql::Cookie::RefreshToken {
            return None;
        }
        match &change.token {
            Some((refresh_token, _)) => self.set(app, refresh_token.expose_secret()),
            None => self.write("", 0),
        }
    }

    /// Returns the value of `Set-Cookie` for the session of a refresh token.
    pub(in crate::http) fn set(&self, app: &App, refresh_token: &str) -> Option<HeaderValue> {
        let claims = claims_of(app, refresh_token)?;
        let token = match app.forward_auth_tokens.sign(claims) {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(cause = error.cause(), "failed to sign a forward-auth token");
                return None;
            }
        };
        self.write(&token, seconds_until(claims.expires_at, app.clock.now()))
    }

    /// Whether a request has the cookie of the session of a refresh token.
    pub(in crate::http) fn has(&self, app: &App, headers: &HeaderMap, refresh_token: &str) -> bool {
        let session = |claims: ForwardAuthClaims| claims.session_id;
        let cookie = self.read(app, headers).map(session);
        cookie.is_some() && cookie == claims_of(app, refresh_token).map(session)
    }

    fn write(&self, token: &str, seconds: i64) -> Option<HeaderValue> {
        // Navigations from other sites, such as links in mails, must find the user signed in.
        let mut cookie = Cookie::build((&self.name, token))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure)
            .path("/")
            .max_age(Duration::seconds(seconds));
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain);
        }
        let mut header = HeaderValue::try_from(cookie.to_string()).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

fn claims_of(app: &App, refresh_token: &str) -> Option<ForwardAuthClaims> {
    let claims = app.refresh_tokens.verify(refresh_token)?;
    let (session_id, generation, expires_at) = (claims.session_id, claims.generation, claims.expires_at);
    Some(ForwardAuthClaims { session_id, generation, expires_at })
}

fn seconds_until(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (expires_at - now).num_seconds().max(0)
}
