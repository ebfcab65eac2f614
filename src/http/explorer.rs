//! The explorer and the documentation: pages and their assets, which `build.rs` embeds in the binary.
//!
//! The pages are GraphiQL, Swagger UI and ReDoc, or minimal replacements if these could not be bundled. They load
//! everything from this server, and the Content Security Policy blocks all other hosts.

use std::{io::Read, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{OriginalUri, Path, Request, State},
    http::{
        HeaderMap,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, VARY,
        },
    },
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use flate2::bufread::GzDecoder;
use futures_util::stream;

use crate::http::{Server, negotiation, not_found, pages};

/// A file that a page loads. Its name contains the hash of its content, so that it can be cached forever.
struct Asset {
    name: &'static str,
    is_gzipped: bool,
    bytes: &'static [u8],
}

// `PAGE`, `DOCS`, `REDOC` and `ASSETS`.
include!(concat!(env!("OUT_DIR"), "/explorer.rs"));

/// No third-party content and no inline scripts. Monaco, the editor in GraphiQL, writes style attributes and has images
/// and a font in `data:` URLs; so do Swagger UI and ReDoc.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// The size of a chunk when an asset is inflated, in bytes.
const CHUNK: usize = 64 * 1024;

pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new().route("/", get(home)).route("/playground", get(page)).route("/playground/assets/{name}", get(asset))
}

/// The explorer at `/`. The links of the page are relative, so the address must end with a slash.
async fn home(State(server): State<Arc<Server>>, OriginalUri(address): OriginalUri, request: Request) -> Response {
    if address.path() == server.app.settings.server.path_prefix() {
        return Redirect::permanent(&format!("{}/", address.path())).into_response();
    }
    page(State(server), request).await
}

/// The explorer. At `/graphql` it is one of two representations, hence `Vary`.
pub(super) async fn page(State(server): State<Arc<Server>>, request: Request) -> Response {
    let page = PAGE.replacen("</head>", &format!("{}</head>", links(&server, &request)), 1);
    ([(VARY, "accept")], html(page)).into_response()
}

/// The links that the page shows: what this server offers to this client. That of the mailbox does not contain its key;
/// see [`super::pages`]. The canonical link tells the page which server it belongs to, and that for the login whether
/// the server has a sign-in page.
fn links(server: &Server, request: &Request) -> String {
    let settings = &server.app.settings;
    let links = [
        ("Mails", "dev/mail", pages::has_dev_mailbox(server, request)),
        ("REST and OAuth", "docs", settings.oauth.rest_api),
        ("Schema", "schema.graphql", settings.graphql.introspection),
    ];
    let link = |(title, path, _): &_| format!(r#"<link rel="help" title="{title}" href="{path}" />"#);
    let mut first = format!(r#"<link rel="canonical" href="{}/" />"#, settings.server.public_url);
    if pages::are_the_app(settings) {
        first += r#"<link rel="login" href="sign-in" />"#;
    }
    links.iter().filter(|(_, _, is_offered)| *is_offered).map(link).fold(first, |all, link| all + &link)
}

/// The response with a page.
pub(super) fn html(page: impl Into<Body>) -> Response {
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, page.into()).into_response()
}

/// The response with an asset of a page.
pub(super) async fn asset(State(server): State<Arc<Server>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return not_found(&server);
    };
    let fixed: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, content_type(asset.name)),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
    ];
    if !asset.is_gzipped {
        (fixed, asset.bytes).into_response()
    } else if accepts_gzip(&headers) {
        (fixed, [(CONTENT_ENCODING, "gzip")], asset.bytes).into_response()
    } else {
        (fixed, inflated(asset.bytes)).into_response()
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// Whether the client accepts gzip (RFC 9110 §12.5.3). Every browser does.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = negotiation::parse(headers.get_all(ACCEPT_ENCODING));
    codings.iter().any(|(name, weight)| name == "gzip" && *weight > 0)
}

/// The inflated body for clients that do not accept gzip. It is inflated in chunks as the client reads, so that memory
/// use stays small.
fn inflated(bytes: &'static [u8]) -> Body {
    Body::from_stream(stream::unfold(GzDecoder::new(bytes), async |mut decoder| {
        let mut chunk = vec![0; CHUNK];
        match decoder.read(&mut chunk) {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some((Ok(Bytes::from(chunk)), decoder))
            }
            Err(error) => Some((Err(error), decoder)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_if_accepted() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("deflate, GZIP;q=0.5", true),
            ("br", false),
            ("identity", false),
            ("gzip;q=0", false),
            ("gzip;Q=0", false),
            ("gzip; q=0.000, deflate", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!(accepts_gzip(&headers), expected, "{accept}");
        }
    }
}
