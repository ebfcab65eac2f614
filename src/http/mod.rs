//! The HTTP server: listener, router, middleware and handlers.
//!
//! This module owns everything that has a header or a status. It contains no rules about accounts: handlers turn
//! requests into calls of [`crate::domain`] and [`crate::graphql`], and results into responses.

mod auth;
mod bearer;
mod body;
mod cookies;
mod explorer;
mod fields;
mod form;
mod forward_auth;
mod graphql;
mod health;
mod hint_context;
mod json;
mod limits;
mod listener;
mod metrics;
mod middleware;
mod negotiation;
mod oauth;
mod pages;
mod path_prefix;
mod rest;
mod run_to_end;
mod status;

use std::sync::{Arc, atomic::AtomicBool};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::FutureExt;
pub use limits::Limits;
use listener::HeldSlot;
pub use listener::{carries_many_clients, serve};
pub use metrics::{metrics_router, serve_metrics};
pub use middleware::{Gate, Peer};
use serde_json::json;
use tokio::sync::Semaphore;

use self::{
    forward_auth::ForwardAuthCookie,
    middleware::{cors, frame, gate},
};
use crate::{
    App, Error, Result,
    config::{ExposeSecret, SecretString},
    graphql::{CookieChange, executor::Executor},
    traces::{self, use_case_name},
};

/// The shared state of the handlers.
#[derive(Debug)]
struct Server {
    app: Arc<App>,
    executor: Executor,
    cookies: cookies::CookieNames,
    forward_auth: Option<ForwardAuthCookie>,
    security_headers: frame::SecurityHeaders,
    limits: Limits,
    refused_origins: cors::RefusedOrigins,
    /// Permits for streams of live events.
    streams: Arc<Semaphore>,
    /// Whether the warning about an unconfigured proxy has been logged.
    has_warned_of_proxy: AtomicBool,
}

impl Server {
    /// Runs a use case within [`Limits::handler_timeout`].
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the timeout expires. A transaction that was committing may or may not have been
    /// committed.
    fn in_time<T, F: Future<Output = Result<T>>>(&self, work: F) -> impl Future<Output = Result<T>> + use<T, F> {
        let timed_out = |_| Err(Error::unavailable(5, "the request timed out"));
        let limited = tokio::time::timeout(self.limits.handler_timeout, work);
        traces::use_case(use_case_name::<F>, limited.map(move |result| result.unwrap_or_else(timed_out)))
    }

    /// The values of `Set-Cookie` for a change. The cookie of forward-auth follows the refresh token.
    fn set_cookies(&self, change: &CookieChange) -> impl Iterator<Item = HeaderValue> + use<> {
        let cookie = self.cookies.write(change, self.app.clock.now());
        let follower = self.forward_auth.as_ref().and_then(|cookie| cookie.follow(&self.app, change));
        cookie.into_iter().chain(follower)
    }

    /// The value of `Set-Cookie` for the cookie of forward-auth, for the session of a refresh token.
    fn set_forward_auth(&self, refresh_token: &SecretString) -> Option<HeaderValue> {
        self.forward_auth.as_ref()?.set(&self.app, refresh_token.expose_secret())
    }

    /// Whether a request has the cookie of forward-auth for the session of its refresh token, or needs none.
    fn has_forward_auth(&self, headers: &HeaderMap, refresh_token: Option<&SecretString>) -> bool {
        let (Some(cookie), Some(token)) = (&self.forward_auth, refresh_token) else { return true };
        cookie.has(&self.app, headers, token.expose_secret())
    }
}

/// The published SDL. A test checks that it is up to date.
const SCHEMA: &str = include_str!("../../schema.graphql");

/// Creates the router of an [`App`].
pub fn router(app: &Arc<App>, limits: Limits) -> Router {
    gated_router(app, limits, Gate::opened())
}

/// Creates the router of an [`App`] whose database may not be migrated yet. Requests are served when the gate is open.
pub fn gated_router(app: &Arc<App>, limits: Limits, gate: Gate) -> Router {
    let cookies = cookies::CookieNames::of(&app.settings);
    let server = Arc::new(Server {
        executor: Executor::new(Arc::clone(app)),
        forward_auth: ForwardAuthCookie::of(&app.settings, cookies.suffix()),
        cookies,
        security_headers: frame::SecurityHeaders::of(&app.settings),
        app: Arc::clone(app),
        limits,
        refused_origins: cors::RefusedOrigins::default(),
        streams: Arc::new(Semaphore::new(limits.streams())),
        has_warned_of_proxy: AtomicBool::new(app.settings.server.proxies.is_some()),
    });
    let explorer = if app.settings.graphql.playground { explorer::routes() } else { Router::new() };
    // Without CORS, which answers preflights itself: with status 200, whatever the cookie.
    let forward_auth = Router::new()
        .route(forward_auth::PATH, any(forward_auth::verify))
        .route(&format!("{}/{{*path}}", forward_auth::PATH), any(forward_auth::verify));
    let rest = if app.settings.oauth.rest_api { rest::routes(&app.settings) } else { Router::new() };
    let router = Router::new()
        .merge(explorer)
        .merge(pages::routes(&app.settings))
        .merge(rest)
        .route("/graphql", any(graphql::handle))
        .route("/graphql/ws", any(graphql::websocket::handle))
        .route("/schema.graphql", get(schema))
        .route("/auth/{provider}", get(auth::start))
        .route("/auth/{provider}/callback", get(auth::callback))
        .route("/.well-known/jwks.json", get(oauth::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::authorization_server))
        .route("/.well-known/openid-configuration", get(oauth::authorization_server))
        .route("/.well-known/webauthn", get(oauth::passkey_origins))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(no_route)
        .layer(from_fn_with_state((gate.clone(), Arc::clone(&server)), gate::enter))
        .layer(cors::layer(&app.settings))
        .merge(forward_auth.layer(from_fn_with_state((gate, Arc::clone(&server)), gate::enter)))
        .layer(from_fn_with_state(Arc::clone(&server), frame::frame))
        .with_state(server);
    path_prefix::strip(router, app.settings.server.path_prefix())
}

async fn schema(State(server): State<Arc<Server>>) -> Response {
    if !server.app.settings.graphql.introspection {
        return not_found(&server);
    }
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], SCHEMA).into_response()
}

async fn no_route(State(server): State<Arc<Server>>) -> Response {
    not_found(&server)
}

fn not_found(server: &Server) -> Response {
    let api = server.app.settings.server.path("/graphql");
    let detail = format!("There is nothing at this path. The API is at {api}.");
    (StatusCode::NOT_FOUND, Json(json!({ "detail": detail }))).into_response()
}
