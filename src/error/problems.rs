//! What is wrong with a form.

use crate::error::{ErrorCode, Field, Result};

/// One thing in a form that the person filling it in can put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong.
    pub code: ErrorCode,
    /// The input field at fault.
    pub field: Field,
    /// The bound that was broken, in characters.
    pub limit: Option<usize>,
}

impl InputError {
    /// A problem of one field.
    #[must_use]
    pub const fn new(code: ErrorCode, field: Field) -> Self {
        Self { code, field, limit: None }
    }

    /// A problem of one field that is out of its bounds.
    #[must_use]
    pub const fn with_limit(code: ErrorCode, field: Field, limit: usize) -> Self {
        Self { code, field, limit: Some(limit) }
    }
}

/// All problems of a form, collected while its fields are parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<InputError>);

impl Problems {
    /// Keeps the value, or the problem.
    pub fn collect<T>(&mut self, parsed: Result<T, InputError>) -> Option<T> {
        parsed.map_err(|problem| self.0.push(problem)).ok()
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: InputError) {
        self.0.push(problem);
    }

    /// Adds the problems of another part of the form.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in the order of the form's fields.
    #[must_use]
    pub fn as_slice(&self) -> &[InputError] {
        &self.0
    }
}
