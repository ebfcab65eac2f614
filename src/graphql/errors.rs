//! How an [`Error`] looks in an answer: the one place where `extensions` are made.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, SimpleObject, Value, resolver_utils::EnumType};
use serde::Serialize;

use crate::{Error, domain::RequestId, error, graphql::Circumstances, language::Language};

/// The type of `errors[].extensions` in every error. No field returns it; it is in the schema so that code generators
/// can generate it. With GraphQL Code Generator, the plugin `typescript` generates it; the preset `client` and the
/// plugin `typescript-operations` generate only types that operations use.
// Introspection shows what can be reached, or has a key; an unresolvable one has no other effect.
#[derive(Clone, Debug, Serialize, SimpleObject)]
#[graphql(unresolvable = "requestId")]
#[serde(rename_all = "camelCase")]
pub struct ErrorExtensions {
    /// Stable. Decide by this, never by the message.
    code: ErrorCode,
    /// With UNAUTHENTICATED: what is wrong with the access token.
    reason: Option<UnauthenticatedReason>,
    /// All invalid fields of the input, also if there is only one. Empty for other errors.
    errors: Vec<InputError>,
    /// With RATE_LIMITED and SERVICE_UNAVAILABLE: seconds to wait.
    retry_after: Option<u32>,
    /// Identifies this request in the server's log. Also in the response header `x-request-id`.
    request_id: String,
    /// Help for the developer of a client, where there is some. Only while the server is reachable from its own machine
    /// alone.
    hint: Option<String>,
}

/// An invalid field of the input.
#[derive(Clone, Debug, Serialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct InputError {
    /// Stable. What is wrong with the field.
    code: ErrorCode,
    /// A message for the user, in the language of `Accept-Language` (en, ru).
    message: String,
    /// Path of the field inside `input`, such as `["password"]`. `null` if the error concerns the whole input.
    field: Option<Vec<String>>,
    /// The limit that the value exceeds or misses, such as 8 for PASSWORD_TOO_SHORT.
    limit: Option<usize>,
}

/// All codes in `extensions.code`. New codes may be added, so handle unknown ones.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
#[graphql(remote = "error::ErrorCode")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// Several fields are invalid; `extensions.errors` has one entry for each. If only one is invalid, its own code is
    /// used instead.
    InvalidInput,
    /// A field is missing or blank.
    Required,
    /// The value has more than `limit` characters.
    TooLong,
    /// The value is not an e-mail address.
    InvalidEmail,
    /// The username has other characters than letters (A-Z), digits, `_` and `-`, or starts with `-`.
    InvalidUsername,
    /// Another account has this username, or the server reserves it.
    UsernameTaken,
    /// Another account has this e-mail address.
    EmailTaken,
    /// The password has fewer than `limit` characters.
    PasswordTooShort,
    /// The value has more than `limit` characters.
    PasswordTooLong,
    /// The password is one of the most common ones, or the user's own name or address.
    PasswordTooCommon,
    /// The username or the password is wrong.
    InvalidCredentials,
    /// The signed-in user gave a wrong current password.
    WrongPassword,
    /// The password is right, but the account is disabled.
    AccountDisabled,
    /// The password is right, but the e-mail address must be verified first: see `sendVerificationEmail`.
    EmailNotVerified,
    /// The account has a verified address: sign in and use `changeEmail`.
    EmailAlreadyVerified,
    /// This server cannot send mails; see `serverInfo.mailEnabled`.
    MailDisabled,
    /// Refresh: no refresh token was sent, or it is unknown.
    SessionNotFound,
    /// Refresh: the session was not refreshed in time, or has reached its maximum age. Sign in again.
    SessionExpired,
    /// Refresh: the session was ended by a logout, from another session, or because an old refresh token was used
    /// again. Sign in again.
    SessionRevoked,
    /// The token of a verification or reset link is invalid, was already used, or is for an address that the account no
    /// longer has.
    LinkInvalid,
    /// The token of a verification or reset link is too old.
    LinkExpired,
    /// The object does not exist, or belongs to another user.
    NotFound,
    /// The role does not exist on this server.
    RoleUnknown,
    /// The last active administrator cannot be deleted, disabled or demoted.
    LastAdmin,
    /// This server accepts no registrations; see `serverInfo.registrationEnabled`.
    RegistrationDisabled,
    /// Too many attempts. Try again after `retryAfter` seconds; until then, the right password is refused too.
    RateLimited,
    /// The access token is missing or invalid; see `reason`.
    Unauthenticated,
    /// A variable does not fit its type, or a value cannot be stored.
    BadUserInput,
    /// The request is not a GraphQL request (method, content type or JSON), or comes from a page of an origin that is
    /// not allowed.
    BadRequest,
    /// The request has the hash of a document instead of the document, and this server stores no documents. Clients
    /// with automatic persisted queries then send the document.
    PersistedQueryNotSupported,
    /// The document cannot be parsed.
    GraphqlParseFailed,
    /// The document does not fit the schema, is too large, too deep or too costly, or has more than one mutation.
    GraphqlValidationFailed,
    /// A fault of the server; find `requestId` in its log.
    InternalServerError,
    /// Try again after `retryAfter` seconds.
    ServiceUnavailable,
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
#[graphql(remote = "error::UnauthenticatedReason")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnauthenticatedReason {
    /// No token was sent.
    TokenMissing,
    /// The token has expired. Refresh it and try again.
    TokenExpired,
    /// The token was not issued by this server, or was altered.
    TokenInvalid,
    /// The session has ended, or the account is disabled or deleted. Do not refresh; the user must sign in again.
    SessionRevoked,
}

/// A code as the public knows it, for the log.
#[must_use]
pub fn code_name(code: error::ErrorCode) -> String {
    let items = ErrorCode::items().iter();
    let item = items.into_iter().find(|item| item.value == code.into());
    item.map(|item| item.name.to_owned()).unwrap_or_default()
}

impl ErrorExtensions {
    fn new(error: &Error, request_id: RequestId, language: Language, circumstances: Option<Circumstances>) -> Self {
        let errors = error.problems().iter().map(|problem| InputError {
            code: problem.code.into(),
            message: problem.message(language).into_owned(),
            field: Some(vec![problem.field.to_owned()]),
            limit: problem.limit,
        });
        Self {
            code: error.code().into(),
            reason: error.reason().map(Into::into),
            errors: errors.collect(),
            retry_after: error.retry_after(),
            request_id: request_id.to_string(),
            hint: circumstances.and_then(|circumstances| circumstances.hint(error)),
        }
    }
}

/// An error without a place in a document, ready for an answer.
#[must_use]
pub fn server_error(error: Error, request_id: RequestId, language: Language) -> ServerError {
    let mut published = ServerError::new("", None);
    published.source = Some(Arc::new(error));
    publish(&mut published, request_id, language, None);
    published
}

/// Gives an error its public message, in `language`, and its extensions; what is ours to mend goes to the log.
///
/// An error of ours travels as the source. Another source is nothing that we foresaw. Without one the engine itself
/// raised the error while executing, which it does for values that it can't read. `circumstances` are for hints; without
/// them none are told.
pub(super) fn publish(
    server_error: &mut ServerError,
    request_id: RequestId,
    language: Language,
    circumstances: Option<Circumstances>,
) -> Error {
    let error = match (server_error.source::<Error>(), &server_error.source) {
        (Some(error), _) => error.clone(),
        (None, Some(_)) => Error::internal(&server_error.message),
        (None, None) => Error::BadUserInput("A value does not fit the type that its field wants.".to_owned()),
    };
    if let Some(cause) = error.cause() {
        tracing::error!(code = ?error.code(), cause, "a request failed");
    }
    server_error.message = error.message(language).into_owned();
    server_error.extensions = Some(ErrorExtensions::new(&error, request_id, language, circumstances).into());
    error
}

impl From<ErrorExtensions> for ErrorExtensionValues {
    fn from(extensions: ErrorExtensions) -> Self {
        let mut values = Self::default();
        if let Ok(Value::Object(fields)) = async_graphql::to_value(extensions) {
            for (name, value) in fields {
                values.set(name, value);
            }
        }
        values
    }
}
