//! Callbacks.

use hallpass::{
    config::ExposeSecret,
    security::oidc::{Callback, CallbackOutcome, OidcError, ProviderMetadata},
};
use serde_json::json;

use crate::support::{ISSUER, metadata, metadata_json};

fn code(callback: &Callback) -> &str {
    match &callback.outcome {
        CallbackOutcome::Code(code) => code.expose_secret(),
        CallbackOutcome::Refused(error) => panic!("{error}"),
    }
}

fn error(query: &str) -> String {
    match Callback::parse(query).unwrap().outcome {
        CallbackOutcome::Refused(error) => error.as_str().to_owned(),
        CallbackOutcome::Code(_) => panic!("{query}"),
    }
}

#[test]
fn code_and_state_are_decoded() {
    let callback = Callback::parse("code=a%2Fb+c&state=x-_&session_state=1&scope=openid&scope=email").unwrap();
    assert_eq!((code(&callback), callback.state.as_str()), ("a/b c", "x-_"));
}

#[test]
fn refusals_have_a_code_that_is_safe_to_log() {
    assert_eq!(error("error=access_denied&state=x&error_description=no"), "access_denied");
    let long = format!("error={}&state=x", "x".repeat(65));
    for query in ["error=&state=x", "error=a%0Ab&state=x", "error=%3Cb%3E&state=x", "error=%C3%A9&state=x", &long] {
        assert_eq!(error(query), "invalid_error", "{query}");
    }
}

#[test]
fn malformed_callbacks_are_refused() {
    let long = format!("code=x&state=x&y={}", "y".repeat(8192));
    for query in [
        "",
        "code=x",
        "state=x",
        "error=x",
        "code=&state=x",
        "code=x&state=x&error=x",
        "code=x&code=x&state=x",
        "code=x&state=x&state=y",
        "code=x&state=x&iss=a&iss=a",
        "error=x&error=y&state=x",
        "code=x;state=x",
        &long,
    ] {
        assert_eq!(Callback::parse(query).unwrap_err(), OidcError::MalformedCallback, "{query}");
    }
}

fn check(query: &str, provider: &ProviderMetadata) -> Result<(), OidcError> {
    Callback::parse(query).unwrap().check_issuer(provider)
}

#[test]
fn announced_issuer_is_required() {
    let provider = metadata(&json!({ "authorization_response_iss_parameter_supported": true }));
    for query in ["code=x&state=x", "error=access_denied&state=x"] {
        assert_eq!(check(query, &provider), Err(OidcError::CallbackIssuer));
        assert_eq!(check(&format!("{query}&iss={ISSUER}"), &provider), Ok(()));
    }
}

#[test]
fn issuer_that_is_not_announced_must_be_right_too() {
    let provider = metadata(&json!({}));
    assert_eq!(check("code=x&state=x", &provider), Ok(()));
    assert_eq!(check(&format!("code=x&state=x&iss={ISSUER}"), &provider), Ok(()));
    for issuer in ["https://attacker.example", "https%3A%2F%2Fid.example.org%2F", "https://ID.example.org", ""] {
        let query = format!("code=x&state=x&iss={issuer}");
        assert_eq!(check(&query, &provider), Err(OidcError::CallbackIssuer), "{issuer}");
    }
}

#[test]
fn issuer_of_a_provider_with_tenants_is_one_of_them() {
    let document = metadata_json(&json!({ "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0" })).to_string();
    let configured = "https://login.microsoftonline.com/common/v2.0";
    let provider = ProviderMetadata::parse(document.as_bytes(), configured).unwrap();
    let check =
        |tenant| check(&format!("code=x&state=x&iss=https://login.microsoftonline.com/{tenant}/v2.0"), &provider);
    assert_eq!(check("9188040d-6c67-4c5b-b112-36a304b66dad"), Ok(()));
    for tenant in ["common", "{tenantid}", "", "9188040d-6c67-4c5b-b112-36a304b66dad/x"] {
        assert_eq!(check(tenant), Err(OidcError::CallbackIssuer), "{tenant}");
    }
}

#[test]
fn debug_text_has_no_code() {
    let callback = Callback::parse("code=secret&state=x").unwrap();
    assert!(!format!("{callback:?}").contains("secret"));
}
