//! What is wrong with a form.

use std::fmt;

use super::{ErrorCode, Result};

/// One thing in a form that the person filling it in can put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong.
    pub code: ErrorCode,
    /// The input field at fault, as the API spells it.
    pub field: &'static str,
    /// The bound that was broken, in characters.
    pub limit: Option<usize>,
}

impl InputError {
    /// A problem of one field.
    #[must_use]
    pub const fn new(code: ErrorCode, field: &'static str) -> Self {
        Self { code, field, limit: None }
    }

    /// A problem of one field that is out of its bounds.
    #[must_use]
    pub const fn with_limit(code: ErrorCode, field: &'static str, limit: usize) -> Self {
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

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit.unwrap_or_default();
        match self.code {
            ErrorCode::Required => f.write_str("This field is required."),
            ErrorCode::TooLong | ErrorCode::PasswordTooLong => {
                write!(f, "Use at most {limit} characters.")
            }
            ErrorCode::InvalidEmail => {
                f.write_str("This is not an e-mail address; it should look like ada@example.org.")
            }
            ErrorCode::InvalidUsername => f.write_str("Use letters (A-Z), digits, `_` and `-` only."),
            ErrorCode::UsernameTaken => f.write_str("This username is taken. Choose another."),
            ErrorCode::EmailTaken => f.write_str("There is an account with this e-mail address. Sign in instead."),
            ErrorCode::PasswordTooShort => write!(f, "Use at least {limit} characters."),
            ErrorCode::PasswordTooCommon => {
                f.write_str("Others would guess this password first. Use one that is neither common nor your own name.")
            }
            ErrorCode::BadUserInput => f.write_str("This holds a character that can't be stored. Remove it."),
            // Not of a field. Listed, so that a new code does not compile until it has its words or stands here.
            ErrorCode::InvalidInput
            | ErrorCode::InvalidCredentials
            | ErrorCode::AccountDisabled
            | ErrorCode::RegistrationDisabled
            | ErrorCode::SessionNotFound
            | ErrorCode::SessionExpired
            | ErrorCode::SessionRevoked
            | ErrorCode::NotFound
            | ErrorCode::RateLimited
            | ErrorCode::Unauthenticated
            | ErrorCode::BadRequest
            | ErrorCode::GraphqlParseFailed
            | ErrorCode::GraphqlValidationFailed
            | ErrorCode::InternalServerError
            | ErrorCode::ServiceUnavailable => f.write_str("This can't be taken."),
        }
    }
}
