//! The one place where an [`Error`] becomes a status and a body of this door.

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
    error::{ErrorCode, InputError, UnauthenticatedReason},
    http::{
        body::Unread,
        form::BadForm,
        graphql::LogFields,
        rest::{Call, models},
    },
    language::Language,
};

/// By which standard an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum ErrorFormat {
    /// Errors by RFC 6749 §5.2, with `detail` beside them.
    Oauth,
    /// Errors as FastAPI has them: `detail`.
    Rest,
}

/// Why a request was not served.
#[derive(Clone, Debug)]
pub(in crate::http) enum ErrorResponse {
    /// What a use case says.
    Told(Error),
    /// The request itself is no good: its status, the error code of OAuth, and what to send instead.
    Refused(StatusCode, &'static str, &'static str),
    /// Fields that are missing or of another type.
    Fields(Vec<models::Problem>),
}

impl ErrorResponse {
    /// A request that lacks something, has it twice, or has it in the wrong place (RFC 6749 §5.2).
    pub(in crate::http) fn invalid_request(message: &'static str) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, INVALID_REQUEST, message)
    }

    /// More than is read.
    pub(in crate::http) fn too_large(message: &'static str) -> Self {
        Self::Refused(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST, message)
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<Unread> for ErrorResponse {
    fn from(unread: Unread) -> Self {
        Self::Refused(unread.status(), INVALID_REQUEST, unread.message())
    }
}

impl From<BadForm> for ErrorResponse {
    fn from(BadForm(message): BadForm) -> Self {
        Self::invalid_request(message)
    }
}

const INVALID_REQUEST: &str = "invalid_request";
const INVALID_GRANT: &str = "invalid_grant";
pub(in crate::http) const INVALID_CLIENT: &str = "invalid_client";

/// An answer that must not be kept by anybody on the way (RFC 6749 §5.1).
pub(in crate::http) const UNCACHED: [(HeaderName, HeaderValue); 2] =
    [(CACHE_CONTROL, HeaderValue::from_static("no-store")), (PRAGMA, HeaderValue::from_static("no-cache"))];

/// The status of a code: by REST, and by OAuth with its error code.
fn row(code: ErrorCode) -> (StatusCode, StatusCode, &'static str) {
    use StatusCode as S;
    match code {
        ErrorCode::InvalidInput
        | ErrorCode::Required
        | ErrorCode::TooLong
        | ErrorCode::InvalidEmail
        | ErrorCode::InvalidUsername
        | ErrorCode::PasswordTooShort
        | ErrorCode::PasswordTooLong
        | ErrorCode::PasswordTooCommon
        | ErrorCode::RoleUnknown
        | ErrorCode::WrongPassword
        | ErrorCode::BadUserInput => (S::UNPROCESSABLE_ENTITY, S::BAD_REQUEST, INVALID_REQUEST),
        ErrorCode::UsernameTaken
        | ErrorCode::EmailTaken
        | ErrorCode::MailDisabled
        | ErrorCode::LinkInvalid
        | ErrorCode::LinkExpired
        | ErrorCode::BadRequest
        | ErrorCode::PersistedQueryNotSupported
        | ErrorCode::GraphqlParseFailed
        | ErrorCode::GraphqlValidationFailed => (S::BAD_REQUEST, S::BAD_REQUEST, INVALID_REQUEST),
        // RFC 6749 wants 400; the systems this door stands for, and their clients, have 401.
        ErrorCode::InvalidCredentials | ErrorCode::Unauthenticated => (S::UNAUTHORIZED, S::UNAUTHORIZED, INVALID_GRANT),
        ErrorCode::AccountDisabled => (S::BAD_REQUEST, S::BAD_REQUEST, INVALID_GRANT),
        ErrorCode::EmailNotVerified | ErrorCode::EmailAlreadyVerified => (S::FORBIDDEN, S::BAD_REQUEST, INVALID_GRANT),
        ErrorCode::SessionNotFound | ErrorCode::SessionExpired | ErrorCode::SessionRevoked => {
            (S::UNAUTHORIZED, S::BAD_REQUEST, INVALID_GRANT)
        }
        ErrorCode::RegistrationDisabled => (S::FORBIDDEN, S::FORBIDDEN, INVALID_REQUEST),
        ErrorCode::NotFound => (S::NOT_FOUND, S::NOT_FOUND, INVALID_REQUEST),
        ErrorCode::LastAdmin => (S::CONFLICT, S::CONFLICT, INVALID_REQUEST),
        ErrorCode::RateLimited => (S::TOO_MANY_REQUESTS, S::TOO_MANY_REQUESTS, "temporarily_unavailable"),
        ErrorCode::ServiceUnavailable => (S::SERVICE_UNAVAILABLE, S::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        ErrorCode::InternalServerError => (S::INTERNAL_SERVER_ERROR, S::INTERNAL_SERVER_ERROR, "server_error"),
    }
}

impl Call<'_> {
    /// The answer, or what became of it.
    pub(in crate::http) fn answer(&self, manner: ErrorFormat, result: Result<Response, ErrorResponse>) -> Response {
        result.unwrap_or_else(|failure| match failure {
            ErrorResponse::Told(error) => told(manner, &error, self.id, self.client.language),
            ErrorResponse::Refused(status, error, message) => {
                let mut response = body(manner, status, message, Some(error), message, None);
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

/// What a use case says.
pub(in crate::http) fn told(manner: ErrorFormat, error: &Error, id: RequestId, language: Language) -> Response {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(?code, cause, "a request failed");
    }
    let problems = error.problems();
    let (rest, oauth, oauth_code) = row(code);
    // What is taken is no mistake in a field's form: the tutorials answer 400, for the address before the name.
    let taken = problems.iter().rev().find(|problem| row(problem.code).0 == StatusCode::BAD_REQUEST);
    let mut response = match (manner, taken) {
        (ErrorFormat::Rest, Some(taken)) => {
            body(manner, StatusCode::BAD_REQUEST, &taken.message(language), None, "", None)
        }
        (ErrorFormat::Rest, None) if rest == StatusCode::UNPROCESSABLE_ENTITY => {
            unprocessable(problems.iter().map(|problem| of_field(problem, language)).collect())
        }
        _ => {
            let status = if manner == ErrorFormat::Oauth { oauth } else { rest };
            let is_ours = status.is_server_error().then(|| id.to_string());
            let oauth_code =
                (manner == ErrorFormat::Oauth || code == ErrorCode::InvalidCredentials).then_some(oauth_code);
            body(manner, status, &error.message(language), oauth_code, &error.message(Language::English), is_ours)
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        // RFC 6750 §3: no error code where no token came.
        let is_bad_token = error.reason().is_some_and(|reason| reason != UnauthenticatedReason::TokenMissing);
        challenge(&mut response, if is_bad_token { r#"Bearer error="invalid_token""# } else { "Bearer" });
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

/// `{"detail": …, "status_code": …}`, by OAuth with `error` and `error_description` before it. The description is ASCII without
/// quotes and backslashes, as RFC 6749 §5.2 wants it, so it stays English.
fn body(
    manner: ErrorFormat,
    status: StatusCode,
    detail: &str,
    error: Option<&str>,
    description: &str,
    request_id: Option<String>,
) -> Response {
    let is_allowed = |c: &char| matches!(*c, ' '..='~') && !matches!(*c, '"' | '\\');
    let description = (manner == ErrorFormat::Oauth).then(|| description.chars().filter(is_allowed).collect());
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

/// A problem of the form as FastAPI, or Pydantic beneath it, would name it.
fn of_field(problem: &InputError, language: Language) -> models::Problem {
    let kind = match problem.code {
        ErrorCode::Required => "missing",
        ErrorCode::TooLong | ErrorCode::PasswordTooLong => "string_too_long",
        ErrorCode::PasswordTooShort => "string_too_short",
        _ => "value_error",
    };
    let mut name = String::new();
    // By this door there is one form for names and address.
    let field = if problem.field == "newEmail" { "email" } else { problem.field };
    for c in field.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    models::Problem::new("body", Some(name), problem.message(language), kind)
}
