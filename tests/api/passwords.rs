//! Password rules.

use hallpass::entity::user;
use sea_orm::EntityTrait;

use crate::support::{TestServer, json};

#[tokio::test]
async fn common_passwords_are_rejected() {
    let server = TestServer::start().await;
    for password in ["password123", "PassWord123", "12345678", "qwertyuiop", "Пароль123", "йцукен12", "gfhjkm123"]
    {
        let input = json!({ "username": "ada", "password": password });
        let answer = server.anonymous().register(input).await;
        assert_eq!(answer.problems(), ["password: PASSWORD_TOO_COMMON"], "{password}");
        assert!(!answer.text.to_lowercase().contains(&password.to_lowercase()), "{answer:?}");
    }
    let input = json!({ "username": "ada", "password": "vkqzjwmxpfhtlrbd" });
    server.anonymous().register(input).await.data("/register/user");
}

#[tokio::test]
async fn own_username_and_email_are_rejected() {
    let server = TestServer::start().await;
    let form = |password: &str| {
        json!({
            "username": "countess_1815", "password": password, "email": "Ada.King@example.org",
            "firstName": "Ada", "lastName": "Lovelace",
        })
    };
    for password in ["Countess_1815", "ada.king@EXAMPLE.org", "ada.king", "lovelace", "AdaLovelace", "Lovelace Ada"] {
        let answer = server.anonymous().register(form(password)).await;
        assert_eq!(answer.problems(), ["password: PASSWORD_TOO_COMMON"], "{password}");
    }
    server.anonymous().register(form("Ada Lovelace was here")).await.data("/register/user");
}

#[tokio::test]
async fn password_error_is_reported_with_other_field_errors() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let form =
        json!({ "username": "ada lovelace", "password": "ada lovelace", "email": "ada", "firstName": "A\u{0}da" });
    assert_eq!(
        server.anonymous().register(form).await.problems(),
        [
            "username: INVALID_USERNAME",
            "password: PASSWORD_TOO_COMMON",
            "email: INVALID_EMAIL",
            "firstName: BAD_USER_INPUT",
        ]
    );
    // A common password does not reveal whether a username is taken.
    for username in ["ada", "bo"] {
        let answer = server.anonymous().register(json!({ "username": username, "password": "password123" })).await;
        assert_eq!(answer.problems(), ["password: PASSWORD_TOO_COMMON"], "{username}");
    }
    assert_eq!(user::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn common_password_check_can_be_disabled() {
    let server = TestServer::with(|settings| settings.passwords.blocklist = false).await;
    for (username, password) in [("ada", "password123"), ("countess_1815", "countess_1815")] {
        server.anonymous().register(json!({ "username": username, "password": password })).await.data("/register/user");
        server.anonymous().login(username, password).await.data("/login/user");
    }
    let short = server.anonymous().register(json!({ "username": "bo", "password": "1234567" })).await;
    assert_eq!(short.problems(), ["password: PASSWORD_TOO_SHORT"]);
}
