//! The explorer and the documentation: pages and their assets, which `build.rs` has put into the binary.
//!
//! They are GraphiQL, Swagger UI and ReDoc, or where these could not be bundled, small pages of our own. Either way
//! they ask this server for all that they need, and the browser is told to let them ask nobody else.

use std::{io::Read, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, VARY,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::bufread::GzDecoder;
use futures_util::stream;

use crate::http::{Server, negotiation, not_found, pages};

/// A file that a page names. Its own name has the hash of its content: another content is another file.
struct Asset {
    name: &'static str,
    is_gzipped: bool,
    bytes: &'static [u8],
}

// `PAGE`, `DOCS`, `REDOC` and `ASSETS`.
include!(concat!(env!("OUT_DIR"), "/explorer.rs"));

/// Nothing from elsewhere, and no script in the page itself. Monaco, the editor in GraphiQL, writes style attributes,
/// and has images and a font in data: addresses; so do Swagger UI and ReDoc.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// How much of an asset is inflated at a time, in bytes.
const CHUNK: usize = 64 * 1024;

pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new().route("/", get(page)).route("/playground", get(page)).route("/playground/assets/{name}", get(asset))
}

/// What tells the page's script that there is a page with the mails of this server. The key to it is not here: see
/// [`super::pages`].
const MAILS: &str = r#"<link rel="help" title="Mails" href="/dev/mail" />"#;

/// The page. At `/graphql` it is one of two answers, hence `Vary`.
pub(super) async fn page(State(server): State<Arc<Server>>, request: Request) -> Response {
    let page = if pages::has_mails(&server, &request) {
        html(PAGE.replacen("</head>", &format!("{MAILS}</head>"), 1))
    } else {
        html(PAGE)
    };
    ([(VARY, "accept")], page).into_response()
}

/// One of the pages.
pub(super) fn html(page: impl Into<Body>) -> Response {
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, page.into()).into_response()
}

/// A file of one of the pages.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return not_found().await;
    };
    let fixed: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, content_type(asset.name)),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
    ];
    if !asset.is_gzipped {
        (fixed, asset.bytes).into_response()
    } else if takes_gzip(&headers) {
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

/// Whether the client understands gzip (RFC 9110 §12.5.3). Every browser does and says so.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = negotiation::parse(headers.get_all(ACCEPT_ENCODING));
    codings.iter().any(|(name, weight)| name == "gzip" && *weight > 0)
}

/// For clients without gzip: inflated piece by piece, as fast as they read, so that none of them costs much at once.
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
    fn gzip_goes_to_those_who_take_it() {
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
            assert_eq!(takes_gzip(&headers), expected, "{accept}");
        }
    }
}
