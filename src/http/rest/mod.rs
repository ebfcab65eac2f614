//! The REST API for clients of the FastAPI systems that Hallpass replaces, and code shared with OAuth.
//!
//! Each handler parses its request, calls one use case and writes the result. [`requests`] contains the requests,
//! [`models`] the responses, and [`error_response`] turns an [`Error`] into a status and a body. Refresh tokens are in
//! bodies; cookies are neither read nor set.

mod account;
mod administration;
pub(in crate::http) mod docs;
pub(in crate::http) mod error_response;
mod json;
pub(in crate::http) mod models;
mod requests;
mod users;

use std::{future::Future, sync::Arc};

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
pub(in crate::http) use error_response::{ErrorFormat, ErrorResponse};
use serde_json::json;

use crate::{
    Error, Result,
    config::Settings,
    domain::{Context, Principal, RequestId, active_principal},
    error::ErrorCode,
    http::{
        Server, bearer, body,
        graphql::LogFields,
        middleware::{peer, request_id},
        oauth,
    },
    language::Language,
};

pub(in crate::http) fn routes(settings: &Settings) -> Router<Arc<Server>> {
    let mut router = Router::new()
        .route("/token", post(oauth::token::token))
        .route("/revoke", post(oauth::token::revoke))
        .route("/login", post(users::login))
        .route("/register", post(users::register))
        .route("/refresh", post(users::refresh))
        .route("/users", get(administration::list))
        .route("/users/{id}", get(administration::user))
        .route("/users/me", get(users::me).put(users::update).delete(users::delete))
        .route("/users/me/pending-email", delete(users::cancel_email_change))
        .route("/account/export", get(account::export))
        .route("/protected", get(users::protected))
        .merge(docs::routes());
    if !settings.oauth.clients.is_empty() {
        router = router.route("/introspect", post(oauth::introspect::introspect));
    }
    router.method_not_allowed_fallback(method_not_allowed)
}

/// The error response for a request whose handler was not reached, timed out or panicked.
pub(in crate::http) fn failed(path: &str, error: &Error, id: RequestId, language: Language) -> Response {
    let is_oauth = ["/token", "/revoke", "/introspect"].contains(&path);
    error_response::of(if is_oauth { ErrorFormat::Oauth } else { ErrorFormat::Rest }, error, id, language)
}

/// The body of status 405. The router sets `Allow`.
async fn method_not_allowed() -> Response {
    let body = json!({ "detail": "Method Not Allowed", "status_code": 405 });
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response();
    response.extensions_mut().insert(LogFields { code: Some(ErrorCode::BadRequest) });
    response
}

/// The parts of a request besides its body, and the context for the domain.
pub(in crate::http) struct Call<'a> {
    pub(in crate::http) server: &'a Server,
    pub(in crate::http) id: RequestId,
    pub(in crate::http) context: Context,
    pub(in crate::http) headers: HeaderMap,
    /// The query string.
    pub(in crate::http) query: String,
}

impl<'a> Call<'a> {
    pub(in crate::http) fn of(server: &'a Server, request: &Request) -> Self {
        let viewer = bearer::viewer(&server.app, request.headers());
        Self {
            server,
            id: request_id::of(request),
            context: Context::of_request(&server.app, viewer, peer::client(&server.app.settings, request)),
            headers: request.headers().clone(),
            query: request.uri().query().unwrap_or_default().to_owned(),
        }
    }

    /// The language of the user.
    pub(in crate::http) fn language(&self) -> Language {
        self.context.client.language
    }

    /// The signed-in user.
    ///
    /// # Errors
    /// As [`active_principal`].
    pub(in crate::http) async fn principal(&self) -> Result<Principal, ErrorResponse> {
        self.within(active_principal(&self.context)).await
    }

    /// Reads the whole body.
    pub(in crate::http) async fn body(&self, request: Request) -> Result<Vec<u8>, ErrorResponse> {
        Ok(body::collect(request, body::MAX_FORM, self.server.limits.body_timeout).await?)
    }

    /// Runs a use case with the timeout of all requests.
    pub(in crate::http) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T, ErrorResponse> {
        Ok(self.server.in_time(work).await?)
    }

    /// Whether the query string contains one of these parameters, which belong in the body because URLs are logged.
    pub(in crate::http) fn has_in_query(&self, names: &[&str]) -> bool {
        url::form_urlencoded::parse(self.query.as_bytes()).any(|(name, _)| names.contains(&&*name))
    }
}
