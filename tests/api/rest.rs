//! The REST API, as clients of the FastAPI tutorials use it.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, header},
};
use chrono::TimeDelta;
use hallpass::{config::Settings, entity::user, security::password::PasswordHash};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, password_of};

/// Settings like the tutorials', which accept `password123`.
fn tutorial_server(settings: &mut Settings) {
    settings.passwords.blocklist = false;
}

/// The invalid fields and their messages, from a response in FastAPI's format.
fn invalid(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 422, "{answer:#?}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    let problems = body["detail"].as_array().unwrap();
    let line = |problem: &Value| {
        assert!(problem["msg"].as_str().unwrap().len() > 5, "{problem}");
        let location: Vec<&str> =
            problem["loc"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        format!("{}: {}", location.join("."), problem["type"].as_str().unwrap())
    };
    problems.iter().map(line).collect()
}

/// An error in FastAPI's format: its status and its message.
fn detail(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["status_code"], answer.status.as_u16(), "{body}");
    (answer.status.as_u16(), body["detail"].as_str().unwrap().to_owned())
}

fn error_detail(status: u16, message: &str) -> (u16, String) {
    (status, message.to_owned())
}

/// The four tests of the long tutorial's `test_main.py`, in order, against one server.
#[tokio::test]
async fn tests_of_the_tutorials_pass() {
    let server = TestServer::with(tutorial_server).await;
    let client = server.anonymous();

    // test_register
    let form = json!({ "email": "test@example.com", "username": "testuser", "password": "password123" });
    let response = client.json("/register", form).await;
    assert_eq!(response.status, 200);
    let data = response.json();
    assert_eq!(data["email"], "test@example.com");
    assert_eq!(data["username"], "testuser");
    assert!(data.get("password").is_none());

    // test_login
    let response = client.form("/token", "username=testuser&password=password123").await;
    assert_eq!(response.status, 200);
    let data = response.json();
    assert!(data.get("access_token").is_some());
    assert_eq!(data["token_type"], "bearer");

    // test_protected_route
    let token = data["access_token"].as_str().unwrap().to_owned();
    let response = client.with_bearer(&token).get("/protected").await;
    assert_eq!(response.status, 200);
    assert!(response.json().get("message").is_some());

    // test_invalid_token
    let response = client.with_bearer("invalid_token").get("/protected").await;
    assert_eq!(response.status, 401);
}

#[tokio::test]
async fn registration_login_and_current_user_work() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous();
    let form = json!({
        "username": "Ada", "password": password_of("ada"), "email": "ada@example.org", "first_name": "Ada",
        "last_name": "Lovelace", "is_admin": true, "roles": ["admin"],
    });
    let registered = anonymous.json("/register", form).await;
    assert_eq!(registered.status, 200, "{registered:#?}");
    let account = registered.json();
    let names: Vec<&String> = account.as_object().unwrap().keys().collect();
    assert_eq!(names, ["email", "id", "is_active", "username"]);
    assert_eq!((&account["username"], &account["is_active"]), (&json!("Ada"), &json!(true)));
    assert_eq!(registered.header("set-cookie"), None);

    let credentials = json!({ "username": "ada@example.org", "password": password_of("ada") });
    let signed_in = anonymous.json("/login", credentials).await;
    assert_eq!((signed_in.status.as_u16(), &signed_in.json()["token_type"]), (200, &json!("bearer")));
    assert_eq!((signed_in.header("cache-control"), signed_in.header("pragma")), (Some("no-store"), Some("no-cache")));
    let ada = anonymous.with_bearer(signed_in.json()["access_token"].as_str().unwrap());
    let by_rest = ada.get("/users/me").await;
    assert_eq!(by_rest.header("cache-control"), Some("no-store"));
    let by_graphql = ada.me().await;
    let expected = json!({
        "id": account["id"], "username": "Ada", "email": "ada@example.org", "pending_email": null, "full_name": "Ada Lovelace",
        "first_name": "Ada", "last_name": "Lovelace", "is_active": true, "disabled": false, "roles": ["user"],
        "created_at": by_graphql.data("/me/createdAt"), "updated_at": by_graphql.data("/me/updatedAt"),
        "last_login": by_graphql.data("/me/lastLoginAt"),
    });
    assert_eq!(by_rest.json(), expected);
    // Registration creates no session: the only one is from the login.
    let sessions = ada.query("{ me { sessions { isCurrent } } }").await.data("/me/sessions");
    assert_eq!(sessions, json!([{ "isCurrent": true }]));

    assert_eq!(
        ada.speaking("ru").get("/protected").await.json(),
        json!({ "message": "Привет, Ada! Это защищённый маршрут." })
    );
    assert_eq!(ada.get("/protected").await.json(), json!({ "message": "Hello, Ada! This is a protected route." }));
}

#[tokio::test]
async fn registration_without_an_email_works_as_in_the_tutorial() {
    let server = TestServer::with(tutorial_server).await;
    let anonymous = server.anonymous();
    let credentials = json!({ "username": "string", "password": "password123" });
    let registered = anonymous.json("/register", credentials.clone()).await;
    assert_eq!((registered.status.as_u16(), &registered.json()["email"]), (200, &Value::Null));
    let (_, token) = {
        let answer = anonymous.json("/login", credentials).await.json();
        (answer["access_token"].clone(), answer["refresh_token"].as_str().unwrap().to_owned())
    };
    for answer in [
        anonymous.form("/refresh", format!("refresh_token={token}")).await,
        anonymous.json("/refresh", json!({ "refresh_token": token })).await,
    ] {
        assert_eq!((answer.status.as_u16(), &answer.json()["token_type"]), (200, &json!("bearer")));
    }
}

#[tokio::test]
async fn user_of_the_tutorial_is_imported_with_the_hash() {
    let server = TestServer::start().await;
    server.user("alice").await;
    // The tutorial's example password has six characters: too short to register with, but valid for login.
    let hash = "$pbkdf2-sha256$29000$5JyzNqZ0DgFAqBWCcI4xZg$5oGdMxthUeLCI9P9qa93z6YVhyrA.OOIrJddi3SliV0";
    let row = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.password_hash = Set(PasswordHash::import(hash).unwrap());
    let transaction = server.app.write().await.unwrap();
    row.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();

    let anonymous = server.anonymous();
    let answer = anonymous.form("/token", "grant_type=password&username=alice&password=secret").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["token_type"]), (200, &json!("bearer")));
    let alice = anonymous.with_bearer(answer.json()["access_token"].as_str().unwrap()).get("/users/me").await;
    assert_eq!((&alice.json()["username"], &alice.json()["disabled"]), (&json!("alice"), &json!(false)));
    assert!(!alice.text.contains("hash"));
}

#[tokio::test]
async fn conflicts_use_the_messages_of_the_tutorials() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous().speaking("ru");
    let register = async |username: &str, email: &str| {
        anonymous.json("/register", json!({ "username": username, "email": email, "password": "correct horse" })).await
    };
    assert_eq!(register("ada", "ada@example.org").await.status, 200);
    assert_eq!(detail(&register("bo", "ADA@example.org").await), error_detail(400, "Email уже зарегистрирован"));
    assert_eq!(detail(&register("ADA", "bo@example.org").await), error_detail(400, "Имя пользователя уже занято"));
    // If both are taken, the error is about the address, as in the tutorial.
    assert_eq!(detail(&register("ada", "ada@example.org").await), error_detail(400, "Email уже зарегистрирован"));
    let closed = TestServer::with(|settings| settings.registration.is_enabled = false).await;
    let form = json!({ "username": "ada", "password": "correct horse" });
    assert_eq!(closed.anonymous().json("/register", form).await.status, 403);
}

#[tokio::test]
async fn validation_errors_match_fastapi() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous();
    for (body, expected) in [
        (json!({}), ["body.username: missing", "body.password: missing"].as_slice()),
        (json!({ "username": "ada" }), &["body.password: missing"]),
        (json!({ "username": 7, "password": ["x"] }), &["body.username: string_type", "body.password: string_type"]),
        (json!({ "username": null, "password": "correct horse" }), &["body.username: string_type"]),
        (
            json!({ "username": "ada lovelace", "password": "short", "email": "nonsense" }),
            &["body.username: value_error", "body.password: string_too_short", "body.email: value_error"],
        ),
        (
            json!({ "username": "a".repeat(65), "password": "x".repeat(129), "first_name": "x".repeat(101) }),
            &["body.username: string_too_long", "body.password: string_too_long", "body.first_name: string_too_long"],
        ),
        (json!({ "username": "", "password": "correct horse" }), &["body.username: missing"]),
        (json!({ "username": "ada", "password": "password123" }), &["body.password: value_error"]),
        (json!({ "username": "a\u{0}", "password": "correct horse" }), &["body.username: value_error"]),
        (json!({ "username": "ada", "password": "correct horse", "email": 7 }), &["body.email: string_type"]),
        (json!([]), &["body: model_attributes_type"]),
        (json!(null), &["body: model_attributes_type"]),
    ] {
        assert_eq!(invalid(&anonymous.json("/register", body.clone()).await), expected, "{body}");
    }
    let short = anonymous.speaking("ru").json("/register", json!({ "username": "ada", "password": "short" })).await;
    assert_eq!(short.json()["detail"][0]["msg"], "Пароль должен содержать минимум 8 символов");
    let missing = anonymous.speaking("ru").json("/login", json!({ "username": "ada" })).await;
    assert_eq!(missing.json()["detail"][0]["msg"], "Заполните это поле");

    for path in ["/register", "/login", "/refresh"] {
        for text in ["", "{", "nonsense", r#"{"username": "\ud800"}"#, &"[".repeat(10_000)] {
            assert_eq!(
                invalid(&anonymous.body(path, "application/json", text.to_owned()).await),
                ["body: json_invalid"]
            );
        }
        for content_type in ["text/plain", "application/xml", "application/json; charset=latin1"] {
            let answer = anonymous.body(path, content_type, r#"{"username": "ada", "password": "x"}"#).await;
            assert_eq!(invalid(&answer), ["body: json_type"], "{path} {content_type}");
        }
        let large = anonymous.body(path, "application/json", "x".repeat(16 * 1024 + 1)).await;
        assert_eq!(detail(&large).0, 413);
        let got = anonymous.get(path).await;
        assert_eq!((detail(&got), got.header("allow")), (error_detail(405, "Method Not Allowed"), Some("POST")));
    }
}

#[tokio::test]
async fn refresh_token_in_the_query_string_is_rejected() {
    let server = TestServer::start().await;
    let (_, token) = server.app_user("ada").await;
    let anonymous = server.anonymous();
    let path = format!("/refresh?refresh_token={token}");
    for answer in [anonymous.form(&path, "").await, anonymous.json(&path, json!({ "refresh_token": token })).await] {
        assert_eq!(invalid(&answer), ["query.refresh_token: value_error"]);
        assert!(!answer.text.contains(&token));
    }
    for form in ["", "refresh_token=", "token=x"] {
        assert_eq!(invalid(&anonymous.form("/refresh", form).await), ["body.refresh_token: missing"], "{form}");
    }
    for form in ["refresh_token=%ff", "refresh_token=a&refresh_token=b", "refresh_token=%00"] {
        assert_eq!(invalid(&anonymous.form("/refresh", form).await), ["body.refresh_token: value_error"], "{form}");
    }
    // The token was not used up.
    assert_eq!(anonymous.form("/refresh", format!("refresh_token={token}")).await.status, 200);
    let answer = anonymous.speaking("ru").json("/refresh", json!({ "refresh_token": "nonsense" })).await;
    assert_eq!(detail(&answer), error_detail(401, "Недействительный refresh токен"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn unauthenticated_request_gets_the_reason() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let anonymous = server.anonymous().speaking("ru");
    for path in ["/users/me", "/protected"] {
        let missing = anonymous.get(path).await;
        assert_eq!(detail(&missing), error_detail(401, "Не удалось проверить учетные данные"));
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        let invalid = anonymous.with_bearer("invalid_token").get(path).await;
        assert_eq!(detail(&invalid), error_detail(401, "Неверный токен"));
        assert_eq!(invalid.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
        // Another scheme counts as no token.
        let basic = anonymous.with_header("authorization", "Basic YWRhOmFkYQ==").get(path).await;
        assert_eq!(detail(&basic), error_detail(401, "Не удалось проверить учетные данные"));
    }
    let credentials = json!({ "username": "ada", "password": "not the password" });
    let wrong = anonymous.json("/login", credentials).await;
    assert_eq!(detail(&wrong), error_detail(401, "Неверное имя пользователя или пароль"));
    assert_eq!((wrong.header("www-authenticate"), &wrong.json()["error"]), (Some("Bearer"), &json!("invalid_grant")));

    server.clock.advance(TimeDelta::minutes(30));
    let expired = ada.speaking("ru").get("/users/me").await;
    assert_eq!(detail(&expired), error_detail(401, "Токен истёк"));
}

#[tokio::test]
async fn disabled_account_is_reported_only_with_the_correct_password() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    server.disable("ada").await;
    let ada = ada.speaking("ru");
    assert_eq!(detail(&ada.get("/users/me").await), error_detail(400, "Неактивный пользователь"));
    assert_eq!(detail(&ada.get("/protected").await), error_detail(400, "Неактивный пользователь"));
    let refreshed = ada.json("/refresh", json!({ "refresh_token": token })).await;
    assert_eq!(detail(&refreshed), error_detail(400, "Неактивный пользователь"));
    let login = async |password: &str| ada.json("/login", json!({ "username": "ada", "password": password })).await;
    assert_eq!(detail(&login(&password_of("ada")).await), error_detail(400, "Неактивный пользователь"));
    assert_eq!(detail(&login("not the password").await), error_detail(401, "Неверное имя пользователя или пароль"));
    // GraphQL still reports the exact reason.
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
}

async fn put(actor: &Actor, body: Value) -> Answer {
    let request = actor.request(Method::PUT, "/users/me").header(header::CONTENT_TYPE, "application/json");
    actor.send(request.body(body.to_string().into()).unwrap()).await
}

async fn delete(actor: &Actor, body: &str) -> Answer {
    let request = actor.request(Method::DELETE, "/users/me").header(header::CONTENT_TYPE, "application/json");
    actor.send(request.body(body.to_owned().into()).unwrap()).await
}

/// Asserts that an update of all fields fails with this status, changes nothing and sends no mail.
async fn assert_nothing_changes(server: &TestServer, ada: &Actor, form: Value, status: u16) {
    let mails = server.mails_to("ada@new.example").await.len();
    assert_eq!(put(ada, form).await.status, status);
    let me = ada.query("{ me { username firstName pendingEmail } }").await;
    assert_eq!(me.data("/me"), json!({ "username": "ada", "firstName": null, "pendingEmail": null }));
    assert_eq!(server.mails_to("ada@new.example").await.len(), mails);
}

#[tokio::test]
async fn taken_username_leaves_the_email_unchanged() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    server.user("bo").await;
    let form = json!({ "username": "bo", "first_name": "Ada", "email": "ada@new.example" });
    assert_nothing_changes(&server, &ada, form, 400).await;
}

#[tokio::test]
async fn invalid_email_leaves_the_names_unchanged() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let form = json!({ "username": "countess", "first_name": "Ada", "email": "nowhere" });
    assert_nothing_changes(&server, &ada, form, 422).await;
}

#[tokio::test]
async fn mail_limit_leaves_the_names_unchanged() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    // The registration mail was the first of ten.
    for number in 1..10 {
        ada.change_email(json!({ "newEmail": format!("ada{number}@new.example") })).await.data("/changeEmail");
    }
    ada.graphql("mutation { cancelEmailChange { user { id } } }", json!({})).await.data("/cancelEmailChange");
    let form = json!({ "username": "countess", "first_name": "Ada", "email": "ada@new.example" });
    assert_nothing_changes(&server, &ada, form, 429).await;
}

#[tokio::test]
async fn names_and_email_change_together() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let changed = put(&ada, json!({ "username": "countess", "first_name": "Ada", "email": "ada@new.example" })).await;
    assert_eq!((&changed.json()["username"], &changed.json()["first_name"]), (&json!("countess"), &json!("Ada")));
    assert_eq!(ada.query("{ me { pendingEmail } }").await.data("/me/pendingEmail"), "ada@new.example");
    server.token_to("ada@new.example").await;
}

#[tokio::test]
async fn only_given_fields_change() {
    let server = TestServer::start().await;
    let form =
        json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org", "first_name": "Ada" });
    assert_eq!(server.anonymous().json("/register", form).await.status, 200);
    server.user("bo").await;
    let token = server.anonymous().token("ada", &password_of("ada")).await.json()["access_token"].clone();
    let ada = server.anonymous().speaking("ru").with_bearer(token.as_str().unwrap());
    let before = ada.get("/users/me").await.json();
    assert_eq!(put(&ada, json!({})).await.json(), before);

    server.clock.advance(TimeDelta::minutes(1));
    let changed = put(&ada, json!({ "last_name": "Lovelace", "is_active": false, "roles": ["admin"] })).await;
    assert_eq!(changed.status, 200, "{changed:#?}");
    assert_eq!(changed.json(), ada.get("/users/me").await.json());
    let mut expected = before.clone();
    expected["last_name"] = json!("Lovelace");
    expected["full_name"] = json!("Ada Lovelace");
    expected["updated_at"] = changed.json()["updated_at"].clone();
    assert!(changed.json() == expected && expected["updated_at"] != before["updated_at"]);
    assert_eq!(put(&ada, json!({ "first_name": null, "username": "Countess" })).await.json()["full_name"], "Lovelace");

    // The tutorials have no message for this case.
    assert_eq!(detail(&put(&ada, json!({ "username": "BO" })).await), error_detail(400, "Имя пользователя уже занято"));
    assert_eq!(invalid(&put(&ada, json!({ "username": null })).await), ["body.username: missing"]);
    let wrong = json!({ "username": 7, "first_name": "x".repeat(101) });
    assert_eq!(invalid(&put(&ada, wrong).await), ["body.username: string_type"]);
    assert_eq!(put(&server.anonymous(), json!({})).await.status, 401);
    assert_eq!(ada.get("/users/me").await.json()["username"], "Countess");
}

#[tokio::test]
async fn email_change_requires_verification_and_the_password_of_an_older_session() {
    let server = TestServer::start().await;
    let form = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    assert_eq!(server.anonymous().json("/register", form).await.status, 200);
    let token = server.anonymous().token("ada", &password_of("ada")).await.json()["access_token"].clone();
    let ada = server.anonymous().with_bearer(token.as_str().unwrap());
    let pending = async || ada.query("{ me { email pendingEmail } }").await.data("/me");

    let requested = put(&ada, json!({ "email": "new@example.org", "first_name": "Ada" })).await;
    assert_eq!((requested.status.as_u16(), &requested.json()["email"]), (200, &json!("ada@example.org")));
    assert_eq!(pending().await, json!({ "email": "ada@example.org", "pendingEmail": "new@example.org" }));

    server.clock.advance(TimeDelta::minutes(11));
    let missing = put(&ada, json!({ "email": "other@example.org", "first_name": "Countess" })).await;
    assert_eq!(invalid(&missing), ["body.password: missing"]);
    let wrong = put(&ada, json!({ "email": "other@example.org", "password": "not the password" })).await;
    assert_eq!(invalid(&wrong), ["body.password: value_error"]);
    let nonsense = put(&ada, json!({ "email": "nonsense", "password": password_of("ada") })).await;
    assert_eq!(invalid(&nonsense), ["body.email: value_error"]);
    // An invalid name is rejected before a mail is sent.
    let bad = json!({ "email": "other@example.org", "password": password_of("ada"), "username": "a b" });
    assert_eq!(invalid(&put(&ada, bad).await), ["body.username: value_error"]);
    assert_eq!(pending().await["pendingEmail"], "new@example.org");
    assert_eq!(ada.get("/users/me").await.json()["first_name"], "Ada");
    // The current address does not count as a change.
    assert_eq!(put(&ada, json!({ "email": "ada@example.org", "last_name": "Lovelace" })).await.status, 200);
    let changed = put(&ada, json!({ "email": "other@example.org", "password": password_of("ada") })).await;
    assert_eq!(changed.status, 200);
    assert_eq!(pending().await["pendingEmail"], "other@example.org");
}

#[tokio::test]
async fn deletion_removes_the_user_and_revokes_tokens() {
    let server = TestServer::start().await;
    let (ada, token) = server.app_user("ada").await;
    assert_eq!(delete(&server.anonymous(), "").await.status, 401);
    server.clock.advance(TimeDelta::minutes(11));
    assert_eq!(invalid(&delete(&ada, "").await), ["body.password: missing"]);
    assert_eq!(invalid(&delete(&ada, r#"{"password": "not the password"}"#).await), ["body.password: value_error"]);
    assert_eq!(invalid(&delete(&ada, "nonsense").await), ["body: json_invalid"]);
    let form = json!({ "password": password_of("ada") }).to_string();
    let deleted = delete(&ada.speaking("ru"), &form).await;
    assert_eq!((deleted.status.as_u16(), deleted.json()), (200, json!({ "message": "Пользователь удалён" })));
    assert_eq!(ada.get("/users/me").await.status, 401);
    assert_eq!(ada.json("/refresh", json!({ "refresh_token": token })).await.status, 401);
    assert_eq!(server.anonymous().token("ada", &password_of("ada")).await.status, 401);
    // Shortly after sign-in the token is enough, as in the tutorial.
    let bo = server.user("bo").await;
    assert_eq!(delete(&bo, "").await.json(), json!({ "message": "The user has been deleted." }));
}

#[tokio::test]
async fn openapi_document_names_operations_for_generated_clients() {
    let document = TestServer::start().await.anonymous().get("/openapi.json").await.json();
    let id = |path: &str, method: &str| document["paths"][path][method]["operationId"].clone();
    assert_eq!(id("/users/me", "get"), "getCurrentUser");
    assert_eq!(id("/users/me", "delete"), "deleteCurrentUser");
    assert_eq!(id("/protected", "get"), "getProtected");
}

#[tokio::test]
async fn openapi_document_marks_fields_that_are_always_sent_as_required() {
    let document = TestServer::start().await.anonymous().get("/openapi.json").await.json();
    let user = &document["components"]["schemas"]["User"];
    let required: BTreeSet<&str> =
        user["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(required, user["properties"].as_object().unwrap().keys().map(String::as_str).collect());
    assert_eq!(user["properties"]["email"]["type"], json!(["string", "null"]));
}

#[tokio::test]
async fn openapi_document_has_introspection_only_if_enabled() {
    let off = TestServer::start().await.anonymous().get("/openapi.json").await;
    assert!(!off.text.contains("ntrospect"), "{}", off.text);
    let clients = |settings: &mut Settings| {
        let client = hallpass::config::OauthClient { id: "api".to_owned(), secret: "4c1f".repeat(8).into() };
        settings.oauth.clients.push(client);
    };
    let on = TestServer::with(clients).await.anonymous().get("/openapi.json").await.json();
    assert_eq!(on["components"]["schemas"]["Introspection"]["required"], json!(["active"]));
}

#[tokio::test]
async fn openapi_document_describes_one_body_per_request() {
    let document = TestServer::start().await.anonymous().get("/openapi.json").await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|operation| operation["requestBody"].is_object()) {
            assert_eq!(operation["requestBody"]["content"].as_object().unwrap().len(), 1, "{path}");
        }
    }
    let delete = &document["paths"]["/users/me"]["delete"]["requestBody"];
    assert_eq!(delete["required"], false);
    let schema = &delete["content"]["application/json"]["schema"];
    assert_eq!(*schema, json!({ "$ref": "#/components/schemas/DeleteRequest" }));
}

#[tokio::test]
async fn documentation_matches_the_routes() {
    let server = TestServer::start().await;
    let answer = server.anonymous().get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let paths: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/account/export",
        "/login",
        "/protected",
        "/refresh",
        "/register",
        "/revoke",
        "/token",
        "/users",
        "/users/me",
        "/users/me/pending-email",
        "/users/{id}",
    ];
    assert_eq!(paths, expected.into());
    let scheme = &document["components"]["securitySchemes"]["OAuth2PasswordBearer"];
    assert_eq!(scheme["flows"]["password"]["tokenUrl"], "/token");
    // Each referenced schema exists.
    let text = document.to_string();
    let references: BTreeSet<&str> =
        text.split(r##""#/components/schemas/"##).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 8);
    for name in references {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            // Each operation exists, and every status it responds with is described.
            let actor = server.anonymous();
            let request = actor.request(method, path).header(header::CONTENT_TYPE, "application/json");
            let answer = actor.send(request.body(Body::empty()).unwrap()).await;
            assert!(operation["responses"].get(answer.status.as_str()).is_some(), "{path}: {answer:#?}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.values().all(|response| response["description"].as_str().unwrap().len() > 5), "{path}");
        }
    }
}
