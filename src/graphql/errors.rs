//! How an [`Error`] looks in an answer: the one place where `extensions` are made.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, SimpleObject, Value, resolver_utils::EnumType};
use serde::Serialize;

use super::{Circumstances, RequestId};
use crate::{Error, error, language::Language};

/// The shape of `errors[].extensions` in every error this server raises. No field returns it; it is here so that
/// generated types know it. With GraphQL Code Generator the plugin `typescript` generates it; the preset `client` and the plugin
/// `typescript-operations` generate only what operations use.
// Introspection shows what can be reached, or has a key; an unresolvable one has no other effect.
#[derive(Clone, Debug, Serialize, SimpleObject)]
#[graphql(unresolvable = "requestId")]
#[serde(rename_all = "camelCase")]
pub struct ErrorExtensions {
    /// Stable. Switch on this, never on the message.
    code: ErrorCode,
    /// With UNAUTHENTICATED: what is wrong with the access token.
    reason: Option<UnauthenticatedReason>,
    /// All that is wrong with the input, at once, also when it is one thing; empty where the input is not to blame.
    errors: Vec<InputError>,
    /// Seconds to wait, with RATE_LIMITED and SERVICE_UNAVAILABLE.
    retry_after: Option<u32>,
    /// Finds this request in the server's log; also in the header `x-request-id`.
    request_id: String,
    /// What may have gone wrong on the way, for whoever develops a client: only while the server is reachable from its own
    /// machine alone, and where there is something to tell.
    hint: Option<String>,
}

/// One thing that the person filling in the form can put right.
#[derive(Clone, Debug, Serialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct InputError {
    /// Stable. What is wrong with the field.
    code: ErrorCode,
    /// For people, in the language of `Accept-Language` (en, ru).
    message: String,
    /// Path of the input field at fault, from inside `input`: `["password"]`. `null` when it concerns the whole form.
    field: Option<Vec<String>>,
    /// The bound that was broken: 8 for PASSWORD_TOO_SHORT.
    limit: Option<usize>,
}

/// Every code this server uses in `extensions`. New codes may be added: give unknown ones a default.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
#[graphql(remote = "error::ErrorCode")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The input has several problems; each is in `extensions.errors`. With just one problem, its own code stands here.
    InvalidInput,
    /// A field is missing or blank.
    Required,
    /// Longer than `limit` characters.
    TooLong,
    /// Not an e-mail address.
    InvalidEmail,
    /// A username has letters (A-Z), digits, `_` and `-` only, and does not start with `-`.
    InvalidUsername,
    /// Another account has this username, or the server reserves it.
    UsernameTaken,
    /// Another account has this e-mail address.
    EmailTaken,
    /// Shorter than `limit` characters.
    PasswordTooShort,
    /// Longer than `limit` characters.
    PasswordTooLong,
    /// One of the passwords that everybody tries first, or the user's own name or address.
    PasswordTooCommon,
    /// Login: username or password is wrong.
    InvalidCredentials,
    /// The signed-in user gave a wrong current password.
    WrongPassword,
    /// The password was right, but the account is disabled.
    AccountDisabled,
    /// The password was right, but the e-mail address must be verified first: see `sendVerificationEmail`.
    EmailNotVerified,
    /// The right password of an account whose address has been verified: sign in and use `changeEmail`.
    EmailAlreadyVerified,
    /// This server can't send mail; see `serverInfo.mailEnabled`.
    MailDisabled,
    /// Refresh: there is no refresh token, or it is not one of ours.
    SessionNotFound,
    /// Refresh: the session was not refreshed in time, or is as old as one may get. Sign in again.
    SessionExpired,
    /// Refresh: the session was ended: by a logout, by its owner from elsewhere, or because a refresh token was used
    /// again that had long been replaced. Sign in again.
    SessionRevoked,
    /// The token of a verification or reset link is not valid, was used, or is for an address that the account does not have
    /// any more.
    LinkInvalid,
    /// The token of a verification or reset link is too old.
    LinkExpired,
    /// There is no such thing, or it is someone else's.
    NotFound,
    /// A role that this server does not have.
    RoleUnknown,
    /// The last active administrator can't be removed, disabled or demoted.
    LastAdmin,
    /// This server takes no registrations; see `serverInfo.registrationEnabled`.
    RegistrationDisabled,
    /// There were too many attempts. Try again after `retryAfter` seconds; until then also the right password waits.
    RateLimited,
    /// The access token is missing or no longer good; see `reason`.
    Unauthenticated,
    /// A variable does not fit its type, or a value can't be stored.
    BadUserInput,
    /// Not a GraphQL request: wrong method, content type or JSON, or a page of an origin that is not allowed.
    BadRequest,
    /// The request names its document by a hash instead of sending it, and this server keeps none. Clients with automatic persisted
    /// queries then send it.
    PersistedQueryNotSupported,
    /// The document can't be parsed.
    GraphqlParseFailed,
    /// The document does not fit the schema, is too large, too deep or too costly, or has more than one mutation.
    GraphqlValidationFailed,
    /// Our fault; `requestId` finds it in the log.
    InternalServerError,
    /// Try again after `retryAfter` seconds.
    ServiceUnavailable,
}

/// Why an access token was not accepted.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
#[graphql(remote = "error::UnauthenticatedReason")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnauthenticatedReason {
    /// No token was sent.
    TokenMissing,
    /// Refresh, then try again.
    TokenExpired,
    /// It is not a token of this server, or was altered.
    TokenInvalid,
    /// Its session was ended, or its account is disabled or gone. Refreshing won't help: go to the login page.
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
        tracing::error!(%request_id, code = ?error.code(), cause, "a request failed");
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
