//! An [`Error`] in a GraphQL response: its message and its `extensions`.
//!
//! The enums are expanded from the tables in `error/codes.rs` and `error/reasons.rs`.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, SimpleObject, Value};
use serde::Serialize;

use crate::{
    Error,
    config::ExposeSecret,
    domain::RequestId,
    error::{self, error_codes, unauthenticated_reasons},
    graphql::HintContext,
    language::Language,
};

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
    /// With MFA_REQUIRED: how to finish the sign-in.
    mfa: Option<MfaChallenge>,
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

/// A sign-in that waits for the second factor. `verifyMfa` finishes it.
#[derive(Clone, Debug, Serialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct MfaChallenge {
    /// For `verifyMfa`. Single use, and at most 5 attempts.
    token: String,
    /// The second factors that the user can choose from.
    methods: Vec<MfaMethod>,
    /// Seconds until the token expires.
    expires_in: i64,
}

impl From<&error::MfaChallenge> for MfaChallenge {
    fn from(challenge: &error::MfaChallenge) -> Self {
        Self {
            token: challenge.token.expose_secret().to_owned(),
            methods: challenge.methods.iter().map(|method| (*method).into()).collect(),
            expires_in: challenge.expires_in,
        }
    }
}

/// A second factor.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
#[graphql(remote = "error::MfaMethod")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MfaMethod {
    /// A code of an authenticator app (TOTP, RFC 6238).
    Totp,
    /// A passkey: call `startPasskeyVerification`.
    Passkey,
    /// One of the recovery codes, each of which works once.
    RecoveryCode,
}

macro_rules! graphql_error_code {
    ($($(#[doc = $doc:literal])+ $code:ident { $($columns:tt)+ })+) => {
        /// All codes in `extensions.code`. New codes may be added, so handle unknown ones.
        #[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
        #[graphql(remote = "error::ErrorCode")]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $code,)+
        }
    };
}
error_codes!(graphql_error_code);

macro_rules! graphql_unauthenticated_reason {
    ($($(#[doc = $doc:literal])+ $reason:ident { $($columns:tt)+ })+) => {
        /// Why an access token is refused.
        #[derive(Clone, Copy, Debug, Enum, PartialEq, Eq, Serialize)]
        #[graphql(remote = "error::UnauthenticatedReason")]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum UnauthenticatedReason {
            $($(#[doc = $doc])+ $reason,)+
        }
    };
}
unauthenticated_reasons!(graphql_unauthenticated_reason);

impl ErrorExtensions {
    fn new(error: &Error, request_id: RequestId, language: Language, hint_context: Option<HintContext>) -> Self {
        let errors = error.problems().iter().map(|problem| InputError {
            code: problem.code.into(),
            message: problem.message(language).into_owned(),
            field: Some(vec![problem.field.camel_case().to_owned()]),
            limit: problem.limit,
        });
        Self {
            code: error.code().into(),
            reason: error.reason().map(Into::into),
            errors: errors.collect(),
            retry_after: error.retry_after(),
            mfa: error.mfa_challenge().map(Into::into),
            request_id: request_id.to_string(),
            hint: hint_context.and_then(|hint_context| hint_context.hint(error)),
        }
    }
}

/// The GraphQL error for a request whose document was not executed.
#[must_use]
pub fn server_error(error: Error, request_id: RequestId, language: Language) -> ServerError {
    let mut published = ServerError::new("", None);
    published.source = Some(Arc::new(error));
    publish(&mut published, request_id, language, None);
    published
}

/// Gives a GraphQL error its public message and its extensions, and logs its cause. Without `hint_context`, it gets no
/// hint.
///
/// Resolvers return an [`Error`] as the source of the GraphQL error. Another source is a fault of the server. An error
/// without a source is raised by the engine, which does so for values that it cannot read.
pub(super) fn publish(
    server_error: &mut ServerError,
    request_id: RequestId,
    language: Language,
    hint_context: Option<HintContext>,
) -> Error {
    let error = match (server_error.source::<Error>(), &server_error.source) {
        (Some(error), _) => error.clone(),
        (None, Some(_)) => Error::internal(&server_error.message),
        (None, None) => Error::BadUserInput("A value does not fit the type of its field.".to_owned()),
    };
    if let Some(cause) = error.cause() {
        tracing::error!(code = ?error.code(), cause, "a request failed");
    }
    server_error.message = error.message(language).into_owned();
    server_error.extensions = Some(ErrorExtensions::new(&error, request_id, language, hint_context).into());
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
