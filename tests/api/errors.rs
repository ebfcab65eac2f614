//! Every error, and what the public sees of it.

use hallpass::{
    Error,
    error::{ErrorCode, Field, InputError, Problems, UnauthenticatedReason},
    graphql::errors::server_error,
    language::Language,
};
use serde_json::{Value, json};
use uuid::Uuid;

fn problems(list: &[InputError]) -> Error {
    let mut problems = Problems::default();
    for problem in list {
        problems.push(*problem);
    }
    problems.into()
}

/// What a variant is answered with: code, message, reason, seconds to wait.
fn public_answer(error: &Error) -> (&'static str, &'static str, Option<&'static str>, Option<u32>) {
    // Without a wildcard: a new variant does not compile until it has a line here and a sample below.
    match error {
        Error::Input(problems) if problems.as_slice().len() == 1 => {
            ("EMAIL_TAKEN", "There is an account with this e-mail address. Sign in instead.", None, None)
        }
        Error::Input(_) => {
            ("INVALID_INPUT", "Some fields are not filled in correctly. Correct them and try again.", None, None)
        }
        Error::InvalidCredentials => ("INVALID_CREDENTIALS", "The username or password is wrong.", None, None),
        Error::AccountDisabled => {
            ("ACCOUNT_DISABLED", "This account is disabled. Ask an administrator to enable it.", None, None)
        }
        Error::EmailNotVerified => (
            "EMAIL_NOT_VERIFIED",
            "The e-mail address of this account is not verified yet. Use the link in the mail, or ask for another.",
            None,
            None,
        ),
        Error::MailDisabled => {
            ("MAIL_DISABLED", "This server sends no mail. Ask an administrator instead.", None, None)
        }
        Error::LinkInvalid => {
            ("LINK_INVALID", "This link is not valid, or was used already. Ask for a new one.", None, None)
        }
        Error::LinkUsed => (
            "LINK_INVALID",
            "The password was already changed with this link. Sign in with the new password, or ask for a new link.",
            None,
            None,
        ),
        Error::EmailAlreadyVerified => (
            "EMAIL_ALREADY_VERIFIED",
            "The e-mail address of this account is verified. Sign in to change it.",
            None,
            None,
        ),
        Error::LinkExpired => ("LINK_EXPIRED", "This link has expired. Ask for a new one.", None, None),
        Error::SessionNotFound => ("SESSION_NOT_FOUND", "There is no session to refresh. Sign in.", None, None),
        Error::SessionExpired => ("SESSION_EXPIRED", "This session has expired. Sign in again.", None, None),
        Error::SessionRevoked => ("SESSION_REVOKED", "This session has ended. Sign in again.", None, None),
        Error::NotFound => ("NOT_FOUND", "There is no such thing, or it is not yours.", None, None),
        Error::LastAdmin => {
            ("LAST_ADMIN", "This is the last active administrator. Make somebody else one first.", None, None)
        }
        Error::RegistrationDisabled => (
            "REGISTRATION_DISABLED",
            "New accounts can't be registered here. Ask an administrator for one.",
            None,
            None,
        ),
        Error::Unauthenticated(reason) => match reason {
            UnauthenticatedReason::TokenMissing => {
                ("UNAUTHENTICATED", "Authentication required. Sign in.", Some("TOKEN_MISSING"), None)
            }
            UnauthenticatedReason::TokenExpired => (
                "UNAUTHENTICATED",
                "The access token has expired. Refresh it, or sign in again.",
                Some("TOKEN_EXPIRED"),
                None,
            ),
            UnauthenticatedReason::TokenInvalid => {
                ("UNAUTHENTICATED", "The access token is not valid. Sign in again.", Some("TOKEN_INVALID"), None)
            }
            UnauthenticatedReason::SessionRevoked => {
                ("UNAUTHENTICATED", "This session has ended. Sign in again.", Some("SESSION_REVOKED"), None)
            }
        },
        Error::BadUserInput(_) => ("BAD_USER_INPUT", "text", None, None),
        Error::BadRequest(_) => ("BAD_REQUEST", "text", None, None),
        Error::PersistedQueryNotSupported => {
            ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", None, None)
        }
        Error::ParseFailed => {
            ("GRAPHQL_PARSE_FAILED", "The GraphQL document has a syntax error at the location given.", None, None)
        }
        Error::ValidationFailed(_) => ("GRAPHQL_VALIDATION_FAILED", "text", None, None),
        Error::RateLimited { .. } => {
            ("RATE_LIMITED", "There were too many attempts. Try again in 2 minutes.", None, Some(61))
        }
        Error::ServiceUnavailable { .. } => {
            ("SERVICE_UNAVAILABLE", "The server can't answer this right now. Try again in 7 seconds.", None, Some(7))
        }
        Error::Internal(_) => (
            "INTERNAL_SERVER_ERROR",
            "Something went wrong on the server. Try again later. If it happens again, tell an administrator.",
            None,
            None,
        ),
    }
}

#[test]
fn every_error_has_its_public_answer() {
    let samples = [
        problems(&[InputError::new(ErrorCode::EmailTaken, Field::Email)]),
        problems(&[
            InputError::new(ErrorCode::Required, Field::Email),
            InputError::new(ErrorCode::Required, Field::Username),
        ]),
        Error::InvalidCredentials,
        Error::AccountDisabled,
        Error::EmailNotVerified,
        Error::MailDisabled,
        Error::LinkInvalid,
        Error::LinkUsed,
        Error::EmailAlreadyVerified,
        Error::LinkExpired,
        Error::RegistrationDisabled,
        Error::SessionNotFound,
        Error::SessionExpired,
        Error::SessionRevoked,
        Error::NotFound,
        Error::LastAdmin,
        Error::Unauthenticated(UnauthenticatedReason::TokenMissing),
        Error::Unauthenticated(UnauthenticatedReason::TokenExpired),
        Error::Unauthenticated(UnauthenticatedReason::TokenInvalid),
        Error::Unauthenticated(UnauthenticatedReason::SessionRevoked),
        Error::BadUserInput("text".to_owned()),
        Error::BadRequest("text"),
        Error::PersistedQueryNotSupported,
        Error::ParseFailed,
        Error::ValidationFailed("text".to_owned()),
        Error::RateLimited { retry_after: 61 },
        Error::unavailable(7, "a secret of ours"),
        Error::internal("a secret of ours"),
    ];
    let id = Uuid::nil();
    for error in samples {
        let (code, message, reason, retry_after) = public_answer(&error);
        let is_input = matches!(error, Error::Input(_));
        let answer = serde_json::to_value(server_error(error, id.into(), Language::English)).unwrap();
        let extensions = answer["extensions"].as_object().unwrap();
        assert_eq!(answer["message"], message);
        assert_eq!(extensions["code"], code);
        assert_eq!(extensions["reason"], json!(reason));
        assert_eq!(extensions["retryAfter"], json!(retry_after));
        assert_eq!(extensions["requestId"], id.to_string());
        assert!(extensions["hint"].is_null());
        assert_eq!(extensions["errors"].as_array().unwrap().is_empty(), !is_input);
        // All of `ErrorExtensions`, and nothing else.
        assert_eq!(
            extensions.keys().collect::<Vec<_>>(),
            ["code", "errors", "hint", "reason", "requestId", "retryAfter"]
        );
        assert!(!answer.to_string().contains("a secret of ours"));
    }
}

/// What a problem of a form is answered with; none where the code is not one of a field's.
fn public_problem(code: ErrorCode) -> Option<(&'static str, &'static str)> {
    // Without a wildcard: a new code does not compile until it has a line here.
    match code {
        ErrorCode::Required => Some(("REQUIRED", "This field is required.")),
        ErrorCode::TooLong => Some(("TOO_LONG", "Use at most 7 characters.")),
        ErrorCode::InvalidEmail => {
            Some(("INVALID_EMAIL", "This is not an e-mail address; it should look like ada@example.org."))
        }
        ErrorCode::InvalidUsername => Some((
            "INVALID_USERNAME",
            "Use only letters (A-Z), digits, underscores and hyphens, and do not start with a hyphen.",
        )),
        ErrorCode::UsernameTaken => Some(("USERNAME_TAKEN", "This username is taken. Choose another.")),
        ErrorCode::EmailTaken => {
            Some(("EMAIL_TAKEN", "There is an account with this e-mail address. Sign in instead."))
        }
        ErrorCode::PasswordTooShort => Some(("PASSWORD_TOO_SHORT", "Use at least 7 characters.")),
        ErrorCode::PasswordTooLong => Some(("PASSWORD_TOO_LONG", "Use at most 7 characters.")),
        ErrorCode::PasswordTooCommon => Some((
            "PASSWORD_TOO_COMMON",
            "Others would guess this password first. Use one that is neither common nor your own name.",
        )),
        ErrorCode::WrongPassword => Some(("WRONG_PASSWORD", "This is not your password.")),
        ErrorCode::BadUserInput => Some(("BAD_USER_INPUT", "This holds a character that can't be stored. Remove it.")),
        ErrorCode::RoleUnknown => Some(("ROLE_UNKNOWN", "There is no such role. Choose among those of this server.")),
        ErrorCode::InvalidInput
        | ErrorCode::LastAdmin
        | ErrorCode::InvalidCredentials
        | ErrorCode::AccountDisabled
        | ErrorCode::EmailNotVerified
        | ErrorCode::EmailAlreadyVerified
        | ErrorCode::MailDisabled
        | ErrorCode::LinkInvalid
        | ErrorCode::LinkExpired
        | ErrorCode::RegistrationDisabled
        | ErrorCode::SessionNotFound
        | ErrorCode::SessionExpired
        | ErrorCode::SessionRevoked
        | ErrorCode::NotFound
        | ErrorCode::Unauthenticated
        | ErrorCode::BadRequest
        | ErrorCode::PersistedQueryNotSupported
        | ErrorCode::GraphqlParseFailed
        | ErrorCode::GraphqlValidationFailed
        | ErrorCode::InternalServerError
        | ErrorCode::RateLimited
        | ErrorCode::ServiceUnavailable => None,
    }
}

#[test]
fn every_problem_of_a_form_says_what_to_do() {
    let mut count = 0;
    for item in async_graphql::resolver_utils::EnumType::items() {
        let item: &async_graphql::resolver_utils::EnumItem<hallpass::graphql::errors::ErrorCode> = item;
        let error_code = item.value.into();
        let Some((code, message)) = public_problem(error_code) else { continue };
        let problem = InputError { code: error_code, field: Field::NewPassword, limit: Some(7) };
        let answer: Value =
            serde_json::to_value(server_error(problems(&[problem]), Uuid::nil().into(), Language::English)).unwrap();
        let expected = json!({ "code": code, "message": message, "field": ["newPassword"], "limit": 7 });
        assert_eq!(answer["extensions"]["errors"], json!([expected]));
        assert_eq!((&answer["extensions"]["code"], &answer["message"]), (&json!(code), &json!(message)));
        count += 1;
    }
    assert_eq!(count, 12);
}
