//! Facts from the request headers that explain errors to developers; see [`crate::graphql::HintContext`].

use axum::http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, HOST, ORIGIN},
};
use url::Url;

use crate::{
    config::{LOOPBACK_HOSTS, Settings},
    domain::{Viewer, sessions::Cookies},
    entity::user::ADMIN,
    graphql::HintContext,
    http::middleware::cors,
};

/// Maximum length of an origin or host that is parsed, in bytes. A DNS name has at most 253; parsing longer texts may
/// be slow.
const MAX_HOST_BYTES: usize = 300;

pub(super) fn of(settings: &Settings, headers: &HeaderMap, cookies: &Cookies, viewer: Viewer) -> HintContext {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().filter(|text| text.len() <= MAX_HOST_BYTES);
    let is_cross_site = text(ORIGIN).and_then(loopback_name).is_some_and(|page| {
        let server = text(HOST).and_then(|host| loopback_name(&format!("http://{host}")));
        server.is_some_and(|server| server != page)
    });
    HintContext {
        has_other_credentials: viewer == Viewer::Anonymous && headers.contains_key(AUTHORIZATION),
        is_cross_site,
        is_origin_refused: cors::refused_origins(settings, headers).next().is_some(),
        has_mfa_cookie: cookies.mfa_client.is_some(),
        is_admin_role_unknown: !settings.registration.roles.iter().any(|role| role == ADMIN),
    }
}

fn loopback_name(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    LOOPBACK_HOSTS.into_iter().find(|name| url.host_str() == Some(*name))
}
