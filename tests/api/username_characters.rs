//! Usernames with `.`, `@` and `+`, and addresses at sign-in.

use hallpass::entity::user;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use crate::support::{TestServer, json, password_of};

async fn with_extra(characters: &str) -> TestServer {
    let characters = characters.to_owned();
    TestServer::with(move |settings| settings.registration.username_extra_characters = characters).await
}

#[tokio::test]
async fn setting_allows_extra_characters() {
    let server = with_extra(".@+").await;
    for name in ["ada.l", "ada@corp", "ada+l"] {
        server.user(name).await;
        server.anonymous().login(&name.to_uppercase(), &password_of(name)).await.data("/login/user");
    }
    let pattern = server.anonymous().query("{ serverInfo { usernamePolicy { pattern } } }").await;
    let expected = r"(?![^@]*@.*\.)[A-Za-z0-9_][A-Za-z0-9_\-.@+]*";
    assert_eq!(pattern.data("/serverInfo/usernamePolicy/pattern"), expected);

    let server = TestServer::start().await;
    for name in ["ada.l", "ada@corp", "ada+l"] {
        let answer = server.anonymous().register(json!({ "username": name, "password": password_of(name) })).await;
        assert_eq!(answer.code(), "INVALID_USERNAME", "{name}");
    }
    let pattern = server.anonymous().query("{ serverInfo { usernamePolicy { pattern } } }").await;
    assert_eq!(pattern.data("/serverInfo/usernamePolicy/pattern"), r"[A-Za-z0-9_][A-Za-z0-9_\-]*");
}

#[tokio::test]
async fn names_stay_when_the_setting_changes() {
    let server = with_extra(".").await;
    server.user("ada.l").await;
    let server = TestServer::on(server.database.clone(), |_| {}).await;
    let login = server.anonymous().login("ada.l", &password_of("ada.l")).await;
    let ada = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    let rename = r#"mutation { updateProfile(input: { username: "ada.k" }) { user { username } } }"#;
    assert_eq!(ada.query(rename).await.code(), "INVALID_USERNAME");
}

#[tokio::test]
async fn username_cannot_be_an_address() {
    let server = with_extra(".@+").await;
    server.user_at("bo", "bo@example.org").await;
    for name in ["bo@example.org", "BO@Example.org", "cy@example.org", "cy@example.org.", "a@b@example.org"] {
        let answer = server.anonymous().register(json!({ "username": name, "password": password_of(name) })).await;
        assert_eq!(answer.code(), "INVALID_USERNAME", "{name}");
    }
    let ada = server.user("ada").await;
    let rename = r#"mutation { updateProfile(input: { username: "bo@example.org" }) { user { username } } }"#;
    assert_eq!(ada.query(rename).await.code(), "INVALID_USERNAME");
}

/// Even if a username is another user's address, for example after a change in the database.
#[tokio::test]
async fn address_identifies_only_the_account_with_this_address() {
    let server = with_extra(".@+").await;
    server.user_at("bo", "bo@example.org").await;
    server.user("eve").await;
    let rows = user::Entity::find().all(server.app.database.read()).await.unwrap();
    let eve = rows.into_iter().find(|user| user.username == "eve").unwrap();
    let mut eve = eve.into_active_model();
    (eve.username, eve.username_key) = (Set("bo@example.org".to_owned()), Set("bo@example.org".to_owned()));
    let transaction = server.app.write().await.unwrap();
    eve.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let login = async |password: String| server.anonymous().login("bo@example.org", &password).await;
    assert_eq!(login(password_of("bo")).await.data("/login/user/username"), "bo");
    assert_eq!(login(password_of("eve")).await.code(), "INVALID_CREDENTIALS");
    server.anonymous().request_password_reset("bo@example.org").await.data("/requestPasswordReset");
    let mail = &server.mails_to("bo@example.org").await[0];
    assert!(mail.text.plain.contains("Hello bo,"), "{}", mail.text.plain);
}
