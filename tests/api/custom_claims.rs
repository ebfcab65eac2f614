//! `ACCESS_TOKEN_CLAIMS`: further claims of access tokens.

use hallpass::config::{CustomClaims, Settings};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};

use crate::support::{
    TestServer, decode_part,
    passkeys::{add, authenticator, change_user, log_in_with, truth},
    password_of,
    provider::{self, with_provider},
};

const HASURA: &str = r#"{"https://hasura.io/jwt/claims": {"x-hasura-user-id": "$id",
    "x-hasura-default-role": {"$role": [{"admin": "manager"}, "user"]},
    "x-hasura-allowed-roles": {"$roles": {"admin": "manager", "user": "user"}}}}"#;
const POSTGREST: &str = r#"{"role": {"$role": [{"admin": "web_admin"}, {"user": "web_user"}], "$else": "web_anon"}}"#;
const KUBERNETES: &str = r#"{"groups": {"$roles": {"admin": "admins", "user": "developers"}}}"#;

fn read(json: &str) -> Result<CustomClaims, String> {
    read_with(json, "admin,user")
}

fn read_with(json: &str, roles: &str) -> Result<CustomClaims, String> {
    let variables = [("ACCESS_TOKEN_CLAIMS", json), ("ROLES", roles), ("DEFAULT_ROLES", "user")];
    let settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    settings.map(|settings| settings.tokens.claims).map_err(|mistakes| mistakes.0.join("; "))
}

async fn with_claims(json: &str) -> TestServer {
    let claims = read(json).unwrap();
    TestServer::with(|settings| settings.tokens.claims = claims).await
}

/// The claims of an access token.
fn claims_of(token: &Value) -> Value {
    decode_part(token.as_str().unwrap().split('.').nth(1).unwrap())
}

/// The claims after a sign-in.
async fn signed_in(server: &TestServer, username: &str) -> Value {
    claims_of(&server.anonymous().login(username, &password_of(username)).await.data("/login/accessToken"))
}

#[tokio::test]
async fn hasura_gets_the_id_and_allowed_roles_with_one_of_them_as_default() {
    let server = with_claims(HASURA).await;
    server.user("ada").await;
    server.set_roles("ada", &["admin", "user"]).await;
    let claims = signed_in(&server, "ada").await;
    let expected = json!({
        "x-hasura-user-id": claims["sub"],
        "x-hasura-default-role": "manager",
        "x-hasura-allowed-roles": ["manager", "user"],
    });
    assert_eq!(claims["https://hasura.io/jwt/claims"], expected);
}

#[tokio::test]
async fn first_listed_role_counts_and_otherwise_the_alternative() {
    let server = with_claims(POSTGREST).await;
    server.administrator("grace").await;
    server.user("ada").await;
    for (roles, role) in [(&["admin", "user"][..], "web_admin"), (&["user"], "web_user"), (&[], "web_anon")] {
        server.set_roles("ada", roles).await;
        assert_eq!(signed_in(&server, "ada").await["role"], role);
    }
}

#[tokio::test]
async fn groups_are_the_mapped_roles_only() {
    let server = with_claims(KUBERNETES).await;
    server.user("ada").await;
    assert_eq!(signed_in(&server, "ada").await["groups"], json!(["developers"]));
    server.set_roles("ada", &[]).await;
    assert_eq!(signed_in(&server, "ada").await["groups"], json!([]));
}

#[tokio::test]
async fn every_way_to_a_token_adds_the_claims() {
    let claims = read(r#"{"tenant": "acme"}"#).unwrap();
    let (server, provider) = with_provider(|settings| settings.tokens.claims = claims).await;
    let (_, refresh_token) = server.app_user("bob").await;
    let password = password_of("bob");
    let login = server.anonymous().login("bob", &password).await.data("/login/accessToken");
    let refresh = "mutation($input: RefreshTokenInput) { refreshToken(input: $input) { accessToken } }";
    let input = json!({ "input": { "refreshToken": refresh_token } });
    let refreshed = server.anonymous().graphql(refresh, input).await.data("/refreshToken/accessToken");
    let form = format!("grant_type=password&username=bob&password={}", password.replace(' ', "+"));
    let oauth = server.anonymous().form("/token", form).await.json();
    let form = format!("grant_type=refresh_token&refresh_token={}", oauth["refresh_token"].as_str().unwrap());
    let oauth_refreshed = server.anonymous().form("/token", form).await.json();
    let rest = server.anonymous().json("/login", json!({ "username": "bob", "password": password })).await.json();
    let ada = server.user("ada").await;
    let registered = Value::from(ada.bearer.clone().unwrap());
    let mut authenticator = authenticator();
    add(&ada, &mut authenticator).await;
    let passkey = log_in_with(&server, &mut authenticator, truth).await.data("/finishPasskeyLogin/accessToken");
    let other = provider::with(provider::ada(), &json!({ "sub": "carol", "email": "carol@example.org" }));
    let carol = provider::signed_in(&server, &provider::sign_in(&server, &provider, other).await);
    let carol = Value::from(carol.bearer.unwrap());
    for (way, token) in [
        ("login", &login),
        ("refresh", &refreshed),
        ("token endpoint", &oauth["access_token"]),
        ("refresh at the token endpoint", &oauth_refreshed["access_token"]),
        ("REST", &rest["access_token"]),
        ("registration", &registered),
        ("passkey", &passkey),
        ("provider", &carol),
    ] {
        assert_eq!(claims_of(token)["tenant"], "acme", "{way}");
    }
}

#[tokio::test]
async fn address_is_a_claim_only_if_it_is_verified() {
    let server = with_claims(r#"{"email": "$email", "https://example.org/": {"mail": "$email"}}"#).await;
    server.user_at("ada", "ada@example.org").await;
    let claims = signed_in(&server, "ada").await;
    assert_eq!((claims.get("email"), &claims["https://example.org/"]), (None, &json!({})));
    let now = server.app.clock.now();
    change_user(&server, |user| user.email_verified_at = Set(Some(now))).await;
    let claims = signed_in(&server, "ada").await;
    assert_eq!(claims["email"], "ada@example.org");
    assert_eq!(claims["https://example.org/"]["mail"], "ada@example.org");
}

#[tokio::test]
async fn fields_without_a_value_are_omitted() {
    let server =
        with_claims(r#"{"name": "$name", "given": "$first_name", "family": "$last_name", "n": 7, "on": true}"#).await;
    server.user("ada").await;
    let claims = signed_in(&server, "ada").await;
    assert_eq!((claims.get("name"), claims.get("given"), claims.get("family")), (None, None, None));
    assert_eq!((&claims["n"], &claims["on"]), (&json!(7), &json!(true)));
    change_user(&server, |user| user.last_name = Set(Some("Lovelace".to_owned()))).await;
    let claims = signed_in(&server, "ada").await;
    assert_eq!(
        (&claims["name"], claims.get("given"), &claims["family"]),
        (&json!("Lovelace"), None, &json!("Lovelace"))
    );
}

#[tokio::test]
async fn restricted_sessions_have_no_custom_claims() {
    let claims = read(r#"{"tenant": "acme", "role": {"$role": ["user"], "$else": "guest"}}"#).unwrap();
    let server = TestServer::with(|settings| {
        settings.tokens.claims = claims;
        settings.registration.mfa_required_roles = vec!["admin".to_owned()];
    })
    .await;
    server.created("ada").await;
    server.set_roles("ada", &["admin"]).await;
    let input = json!({ "username": "ada", "password": password_of("ada") });
    let login = server.anonymous().json("/login", input).await.json();
    let claims = claims_of(&login["access_token"]);
    assert_eq!((claims.get("tenant"), claims.get("role")), (None, None));
    assert_eq!(claims["roles"], json!([]));
}

#[tokio::test]
async fn largest_tokens_are_accepted() {
    let long = (1..16).map(|n| format!("{n:02}{}", "r".repeat(48)));
    let roles: Vec<String> = std::iter::once("user".to_owned()).chain(long).collect();
    let filler = "x".repeat(1600);
    let claims = read_with(&format!(r#"{{"groups": "$roles", "filler": "{filler}"}}"#), &roles.join(",")).unwrap();
    let server = TestServer::with(|settings| {
        settings.registration.roles = roles.clone();
        settings.tokens.claims = claims;
    })
    .await;
    server.created("ada").await;
    server.set_roles("ada", &roles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ada = server.signed_in("ada").await;
    assert!(ada.bearer.as_ref().unwrap().len() > 4_500);
    assert_eq!(ada.me().await.data("/me/username"), "ada");
}

#[test]
fn claims_of_hallpass_cannot_be_replaced() {
    let token = "iss sub aud exp nbf iat jti sid gen client_id roles preferred_username auth_time acr amr scope cnf act azp \
                 email_verified";
    for name in token.split_whitespace() {
        let mistake = read(&format!(r#"{{"{name}": "$id"}}"#)).unwrap_err();
        assert!(mistake.contains("only Hallpass may set"), "{mistake}");
    }
}

#[tokio::test]
async fn every_claim_of_a_token_is_reserved() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for name in signed_in(&server, "ada").await.as_object().unwrap().keys() {
        assert!(read(&format!(r#"{{"{name}": "x"}}"#)).is_err(), "{name}");
    }
}

#[test]
fn mistakes_are_reported_at_start() {
    let too_large = format!(r#"{{"a": "{}"}}"#, "x".repeat(2_600));
    for (json, part) in [
        ("{", "expected JSON"),
        (r#"["a"]"#, "expected a JSON object"),
        ("{}", "at least one claim"),
        (r#"{"a": null}"#, "expected JSON"),
        (r#"{"a": 1.5}"#, "expected JSON"),
        (r#"{"a": 18446744073709551615}"#, "too large"),
        (r#"{"a": "$password"}"#, r#""a": expected $id, $username"#),
        (r#"{"a": ["x"]}"#, r#""a": expected no list"#),
        (r#"{"a": {}}"#, r#""a": expected at least one claim"#),
        (r#"{"a": {"b": {"c": "x"}}}"#, r#""a / b": expected no further object"#),
        (r#"{"a": "x", "a": "y"}"#, r#""a": expected each claim once"#),
        (r#"{"$a": "x"}"#, "expected the name of a claim"),
        (r#"{"": "x"}"#, "expected the name of a claim"),
        (r#"{"email": "$name"}"#, r#""email" must be "$email""#),
        (r#"{"a": {"$roles": {"root": "x"}}}"#, r#"expected only ROLES, got "root""#),
        (r#"{"a": {"$role": ["root"]}}"#, r#"expected only ROLES, got "root""#),
        (r#"{"a": {"$role": ["user", {"user": "x"}]}}"#, r#"got "user" twice"#),
        (r#"{"a": {"$role": []}}"#, "at least one role"),
        (r#"{"a": {"$role": ["user"], "b": "x"}}"#, "expected {\"$roles\""),
        (r#"{"a": {"$role": ["user"], "$else": "$id"}}"#, "expected {\"$roles\""),
        (r#"{"a": {"$roles": {"user": "$id"}}}"#, "expected {\"$roles\""),
        (&too_large, "at most 2560 bytes"),
        (r#"{"a": "$name", "b": "$email", "c": "$name"}"#, "at most 2560 bytes"),
    ] {
        let mistake = read(json).expect_err(json);
        assert!(mistake.starts_with("ACCESS_TOKEN_CLAIMS: ") && mistake.contains(part), "{json}: {mistake}");
    }
}

#[tokio::test]
async fn openid_configuration_is_the_authorization_server_metadata() {
    let server = TestServer::start().await;
    let metadata = server.anonymous().get("/.well-known/oauth-authorization-server").await;
    let alias = server.anonymous().get("/.well-known/openid-configuration").await;
    assert_eq!((alias.status, alias.json()), (metadata.status, metadata.json()));
    assert_eq!(alias.json().get("authorization_endpoint"), None);
}
