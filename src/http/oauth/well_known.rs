//! What other services need to verify access tokens: the public keys, and where they are.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::http::Server;

/// So long may a service not know of a new key: `hallpass key generate` has keys start later than that.
const CACHED: &str = "public, max-age=900";

/// The public keys, as a JWK Set (RFC 7517 §5).
pub(in crate::http) async fn jwks(State(server): State<Arc<Server>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, CACHED)];
    (headers, server.app.access_tokens.jwks()).into_response()
}

/// Authorization server metadata (RFC 8414 §2). There is no authorization endpoint, so no response type.
pub(in crate::http) async fn authorization_server(State(server): State<Arc<Server>>) -> Response {
    let settings = &server.app.settings;
    let issuer = &settings.server.public_url;
    let endpoint = |path: &str| json!(format!("{issuer}{path}"));
    let has = settings.oauth.rest_api;
    let mut metadata = Map::new();
    let mut tell = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    tell("issuer", json!(issuer));
    tell("jwks_uri", endpoint("/.well-known/jwks.json"));
    tell("response_types_supported", json!([]));
    tell("grant_types_supported", if has { json!(["password", "refresh_token"]) } else { json!([]) });
    if has {
        tell("token_endpoint", endpoint("/token"));
        // Clients are first-party and have no secret.
        tell("token_endpoint_auth_methods_supported", json!(["none"]));
        tell("revocation_endpoint", endpoint("/revoke"));
        tell("revocation_endpoint_auth_methods_supported", json!(["none"]));
    }
    if has && !settings.oauth.clients.is_empty() {
        tell("introspection_endpoint", endpoint("/introspect"));
        let methods = json!(["client_secret_basic", "client_secret_post"]);
        tell("introspection_endpoint_auth_methods_supported", methods);
    }
    ([(CACHE_CONTROL, CACHED)], Json(metadata)).into_response()
}
