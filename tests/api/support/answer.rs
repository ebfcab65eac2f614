//! A response, with shortcuts for assertions.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The value at a JSON pointer in `data` of a response without errors.
    pub fn data(&self, pointer: &str) -> Value {
        let body = self.json();
        assert!(body.get("errors").is_none(), "{self:#?}");
        body["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer}: {self:#?}")).clone()
    }

    /// The only error.
    pub fn error(&self) -> Value {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {self:#?}"));
        assert_eq!(errors.len(), 1, "{self:#?}");
        errors[0].clone()
    }

    /// The code of the only error.
    pub fn code(&self) -> String {
        let error = self.error();
        error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {self:#?}")).to_owned()
    }

    /// The field errors of a form as `field: CODE`, in order.
    pub fn problems(&self) -> Vec<String> {
        let error = self.error();
        let problems = error["extensions"]["errors"].as_array().unwrap();
        problems
            .iter()
            .map(|problem| format!("{}: {}", problem["field"][0].as_str().unwrap(), problem["code"].as_str().unwrap()))
            .collect()
    }
}
