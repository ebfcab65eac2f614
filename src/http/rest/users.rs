//! `/register`, `/login`, `/refresh`, `/users/me` and `/protected`, compatible with the FastAPI tutorials.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use crate::{
    domain::{
        sign_in::one_request,
        users::{
            deletion, email, profile,
            registration::{self, Account},
        },
    },
    http::{
        Server, body,
        form::{BadForm, Form},
        oauth::token,
        rest::{
            Call, ErrorFormat, ErrorResponse,
            docs::{EnrollmentError, FormErrors, RestError, UserErrors},
            error_response::UNCACHED,
            json,
            models::{Message, NewUser, Problem, Tokens, User},
            requests::{DeleteRequest, LoginRequest, RefreshRequest, RegisterRequest, UpdateRequest},
        },
    },
    language::Language,
};

/// Create an account.
#[utoipa::path(
    post,
    path = "/register",
    operation_id = "registerUser",
    tag = "Accounts",
    request_body = RegisterRequest,
    responses(
        (status = 200, description = "The new account. It is not signed in", body = NewUser),
        (status = 403, description = "Registration is disabled on this server", body = RestError),
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = RestError),
        FormErrors,
    )
)]
pub(in crate::http) async fn register(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let request: RegisterRequest = read(&call, request).await?;
        let registered = registration::register_only(&call.context, request.into());
        Ok(Json(NewUser::from(call.within(registered).await?)).into_response())
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// Sign in with JSON. Returns the same tokens as /token.
#[utoipa::path(
    post,
    path = "/login",
    operation_id = "logIn",
    tag = "Accounts",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 401, description = "The username or the password is incorrect", body = RestError),
        (
            status = 403,
            description = "The e-mail address must be verified first, or, with the error `mfa_required`, the second factor \
                must be sent in `otp` as well",
            body = RestError,
        ),
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = RestError),
        FormErrors,
    )
)]
pub(in crate::http) async fn login(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let request: LoginRequest = read(&call, request).await?;
        let (credentials, code) = request.into_factors();
        let sign_in = one_request::login(&call.context, credentials, code);
        Ok(token::tokens(call.within(sign_in).await?))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// Exchange a refresh token for new tokens. A form with the same field is accepted as well.
#[utoipa::path(
    post,
    path = "/refresh",
    operation_id = "refreshTokens",
    tag = "Accounts",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 401, description = "The refresh token is invalid, or its session has ended", body = RestError),
        FormErrors,
    )
)]
pub(in crate::http) async fn refresh(State(server): State<Arc<Server>>, request: Request) -> Response {
    const NAME: &str = "refresh_token";
    let call = Call::of(&server, &request);
    let result = async {
        if call.has_in_query(&[NAME]) {
            let message = "Send the token in the body. URLs end up in logs: consider this token compromised.";
            return Err(ErrorResponse::Fields(vec![Problem::new("query", Some(NAME), message, "value_error")]));
        }
        let request: RefreshRequest = if body::is_of_type(&call.headers, "application/x-www-form-urlencoded") {
            let form = Form::parse(&call.body(request).await?).map_err(|BadForm(message)| {
                ErrorResponse::Fields(vec![Problem::new("body", Some(NAME), message, "value_error")])
            })?;
            form.read().map_err(|errors| json::invalid_fields("body", errors, call.language()))?
        } else {
            read(&call, request).await?
        };
        Ok(token::tokens(token::refresh(&call, request.refresh_token).await?))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// The signed-in user.
#[utoipa::path(
    get,
    path = "/users/me",
    operation_id = "getCurrentUser",
    tag = "Accounts",
    responses((status = 200, description = "The signed-in user", body = User), EnrollmentError, UserErrors),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn me(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        Ok(user_response(&call, principal.user))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// Change the names of the signed-in user, or request a change of the e-mail address.
#[utoipa::path(
    put,
    path = "/users/me",
    operation_id = "updateCurrentUser",
    tag = "Accounts",
    request_body = UpdateRequest,
    responses(
        (status = 200, description = "The user after the change", body = User),
        (
            status = 401,
            description = "Authentication required, or the second factor must be confirmed again; `WWW-Authenticate` says which",
            body = RestError,
        ),
        EnrollmentError,
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = RestError),
        FormErrors,
    ),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn update(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        let request: UpdateRequest = read(&call, request).await?;
        let (names, address) = request.into_changes();
        let updated = profile::update_with_email(&call.context, &principal, names, address);
        Ok(user_response(&call, call.within(updated).await?))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// Cancel a pending change of the e-mail address.
#[utoipa::path(
    delete,
    path = "/users/me/pending-email",
    tag = "Accounts",
    responses((status = 200, description = "The user, with the current address unchanged", body = User), EnrollmentError, UserErrors),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn cancel_email_change(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        Ok(user_response(&call, call.within(email::cancel_change(&call.context, &principal)).await?))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// Delete the signed-in user's account permanently.
#[utoipa::path(
    delete,
    path = "/users/me",
    operation_id = "deleteCurrentUser",
    tag = "Accounts",
    request_body = DeleteRequest,
    responses(
        (status = 200, description = "The account is deleted", body = Message),
        (
            status = 401,
            description = "Authentication required, or the second factor must be confirmed again; `WWW-Authenticate` says which",
            body = RestError,
        ),
        EnrollmentError,
        (status = 409, description = "The last active administrator cannot be deleted", body = RestError),
        (status = 429, description = "Too many attempts; try again after `Retry-After` seconds", body = RestError),
        FormErrors,
    ),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn delete(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        let bytes = call.body(request).await?;
        // Most clients send no body with this method.
        let request = if bytes.is_empty() {
            DeleteRequest::default()
        } else {
            json::read(&call.headers, &bytes, call.language())?
        };
        call.within(deletion::delete(&call.context, &principal, request.password.map(Into::into))).await?;
        let message = match call.language() {
            Language::English => "The user has been deleted.",
            Language::Russian => "Пользователь удалён",
        };
        Ok(Json(Message { message: message.to_owned() }).into_response())
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// A greeting for the signed-in user.
#[utoipa::path(
    get,
    path = "/protected",
    operation_id = "getProtected",
    tag = "Accounts",
    responses((status = 200, description = "A greeting", body = Message), EnrollmentError, UserErrors),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn protected(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        let name = principal.user.username;
        let message = match call.language() {
            Language::English => format!("Hello, {name}! This is a protected route."),
            Language::Russian => format!("Привет, {name}! Это защищённый маршрут."),
        };
        Ok((UNCACHED, Json(Message { message })).into_response())
    };
    call.respond(ErrorFormat::Rest, result.await)
}

fn user_response(call: &Call<'_>, user: Account) -> Response {
    (UNCACHED, Json(User::at(call.server.app.clock.now(), user, &call.server.app.settings))).into_response()
}

/// Reads a JSON body.
async fn read<T: DeserializeOwned>(call: &Call<'_>, request: Request) -> Result<T, ErrorResponse> {
    let bytes = call.body(request).await?;
    json::read(&call.headers, &bytes, call.language())
}
