//! [`Error`]: every way in which a request can fail.
//!
//! Each [`Error`] has an [`ErrorCode`]. The table in `codes.rs` holds everything that is published about a code: its
//! description, its REST and OAuth status, and its messages. `graphql/errors.rs` writes errors as GraphQL `extensions`,
//! `http/rest/error_response.rs` as REST and OAuth responses. No message contains a value that a client sent.

mod code;
mod codes;
mod field;
mod messages;
mod mfa;
mod problems;
mod reasons;

use std::{fmt, sync::Arc};

pub use code::{ErrorCode, UnauthenticatedReason};
pub(crate) use codes::{error_codes, operation_codes};
pub use field::Field;
pub use mfa::{MfaChallenge, MfaMethod};
pub use problems::{InputError, Problems};
pub(crate) use reasons::unauthenticated_reasons;

use crate::language::Language;

/// The result of a use case or resolver.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed.
#[derive(Clone, Debug)]
pub enum Error {
    /// Fields of the input are invalid. Never empty; see [`Problems`].
    Input(Problems),
    /// Sign-in: the username or the password is incorrect. The error does not say which.
    InvalidCredentials,
    /// Sign-in with the correct password of a disabled account.
    AccountDisabled,
    /// Sign-in with the correct password of an account that must verify its address first.
    EmailNotVerified,
    /// The password is correct, but the account has a verified address and the operation requires that it has none.
    EmailAlreadyVerified,
    /// The operation sends a mail, and mail is disabled on this server.
    MailDisabled,
    /// The token of a link is unknown, was used, or no longer matches the state of the account.
    LinkInvalid,
    /// The password was already reset with this link. The code is that of `LinkInvalid`; only the message differs.
    LinkUsed,
    /// The link has expired.
    LinkExpired,
    /// Refresh: there is no refresh token, or it is unknown.
    SessionNotFound,
    /// Refresh: the session was not refreshed in time, or has reached its maximum age.
    SessionExpired,
    /// Refresh: the session was revoked.
    SessionRevoked,
    /// `EMAIL_SIGN_IN` is false.
    EmailSignInDisabled,
    /// The code of a provider's sign-in, or the link or code in a mail, is incorrect, was used, has expired, or belongs to another client.
    CodeInvalid,
    /// The object does not exist, or belongs to another user.
    NotFound,
    /// The signed-in user is not an administrator.
    Forbidden,
    /// The operation requires a more recent proof of identity.
    ReauthenticationRequired {
        /// Whether it must be the second factor. Otherwise, the password is enough.
        needs_second_factor: bool,
    },
    /// The first factor is correct, and a second one is required.
    MfaRequired(Box<MfaChallenge>),
    /// The code of the second factor is incorrect or was used before.
    MfaCodeInvalid,
    /// The challenge is unknown, was used, or has expired.
    MfaChallengeExpired,
    /// The account already has this second factor.
    MfaAlreadyEnabled,
    /// The account has no second factor, or no enrollment that can be confirmed.
    MfaNotEnabled,
    /// A role of the signed-in user requires a second factor, and none is set up.
    MfaEnrollmentRequired,
    /// The response of an authenticator is invalid, or the ceremony was used before or has expired.
    PasskeyInvalid,
    /// The account has the maximum number of passkeys.
    PasskeyLimitReached,
    /// The passkey is the only way to sign in.
    LastSignInMethod,
    /// No provider has this id.
    ProviderUnknown,
    /// The provider does not respond, or sends something that is not acceptable.
    ProviderFailed,
    /// The user has cancelled at the provider, or the provider refuses the user.
    ProviderRefused,
    /// The identity is linked to another account.
    IdentityTaken,
    /// An account has the address, but the identity is not linked to it.
    IdentityUnlinked,
    /// The account has the maximum number of identities.
    IdentityLimitReached,
    /// The account has a password already.
    PasswordAlreadySet,
    /// The token of an invitation is unknown, or the invitation is no longer open.
    InvitationInvalid,
    /// The invitation has expired.
    InvitationExpired,
    /// The change would leave no active administrator.
    LastAdmin,
    /// `REGISTRATION_ENABLED` is false.
    RegistrationDisabled,
    /// The access token is missing or invalid.
    Unauthenticated(UnauthenticatedReason),
    /// A value does not match its type. The text says which value and what was expected.
    BadUserInput(String),
    /// The request is not a GraphQL request. The text says what to send instead.
    BadRequest(&'static str),
    /// The request has the id of a GraphQL document instead of the document, and there are no trusted documents.
    PersistedQueryNotSupported,
    /// The request has the id of a GraphQL document that is not a trusted one.
    PersistedQueryNotInList,
    /// The request has a GraphQL document that is not a trusted one.
    QueryNotInSafelist,
    /// The GraphQL document cannot be parsed.
    ParseFailed,
    /// The GraphQL document does not match the schema or exceeds a limit. The text gives the reason.
    ValidationFailed(String),
    /// The user has too many streams of live events.
    TooManyStreams,
    /// Too many attempts.
    RateLimited {
        /// Seconds until the next attempt is accepted.
        retry_after: u32,
    },
    /// A dependency of the server is unreachable, or the server is overloaded.
    ServiceUnavailable {
        /// Seconds to wait before the next attempt.
        retry_after: u32,
        /// For the log only. Without a cause, nothing is logged.
        cause: Option<Arc<str>>,
    },
    /// A fault of the server. The text is for the log only.
    Internal(Arc<str>),
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
    /// A fault of the server. The cause is only logged.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    /// A temporary failure: the request may be retried. The cause is only logged.
    #[must_use]
    pub fn unavailable(retry_after: u32, cause: impl fmt::Display) -> Self {
        Self::ServiceUnavailable { retry_after, cause: Some(cause.to_string().into()) }
    }

    /// The server is starting. This is expected, so nothing is logged.
    #[must_use]
    pub fn starting() -> Self {
        Self::ServiceUnavailable { retry_after: 5, cause: None }
    }

    /// The code of the error.
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
            Self::EmailSignInDisabled => ErrorCode::EmailSignInDisabled,
            Self::CodeInvalid => ErrorCode::CodeInvalid,
            Self::NotFound => ErrorCode::NotFound,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::ReauthenticationRequired { .. } => ErrorCode::ReauthenticationRequired,
            Self::MfaRequired(_) => ErrorCode::MfaRequired,
            Self::MfaCodeInvalid => ErrorCode::MfaCodeInvalid,
            Self::MfaChallengeExpired => ErrorCode::MfaChallengeExpired,
            Self::MfaAlreadyEnabled => ErrorCode::MfaAlreadyEnabled,
            Self::MfaNotEnabled => ErrorCode::MfaNotEnabled,
            Self::MfaEnrollmentRequired => ErrorCode::MfaEnrollmentRequired,
            Self::PasskeyInvalid => ErrorCode::PasskeyInvalid,
            Self::PasskeyLimitReached => ErrorCode::PasskeyLimitReached,
            Self::LastSignInMethod => ErrorCode::LastSignInMethod,
            Self::ProviderUnknown => ErrorCode::ProviderUnknown,
            Self::ProviderFailed => ErrorCode::ProviderFailed,
            Self::ProviderRefused => ErrorCode::ProviderRefused,
            Self::IdentityTaken => ErrorCode::IdentityTaken,
            Self::IdentityUnlinked => ErrorCode::IdentityUnlinked,
            Self::IdentityLimitReached => ErrorCode::IdentityLimitReached,
            Self::PasswordAlreadySet => ErrorCode::PasswordAlreadySet,
            Self::InvitationInvalid => ErrorCode::InvitationInvalid,
            Self::InvitationExpired => ErrorCode::InvitationExpired,
            Self::LastAdmin => ErrorCode::LastAdmin,
            Self::RegistrationDisabled => ErrorCode::RegistrationDisabled,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::BadUserInput(_) => ErrorCode::BadUserInput,
            Self::BadRequest(_) => ErrorCode::BadRequest,
            Self::PersistedQueryNotSupported => ErrorCode::PersistedQueryNotSupported,
            Self::PersistedQueryNotInList => ErrorCode::PersistedQueryNotInList,
            Self::QueryNotInSafelist => ErrorCode::QueryNotInSafelist,
            Self::ParseFailed => ErrorCode::GraphqlParseFailed,
            Self::ValidationFailed(_) => ErrorCode::GraphqlValidationFailed,
            Self::TooManyStreams => ErrorCode::TooManyStreams,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::ServiceUnavailable { .. } => ErrorCode::ServiceUnavailable,
            Self::Internal(_) => ErrorCode::InternalServerError,
        }
    }

    /// All invalid fields of the input. Empty for other errors.
    #[must_use]
    pub fn problems(&self) -> &[InputError] {
        match self {
            Self::Input(problems) => problems.as_slice(),
            _ => &[],
        }
    }

    /// Why the access token was rejected. Only for UNAUTHENTICATED.
    #[must_use]
    pub fn reason(&self) -> Option<UnauthenticatedReason> {
        match self {
            Self::Unauthenticated(reason) => Some(*reason),
            _ => None,
        }
    }

    /// The challenge to answer. Only for MFA_REQUIRED.
    #[must_use]
    pub fn mfa_challenge(&self) -> Option<&MfaChallenge> {
        match self {
            Self::MfaRequired(challenge) => Some(challenge),
            _ => None,
        }
    }

    /// Seconds to wait before the next attempt. Only for RATE_LIMITED and SERVICE_UNAVAILABLE.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::ServiceUnavailable { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The cause, for the log only.
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

/// The English message, for the log and the command line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Language::English))
    }
}
