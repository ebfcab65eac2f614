//! Authorization requests.

use hallpass::security::oidc::{AuthorizationRequest, s256_challenge};
use url::Url;

fn request<'a>(endpoint: &'a Url, scopes: &'a [String]) -> AuthorizationRequest<'a> {
    AuthorizationRequest {
        endpoint,
        client_id: "hall&pass",
        redirect_uri: "https://accounts.example.org/auth/acme/callback",
        scopes,
        state: "the state",
        nonce: Some("the nonce"),
        code_challenge: "the challenge",
    }
}

fn query(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

#[test]
fn address_has_each_parameter_once() {
    let endpoint = Url::parse("https://id.example.org/authorize").unwrap();
    let url = request(&endpoint, &["openid".into(), "email".into()]).url();
    assert!(url.as_str().starts_with("https://id.example.org/authorize?response_type=code&"));
    let expected = [
        ("response_type", "code"),
        ("client_id", "hall&pass"),
        ("redirect_uri", "https://accounts.example.org/auth/acme/callback"),
        ("scope", "openid email"),
        ("state", "the state"),
        ("code_challenge", "the challenge"),
        ("code_challenge_method", "S256"),
        ("nonce", "the nonce"),
    ];
    assert_eq!(query(&url), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn query_of_the_endpoint_is_kept() {
    let endpoint = Url::parse("https://id.example.org/authorize?tenant=1&p=a%26b").unwrap();
    let pairs = query(&request(&endpoint, &[]).url());
    assert_eq!(pairs[..2], [("tenant".into(), "1".into()), ("p".into(), "a&b".into())]);
    assert_eq!(pairs.len(), 10);
}

#[test]
fn provider_without_id_tokens_gets_no_nonce() {
    let endpoint = Url::parse("https://github.com/login/oauth/authorize").unwrap();
    let url = AuthorizationRequest { nonce: None, ..request(&endpoint, &[]) }.url();
    assert!(!query(&url).iter().any(|(name, _)| name == "nonce"));
}

/// RFC 7636, appendix B.
#[test]
fn challenge_is_that_of_the_standard() {
    let challenge = s256_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}
