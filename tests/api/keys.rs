use chrono::TimeDelta;
use hallpass::{
    config::{JwtAlgorithm, SecretKey, Settings},
    security::{access_token::KeyState, key_files},
};
use serde_json::Value;

use crate::support::{Answer, KeyFolder, TestServer, decode_part, json, password_of, start_of_time};

const KEY_PAIRS: [JwtAlgorithm; 3] = [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];

/// A server that signs with the keys in a folder.
fn signing_with(keys: &KeyFolder, algorithm: JwtAlgorithm) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.tokens.jwt_algorithm = algorithm;
        settings.tokens.jwt_keys = Some(keys.path().to_owned());
    }
}

async fn jwks(server: &TestServer) -> Answer {
    server.anonymous().get("/.well-known/jwks.json").await
}

fn kids(jwks: &Answer) -> Vec<String> {
    jwks.json()["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn header_of(token: &str) -> Value {
    decode_part(token.split('.').next().unwrap())
}

async fn access_token(server: &TestServer, username: &str) -> String {
    let answer = server.anonymous().login(username, &password_of(username)).await;
    answer.data("/login/accessToken").as_str().unwrap().to_owned()
}

#[tokio::test]
async fn jwks_has_key_ids_and_no_private_keys() {
    for algorithm in KEY_PAIRS {
        let keys = KeyFolder::new();
        key_files::generate(keys.path(), algorithm, start_of_time()).unwrap();
        let server = TestServer::with(signing_with(&keys, algorithm)).await;
        let token = server.user("ada").await.bearer.unwrap();

        let jwks = jwks(&server).await;
        assert_eq!(jwks.header("content-type"), Some("application/jwk-set+json"));
        assert_eq!(jwks.header("cache-control"), Some("public, max-age=900"));
        let key = jwks.json()["keys"][0].clone();
        let members: Vec<String> = key.as_object().unwrap().keys().cloned().collect();
        let (kty, parts): (_, &[&str]) = match algorithm {
            JwtAlgorithm::Rs256 => ("RSA", &["alg", "e", "kid", "kty", "n", "use"]),
            JwtAlgorithm::Es256 => ("EC", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
            _ => ("OKP", &["alg", "crv", "kid", "kty", "use", "x"]),
        };
        assert_eq!(members, parts);
        assert_eq!((&key["kty"], &key["use"]), (&json!(kty), &json!("sig")));
        assert_eq!(key["alg"], algorithm.to_string());
        assert_eq!(header_of(&token), json!({ "typ": "at+jwt", "alg": key["alg"], "kid": key["kid"] }));

        let metadata = server.anonymous().get("/.well-known/oauth-authorization-server").await;
        assert_eq!(metadata.header("content-type"), Some("application/json"));
        assert_eq!(metadata.header("cache-control"), Some("public, max-age=900"));
        let payload = decode_part(token.split('.').nth(1).unwrap());
        assert_eq!(metadata.json()["issuer"], payload["iss"]);
        assert_eq!(metadata.json()["jwks_uri"], "http://localhost:8000/.well-known/jwks.json");
    }
}

#[tokio::test]
async fn jwks_is_empty_for_hs256() {
    let server = TestServer::start().await;
    assert_eq!(jwks(&server).await.json(), json!({ "keys": [] }));
}

#[tokio::test]
async fn newest_active_key_signs_and_all_keys_verify() {
    for algorithm in KEY_PAIRS {
        let keys = KeyFolder::new();
        let now = start_of_time();
        key_files::generate(keys.path(), algorithm, now - TimeDelta::days(1)).unwrap();
        key_files::generate(keys.path(), algorithm, now + TimeDelta::minutes(10)).unwrap();
        std::fs::write(keys.path().join("notes.txt"), "not a key").unwrap();
        let server = TestServer::with(signing_with(&keys, algorithm)).await;
        // Published immediately, so that all verifiers know it before it signs.
        let [old_kid, new_kid] = &kids(&jwks(&server).await)[..] else { panic!("not two keys") };

        let ada = server.user("ada").await;
        assert_eq!(header_of(ada.bearer.as_ref().unwrap())["kid"], **old_kid);
        server.clock.advance(TimeDelta::minutes(10) - TimeDelta::microseconds(123_456));
        let new = access_token(&server, "ada").await;
        assert_eq!(header_of(&new)["kid"], **new_kid);
        ada.me().await.data("/me/id");
        ada.with_bearer(&new).me().await.data("/me/id");

        // The file of the old key is deleted and the keys are reloaded.
        let listed = server.app.access_tokens.keys(server.app.clock.now());
        assert_eq!(listed.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Signs, KeyState::Verifies]);
        let oldest = std::fs::read_dir(keys.path()).unwrap().flatten().map(|entry| entry.path());
        let oldest = oldest.filter(|path| path.extension().is_some_and(|e| e == "pem")).min().unwrap();
        std::fs::remove_file(oldest).unwrap();
        assert_eq!(server.app.reload_keys().unwrap(), 1);
        assert_eq!(ada.me().await.error()["extensions"]["reason"], "TOKEN_INVALID");
        ada.with_bearer(&new).me().await.data("/me/id");
    }
}

#[tokio::test]
async fn invalid_key_files_are_named_and_change_nothing() {
    let keys = KeyFolder::new();
    let now = start_of_time();
    key_files::generate(keys.path(), JwtAlgorithm::EdDsa, now).unwrap();
    let server = TestServer::with(signing_with(&keys, JwtAlgorithm::EdDsa)).await;
    let ada = server.user("ada").await;
    let pem = |algorithm| {
        let other = KeyFolder::new();
        std::fs::read(key_files::generate(other.path(), algorithm, now).unwrap()).unwrap()
    };
    let start = now + TimeDelta::days(1);
    let name = start.format("%Y%m%dT%H%M%SZ.pem").to_string();
    for (name, content, expected) in [
        ("mine.pem", pem(JwtAlgorithm::EdDsa), "must be named by the UTC time"),
        (&*name, pem(JwtAlgorithm::Es256), "is not a private key for EdDSA"),
        (&*name, pem(JwtAlgorithm::Rs256), "is not a private key for EdDSA"),
        (&*name, b"-----BEGIN".to_vec(), "is not a private key for EdDSA"),
        (&*name, Vec::new(), "is not a private key for EdDSA"),
    ] {
        let path = keys.path().join(name);
        std::fs::write(&path, &content).unwrap();
        let error = server.app.reload_keys().unwrap_err();
        let cause = error.cause().unwrap();
        assert!(cause.contains(expected) && cause.contains(name), "{cause}");
        ada.me().await.data("/me/id");
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(server.app.reload_keys().unwrap(), 1);
    // Without an active key, nothing can be signed.
    for file in std::fs::read_dir(keys.path()).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    key_files::generate(keys.path(), JwtAlgorithm::EdDsa, start).unwrap();
    let error = server.app.reload_keys().unwrap_err();
    assert!(error.cause().unwrap().contains("has no key that has started"), "{error:?}");
    ada.me().await.data("/me/id");
}

#[tokio::test]
async fn new_secret_keeps_sessions_while_the_old_one_is_configured() {
    let [old, new] = ["the secret of last year: 8c5e7d10aa", "the secret of this year: 1f90b3c27e"];
    let first = TestServer::with(|settings| settings.tokens.secret_key = SecretKey::Given(old.into())).await;
    let (ada, refresh_token) = first.app_user("ada").await;

    let changed = TestServer::on(first.database.clone(), |settings| {
        settings.tokens.secret_key = SecretKey::Given(new.into());
        settings.tokens.secret_key_previous = Some(old.into());
    })
    .await;
    changed.anonymous().with_bearer(ada.bearer.as_ref().unwrap()).me().await.data("/me/id");
    let answer = changed.anonymous().refresh(&refresh_token).await;
    let text = |pointer| answer.data(pointer).as_str().unwrap().to_owned();
    let (access, refresh) = (text("/refreshToken/accessToken"), text("/refreshToken/refreshToken"));

    // New tokens need only the new key.
    let rotated =
        TestServer::on(first.database.clone(), |settings| settings.tokens.secret_key = SecretKey::Given(new.into()))
            .await;
    rotated.anonymous().with_bearer(&access).me().await.data("/me/id");
    rotated.anonymous().refresh(&refresh).await.data("/refreshToken/accessToken");
    let stale = rotated.anonymous().with_bearer(ada.bearer.as_ref().unwrap()).me().await;
    assert_eq!(stale.error()["extensions"]["reason"], "TOKEN_INVALID");
    assert_eq!(rotated.anonymous().refresh(&refresh_token).await.code(), "SESSION_NOT_FOUND");
}

#[tokio::test]
async fn algorithm_change_revokes_access_tokens_only() {
    let keys = KeyFolder::new();
    key_files::generate(keys.path(), JwtAlgorithm::Es256, start_of_time()).unwrap();
    let first = TestServer::start().await;
    let (ada, refresh_token) = first.app_user("ada").await;
    let changed = TestServer::on(first.database.clone(), signing_with(&keys, JwtAlgorithm::Es256)).await;
    let stale = changed.anonymous().with_bearer(ada.bearer.as_ref().unwrap()).me().await;
    assert_eq!(stale.error()["extensions"]["reason"], "TOKEN_INVALID");
    let answer = changed.anonymous().refresh(&refresh_token).await;
    let access = answer.data("/refreshToken/accessToken");
    changed.anonymous().with_bearer(access.as_str().unwrap()).me().await.data("/me/id");
}

#[tokio::test]
async fn token_that_was_accepted_before_expires() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    ada.me().await.data("/me/id");
    server.clock.advance(server.app.access_tokens.lifetime() - TimeDelta::seconds(1));
    ada.me().await.data("/me/id");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "TOKEN_EXPIRED");
}
