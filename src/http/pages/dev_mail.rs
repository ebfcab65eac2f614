//! `/dev/mail`: the development mailbox, a page with the mails that this server has sent.
//!
//! The mails contain links that give access to accounts. So the page exists only for direct requests from this machine
//! whose `Host` is a loopback name or address. The check of `Host` prevents DNS rebinding.
//!
//! A proxy on this machine that adds no headers, such as nginx with only `proxy_pass`, passes these checks. So the page
//! also requires a key, which the server logs at startup. No page contains the key, not even the explorer, because such a
//! proxy would forward that page to remote clients. After the page was opened with the key, a cookie contains it, so the
//! link in the explorer works without it.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
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
    http::{
        Peer, Server, cookies,
        middleware::peer,
        not_found,
        pages::{brand, page},
    },
    language::Language,
    mail::{DevMailbox, SentMail},
};

/// The path of the page.
pub(super) const PATH: &str = "/dev/mail";

const TEMPLATE: &str = include_str!("dev_mail.html");

/// The policy for the HTML of a mail: its inline styles work, and it is sandboxed from the pages of this server.
const MAIL_POLICY: &str = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'";

/// The cookie that contains the key.
const KEY_COOKIE: &str = "dev_mail_key";

/// Headers that proxies add.
const PROXY_HEADERS: &[&str] =
    &["x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server", "x-real-ip"];

pub(in crate::http) async fn list(State(server): State<Arc<Server>>, request: Request) -> Response {
    let Some(mailbox) = server.app.mailer.dev_mailbox().filter(|_| is_local(&request)) else {
        return not_found(&server);
    };
    if !has_key(mailbox, &request) {
        return page(
            &server.app.settings,
            StatusCode::FORBIDDEN,
            Language::English,
            TEMPLATE,
            context! { is_closed => true },
        );
    }
    let mails: Vec<Value> = mailbox.all().iter().map(to_value).collect();
    let mut response = page(&server.app.settings, StatusCode::OK, Language::English, TEMPLATE, context! { mails });
    let path = server.app.settings.server.path(PATH);
    if let Some(cookie) = cookies::set_cookie(KEY_COOKIE, mailbox.key(), &path, false, None) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The HTML of a mail.
pub(in crate::http) async fn html(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let mailbox = server.app.mailer.dev_mailbox().filter(|mailbox| is_local(&request) && has_key(mailbox, &request));
    let id = id.parse::<Uuid>().ok();
    let Some(mail) = mailbox.zip(id).and_then(|(mailbox, id)| mailbox.find(id)) else {
        return not_found(&server);
    };
    let policy = brand::policy(&server.app.settings.brand, MAIL_POLICY);
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")), (CONTENT_SECURITY_POLICY, policy)];
    (headers, mail.text.html).into_response()
}

/// Whether the page exists for this request, so that the explorer links to it.
pub(in crate::http) fn exists(server: &Server, request: &Request) -> bool {
    server.app.mailer.dev_mailbox().is_some() && is_local(request)
}

/// Whether the request has the key, in its URL or in the cookie.
fn has_key(mailbox: &DevMailbox, request: &Request) -> bool {
    let in_query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "key")
        .is_some_and(|(_, key)| mailbox.is_key(&key));
    in_query || cookies::values(request.headers(), KEY_COOKIE).any(|key| mailbox.is_key(key))
}

/// Converts a mail for the template.
fn to_value(mail: &SentMail) -> Value {
    let is_link = |line: &str| Url::parse(line).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    let lines: Vec<Value> =
        mail.text.plain.lines().map(|line| context! { text => line, is_link => is_link(line) }).collect();
    context! {
        id => mail.id.to_string(), to => &mail.to, subject => &mail.text.subject, lines,
        at => mail.sent_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

/// Whether the request comes from this machine, not through a proxy, and has a loopback name or address as `Host`.
fn is_local(request: &Request) -> bool {
    let headers = request.headers();
    let is_peer_local = request.extensions().get::<Peer>().is_some_and(|peer| is_loopback(peer.0.ip()));
    let is_direct = !peer::is_forwarded(headers)
        && !headers.contains_key(VIA)
        && PROXY_HEADERS.iter().all(|name| !headers.contains_key(*name));
    is_peer_local && is_direct && is_host_local(headers)
}

fn is_host_local(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    let url = Url::parse(&format!("http://{host}"));
    url.is_ok_and(|url| url.host().is_some_and(|host| is_loopback_host(&host)))
}
