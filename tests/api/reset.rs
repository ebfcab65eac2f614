//! Password reset.

use hallpass::entity::audit_event::{self, Action};
use sea_orm::EntityTrait;

use crate::support::{TestServer, json, password_of};

#[tokio::test]
async fn reset_link_sets_a_new_password() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    server.anonymous().login("ada", &password_of("ada")).await.data("/login");
    let requested = server.anonymous().request_password_reset("Ada@EXAMPLE.org").await;
    assert_eq!(requested.data("/requestPasswordReset/email"), "Ada@EXAMPLE.org");
    let token = server.token_to("ada@example.org").await;
    let mail = &server.mails_to("ada@example.org").await[0];
    assert!(mail.text.plain.contains("http://localhost:8000/reset-password?token="), "{}", mail.text.plain);

    // A rejected password does not use up the link.
    let short = server.anonymous().reset_password(&token, "short").await;
    assert_eq!(short.problems(), ["newPassword: PASSWORD_TOO_SHORT"]);
    let answer = server.anonymous().reset_password(&token, "a new password").await;
    assert_eq!(answer.data("/resetPassword/revokedSessions"), 2);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    let login = server.anonymous().login("ada", "a new password").await;
    let ada = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    // Using the link verifies the address.
    assert_eq!(ada.query("{ me { emailVerified } }").await.data("/me/emailVerified"), true);
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "Your password was changed");
    assert_eq!(server.anonymous().reset_password(&token, "another password").await.code(), "LINK_INVALID");

    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    for kind in [Action::PasswordResetRequested, Action::PasswordReset, Action::EmailVerified] {
        let of_kind: Vec<_> = events.iter().filter(|event| event.action == kind).collect();
        assert!(matches!(of_kind[..], [event] if event.user_id.is_some() && event.actor_id.is_none()), "{events:?}");
    }
}

/// A request runs the same statements for every address, so that the response time reveals nothing. The mail is sent later.
#[tokio::test]
async fn reset_response_does_not_reveal_whether_the_account_exists() {
    let (server, statements) = TestServer::observed().await;
    server.user_at("ada", "ada@example.org").await;
    let mut runs = Vec::new();
    for email in ["ada@example.org", "bob@example.org"] {
        for is_reset in [true, false] {
            statements.lock().unwrap().clear();
            let answer = if is_reset {
                server.anonymous().request_password_reset(email).await
            } else {
                server.anonymous().send_verification_email(email).await
            };
            let text = answer.text.replace(email, "").replace(answer.header("x-request-id").unwrap(), "");
            runs.push((
                is_reset,
                answer.status,
                text,
                statements.lock().unwrap().drain(..).map(|statement| statement.sql).collect::<Vec<_>>(),
            ));
        }
    }
    assert_eq!(
        runs[0].3.iter().filter(|sql| sql.contains("INTO \"mails\"") || sql.contains("INTO `mails`")).count(),
        1
    );
    assert_eq!(runs[..2], runs[2..]);
    assert_eq!(server.mails_to("bob@example.org").await.len(), 0);
    assert_eq!(server.mails_to("ada@example.org").await.len(), 3);
}

#[tokio::test]
async fn disabled_account_cannot_request_or_use_a_link() {
    use hallpass::entity::user;
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let reset = server.token_to("ada@example.org").await;
    let db = server.app.database.read();
    let mut ada = user::Entity::find().all(db).await.unwrap().remove(0).into_active_model();
    ada.is_active = Set(false);
    ada.update(db).await.unwrap();
    assert_eq!(server.anonymous().reset_password(&reset, "a new password").await.code(), "LINK_INVALID");
    let before = server.mails_to("ada@example.org").await.len();
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    server.anonymous().send_verification_email("ada@example.org").await.data("/sendVerificationEmail");
    assert_eq!(server.mails_to("ada@example.org").await.len(), before);
    assert_eq!(hallpass::entity::mail::Entity::find().all(db).await.unwrap(), []);
}

#[tokio::test]
async fn account_without_an_email_gets_no_link() {
    let server = TestServer::start().await;
    server.user("ada").await;
    assert_eq!(server.anonymous().request_password_reset("ada").await.problems(), ["email: INVALID_EMAIL"]);
    let input = json!({ "newEmail": "ada@example.org" });
    server.user("bo").await.change_email(input).await.data("/changeEmail");
    // A pending address cannot reset the password.
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let mails = server.mails_to("ada@example.org").await;
    assert!(mails.len() == 1 && mails[0].text.plain.contains("/verify-email"));
}
