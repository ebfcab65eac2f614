use chrono::TimeDelta;

use crate::support::{TestServer, json};

const SERVER_INFO: &str = "{ serverInfo { registrationEnabled emailRequired emailVerificationRequired mailEnabled accessTokenLifetime refreshTokenLifetime \
    passwordPolicy { minLength maxLength } usernamePolicy { minLength maxLength pattern } } }";

#[tokio::test]
async fn server_info_describes_the_registration_form() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.is_enabled = false;
        settings.tokens.access_lifetime = TimeDelta::minutes(5);
        settings.tokens.refresh_lifetime = TimeDelta::days(1);
    })
    .await;
    assert_eq!(
        server.anonymous().query(SERVER_INFO).await.data("/serverInfo"),
        json!({
            "registrationEnabled": false, "emailRequired": true, "emailVerificationRequired": false, "mailEnabled": true,
            "accessTokenLifetime": 300, "refreshTokenLifetime": 86400,
            "passwordPolicy": { "minLength": 8, "maxLength": 128 },
            "usernamePolicy": { "minLength": 1, "maxLength": 64, "pattern": "[A-Za-z0-9_][A-Za-z0-9_\\-]*" },
        })
    );
}

#[tokio::test]
async fn server_info_is_cacheable_but_user_data_is_not() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let server_info = "/graphql?query=%7BserverInfo%7BregistrationEnabled%7D%7D";
    let with_me = "/graphql?query=%7BserverInfo%7BregistrationEnabled%7D%20me%7Bid%7D%7D";
    let cached = server.anonymous().get(server_info).await;
    assert_eq!(cached.header("cache-control"), Some("max-age=300"));
    for answer in [
        ada.get(server_info).await,
        ada.get(with_me).await,
        server.anonymous().get(with_me).await,
        server.anonymous().query(SERVER_INFO).await,
        server.anonymous().get("/graphql?query=%7Bnothing%7D").await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    }
}

#[tokio::test]
async fn server_info_warns_of_development_mode() {
    let server = TestServer::start().await;
    assert!(server.anonymous().query("{ serverInfo { hint } }").await.data("/serverInfo/hint").is_null());
    let server = TestServer::with(|settings| settings.server.is_development = true).await;
    let hint = server.anonymous().query("{ serverInfo { hint } }").await.data("/serverInfo/hint");
    assert!(hint.as_str().unwrap().contains("DEVELOPMENT=true"), "{hint}");
}
