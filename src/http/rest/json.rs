//! JSON bodies, whose fields are missed and mistyped in FastAPI's words.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::{
    error::ErrorCode,
    http::{
        body,
        json::{self, BadJson},
        rest::{ErrorResponse, models::Problem},
    },
    language::Language,
};

/// The fields of a body, and what is wrong with them so far.
#[derive(Debug)]
pub(in crate::http) struct Fields {
    values: Map<String, Value>,
    problems: Vec<Problem>,
    language: Language,
}

impl Fields {
    /// Reads a body. Fields that nobody asks for are left alone.
    ///
    /// # Errors
    /// The body is not a JSON object, or has too many values.
    pub(in crate::http) fn parse(headers: &HeaderMap, bytes: &[u8], language: Language) -> Result<Self, ErrorResponse> {
        const NO_FIELD: Option<&str> = None;
        let refused = |msg: &'static str, kind| ErrorResponse::Fields(vec![Problem::new("body", NO_FIELD, msg, kind)]);
        if !body::is_of_type(headers, "application/json") {
            return Err(refused("Send the header `Content-Type: application/json`, and JSON in UTF-8.", "json_type"));
        }
        match json::parse(bytes) {
            Ok(Value::Object(values)) => Ok(Self { values, ..Self::none(language) }),
            Ok(_) => Err(refused("The body is not a JSON object.", "model_attributes_type")),
            Err(BadJson::NotJson) => Err(refused("The body is not JSON.", "json_invalid")),
            Err(BadJson::TooManyValues) => Err(ErrorResponse::too_large(BadJson::TOO_MANY_VALUES)),
        }
    }

    /// No fields at all.
    pub(in crate::http) fn none(language: Language) -> Self {
        Self { values: Map::new(), problems: Vec::new(), language }
    }

    /// Takes a text that must be there; what stands for a missing one is never used, see [`Self::finish`].
    pub(in crate::http) fn text(&mut self, name: &'static str) -> String {
        match self.values.remove(name) {
            Some(Value::String(text)) => text,
            Some(_) => self.mistyped(name).unwrap_or_default(),
            None => {
                let message = ErrorCode::Required.message(self.language, 0);
                self.problems.push(Problem::new("body", Some(name), message, "missing"));
                String::new()
            }
        }
    }

    /// Takes a text that may be left out or null.
    pub(in crate::http) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.values.remove(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            _ => self.mistyped(name),
        }
    }

    /// Takes a text that is to be changed: none leaves it, null clears it.
    #[expect(clippy::option_option, reason = "absent, null and a text are three things")]
    pub(in crate::http) fn changed_text(&mut self, name: &'static str) -> Option<Option<String>> {
        self.values.contains_key(name).then(|| self.optional_text(name))
    }

    fn mistyped(&mut self, name: &'static str) -> Option<String> {
        self.problems.push(Problem::new("body", Some(name), "This must be a string.", "string_type"));
        None
    }

    /// What was made of the fields, if they were good.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub(in crate::http) fn finish<T>(self, value: T) -> Result<T, ErrorResponse> {
        if self.problems.is_empty() { Ok(value) } else { Err(ErrorResponse::Fields(self.problems)) }
    }
}
