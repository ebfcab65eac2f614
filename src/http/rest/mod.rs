//! The OAuth 2.0 and REST door, for clients of the FastAPI systems that Hallpass takes the place of, and for all that speak
//! OAuth.
//!
//! Owns how these requests and answers look. It decides nothing: each handler reads its request, calls one use case, and
//! writes the result; [`answer`] alone turns an [`Error`] into a status and a body. All its sessions keep their
//! refresh token in bodies; it neither reads nor sets a cookie.

pub(in crate::http) mod answer;
pub(in crate::http) mod docs;
mod json;
pub(in crate::http) mod models;
mod users;

use std::{future::Future, sync::Arc};

pub(in crate::http) use answer::{ErrorFormat, ErrorResponse};
use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::json;

use crate::{
    Error, Result,
    config::Settings,
    domain::{Client, Principal, RequestId, Viewer, active_principal},
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
        .route("/users/me", get(users::me).put(users::update).delete(users::delete))
        .route("/users/me/pending-email", delete(users::cancel_email_change))
        .route("/protected", get(users::protected))
        .merge(docs::routes());
    if !settings.oauth_clients.is_empty() {
        router = router.route("/introspect", post(oauth::introspect::introspect));
    }
    router.method_not_allowed_fallback(method_not_allowed)
}

/// The answer to a request at `path` that its handler did not answer.
pub(in crate::http) fn failed(path: &str, error: &Error, id: RequestId, language: Language) -> Response {
    let is_oauth = ["/token", "/revoke", "/introspect"].contains(&path);
    answer::told(if is_oauth { ErrorFormat::Oauth } else { ErrorFormat::Rest }, error, id, language)
}

/// The router says in `Allow` which methods there are.
async fn method_not_allowed() -> Response {
    let body = json!({ "detail": "Method Not Allowed", "status_code": 405 });
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response();
    response.extensions_mut().insert(LogFields { code: Some(ErrorCode::BadRequest) });
    response
}

/// What a handler knows of a request besides its body.
pub(in crate::http) struct Call<'a> {
    pub(in crate::http) server: &'a Server,
    pub(in crate::http) id: RequestId,
    pub(in crate::http) client: Client,
    pub(in crate::http) headers: HeaderMap,
    /// What comes behind the `?`.
    pub(in crate::http) query: String,
}

impl<'a> Call<'a> {
    pub(in crate::http) fn of(server: &'a Server, request: &Request) -> Self {
        Self {
            server,
            id: request_id::of(request),
            client: peer::client(&server.app.settings, request),
            headers: request.headers().clone(),
            query: request.uri().query().unwrap_or_default().to_owned(),
        }
    }

    /// Who is asking.
    pub(in crate::http) fn viewer(&self) -> Viewer {
        bearer::viewer(&self.server.app, &self.headers)
    }

    /// The signed-in user.
    ///
    /// # Errors
    /// As [`active_principal`].
    pub(in crate::http) async fn principal(&self) -> Result<Principal, ErrorResponse> {
        let app = &self.server.app;
        let principal = self.within(active_principal(app, self.viewer(), &self.client)).await?;
        principal.record_in_log();
        Ok(principal)
    }

    /// The whole body.
    pub(in crate::http) async fn body(&self, request: Request) -> Result<Vec<u8>, ErrorResponse> {
        Ok(body::collect(request, body::MAX_FORM, self.server.limits.body_timeout).await?)
    }

    /// A use case, which may take as long as by GraphQL.
    pub(in crate::http) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T, ErrorResponse> {
        Ok(self.server.in_time(work).await?)
    }

    /// Whether the address holds what belongs into the body, where nobody writes it into a log.
    pub(in crate::http) fn has_in_query(&self, names: &[&str]) -> bool {
        url::form_urlencoded::parse(self.query.as_bytes()).any(|(name, _)| names.contains(&&*name))
    }
}
