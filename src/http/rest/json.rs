//! JSON bodies of REST requests. Errors have FastAPI's format.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::ErrorCode,
    http::{
        body,
        fields::{self, FieldError, FieldErrorKind, Source},
        json::{self, BadJson},
        rest::{ErrorResponse, models::Problem},
    },
    language::Language,
};

/// Deserializes a JSON body.
///
/// # Errors
/// The body is not a JSON object, has too many values, or has fields that are missing or have the wrong type.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: &[u8],
    language: Language,
) -> Result<T, ErrorResponse> {
    const NO_FIELD: Option<&str> = None;
    let invalid = |msg: &'static str, kind| ErrorResponse::Fields(vec![Problem::new("body", NO_FIELD, msg, kind)]);
    if !body::is_of_type(headers, "application/json") {
        return Err(invalid("Send the header `Content-Type: application/json`, and JSON in UTF-8.", "json_type"));
    }
    match json::parse(bytes) {
        Ok(Value::Object(values)) => {
            fields::read(Source::Json, values).map_err(|errors| invalid_fields("body", errors, language))
        }
        Ok(_) => Err(invalid("The body is not a JSON object.", "model_attributes_type")),
        Err(BadJson::NotJson) => Err(invalid("The body is not JSON.", "json_invalid")),
        Err(BadJson::TooManyValues) => Err(ErrorResponse::too_large(BadJson::TOO_MANY_VALUES)),
    }
}

/// The error for a request with missing or mistyped fields. `location` is `body` or `query`.
pub(super) fn invalid_fields(location: &'static str, errors: Vec<FieldError>, language: Language) -> ErrorResponse {
    let problems = errors.into_iter().map(|error| {
        let (message, kind): (Cow<'static, str>, _) = match error.kind {
            FieldErrorKind::Missing => (ErrorCode::Required.message(language, 0), "missing"),
            FieldErrorKind::NotAString => ("This must be a string.".into(), "string_type"),
            FieldErrorKind::HasNul => (ErrorCode::BadUserInput.message(language, 0), "value_error"),
        };
        Problem::new(location, Some(error.field), message, kind)
    });
    ErrorResponse::Fields(problems.collect())
}
