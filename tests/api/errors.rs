//! Errors in GraphQL responses.

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

/// The error as GraphQL publishes it.
fn published(error: Error) -> Value {
    serde_json::to_value(server_error(error, Uuid::nil().into(), Language::English)).unwrap()
}

#[test]
fn errors_with_data_include_message_reason_and_retry_after() {
    let token = |reason| Error::Unauthenticated(reason);
    for (error, code, message, reason, retry_after) in [
        (
            problems(&[InputError::new(ErrorCode::UsernameTaken, Field::Username)]),
            "USERNAME_TAKEN",
            "This username is taken. Choose another.",
            None,
            None,
        ),
        (
            problems(&[
                InputError::new(ErrorCode::Required, Field::Email),
                InputError::new(ErrorCode::Required, Field::Username),
            ]),
            "INVALID_INPUT",
            "Some fields are invalid. Correct them and try again.",
            None,
            None,
        ),
        (
            Error::LinkUsed,
            "LINK_INVALID",
            "The password was already changed with this link. Sign in with the new password, or request a new link.",
            None,
            None,
        ),
        (
            token(UnauthenticatedReason::TokenMissing),
            "UNAUTHENTICATED",
            "Authentication required. Sign in.",
            Some("TOKEN_MISSING"),
            None,
        ),
        (
            token(UnauthenticatedReason::TokenExpired),
            "UNAUTHENTICATED",
            "The access token has expired. Refresh it, or sign in again.",
            Some("TOKEN_EXPIRED"),
            None,
        ),
        (
            token(UnauthenticatedReason::TokenInvalid),
            "UNAUTHENTICATED",
            "The access token is invalid. Sign in again.",
            Some("TOKEN_INVALID"),
            None,
        ),
        (
            token(UnauthenticatedReason::SessionRevoked),
            "UNAUTHENTICATED",
            "This session has ended. Sign in again.",
            Some("SESSION_REVOKED"),
            None,
        ),
        (Error::BadUserInput("text".to_owned()), "BAD_USER_INPUT", "text", None, None),
        (Error::BadRequest("text"), "BAD_REQUEST", "text", None, None),
        (Error::ValidationFailed("text".to_owned()), "GRAPHQL_VALIDATION_FAILED", "text", None, None),
        (
            Error::RateLimited { retry_after: 61 },
            "RATE_LIMITED",
            "Too many attempts. Try again in 2 minutes.",
            None,
            Some(61),
        ),
        (
            Error::unavailable(7, "a cause"),
            "SERVICE_UNAVAILABLE",
            "The server is temporarily unavailable. Try again in 7 seconds.",
            None,
            Some(7),
        ),
    ] {
        let answer = published(error);
        let extensions = &answer["extensions"];
        assert_eq!((&extensions["code"], &answer["message"]), (&json!(code), &json!(message)));
        assert_eq!(extensions["reason"], json!(reason), "{code}");
        assert_eq!(extensions["retryAfter"], json!(retry_after), "{code}");
    }
}

#[test]
fn extensions_match_the_schema() {
    let answer = published(Error::NotFound);
    let extensions = answer["extensions"].as_object().unwrap();
    let fields = ["code", "errors", "hint", "mfa", "reason", "requestId", "retryAfter"];
    assert_eq!(extensions.keys().collect::<Vec<_>>(), fields);
    assert_eq!(extensions["requestId"], Uuid::nil().to_string());
    assert_eq!((&extensions["errors"], &extensions["hint"]), (&json!([]), &Value::Null));
}

#[test]
fn internal_causes_are_not_exposed() {
    for error in [Error::internal("a secret of ours"), Error::unavailable(7, "a secret of ours")] {
        assert!(!published(error).to_string().contains("a secret of ours"));
    }
}

#[test]
fn invalid_field_has_the_code_and_message_from_the_table() {
    for code in ErrorCode::ALL {
        let problem = InputError { code: *code, field: Field::NewPassword, limit: Some(7) };
        let (name, message) = (code.to_string(), code.message(Language::English, 7));
        let answer = published(problems(&[problem]));
        let expected = json!({ "code": name, "message": message, "field": ["newPassword"], "limit": 7 });
        assert_eq!(answer["extensions"]["errors"], json!([expected]));
        assert_eq!((&answer["extensions"]["code"], &answer["message"]), (&json!(name), &json!(message)));
    }
}

#[test]
fn schema_descriptions_match_the_table() {
    use async_graphql::parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    };
    let definitions = parse_schema(hallpass::graphql::sdl()).unwrap().definitions;
    let described = definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == "ErrorCode" => {
            match definition.node.kind {
                TypeKind::Enum(kind) => Some(kind.values),
                _ => None,
            }
        }
        _ => None,
    });
    let described: Vec<(String, String)> = described
        .unwrap()
        .into_iter()
        .map(|value| (value.node.value.node.to_string(), value.node.description.unwrap().node.replace('\n', " ")))
        .collect();
    let table: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.to_string(), code.description().to_owned())).collect();
    assert_eq!(described, table);
}
