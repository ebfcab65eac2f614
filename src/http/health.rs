//! The liveness and readiness endpoints.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::http::Server;

/// Liveness: the process responds.
pub(super) async fn live() -> Response {
    status(StatusCode::OK, r#"{"status":"live"}"#)
}

/// Readiness: the database is reachable and writable, and its migrations are compatible with this version.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    if server.app.database.is_ready().await { status(StatusCode::OK, r#"{"status":"ready"}"#) } else { not_ready() }
}

pub(super) fn not_ready() -> Response {
    status(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"not ready"}"#)
}

fn status(status: StatusCode, body: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
