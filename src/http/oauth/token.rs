//! `/token` (RFC 6749 §4.3, §6) and `/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    domain::{
        sessions::{self, Delivery, Logout, NewSession, PresentedToken, SignIn},
        sign_in::password::{Credentials, login},
    },
    http::{
        Server, bearer, body,
        form::Form,
        rest::{
            Call, ErrorFormat, ErrorResponse,
            answer::UNCACHED,
            docs::{OauthError, OauthErrors, RevokeRequest, TokenRequest},
            models::Tokens,
        },
    },
};

/// What must not stand in the address.
const SECRETS: &[&str] = &["grant_type", "username", "password", "refresh_token", "token", "client_secret"];

/// Sign in, or refresh: a password or a refresh token for new tokens.
///
/// The password grant is for first-party apps alone: OAuth 2.1 drops it.
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "requestToken",
    tag = "OAuth 2.0",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 401, description = "The username or the password is wrong", body = OauthError),
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = OauthError),
        OauthErrors,
    )
)]
pub(in crate::http) async fn token(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let answer = async {
        let mut form = read(&call, request).await?;
        if form.take_text("scope")?.is_some() {
            return Err(ErrorResponse::Refused(
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "There are no scopes here. Leave `scope` out.",
            ));
        }
        let sign_in = match form.take_text("grant_type")?.as_deref() {
            Some("password") | None => by_password(&call, form).await?,
            Some("refresh_token") => {
                let Some(token) = form.take_text("refresh_token")? else {
                    return Err(ErrorResponse::invalid_request("`refresh_token` is missing."));
                };
                refresh(&call, token).await?
            }
            Some(_) => {
                return Err(ErrorResponse::Refused(
                    StatusCode::BAD_REQUEST,
                    "unsupported_grant_type",
                    "`grant_type` must be `password` or `refresh_token`.",
                ));
            }
        };
        Ok(tokens(sign_in))
    };
    call.answer(ErrorFormat::Oauth, answer.await)
}

async fn by_password(call: &Call<'_>, mut form: Form) -> Result<SignIn, ErrorResponse> {
    let (Some(identifier), Some(password)) = (form.take_text("username")?, form.take("password")) else {
        return Err(ErrorResponse::invalid_request("`username` or `password` is missing."));
    };
    let credentials = Credentials { identifier, password: password.into() };
    call.within(login(&call.server.app, credentials, NewSession::in_body(), &call.client)).await
}

/// The same for `/token` and `/refresh`.
pub(in crate::http) async fn refresh(call: &Call<'_>, token: String) -> Result<SignIn, ErrorResponse> {
    let presented = PresentedToken { token: token.into(), delivery: Delivery::Body };
    call.within(sessions::refresh(&call.server.app, Some(presented), &call.client)).await
}

/// New tokens, for nobody to keep but the client.
pub(in crate::http) fn tokens(sign_in: SignIn) -> Response {
    sign_in.principal.record_in_log();
    (UNCACHED, Json(Tokens::from(sign_in))).into_response()
}

/// End the session of an access or refresh token. A token that is not known is no error.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revokeToken",
    tag = "OAuth 2.0",
    request_body(content = RevokeRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The session has ended, or there was none"), OauthErrors)
)]
pub(in crate::http) async fn revoke(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let answer = async {
        let mut form = read(&call, request).await?;
        let Some(token) = form.take_text("token")? else {
            return Err(ErrorResponse::invalid_request("`token` is missing."));
        };
        // Of either type, whatever `token_type_hint` says (§2.1); one that is not ours ends nothing, and is no error (§2.2).
        let viewer = bearer::decode(&server.app, token.as_bytes());
        let tokens = vec![PresentedToken { token: token.into(), delivery: Delivery::Body }];
        let logout = Logout { viewer, tokens, everywhere: false };
        call.within(sessions::logout(&server.app, logout, &call.client)).await?;
        Ok(StatusCode::OK.into_response())
    };
    call.answer(ErrorFormat::Oauth, answer.await)
}

/// The form of a request to an endpoint of OAuth's.
pub(in crate::http) async fn read(call: &Call<'_>, request: Request) -> Result<Form, ErrorResponse> {
    if call.has_in_query(SECRETS) {
        return Err(ErrorResponse::invalid_request(
            "Send parameters in the body. In the address they would end up in logs; consider these ones known.",
        ));
    }
    if !body::is_of_type(&call.headers, "application/x-www-form-urlencoded") {
        return Err(ErrorResponse::invalid_request(
            "Send the header `Content-Type: application/x-www-form-urlencoded`, and a form in UTF-8.",
        ));
    }
    Ok(Form::parse(&call.body(request).await?)?)
}
