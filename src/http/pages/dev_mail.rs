//! `/dev/mail`: the mails that were sent, for whoever develops on this machine.
//!
//! They hold links that open accounts. So the page is there for nobody but a program on this machine that talks to us
//! directly, and by a name that only this machine has: a page elsewhere whose name suddenly means this machine (DNS
//! rebinding) is not let in.
//!
//! A proxy on this machine that adds no header, such as nginx with a bare `proxy_pass`, passes all of that. So the page also
//! asks for a key, which the server prints at its start. No page has the key in it, the explorer's neither: that proxy
//! would pass it on. A browser that has opened the page with the key keeps it in a cookie, so that the
//! explorer's link needs none.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, SET_COOKIE, VIA},
    },
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use minijinja::{Value, context};
use url::Url;
use uuid::Uuid;

use crate::{
    config::{is_loopback, is_loopback_host},
    http::{Peer, Server, cookies, middleware::peer, not_found, pages::page},
    language::Language,
    mail::{Kept, KeptMail},
};

const TEMPLATE: &str = include_str!("dev_mail.html");

/// A mail's own HTML: it has styles of its own, and is kept away from everything that is ours.
const MAIL_POLICY: &str =
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// The cookie that keeps the key.
const KEY_COOKIE: &str = "dev_mail_key";

/// What proxies add.
const FORWARDED_BY: &[&str] =
    &["x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server", "x-real-ip"];

pub(in crate::http) async fn list(State(server): State<Arc<Server>>, request: Request) -> Response {
    let Some(kept) = server.app.mailer.kept().filter(|_| is_from_here(&request)) else {
        return not_found().await;
    };
    if !has_key(kept, &request) {
        return page(StatusCode::FORBIDDEN, Language::English, TEMPLATE, context! { is_closed => true });
    }
    let mails: Vec<Value> = kept.all().iter().map(shown).collect();
    let mut response = page(StatusCode::OK, Language::English, TEMPLATE, context! { mails });
    if let Some(cookie) = cookies::set_cookie(KEY_COOKIE, kept.key(), "/dev/mail", false, None) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// A mail as its reader's program shows it.
pub(in crate::http) async fn html(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let kept = server.app.mailer.kept().filter(|kept| is_from_here(&request) && has_key(kept, &request));
    let id = id.parse::<Uuid>().ok();
    let Some(mail) = kept.zip(id).and_then(|(kept, id)| kept.find(id)) else {
        return not_found().await;
    };
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, MAIL_POLICY)];
    (headers, mail.text.html).into_response()
}

/// Whether this request may know that there are mails: for the explorer, which links to them.
pub(in crate::http) fn is_shown(server: &Server, request: &Request) -> bool {
    server.app.mailer.kept().is_some() && is_from_here(request)
}

/// Whether the request has the key, in its address or in the cookie.
fn has_key(kept: &Kept, request: &Request) -> bool {
    let in_query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "key")
        .is_some_and(|(_, key)| kept.is_key(&key));
    in_query || cookies::values(request.headers(), KEY_COOKIE).any(|key| kept.is_key(key))
}

fn shown(mail: &KeptMail) -> Value {
    let is_link = |line: &str| Url::parse(line).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    let lines: Vec<Value> =
        mail.text.plain.lines().map(|line| context! { text => line, is_link => is_link(line) }).collect();
    context! {
        id => mail.id.to_string(), to => &mail.to, subject => &mail.text.subject, lines,
        at => mail.sent_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

/// Whether a program on this machine asks, by a name of this machine, without anybody in between.
fn is_from_here(request: &Request) -> bool {
    let headers = request.headers();
    let is_peer_here = request.extensions().get::<Peer>().is_some_and(|peer| is_loopback(peer.0.ip()));
    let is_direct = !peer::is_forwarded(headers)
        && !headers.contains_key(VIA)
        && FORWARDED_BY.iter().all(|name| !headers.contains_key(*name));
    is_peer_here && is_direct && is_host_local(headers)
}

fn is_host_local(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    let url = Url::parse(&format!("http://{host}"));
    url.is_ok_and(|url| url.host().is_some_and(|host| is_loopback_host(&host)))
}
