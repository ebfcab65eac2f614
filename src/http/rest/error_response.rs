//! REST and OAuth responses to an [`Error`]: status, headers and body.

use std::borrow::Cow;

use axum::{
    Json,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    Error,
    domain::RequestId,
    error::{ErrorCode, Field, InputError, UnauthenticatedReason},
    http::{
        bearer,
        body::BodyError,
        form::BadForm,
        graphql::LogFields,
        rest::{Call, models},
        status::{status, status_of},
    },
    language::Language,
};

/// The format of an error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum ErrorFormat {
    /// The format of RFC 6749 §5.2, with FastAPI's `detail`.
    Oauth,
    /// FastAPI's format: `detail`.
    Rest,
}

/// Why a request failed.
#[derive(Clone, Debug)]
pub(in crate::http) enum ErrorResponse {
    /// The error of a use case.
    Domain(Error),
    /// The request is malformed, or the client is not authenticated: the status, the OAuth `error` and the message.
    Rejected(StatusCode, &'static str, Cow<'static, str>),
    /// Fields of the request are missing or mistyped.
    Fields(Vec<models::Problem>),
}

impl ErrorResponse {
    /// A request with a parameter that is missing, repeated or in the wrong place (RFC 6749 §5.2).
    pub(in crate::http) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Rejected(StatusCode::BAD_REQUEST, INVALID_REQUEST, message.into())
    }

    /// A request with a body that is too large.
    pub(in crate::http) fn too_large(message: &'static str) -> Self {
        Self::Rejected(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST, message.into())
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl From<BodyError> for ErrorResponse {
    fn from(error: BodyError) -> Self {
        Self::Rejected(error.status(), INVALID_REQUEST, error.message().into())
    }
}

impl From<BadForm> for ErrorResponse {
    fn from(BadForm(message): BadForm) -> Self {
        Self::invalid_request(message)
    }
}

const INVALID_REQUEST: &str = "invalid_request";
pub(in crate::http) const INVALID_CLIENT: &str = "invalid_client";

/// The headers of a response that must not be cached (RFC 6749 §5.1).
pub(in crate::http) const UNCACHED: [(HeaderName, HeaderValue); 2] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store")), (PRAGMA, HeaderValue::from_static("no-cache"))];

impl Call<'_> {
    /// Returns the response of a handler, or the response to its error.
    pub(in crate::http) fn respond(&self, format: ErrorFormat, result: Result<Response, ErrorResponse>) -> Response {
        result.unwrap_or_else(|error| match error {
            ErrorResponse::Domain(error) => of(format, &error, self.id, self.language()),
            ErrorResponse::Rejected(status, error, message) => {
                let mut response = body(format, status, &message, Some(error), &message, None);
                if status == StatusCode::UNAUTHORIZED {
                    challenge(&mut response, r#"Basic realm="hallpass", charset="UTF-8""#);
                }
                log(&mut response, ErrorCode::BadRequest);
                response
            }
            ErrorResponse::Fields(detail) => {
                let mut response = unprocessable(detail);
                log(&mut response, ErrorCode::InvalidInput);
                response
            }
        })
    }
}

/// The response to the error of a use case.
pub(in crate::http) fn of(format: ErrorFormat, error: &Error, id: RequestId, language: Language) -> Response {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(?code, cause, "request failed");
    }
    let problems = error.problems();
    let rest = status_of(code);
    let (oauth, oauth_code) = code.oauth();
    // The FastAPI tutorials respond with 400 to a taken username or address, and check the address first.
    let taken = problems.iter().rev().find(|problem| status_of(problem.code) == StatusCode::BAD_REQUEST);
    let mut response = match (format, taken) {
        (ErrorFormat::Rest, Some(taken)) => {
            body(format, StatusCode::BAD_REQUEST, &taken.message(language), None, "", None)
        }
        (ErrorFormat::Rest, None) if rest == StatusCode::UNPROCESSABLE_ENTITY => {
            unprocessable(problems.iter().map(|problem| field_problem(problem, language)).collect())
        }
        _ => {
            let status = if format == ErrorFormat::Oauth { status(oauth) } else { rest };
            let request_id = status.is_server_error().then(|| id.to_string());
            // Clients of `/login` tell these apart.
            let is_of_sign_in =
                matches!(code, ErrorCode::InvalidCredentials | ErrorCode::MfaRequired | ErrorCode::MfaCodeInvalid);
            let oauth_code = (format == ErrorFormat::Oauth || is_of_sign_in).then_some(oauth_code);
            body(format, status, &error.message(language), oauth_code, &error.message(Language::English), request_id)
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        // RFC 6750 §3: no error code if the request has no token.
        let is_bad_token = error.reason().is_some_and(|reason| reason != UnauthenticatedReason::TokenMissing);
        challenge(&mut response, if is_bad_token { r#"Bearer error="invalid_token""# } else { "Bearer" });
    }
    if let Some(challenge) = bearer::step_up_challenge(error) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    log(&mut response, code);
    response
}

#[derive(Serialize)]
struct Members<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
    detail: &'a str,
    status_code: u16,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// Builds `{"detail": …, "status_code": …}`, in the OAuth format with `error` and `error_description`. RFC 6749 §5.2
/// allows only ASCII without quotes and backslashes in the description, so it is always in English.
fn body(
    format: ErrorFormat,
    status: StatusCode,
    detail: &str,
    error: Option<&str>,
    description: &str,
    request_id: Option<String>,
) -> Response {
    let is_allowed = |c: &char| matches!(*c, ' '..='~') && !matches!(*c, '"' | '\\');
    let description = (format == ErrorFormat::Oauth).then(|| description.chars().filter(is_allowed).collect());
    let members = Members { error, error_description: description, detail, status_code: status.as_u16(), request_id };
    (status, UNCACHED, Json(members)).into_response()
}

fn unprocessable(detail: Vec<models::Problem>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(models::Invalid { detail })).into_response()
}

fn challenge(response: &mut Response, challenge: &'static str) {
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
}

fn log(response: &mut Response, code: ErrorCode) {
    response.extensions_mut().insert(LogFields { code: Some(code) });
}

/// An invalid field, with Pydantic's `type` of the error.
fn field_problem(problem: &InputError, language: Language) -> models::Problem {
    let kind = match problem.code {
        ErrorCode::Required => "missing",
        ErrorCode::TooLong | ErrorCode::PasswordTooLong => "string_too_long",
        ErrorCode::PasswordTooShort => "string_too_short",
        _ => "value_error",
    };
    // `PUT /users/me` calls the new address `email`.
    let field = if problem.field == Field::NewEmail { Field::Email } else { problem.field };
    models::Problem::new("body", Some(field.snake_case()), problem.message(language), kind)
}
