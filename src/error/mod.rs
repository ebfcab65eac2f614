//! What can go wrong, as one closed type.
//!
//! Every use case and resolver returns [`Result`]. What the public sees of an [`Error`] is decided here (code,
//! message, in the words of `messages/`) and in three other places only: `graphql/errors.rs` writes it as `extensions`,
//! `http/graphql/request_error.rs` gives a refused request its status, `http/rest/answer.rs` gives it status and body by REST. No message ever holds a value that a client sent.

mod field;
mod messages;
mod problems;

use std::{fmt, sync::Arc};

pub use field::Field;
pub use problems::{InputError, Problems};

use crate::language::Language;

/// The result of everything that can fail in front of a user.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Clone, Debug)]
pub enum Error {
    /// The person filling in the form can put it right. Never empty; see [`Problems`].
    Input(Problems),
    /// Sign-in: the name or the password is wrong. Which one is never said.
    InvalidCredentials,
    /// The right password of a disabled account.
    AccountDisabled,
    /// The right password of an account whose address is not verified, where it must be.
    EmailNotVerified,
    /// The right password of an account whose address has been verified, where that must not be so.
    EmailAlreadyVerified,
    /// What was asked for needs a mail, and there is no way for mails to go.
    MailDisabled,
    /// The token of a link is not one of ours, was used, or is for a state that is no more.
    LinkInvalid,
    /// The password was changed with this link already. Its holder alone hears of it; the code is that of `LinkInvalid`.
    LinkUsed,
    /// The link was good once.
    LinkExpired,
    /// There is no refresh token, or it is not one of ours.
    SessionNotFound,
    /// The session was not refreshed in time, or is as old as one may get.
    SessionExpired,
    /// The session was ended.
    SessionRevoked,
    /// There is no such thing, or it is someone else's.
    NotFound,
    /// Without this user there would be no active administrator left.
    LastAdmin,
    /// `REGISTRATION_ENABLED` is false.
    RegistrationDisabled,
    /// There is no access token, or it is no longer good.
    Unauthenticated(UnauthenticatedReason),
    /// A value that does not fit its type. Says which and what was expected.
    BadUserInput(String),
    /// Not a GraphQL request at all. Says what to send instead.
    BadRequest(&'static str),
    /// The GraphQL document is named by its hash.
    PersistedQueryNotSupported,
    /// The GraphQL document can't be parsed.
    ParseFailed,
    /// The GraphQL document does not fit the schema or a limit. Says which rule was broken.
    ValidationFailed(String),
    /// Too many attempts; `retry_after` in seconds.
    RateLimited {
        /// Seconds until the next attempt is taken.
        retry_after: u32,
    },
    /// Something that Hallpass needs is out of reach or too busy; `retry_after` in seconds.
    ServiceUnavailable {
        /// Seconds to wait before the next try.
        retry_after: u32,
        /// For the log only; nothing is logged without one.
        cause: Option<Arc<str>>,
    },
    /// Our fault. The text is for the log only.
    Internal(Arc<str>),
}

/// The stable name of an [`Error`]: `extensions.code`. Each has its words in the files of `messages/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "described where they are published, in graphql/errors.rs")]
pub enum ErrorCode {
    InvalidInput,
    Required,
    TooLong,
    InvalidEmail,
    InvalidUsername,
    UsernameTaken,
    EmailTaken,
    PasswordTooShort,
    PasswordTooLong,
    PasswordTooCommon,
    InvalidCredentials,
    WrongPassword,
    AccountDisabled,
    EmailNotVerified,
    EmailAlreadyVerified,
    MailDisabled,
    RegistrationDisabled,
    SessionNotFound,
    SessionExpired,
    SessionRevoked,
    LinkInvalid,
    LinkExpired,
    NotFound,
    RateLimited,
    RoleUnknown,
    LastAdmin,
    Unauthenticated,
    BadUserInput,
    BadRequest,
    PersistedQueryNotSupported,
    GraphqlParseFailed,
    GraphqlValidationFailed,
    InternalServerError,
    ServiceUnavailable,
}

/// Why an access token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnauthenticatedReason {
    /// There was none.
    TokenMissing,
    /// Its `exp` has passed.
    TokenExpired,
    /// It is not one of ours, or its user is gone.
    TokenInvalid,
    /// Its session was ended.
    SessionRevoked,
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

impl From<InputError> for Error {
    fn from(problem: InputError) -> Self {
        let mut problems = Problems::default();
        problems.push(problem);
        problems.into()
    }
}

impl Error {
    /// An error nobody foresaw; its text goes to the log and nowhere else.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    /// Something is out of reach for now; the cause goes to the log and nowhere else.
    #[must_use]
    pub fn unavailable(retry_after: u32, cause: impl fmt::Display) -> Self {
        Self::ServiceUnavailable { retry_after, cause: Some(cause.to_string().into()) }
    }

    /// Hallpass is starting. That is no fault, so there is nothing to log.
    #[must_use]
    pub fn starting() -> Self {
        Self::ServiceUnavailable { retry_after: 5, cause: None }
    }

    /// The stable name.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Input(problems) => match problems.as_slice() {
                [problem] => problem.code,
                _ => ErrorCode::InvalidInput,
            },
            Self::InvalidCredentials => ErrorCode::InvalidCredentials,
            Self::AccountDisabled => ErrorCode::AccountDisabled,
            Self::EmailNotVerified => ErrorCode::EmailNotVerified,
            Self::EmailAlreadyVerified => ErrorCode::EmailAlreadyVerified,
            Self::MailDisabled => ErrorCode::MailDisabled,
            Self::LinkInvalid | Self::LinkUsed => ErrorCode::LinkInvalid,
            Self::LinkExpired => ErrorCode::LinkExpired,
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::SessionExpired => ErrorCode::SessionExpired,
            Self::SessionRevoked => ErrorCode::SessionRevoked,
            Self::NotFound => ErrorCode::NotFound,
            Self::LastAdmin => ErrorCode::LastAdmin,
            Self::RegistrationDisabled => ErrorCode::RegistrationDisabled,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::BadUserInput(_) => ErrorCode::BadUserInput,
            Self::BadRequest(_) => ErrorCode::BadRequest,
            Self::PersistedQueryNotSupported => ErrorCode::PersistedQueryNotSupported,
            Self::ParseFailed => ErrorCode::GraphqlParseFailed,
            Self::ValidationFailed(_) => ErrorCode::GraphqlValidationFailed,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::ServiceUnavailable { .. } => ErrorCode::ServiceUnavailable,
            Self::Internal(_) => ErrorCode::InternalServerError,
        }
    }

    /// All that is wrong with the input; empty where the input is not to blame.
    #[must_use]
    pub fn problems(&self) -> &[InputError] {
        match self {
            Self::Input(problems) => problems.as_slice(),
            _ => &[],
        }
    }

    /// With UNAUTHENTICATED: what is wrong with the access token.
    #[must_use]
    pub fn reason(&self) -> Option<UnauthenticatedReason> {
        match self {
            Self::Unauthenticated(reason) => Some(*reason),
            _ => None,
        }
    }

    /// Seconds to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::ServiceUnavailable { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// What the log may know beyond the public message.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::ServiceUnavailable { cause, .. } => cause.as_deref(),
            Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }
}

impl std::error::Error for Error {}

/// In English, for the log and the command line; the public's is [`Error::message`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Language::English))
    }
}
