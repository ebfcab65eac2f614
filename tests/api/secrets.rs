//! Misplaced input is not repeated in responses or in the log.

use crate::support::{TestServer, json, logged};

#[tokio::test]
async fn misplaced_password_is_not_echoed() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let secret = "hunter2_kQ9";
    // The secret is in the place of a value, or where parsing fails.
    let documents = [
        format!(r#"mutation {{ login(input: {{username: "ada", password: "{secret}) {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: {{username: "ada", password: "{secret}"}} {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: {{username: "ada", password: {secret}}}) {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: "{secret}") {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: ["{secret}"]) {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: {{username: 7, password: "{secret}"}}) {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: {{username: "ada", password: ["{secret}"]}}) {{ tokenType }} }}"#),
        format!("{{ me @skip(if: \"{secret}\") {{ id }} }}"),
        format!("{{ me @skip(if: {secret}) {{ id }} }}"),
        format!("query($x: Int = \"{secret}\") {{ me @skip(if: $x) {{ id }} }}"),
        format!("query($x: Boolean = {secret}) {{ me @skip(if: $x) {{ id }} }}"),
        format!("{{ __type(name: {secret}) {{ name }} }}"),
        format!("\"{secret}\" {{ me }}"),
        format!("{{ me {{ id }} }} {secret}"),
        format!(
            r#"mutation {{ login(input: {{username: "ada", password: "x", tokenDelivery: {secret}}}) {{ tokenType }} }}"#
        ),
        format!(
            r#"mutation {{ login(input: {{username: "ada", password: "x", tokenDelivery: "{secret}"}}) {{ tokenType }} }}"#
        ),
        format!("query($x: TokenDelivery = {secret}) {{ me {{ id }} }}"),
        format!("{{ __type(name: [\"{secret}\", \"{secret}\"]) {{ name }} }}"),
    ];
    // The secret is in the place of a name. Errors may repeat it, but the log must not.
    let names = [
        format!(r#"mutation {{ login(input: {{username: "ada", password: "x", {secret}: 1}}) {{ tokenType }} }}"#),
        format!(r#"mutation {{ login(input: {{username: "ada", password: "x"}}, {secret}: 1) {{ tokenType }} }}"#),
        format!("{{ me {{ {secret} }} }}"),
        format!("{{ {secret} {{ id }} }}"),
        format!("{{ me {{ ...{secret} }} }}"),
        format!("{{ me {{ ... on {secret} {{ id }} }} }}"),
        format!("{{ me @{secret} {{ id }} }}"),
        format!("query(${secret}: Int) {{ me {{ id }} }}"),
        format!("query($x: {secret}) {{ me {{ id }} }}"),
        format!("query($x: [{secret}!]!) {{ me {{ id }} }}"),
        format!("{{ me(x: ${secret}) {{ id }} }}"),
        format!("fragment {secret} on User {{ id }} query {{ me {{ id }} }}"),
        format!("query {secret} {{ me }} query {secret} {{ me }}"),
        format!("{{ me {{ {secret}: id {secret}: username }} }}"),
        format!("mutation {{ {secret}: login(input: {{}}) {{ tokenType }} }}"),
    ];
    let mut ids = Vec::new();
    for document in &documents {
        let answer = actor.query(document).await;
        assert!(answer.json()["errors"].is_array(), "{document}: {answer:?}");
        assert!(!answer.text.contains(secret), "{document}: {}", answer.text);
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    for document in &names {
        let answer = actor.query(document).await;
        assert!(answer.json()["errors"].is_array(), "{document}: {answer:?}");
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    let login = "mutation($input: LoginInput!) { login(input: $input) { tokenType } }";
    for variables in [
        json!({ "input": secret }),
        json!({ "input": [secret] }),
        json!({ "input": { "username": "ada", "password": [secret] } }),
        json!({ "input": { "username": "ada", "password": { secret: secret } } }),
        json!({ "input": { "username": "ada", "password": "x", secret: secret } }),
        json!({ "input": { "username": secret } }),
        json!({ "input": { "username": secret, "password": secret } }),
        json!({ "input": { "username": format!("{secret}\u{0}"), "password": secret } }),
    ] {
        let answer = actor.graphql(login, variables).await;
        assert!(answer.json()["errors"].is_array());
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    for (register, password) in [("ada", secret), (secret, "x"), ("b\u{0}", secret)] {
        let input = json!({ "username": register, "password": password, "email": secret, "firstName": format!("\u{0}{secret}") });
        let answer = actor.register(input).await;
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    let unparsable = actor.post(format!("{{\"query\": \"{secret}")).await;
    assert!(!unparsable.text.contains(secret));
    let bearer = actor.with_bearer(secret).me().await;
    assert!(!bearer.text.contains(secret));
    actor
        .get(&format!("/graphql?query={{{secret}}}&access_token={secret}").replace('{', "%7B").replace('}', "%7D"))
        .await;

    assert!(ids.iter().all(|id| !logged(id).is_empty()));
    assert_eq!(logged(secret), Vec::<String>::new());
}

#[tokio::test]
async fn passwords_and_tokens_are_not_stored_or_logged() {
    let server = TestServer::start().await;
    let password = "swordfish_Zu7x";
    let input = json!({ "username": "ada", "password": password });
    let token = server.anonymous().register(input).await.data("/register/accessToken");
    let token = token.as_str().unwrap();
    server.anonymous().login("ada", password).await.data("/login/user");
    server.anonymous().with_bearer(token).me().await.data("/me");
    let (bo, first) = server.app_user("bo").await;
    let refreshed = bo.refresh(&first).await.data("/refreshToken/refreshToken");
    bo.refresh(&format!("{first}x")).await.code();
    bo.refresh_by_cookie().await.code();
    bo.logout(json!({ "refreshToken": refreshed })).await.data("/logout");
    bo.refresh(refreshed.as_str().unwrap()).await.code();
    // Only the signature is secret; the log of another test may contain the rest.
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let secrets = [password.to_owned(), signature(token), signature(&first), signature(refreshed.as_str().unwrap())];
    for secret in &secrets {
        assert_eq!(logged(secret), Vec::<String>::new());
    }
    if let hallpass::config::DatabaseUrl::Sqlite(path) = server.database.url() {
        for suffix in ["", "-wal"] {
            let file = std::fs::read(format!("{}{suffix}", path.display())).unwrap();
            let holds = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!secrets.iter().any(|secret| holds(secret)), "{suffix}");
        }
    }
}

#[tokio::test]
async fn characters_a_database_rejects_are_a_client_error() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let long = "x".repeat(15_000);
    let bodies =
        ["\\u0000", "\\ud800", "\\udfff\\ud800", "a\\u0000b", &long, "\\uffff", "\u{202e}", "'; DROP TABLE users; --"];
    for text in bodies {
        for field in ["username", "email", "firstName", "lastName"] {
            let mut input = serde_json::Map::new();
            for (name, value) in [("username", "somebody"), ("password", "correct horse"), (field, "@")] {
                input.insert(name.to_owned(), json!(value));
            }
            let input = serde_json::Value::Object(input).to_string().replace("\"@\"", &format!("\"{text}\""));
            let query = json!(crate::support::REGISTER);
            let answer = actor.post(format!(r#"{{"query":{query},"variables":{{"input":{input}}}}}"#)).await;
            if let Some(errors) = answer.json()["errors"].as_array() {
                for error in errors {
                    let code = error["extensions"]["code"].as_str().unwrap();
                    assert!(
                        !["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"].contains(&code),
                        "{field} {text:.20}: {error}"
                    );
                }
            }
        }
        for literal in [text, "\\uD800", "\\u{110000}"] {
            let document = format!(
                r#"mutation {{ login(input: {{username: "{literal}", password: "{literal}"}}) {{ tokenType }} }}"#
            );
            let code = actor.query(&document).await.code();
            assert!(
                ["INVALID_CREDENTIALS", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"].contains(&code.as_str()),
                "{code} for {literal:.20}"
            );
        }
    }
}
