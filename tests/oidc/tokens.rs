//! Token requests and responses.

use base64::{Engine, engine::general_purpose::STANDARD};
use hallpass::{
    config::{ExposeSecret, SecretString},
    security::oidc::{ClientAuthentication, OidcError, TokenRequest, TokenResponse},
};
use serde_json::{Value, json};
use url::form_urlencoded;

fn with_request<T>(client_authentication: ClientAuthentication, check: impl FnOnce(TokenRequest<'_>) -> T) -> T {
    let [client_secret, code, code_verifier] = ["s:e&c ret", "the/code", "the verifier"].map(SecretString::from);
    check(TokenRequest {
        client_authentication,
        client_id: "hall:pass",
        client_secret: &client_secret,
        code: &code,
        redirect_uri: "https://accounts.example.org/auth/acme/callback",
        code_verifier: &code_verifier,
    })
}

fn form(client_authentication: ClientAuthentication) -> Vec<(String, String)> {
    with_request(client_authentication, |request| {
        form_urlencoded::parse(request.form().expose_secret().as_bytes()).into_owned().collect()
    })
}

const COMMON: [(&str, &str); 4] = [
    ("grant_type", "authorization_code"),
    ("code", "the/code"),
    ("redirect_uri", "https://accounts.example.org/auth/acme/callback"),
    ("code_verifier", "the verifier"),
];

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn basic_authentication_encodes_id_and_secret_like_a_form() {
    let header = with_request(ClientAuthentication::Basic, |request| request.authorization().unwrap());
    let encoded = header.expose_secret().strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), b"hall%3Apass:s%3Ae%26c+ret");
    assert_eq!(form(ClientAuthentication::Basic), owned(&COMMON));
}

#[test]
fn post_authentication_is_in_the_form_only() {
    assert!(with_request(ClientAuthentication::Post, |request| request.authorization().is_none()));
    let credentials = [("client_id", "hall:pass"), ("client_secret", "s:e&c ret")];
    assert_eq!(form(ClientAuthentication::Post), owned(&[&COMMON[..], &credentials].concat()));
}

fn parse(status: u16, members: &Value) -> Result<TokenResponse, OidcError> {
    TokenResponse::parse(status, members.to_string().as_bytes())
}

fn correct() -> Value {
    json!({ "access_token": "at", "token_type": "Bearer", "id_token": "it", "expires_in": 3600 })
}

fn error_with(name: &str, value: Value) -> OidcError {
    let mut members = correct();
    members[name] = value;
    parse(200, &members).unwrap_err()
}

#[test]
fn tokens_of_a_correct_response_are_returned() {
    let response = parse(200, &correct()).unwrap();
    assert_eq!(response.access_token.expose_secret(), "at");
    assert_eq!(response.id_token().unwrap().expose_secret(), "it");
    assert_eq!(format!("{response:?}"), "TokenResponse");
}

#[test]
fn type_of_the_access_token_is_bearer() {
    for value in ["bearer", "BEARER"] {
        let mut members = correct();
        members["token_type"] = value.into();
        assert!(parse(200, &members).is_ok());
    }
    for value in ["DPoP", "mac", ""] {
        assert_eq!(error_with("token_type", value.into()), OidcError::TokenType);
    }
    for value in [Value::Null, json!(1)] {
        assert_eq!(error_with("token_type", value), OidcError::MalformedTokenResponse);
    }
}

#[test]
fn access_token_can_be_sent_in_a_header() {
    for value in [json!(""), json!("a b"), json!("a\nb"), json!("é"), json!("x".repeat(16_385)), json!(1), Value::Null]
    {
        assert_eq!(error_with("access_token", value.clone()), OidcError::MalformedTokenResponse, "{value}");
    }
}

#[test]
fn id_token_is_a_string_or_missing() {
    assert_eq!(error_with("id_token", json!(1)), OidcError::MalformedTokenResponse);
    assert_eq!(error_with("id_token", Value::Null), OidcError::MalformedTokenResponse);
    let response = parse(200, &json!({ "access_token": "at", "token_type": "bearer" })).unwrap();
    assert_eq!(response.id_token().unwrap_err(), OidcError::MissingIdToken);
}

#[test]
fn response_with_an_error_is_a_refusal_with_each_status() {
    for status in [200, 400, 401, 500] {
        let mut members = correct();
        members["error"] = "invalid_grant".into();
        match parse(status, &members).unwrap_err() {
            OidcError::Refused(code) => assert_eq!(code.as_str(), "invalid_grant"),
            error => panic!("{error}"),
        }
    }
    match parse(400, &json!({ "error": { "message": "no" } })).unwrap_err() {
        OidcError::Refused(code) => assert_eq!(code.as_str(), "invalid_error"),
        error => panic!("{error}"),
    }
}

#[test]
fn other_statuses_are_refused() {
    for status in [201, 204, 302, 400, 500] {
        assert_eq!(parse(status, &correct()).unwrap_err(), OidcError::MalformedTokenResponse, "{status}");
    }
}

#[test]
fn malformed_responses_are_refused() {
    let long = json!({ "access_token": "at", "token_type": "Bearer", "x": "x".repeat(64 * 1024) }).to_string();
    let repeated = r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#;
    for body in ["", "[]", "access_token=at&token_type=bearer", "<html>", repeated, &long] {
        let result = TokenResponse::parse(200, body.as_bytes());
        assert_eq!(result.unwrap_err(), OidcError::MalformedTokenResponse, "{}", body.get(..80).unwrap_or(body));
    }
}
