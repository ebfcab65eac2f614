//! The public keys and the server metadata, with which other services verify access tokens.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::http::Server;

/// How long services may cache the keys. `hallpass key generate` activates new keys after this time.
const CACHE_POLICY: &str = "public, max-age=900";

/// The public keys, as a JWK Set (RFC 7517 §5).
pub(in crate::http) async fn jwks(State(server): State<Arc<Server>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, CACHE_POLICY)];
    (headers, server.app.access_tokens.jwks()).into_response()
}

/// Authorization server metadata (RFC 8414 §2), also at the path of OpenID Connect Discovery, because some services that verify
/// tokens read only that. There is no authorization endpoint, and therefore no response type.
pub(in crate::http) async fn authorization_server(State(server): State<Arc<Server>>) -> Response {
    let settings = &server.app.settings;
    let issuer = &settings.server.public_url;
    let endpoint = |path: &str| json!(format!("{issuer}{path}"));
    let has_endpoints = settings.oauth.rest_api;
    let mut metadata = Map::new();
    let mut insert = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    insert("issuer", json!(issuer));
    insert("jwks_uri", endpoint("/.well-known/jwks.json"));
    insert("response_types_supported", json!([]));
    insert("grant_types_supported", if has_endpoints { json!(["password", "refresh_token"]) } else { json!([]) });
    if has_endpoints {
        insert("token_endpoint", endpoint("/token"));
        // Clients are first-party and have no secret.
        insert("token_endpoint_auth_methods_supported", json!(["none"]));
        insert("revocation_endpoint", endpoint("/revoke"));
        insert("revocation_endpoint_auth_methods_supported", json!(["none"]));
    }
    if has_endpoints && !settings.oauth.clients.is_empty() {
        insert("introspection_endpoint", endpoint("/introspect"));
        let methods = json!(["client_secret_basic", "client_secret_post"]);
        insert("introspection_endpoint_auth_methods_supported", methods);
    }
    ([(CACHE_CONTROL, CACHE_POLICY)], Json(metadata)).into_response()
}

/// The origins of pages that may use the passkeys of this server (WebAuthn §5.11.1). Browsers ask for it if the RP id is not the
/// domain of the page or above it.
pub(in crate::http) async fn passkey_origins(State(server): State<Arc<Server>>) -> Response {
    let origins = &server.app.settings.passkeys.web_origins;
    ([(CACHE_CONTROL, CACHE_POLICY)], Json(json!({ "origins": origins }))).into_response()
}
