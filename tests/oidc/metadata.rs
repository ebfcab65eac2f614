//! The metadata of providers.

use hallpass::security::oidc::{
    ClientAuthentication, Issuer, OidcError, ProviderMetadata, SigningAlgorithm, metadata_url,
};
use serde_json::{Value, json};

use crate::support::{ISSUER, metadata, metadata_json, parse_metadata};

#[test]
fn correct_document_is_accepted() {
    let provider = metadata(&json!({
        "userinfo_endpoint": "https://id.example.org/me",
        "authorization_response_iss_parameter_supported": true,
        "unknown": { "nested": [1, 2, 3] },
    }));
    assert_eq!(provider.issuer, Issuer::Exact(ISSUER.to_owned()));
    assert_eq!(provider.authorization_endpoint.as_str(), "https://id.example.org/authorize");
    assert_eq!(provider.token_endpoint.as_str(), "https://id.example.org/token");
    assert_eq!(provider.jwks_uri.as_str(), "https://id.example.org/keys");
    assert_eq!(provider.userinfo_endpoint.unwrap().as_str(), "https://id.example.org/me");
    assert!(provider.sends_issuer);
    assert_eq!(provider.algorithms.len(), 7);
}

#[test]
fn address_of_the_document_has_one_slash() {
    for (issuer, expected) in [
        ("https://example.org", "https://example.org/.well-known/openid-configuration"),
        ("https://example.org/", "https://example.org/.well-known/openid-configuration"),
        ("https://example.org/a/v2.0", "https://example.org/a/v2.0/.well-known/openid-configuration"),
    ] {
        assert_eq!(metadata_url(issuer), expected);
    }
}

#[test]
fn issuer_is_exactly_the_configured_one() {
    for issuer in [
        "https://id.example.org/",
        "https://ID.example.org",
        "http://id.example.org",
        "https://id.example.org:443",
        "https://attacker.example",
        "",
    ] {
        let result = parse_metadata(&json!({ "issuer": issuer }));
        assert_eq!(result, Err(OidcError::Metadata("issuer")), "{issuer}");
    }
}

#[test]
fn required_members_are_required() {
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert_eq!(parse_metadata(&json!({ name: null })), Err(OidcError::Metadata(name)));
        assert_eq!(parse_metadata(&json!({ name: 1 })), Err(OidcError::Metadata(name)));
        assert_eq!(parse_metadata(&json!({ name: [] })), Err(OidcError::Metadata(name)));
        assert_eq!(parse_metadata(&json!({ name: [1] })), Err(OidcError::Metadata(name)));
    }
}

#[test]
fn endpoints_are_https() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        for address in [
            "http://id.example.org/x",
            "http://localhost/x",
            "http://127.0.0.1/x",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://id.example.org/x",
            "/x",
            "//id.example.org/x",
            "https://",
            "https://user@id.example.org/x",
            "https://user:password@id.example.org/x",
            "https://id.example.org/x#fragment",
            "",
        ] {
            let result = parse_metadata(&json!({ name: address }));
            assert_eq!(result, Err(OidcError::Metadata(name)), "{name} {address}");
        }
        let long = format!("https://id.example.org/{}", "x".repeat(2048));
        assert_eq!(parse_metadata(&json!({ name: long })), Err(OidcError::Metadata(name)));
    }
    assert!(parse_metadata(&json!({ "token_endpoint": "https://other.example/token?tenant=1" })).is_ok());
}

#[test]
fn http_is_accepted_on_this_machine_if_the_issuer_is_http() {
    let issuer = "http://localhost:4000";
    let document = |endpoint: &str| {
        metadata_json(&json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint,
            "token_endpoint": "http://127.0.0.1:4000/token",
            "jwks_uri": "https://id.example.org/keys",
        }))
    };
    let parse = |endpoint: &str| ProviderMetadata::parse(document(endpoint).to_string().as_bytes(), issuer);
    assert!(parse("http://localhost:4000/authorize").is_ok());
    assert!(parse("http://[::1]:4000/authorize").is_ok());
    for endpoint in ["http://id.example.org/authorize", "http://localhost.example.org/x", "http://10.0.0.1/x"] {
        assert_eq!(parse(endpoint), Err(OidcError::Metadata("authorization_endpoint")), "{endpoint}");
    }
}

#[test]
fn code_flow_is_supported() {
    for types in [json!(["id_token"]), json!(["code id_token"])] {
        let result = parse_metadata(&json!({ "response_types_supported": types }));
        assert_eq!(result, Err(OidcError::Metadata("response_types_supported")));
    }
}

#[test]
fn pkce_methods_are_unknown_or_contain_s256() {
    const NAME: &str = "code_challenge_methods_supported";
    assert!(parse_metadata(&json!({ NAME: null })).is_ok());
    assert!(parse_metadata(&json!({ NAME: ["S256"] })).is_ok());
    for methods in [json!(["plain"]), json!([]), json!("S256"), json!([1])] {
        assert_eq!(parse_metadata(&json!({ NAME: methods })), Err(OidcError::Metadata(NAME)), "{methods}");
    }
}

#[test]
fn issuer_parameter_is_announced_by_a_boolean() {
    const NAME: &str = "authorization_response_iss_parameter_supported";
    assert!(!metadata(&json!({})).sends_issuer);
    assert!(!metadata(&json!({ NAME: false })).sends_issuer);
    assert_eq!(parse_metadata(&json!({ NAME: "true" })), Err(OidcError::Metadata(NAME)));
}

#[test]
fn client_authenticates_by_a_supported_method() {
    const NAME: &str = "token_endpoint_auth_methods_supported";
    for (methods, expected) in [
        (Value::Null, ClientAuthentication::Basic),
        (json!(["client_secret_basic"]), ClientAuthentication::Basic),
        (json!(["client_secret_basic", "client_secret_post"]), ClientAuthentication::Post),
        (json!(["private_key_jwt", "client_secret_post"]), ClientAuthentication::Post),
    ] {
        assert_eq!(metadata(&json!({ NAME: methods })).client_authentication, expected, "{methods}");
    }
    for methods in [json!(["private_key_jwt"]), json!(["none"]), json!([]), json!("client_secret_post")] {
        assert_eq!(parse_metadata(&json!({ NAME: methods })), Err(OidcError::Metadata(NAME)), "{methods}");
    }
}

#[test]
fn algorithms_are_those_that_both_sides_accept() {
    const NAME: &str = "id_token_signing_alg_values_supported";
    let provider = metadata(&json!({ NAME: ["none", "HS256", "ES256", "RS512", "ES512"] }));
    assert_eq!(provider.algorithms, [SigningAlgorithm::Es256, SigningAlgorithm::Rs512]);
    for algorithms in [json!(["none"]), json!(["HS256", "HS384", "HS512"]), json!(["ES512"])] {
        assert_eq!(parse_metadata(&json!({ NAME: algorithms })), Err(OidcError::Metadata(NAME)), "{algorithms}");
    }
}

#[test]
fn malformed_documents_are_refused() {
    let document = metadata_json(&json!({})).to_string();
    let start = document.strip_suffix('}').unwrap();
    let repeated = format!(r#"{start},"issuer":"{ISSUER}"}}"#);
    let repeated_inside = format!(r#"{start},"x":{{"a":1,"a":2}}}}"#);
    let deep = format!(r#"{start},"x":{}{}}}"#, "[".repeat(20), "]".repeat(20));
    let long = format!(r#"{start},"x":"{}"}}"#, "x".repeat(64 * 1024));
    for json in ["", "[]", "null", "<html></html>", start, &repeated, &repeated_inside, &deep, &long] {
        let result = ProviderMetadata::parse(json.as_bytes(), ISSUER);
        assert_eq!(result, Err(OidcError::MalformedMetadata), "{}", json.get(..80).unwrap_or(json));
    }
}
