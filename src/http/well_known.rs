//! What other services need to verify access tokens: the public keys, and where they are.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Server;

/// So long may a service not know of a new key: `hallpass key generate` has keys start later than that.
const CACHED: &str = "public, max-age=900";

/// The public keys, as a JWK Set (RFC 7517 §5).
pub(super) async fn jwks(State(server): State<Arc<Server>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, CACHED)];
    (headers, server.app.access_tokens.jwks()).into_response()
}

/// Authorization server metadata (RFC 8414 §2). There is no endpoint of OAuth's yet, so no response or grant type.
pub(super) async fn authorization_server(State(server): State<Arc<Server>>) -> Response {
    let issuer = &server.app.settings.public_url;
    let metadata = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": [],
    });
    ([(CACHE_CONTROL, CACHED)], Json(metadata)).into_response()
}
