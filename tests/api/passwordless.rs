//! Users without a password, who get a link to set one when they try to sign in.

use chrono::TimeDelta;
use hallpass::{
    domain::users::{
        administration::Administrator,
        import::{self, Batch, Column, Record},
    },
    entity::mail,
};
use sea_orm::EntityTrait;

use crate::support::TestServer;

const SUBJECT: &str = "Choose a new password";

/// Imports a user without a password.
async fn import(server: &TestServer, columns: &[(&str, &str)]) {
    let mut record = Record::default();
    record.set(Column::HasPassword, "false".to_owned());
    for (name, text) in columns {
        record.set(Column::named(name).unwrap(), (*text).to_owned());
    }
    let batch = Batch::parse(&server.command_line(), vec![(1, Ok(record))]).unwrap();
    let result = import::import(&server.command_line(), &Administrator::at_command_line(), batch).await.unwrap();
    assert_eq!(result.imported, 1, "{:?}", result.refused);
}

async fn subjects(server: &TestServer, email: &str) -> Vec<String> {
    server.mails_to(email).await.into_iter().map(|mail| mail.text.subject.clone()).collect()
}

#[tokio::test]
async fn first_try_sends_a_link_that_sets_a_password() {
    let server = TestServer::start().await;
    import(&server, &[("email", "ada@example.org")]).await;
    assert_eq!(server.anonymous().login("ada@example.org", "any password").await.code(), "INVALID_CREDENTIALS");
    assert_eq!(subjects(&server, "ada@example.org").await, [SUBJECT]);
    let token = server.token_to("ada@example.org").await;
    server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    server.anonymous().login("ada", "a new password").await.data("/login/user");
    // The account has a password now.
    assert_eq!(server.anonymous().login("ada", "any password").await.code(), "INVALID_CREDENTIALS");
    assert_eq!(subjects(&server, "ada@example.org").await, ["Your password was changed", SUBJECT]);
}

#[tokio::test]
async fn another_link_is_sent_only_when_the_last_one_has_expired() {
    let server = TestServer::start().await;
    import(&server, &[("username", "ada"), ("email", "ada@example.org")]).await;
    let login =
        async || assert_eq!(server.anonymous().login("ada", "any password").await.code(), "INVALID_CREDENTIALS");
    login().await;
    // The first mail waits.
    login().await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 1);
    login().await;
    server.clock.advance(TimeDelta::minutes(59));
    login().await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 1);
    server.clock.advance(TimeDelta::minutes(2));
    login().await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 2);
}

#[tokio::test]
async fn others_get_no_link() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    import(&server, &[("username", "bo"), ("email", "bo@example.org"), ("disabled", "true")]).await;
    import(&server, &[("username", "cy")]).await;
    for name in ["ada", "ada@example.org", "bo", "cy", "dee", "dee@example.org"] {
        assert_eq!(server.anonymous().login(name, "any password").await.code(), "INVALID_CREDENTIALS", "{name}");
    }
    for email in ["ada@example.org", "bo@example.org", ""] {
        assert!(!subjects(&server, email).await.iter().any(|subject| subject == SUBJECT), "{email}");
    }
    assert_eq!(mail::Entity::find().all(server.app.database.read()).await.unwrap(), []);
}

#[tokio::test]
async fn limit_of_sign_ins_applies_before_the_link() {
    let server = TestServer::start().await;
    import(&server, &[("username", "ada"), ("email", "ada@example.org")]).await;
    let mut sent = 0;
    for _ in 0..30 {
        server.clock.advance(TimeDelta::seconds(1));
        if server.anonymous().login("ada", "any password").await.code() == "RATE_LIMITED" {
            break;
        }
        sent += 1;
    }
    assert!(sent < 30);
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 1);
}

/// A sign-in runs the same statements for users with and without a password, and for unknown names.
#[tokio::test]
async fn response_does_not_reveal_who_has_a_password() {
    let (server, statements) = TestServer::observed().await;
    // A registration would make the network familiar, and count other limits.
    let hash = "$2b$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC";
    let ada = [("username", "ada"), ("email", "ada@example.org"), ("hashed_password", hash), ("has_password", "true")];
    import(&server, &ada).await;
    import(&server, &[("username", "bo"), ("email", "bo@example.org")]).await;
    let mut runs = Vec::new();
    for name in ["ada", "bo", "cy", "bo"] {
        statements.lock().unwrap().clear();
        let answer = server.anonymous().login(name, "any password").await;
        let text = answer.text.replace(answer.header("x-request-id").unwrap(), "");
        runs.push((
            answer.status,
            text,
            statements.lock().unwrap().drain(..).map(|statement| statement.sql).collect::<Vec<_>>(),
        ));
    }
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:#?}");
    assert_eq!(subjects(&server, "bo@example.org").await, [SUBJECT]);
}
