//! Invalid fields of the input.

use crate::error::{ErrorCode, Field, Result};

/// An invalid field of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong.
    pub code: ErrorCode,
    /// The invalid field.
    pub field: Field,
    /// The maximum or minimum length that the value violates, in characters.
    pub limit: Option<usize>,
}

impl InputError {
    /// An invalid field.
    #[must_use]
    pub const fn new(code: ErrorCode, field: Field) -> Self {
        Self { code, field, limit: None }
    }

    /// A field whose value is too short or too long.
    #[must_use]
    pub const fn with_limit(code: ErrorCode, field: Field, limit: usize) -> Self {
        Self { code, field, limit: Some(limit) }
    }
}

/// All invalid fields of the input, collected while the fields are parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<InputError>);

impl Problems {
    /// Returns the value, or adds the problem.
    pub fn collect<T>(&mut self, parsed: Result<T, InputError>) -> Option<T> {
        parsed.map_err(|problem| self.0.push(problem)).ok()
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: InputError) {
        self.0.push(problem);
    }

    /// Adds the problems of another part of the input.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Whether no field is invalid.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in the order of the fields.
    #[must_use]
    pub fn as_slice(&self) -> &[InputError] {
        &self.0
    }
}
