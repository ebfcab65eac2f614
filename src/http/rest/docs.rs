//! The documentation of this door: OpenAPI 3.1, made from the handlers' own attributes.
#![expect(dead_code, reason = "the errors are written by answer.rs")]

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
        RefOr, Required,
        security::{Flow, Http, HttpAuthScheme, OAuth2, Password, Scopes, SecurityScheme},
    },
};

use crate::http::{
    Server, explorer,
    oauth::{introspect, token},
    rest::{
        models::{Invalid, Problem},
        users,
    },
};

/// The documentation, and the pages that show it: Swagger UI to try it, ReDoc to read it.
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
        description = "Accounts by OAuth 2.0 and REST. The whole of Hallpass is at `/graphql`; here is what clients of \
            FastAPI's tutorials, and OAuth libraries, know how to call.",
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
        users::protected,
    ),
    // Those that only sets of responses name are not found by themselves.
    components(schemas(Invalid, Problem))
)]
struct Documentation;

async fn openapi(State(server): State<Arc<Server>>) -> Response {
    let mut documentation = Documentation::openapi();
    // Most clients send no body with this method.
    let delete = documentation.paths.paths.get_mut("/users/me").and_then(|item| item.delete.as_mut());
    if let Some(RefOr::T(body)) = delete.and_then(|operation| operation.request_body.as_mut()) {
        body.required = Some(Required::False);
    }
    let mut schemes = vec![(
        "OAuth2PasswordBearer",
        SecurityScheme::OAuth2(OAuth2::new([Flow::Password(Password::with_refresh_url(
            "/token",
            Scopes::new(),
            "/token",
        ))])),
    )];
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

/// An error, as FastAPI has it.
#[derive(ToSchema)]
pub(in crate::http) struct RestError {
    /// For people, in the language of `Accept-Language` (en, ru).
    detail: String,
    /// The status, once more.
    status_code: u16,
    /// With a wrong password: `invalid_grant`.
    #[schema(nullable = false)]
    error: Option<String>,
    /// With 500 and 503: finds this request in the server's log; also in the header `x-request-id`.
    #[schema(nullable = false, rename = "requestId")]
    request_id: Option<String>,
}

/// An error by RFC 6749 §5.2, with FastAPI's `detail` beside it.
#[derive(ToSchema)]
pub(in crate::http) struct OauthError {
    /// Stable: `invalid_request`, `invalid_grant`, `unsupported_grant_type`, `invalid_scope`, `invalid_client`,
    /// `temporarily_unavailable`, `server_error`.
    error: String,
    /// For the developer of a client.
    error_description: String,
    /// For people, in the language of `Accept-Language` (en, ru).
    detail: String,
    /// The status, once more.
    status_code: u16,
    /// With 500 and 503: finds this request in the server's log; also in the header `x-request-id`.
    #[schema(nullable = false, rename = "requestId")]
    request_id: Option<String>,
}

/// What may come of any request to an endpoint of OAuth's.
#[derive(IntoResponses)]
pub(in crate::http) enum OauthErrors {
    /// The request, or what it shows, is no good: see `error`.
    #[response(status = 400)]
    Refused(OauthError),
    /// The body took more than 10 s.
    #[response(status = 408)]
    Slow(OauthError),
    /// The body has more than 16 KiB, or its JSON more than 2000 values.
    #[response(status = 413)]
    Large(OauthError),
    /// Our fault.
    #[response(status = 500)]
    Failed(OauthError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(OauthError),
}

/// What may come of any other request with a body.
#[derive(IntoResponses)]
pub(in crate::http) enum FormErrors {
    /// The username or address is taken, the account is disabled, or the body broke off.
    #[response(status = 400)]
    Refused(RestError),
    /// The body took more than 10 s.
    #[response(status = 408)]
    Slow(RestError),
    /// The body has more than 16 KiB, or its JSON more than 2000 values.
    #[response(status = 413)]
    Large(RestError),
    /// Some fields need another look.
    #[response(status = 422)]
    Invalid(Invalid),
    /// Our fault.
    #[response(status = 500)]
    Failed(RestError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(RestError),
}

/// What may come of a request that takes a signed-in user.
#[derive(IntoResponses)]
pub(in crate::http) enum UserErrors {
    /// The account is disabled.
    #[response(status = 400)]
    Disabled(RestError),
    /// Nobody is signed in; `WWW-Authenticate` says whether a token came.
    #[response(status = 401)]
    Unauthenticated(RestError),
    /// Our fault.
    #[response(status = 500)]
    Failed(RestError),
    /// Try again after `Retry-After` seconds.
    #[response(status = 503)]
    Unavailable(RestError),
}
