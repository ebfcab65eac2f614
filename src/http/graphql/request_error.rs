//! The response to a request that was not executed, because it is not a GraphQL request or cannot be served.

use async_graphql::ServerError;
use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, VARY},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    Error,
    domain::RequestId,
    graphql::errors::server_error,
    http::{
        graphql::{LogFields, MediaType},
        status::status_of,
    },
    language::Language,
};

/// Why a request was not executed, and the status of the response.
#[derive(Debug)]
pub(in crate::http) struct RequestError {
    status: StatusCode,
    error: Error,
    allow: Option<&'static str>,
}

impl RequestError {
    /// The request is not a GraphQL request. The message says what to send instead.
    pub(super) fn bad_request(status: StatusCode, message: &'static str) -> Self {
        Self { status, error: Error::BadRequest(message), allow: None }
    }

    /// The method is not supported (RFC 9110 §15.5.6).
    pub(super) fn method_not_allowed(message: &'static str, allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::bad_request(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// The request has the refresh cookie, but comes from an origin that may not use it.
    pub(super) fn foreign_origin(is_local: bool) -> Self {
        let message = if is_local {
            "Pages of this origin may not use the session's cookie. To allow it, add the origin to ALLOWED_ORIGINS. \
             Host and port must be the same: localhost is not 127.0.0.1, and Vite uses port 5174 if 5173 is in use."
        } else {
            "Pages of this origin may not use the session's cookie. To allow it, add the origin to ALLOWED_ORIGINS."
        };
        Self::bad_request(StatusCode::FORBIDDEN, message)
    }

    /// The error, for a response without a status.
    pub(super) fn into_error(self) -> Error {
        self.error
    }

    /// The response, as GraphQL JSON.
    pub(in crate::http) fn into_response(
        self,
        media_type: MediaType,
        request_id: RequestId,
        language: Language,
    ) -> Response {
        let code = self.error.code();
        let retry_after = self.error.retry_after();
        let errors = [server_error(self.error, request_id, language)];
        let mut response = errors_response(self.status, media_type, &errors);
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(LogFields { code: Some(code) });
        response
    }
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        Self { status: status_of(error.code()), error, allow: None }
    }
}

/// A response with errors and without the key `data`, which means that nothing was executed.
pub(super) fn errors_response(status: StatusCode, media_type: MediaType, errors: &[ServerError]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        errors: &'a [ServerError],
    }
    let body = serde_json::to_vec(&Body { errors }).unwrap_or_default();
    let varies = HeaderValue::from_static("accept, accept-language");
    (status, [(CONTENT_TYPE, media_type.content_type()), (VARY, varies)], body).into_response()
}
