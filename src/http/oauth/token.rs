//! `/token` (RFC 6749 §4.3, §6) and `/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    domain::{
        sessions::{self, Delivery, Logout, PresentedToken, SignIn},
        sign_in::{one_request, password::Credentials},
    },
    http::{
        Server, bearer, body,
        fields::{FieldError, FieldErrorKind},
        form::Form,
        rest::{
            Call, ErrorFormat, ErrorResponse,
            docs::{OauthError, OauthErrors},
            error_response::UNCACHED,
            models::Tokens,
        },
    },
};

/// Parameters that must not be in the URL.
const SECRETS: &[&str] = &["grant_type", "username", "password", "refresh_token", "token", "client_secret", "otp"];

/// A request for tokens, with `username` and `password` or with `refresh_token`.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct TokenRequest {
    /// `password` (the default) or `refresh_token`.
    #[schema(nullable = false, example = "password")]
    grant_type: Option<String>,
    /// Username or e-mail address.
    #[schema(nullable = false, example = "testuser")]
    username: Option<String>,
    #[schema(nullable = false, format = Password)]
    password: Option<String>,
    /// The second factor, for users who have one: the code of the authenticator app, or a recovery code.
    #[schema(nullable = false, format = Password)]
    otp: Option<String>,
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// Not supported.
    #[schema(ignore)]
    scope: Option<String>,
}

/// The token to revoke.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RevokeRequest {
    /// An access or a refresh token. Its session is revoked.
    token: String,
    /// Ignored: both types are tried.
    #[schema(nullable = false)]
    #[expect(dead_code, reason = "accepted and ignored")]
    token_type_hint: Option<String>,
}

/// Sign in with a password, or exchange a refresh token for new tokens.
///
/// The password grant is only for first-party apps: OAuth 2.1 removes it.
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "requestToken",
    tag = "OAuth 2.0",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 401, description = "The username or the password is incorrect", body = OauthError),
        (status = 403, description = "`mfa_required`: send the request again, with the second factor in `otp`", body = OauthError),
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = OauthError),
        OauthErrors,
    )
)]
pub(in crate::http) async fn token(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let request: TokenRequest = read(&call, request).await?;
        if request.scope.is_some() {
            return Err(ErrorResponse::Rejected(
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "Scopes are not supported. Omit `scope`.".into(),
            ));
        }
        let sign_in = match request.grant_type.as_deref() {
            Some("password") | None => password_grant(&call, request).await?,
            Some("refresh_token") => {
                let Some(token) = request.refresh_token else {
                    return Err(missing("refresh_token"));
                };
                refresh(&call, token).await?
            }
            Some(_) => {
                return Err(ErrorResponse::Rejected(
                    StatusCode::BAD_REQUEST,
                    "unsupported_grant_type",
                    "`grant_type` must be `password` or `refresh_token`.".into(),
                ));
            }
        };
        Ok(tokens(sign_in))
    };
    call.respond(ErrorFormat::Oauth, result.await)
}

/// The password grant (RFC 6749 §4.3).
async fn password_grant(call: &Call<'_>, request: TokenRequest) -> Result<SignIn, ErrorResponse> {
    let (Some(identifier), Some(password)) = (request.username, request.password) else {
        return Err(ErrorResponse::invalid_request("`username` or `password` is missing."));
    };
    let credentials = Credentials { identifier, password: password.into() };
    call.within(one_request::login(&call.context, credentials, request.otp.map(Into::into))).await
}

/// Refreshes the tokens of a session, for `/token` and `/refresh`.
pub(in crate::http) async fn refresh(call: &Call<'_>, token: String) -> Result<SignIn, ErrorResponse> {
    let presented = PresentedToken { token: token.into(), delivery: Delivery::Body };
    call.within(sessions::refresh(&call.context, Some(presented))).await
}

/// The response with new tokens, which must not be cached.
pub(in crate::http) fn tokens(sign_in: SignIn) -> Response {
    (UNCACHED, Json(Tokens::from(sign_in))).into_response()
}

/// Revoke the session of an access or refresh token. An unknown token is not an error.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revokeToken",
    tag = "OAuth 2.0",
    request_body(content = RevokeRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The session is revoked, or the token was unknown"), OauthErrors)
)]
pub(in crate::http) async fn revoke(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let RevokeRequest { token, .. } = read(&call, request).await?;
        // Both types are tried, whatever `token_type_hint` says (§2.1). An unknown token is not an error (§2.2).
        let viewer = bearer::decode(&server.app, token.as_bytes());
        let tokens = vec![PresentedToken { token: token.into(), delivery: Delivery::Body }];
        let logout = Logout { viewer, tokens, everywhere: false };
        call.within(sessions::logout(&call.context, logout)).await?;
        Ok(StatusCode::OK.into_response())
    };
    call.respond(ErrorFormat::Oauth, result.await)
}

/// Reads the form of a request to an OAuth endpoint.
pub(in crate::http) async fn read<T: DeserializeOwned>(call: &Call<'_>, request: Request) -> Result<T, ErrorResponse> {
    if call.has_in_query(SECRETS) {
        return Err(ErrorResponse::invalid_request(
            "Send parameters in the body. URLs end up in logs: consider these ones compromised.",
        ));
    }
    if !body::is_of_type(&call.headers, "application/x-www-form-urlencoded") {
        return Err(ErrorResponse::invalid_request(
            "Send the header `Content-Type: application/x-www-form-urlencoded`, and a form in UTF-8.",
        ));
    }
    let form = Form::parse(&call.body(request).await?)?;
    form.read().map_err(|errors| match errors.first() {
        Some(FieldError { field, kind: FieldErrorKind::Missing }) => missing(field),
        Some(FieldError { field, .. }) => ErrorResponse::invalid_request(format!("`{field}` must not contain NUL.")),
        None => ErrorResponse::invalid_request("The form cannot be read."),
    })
}

/// The error for a form without a required parameter.
pub(in crate::http) fn missing(parameter: &str) -> ErrorResponse {
    ErrorResponse::invalid_request(format!("`{parameter}` is missing."))
}
