//! The listener of the metrics, which is separate from that of the API.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{
    App,
    domain::monitoring,
    http::{Limits, serve},
    metrics,
};

/// Connections of scrapers. Each has a few.
const MAX_CONNECTIONS: usize = 64;

/// How long a scrape may continue during shutdown.
const DRAIN: Duration = Duration::from_secs(1);

/// Creates the router of the metrics.
pub fn metrics_router(app: &Arc<App>) -> Router {
    Router::new().route("/metrics", get(respond)).with_state(Arc::clone(app))
}

/// Serves the metrics until `stop` completes.
pub async fn serve_metrics(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let limits = Limits {
        connections: MAX_CONNECTIONS,
        connections_per_network: MAX_CONNECTIONS,
        drain: DRAIN,
        linger: Duration::ZERO,
        ..Limits::default()
    };
    serve(listener, metrics_router(&app), limits, |_| true, stop).await;
}

async fn respond(State(app): State<Arc<App>>) -> Response {
    match monitoring::metrics(&app).await {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(cause = error.cause(), "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
