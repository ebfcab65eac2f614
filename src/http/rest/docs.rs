//! The documentation of the REST API: OpenAPI 3.1, generated from the attributes of the handlers.
#![expect(dead_code, reason = "the errors are written by error_response.rs")]

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{
        RefOr, Required, Server as OpenApiServer,
        security::{Flow, Http, HttpAuthScheme, OAuth2, Password, Scopes, SecurityScheme},
    },
};

use crate::http::{
    Server, explorer,
    oauth::{introspect, token},
    rest::{
        account, administration,
        models::{Invalid, Problem},
        users,
    },
};

/// The routes of the OpenAPI document and of the pages that show it, Swagger UI and ReDoc.
pub(in crate::http) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(async || explorer::html(explorer::DOCS)))
        .route("/redoc", get(async || explorer::html(explorer::REDOC)))
        .route("/docs/assets/{name}", get(explorer::asset))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hallpass",
        description = "The OAuth 2.0 and REST API, for OAuth libraries and for clients of the FastAPI tutorials. The \
            complete API is at `/graphql`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        token::token,
        token::revoke,
        introspect::introspect,
        users::register,
        users::login,
        users::refresh,
        users::me,
        users::update,
        users::delete,
        users::cancel_email_change,
        account::export,
        administration::list,
        administration::user,
        users::protected,
    ),
    // utoipa does not collect schemas that are used only in `IntoResponses`.
    components(schemas(Invalid, Problem))
)]
struct Documentation;

async fn openapi(State(server): State<Arc<Server>>) -> Response {
    let prefix = server.app.settings.server.path_prefix();
    let mut documentation = Documentation::openapi();
    if !prefix.is_empty() {
        documentation.servers = Some(vec![OpenApiServer::new(prefix)]);
    }
    // Most clients send no body with this method.
    let delete = documentation.paths.paths.get_mut("/users/me").and_then(|item| item.delete.as_mut());
    if let Some(RefOr::T(body)) = delete.and_then(|operation| operation.request_body.as_mut()) {
        body.required = Some(Required::False);
    }
    let token = server.app.settings.server.path("/token");
    let password = Password::with_refresh_url(&token, Scopes::new(), &token);
    let mut schemes = vec![("OAuth2PasswordBearer", SecurityScheme::OAuth2(OAuth2::new([Flow::Password(password)])))];
    let components = documentation.components.get_or_insert_default();
    if server.app.settings.oauth.clients.is_empty() {
        documentation.paths.paths.remove("/introspect");
        components.schemas.retain(|name, _| !["Introspection", "IntrospectRequest"].contains(&&**name));
    } else {
        schemes.push(("ClientSecretBasic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))));
    }
    for (name, scheme) in schemes {
        components.add_security_scheme(name, scheme);
    }
    ([(CACHE_CONTROL, "no-cache")], Json(documentation)).into_response()
}

/// An error in FastAPI's format.
#[derive(ToSchema)]
pub(in crate::http) struct RestError {
    /// For people, in the language of `Accept-Language` (en, ru).
    detail: String,
    /// The HTTP status.
    status_code: u16,
    /// `invalid_grant` if the username, the password or the code is incorrect; `mfa_required` if the code is missing.
    #[schema(nullable = false)]
    error: Option<String>,
    /// With 500 and 503: the id of the request in the server's log. Also in the header `x-request-id`.
    #[schema(nullable = false, rename = "requestId")]
    request_id: Option<String>,
}

/// An error as in RFC 6749 §5.2, with FastAPI's `detail`.
#[derive(ToSchema)]
pub(in crate::http) struct OauthError {
    /// Stable: `invalid_request`, `invalid_grant`, `unsupported_grant_type`, `invalid_scope`, `invalid_client`,
    /// `mfa_required`, `temporarily_unavailable`, `server_error`.
    error: String,
    /// For the developer of a client.
    error_description: String,
    /// For people, in the language of `Accept-Language` (en, ru).
    detail: String,
    /// The HTTP status.
    status_code: u16,
    /// With 500 and 503: the id of the request in the server's log. Also in the header `x-request-id`.
    #[schema(nullable = false, rename = "requestId")]
    request_id: Option<String>,
}

/// The errors of all OAuth endpoints.
#[derive(IntoResponses)]
pub(in crate::http) enum OauthErrors {
    /// The request or its credentials are invalid; see `error`.
    #[response(status = 400)]
    BadRequest(OauthError),
    /// The body was not received within 10 s.
    #[response(status = 408)]
    Timeout(OauthError),
    /// The body has more than 16 KiB, or the JSON more than 2000 values.
    #[response(status = 413)]
    TooLarge(OauthError),
    /// Internal server error.
    #[response(status = 500)]
    Internal(OauthError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(OauthError),
}

/// The errors of all other endpoints with a body.
#[derive(IntoResponses)]
pub(in crate::http) enum FormErrors {
    /// The username or address is taken, the account is disabled, or the body is incomplete.
    #[response(status = 400)]
    BadRequest(RestError),
    /// The body was not received within 10 s.
    #[response(status = 408)]
    Timeout(RestError),
    /// The body has more than 16 KiB, or the JSON more than 2000 values.
    #[response(status = 413)]
    TooLarge(RestError),
    /// Some fields are invalid; see `detail`.
    #[response(status = 422)]
    Invalid(Invalid),
    /// Internal server error.
    #[response(status = 500)]
    Internal(RestError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(RestError),
}

/// The errors of endpoints that require authentication.
#[derive(IntoResponses)]
pub(in crate::http) enum UserErrors {
    /// The account is disabled.
    #[response(status = 400)]
    Disabled(RestError),
    /// Authentication required. `WWW-Authenticate` shows whether the token is missing or invalid, or whether the user must prove
    /// their identity again (RFC 9470).
    #[response(status = 401)]
    Unauthenticated(RestError),
    /// Internal server error.
    #[response(status = 500)]
    Internal(RestError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(RestError),
}

/// The error for users who must set up a second factor first.
#[derive(IntoResponses)]
pub(in crate::http) enum EnrollmentError {
    /// A role of the user requires a second factor, and none is set up.
    #[response(status = 403)]
    Required(RestError),
}
