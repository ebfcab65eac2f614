//! GitHub's profiles and addresses.

use hallpass::security::oidc::{
    EmailVerification, Identity, OidcError,
    github::{Endpoints, GITHUB, identity},
};
use serde_json::{Value, json};

fn parse(user: &Value, emails: &Value) -> Result<Identity, OidcError> {
    identity(GITHUB, user.to_string().as_bytes(), emails.to_string().as_bytes())
}

fn user() -> Value {
    json!({ "id": 583_231, "login": "octocat", "name": "The Octocat", "email": "shown@example.org", "plan": { "x": 1 } })
}

fn email(address: &str, is_primary: bool, is_verified: bool) -> Value {
    json!({ "email": address, "primary": is_primary, "verified": is_verified, "visibility": null })
}

fn address_of(emails: &Value) -> Option<String> {
    parse(&user(), emails).unwrap().email.map(|email| email.address)
}

#[test]
fn subject_is_the_number_of_the_user() {
    let identity = parse(&user(), &json!([])).unwrap();
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), ("https://github.com", "583231"));
    assert_eq!(identity.username.as_deref(), Some("octocat"));
    assert_eq!(identity.full_name.as_deref(), Some("The Octocat"));
}

#[test]
fn user_without_a_number_is_refused() {
    for id in [json!("583231"), json!(0), json!(-1), json!(1.5), Value::Null, json!([1])] {
        let mut user = user();
        user["id"] = id.clone();
        assert_eq!(parse(&user, &json!([])), Err(OidcError::MalformedProfile), "{id}");
    }
}

#[test]
fn address_is_the_primary_one_if_it_is_verified() {
    let emails = json!([
        email("old@example.org", false, true),
        email("ada@example.org", true, true),
        email("new@example.org", false, false),
    ]);
    let found = parse(&user(), &emails).unwrap().email.unwrap();
    assert_eq!((found.address.as_str(), found.verification), ("ada@example.org", EmailVerification::Verified));
    assert_eq!(found.trusted(true), Some("ada@example.org"));
}

#[test]
fn other_addresses_are_not_used() {
    let verified = json!({ "email": "ada@example.org", "primary": true, "verified": "true" });
    let primary = json!({ "email": "ada@example.org", "primary": 1, "verified": true });
    let nameless = json!({ "primary": true, "verified": true });
    for entry in [
        email("ada@example.org", true, false),
        email("ada@example.org", false, true),
        email("583231+octocat@users.noreply.github.com", true, true),
        verified,
        primary,
        nameless,
        json!({ "email": "ada@example.org" }),
    ] {
        assert_eq!(address_of(&json!([entry])), None, "{entry}");
    }
}

#[test]
fn malformed_answers_are_refused() {
    for json in ["", "[]", "{}", r#"{"id":1,"id":2}"#, r#"{"message":"Bad credentials"}"#] {
        assert_eq!(identity(GITHUB, json.as_bytes(), b"[]"), Err(OidcError::MalformedProfile), "{json}");
    }
    for json in ["", "{}", "[1]", "null", r#"[{"email":"a","email":"b"}]"#, r#"{"message":"Not Found"}"#] {
        let result = identity(GITHUB, user().to_string().as_bytes(), json.as_bytes());
        assert_eq!(result, Err(OidcError::MalformedProfile), "{json}");
    }
}

#[test]
fn endpoints_are_those_of_github_or_of_an_enterprise_server() {
    let github = Endpoints::at(GITHUB).unwrap();
    assert_eq!(github.authorization.as_str(), "https://github.com/login/oauth/authorize");
    assert_eq!(github.token.as_str(), "https://github.com/login/oauth/access_token");
    assert_eq!(github.user.as_str(), "https://api.github.com/user");
    assert_eq!(github.emails.as_str(), "https://api.github.com/user/emails?per_page=100");
    let server = Endpoints::at("https://git.example.org").unwrap();
    assert_eq!(server.token.as_str(), "https://git.example.org/login/oauth/access_token");
    assert_eq!(server.user.as_str(), "https://git.example.org/api/v3/user");
    assert!(Endpoints::at("http://localhost:4000").is_some());
    assert_eq!(Endpoints::at("http://git.example.org"), None);
}
