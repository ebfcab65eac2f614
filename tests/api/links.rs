//! Links in mails: single use, one purpose, limited lifetime.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::{
    entity::{
        audit_event::{self, Action},
        link,
    },
    jobs::purge::{Table, purge},
};
use sea_orm::EntityTrait;

use crate::support::{TestDatabase, TestServer, json, logged, token_in};

async fn reset_token(server: &TestServer, email: &str) -> String {
    server.anonymous().request_password_reset(email).await.data("/requestPasswordReset");
    server.token_to(email).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_uses_of_a_link_succeed_once() {
    let server = Arc::new(TestServer::start().await);
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    let reset = reset_token(&server, "ada@example.org").await;
    for is_reset in [false, true] {
        let attempts = (0..12).map(|number| {
            let (actor, token) = (server.anonymous(), if is_reset { reset.clone() } else { verify.clone() });
            tokio::spawn(async move {
                if is_reset {
                    actor.reset_password(&token, &format!("new password {number}")).await
                } else {
                    actor.verify_email(&token).await
                }
            })
        });
        let mut winners = Vec::new();
        for (number, attempt) in attempts.collect::<Vec<_>>().into_iter().enumerate() {
            let answer = attempt.await.unwrap();
            match answer.json().get("errors") {
                None => winners.push(number),
                Some(_) => assert_eq!(answer.code(), "LINK_INVALID"),
            }
        }
        // A second verification finds the address verified; only one reset can set the password.
        assert_eq!(winners.len(), if is_reset { 1 } else { 12 });
        if is_reset {
            let password = format!("new password {}", winners[0]);
            server.anonymous().login("ada", &password).await.data("/login/accessToken");
        }
    }
    let links = link::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!((links.len(), links.iter().filter(|link| link.used_at.is_some()).count()), (2, 2));
}

#[tokio::test]
async fn second_click_on_a_verification_link_succeeds_while_its_address_is_verified() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "Ada@example.org").await;
    let own = server.token_to("Ada@example.org").await;
    let verify = async |token: &str| server.anonymous().verify_email(token).await;
    for _ in 0..3 {
        assert_eq!(verify(&own).await.data("/verifyEmail/email"), "Ada@example.org");
    }
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let change = server.token_to("ada@new.example").await;
    for _ in 0..2 {
        assert_eq!(verify(&change).await.data("/verifyEmail/email"), "ada@new.example");
    }
    assert_eq!(verify(&own).await.code(), "LINK_INVALID");
    // Each use is recorded once, and a notice sent once.
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    for kind in [Action::EmailVerified, Action::EmailChanged] {
        assert_eq!(events.iter().filter(|event| event.action == kind).count(), 1);
    }
}

#[tokio::test]
async fn used_reset_link_is_reported_until_it_is_purged() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let reset = reset_token(&server, "ada@example.org").await;
    let unused = reset_token(&server, "ada@example.org").await;
    let anonymous = server.anonymous();
    anonymous.reset_password(&reset, "a new password").await.data("/resetPassword");
    let message = async |token: &str| {
        let answer = server.anonymous().reset_password(token, "another password").await;
        assert_eq!(answer.code(), "LINK_INVALID");
        answer.error()["message"].as_str().unwrap().to_owned()
    };
    let used = message(&reset).await;
    assert!(used.contains("already changed with this link"), "{used}");
    // Only the used link is reported as used.
    let (invalid, unknown) = (message(&unused).await, message("unknown").await);
    assert!(invalid == unknown && invalid != used, "{invalid}");
    assert_eq!(anonymous.verify_email(&reset).await.code(), "LINK_INVALID");
    anonymous.login("ada", "a new password").await.data("/login/accessToken");
    server.clock.advance(TimeDelta::days(7) + TimeDelta::hours(1));
    purge(&server.app, Table::Links).await.unwrap();
    assert_eq!(message(&reset).await, unknown);
}

#[tokio::test]
async fn link_works_only_for_its_purpose() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    let reset = reset_token(&server, "ada@example.org").await;
    let anonymous = server.anonymous();
    assert_eq!(anonymous.verify_email(&reset).await.code(), "LINK_INVALID");
    assert_eq!(anonymous.reset_password(&verify, "a new password").await.code(), "LINK_INVALID");
    for token in ["", "nothing", &format!("{verify}="), &format!(" {verify}"), &verify[..42], &"x".repeat(100_000)] {
        assert_eq!(anonymous.verify_email(token).await.code(), "LINK_INVALID");
        assert_eq!(anonymous.reset_password(token, "a new password").await.code(), "LINK_INVALID");
        // The link is checked before the password.
        assert_eq!(anonymous.reset_password(token, "").await.code(), "LINK_INVALID");
    }
    anonymous.verify_email(&verify).await.data("/verifyEmail");
    // Verification invalidates the links of its purpose, and no others.
    anonymous.reset_password(&reset, "a new password").await.data("/resetPassword");
}

#[tokio::test]
async fn link_expires_on_the_second_and_is_purged_after_a_week() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    let reset = reset_token(&server, "ada@example.org").await;
    let anonymous = server.anonymous();
    server.clock.advance(TimeDelta::seconds(3599));
    assert_eq!(anonymous.reset_password(&reset, "short").await.code(), "PASSWORD_TOO_SHORT");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(anonymous.reset_password(&reset, "a new password").await.code(), "LINK_EXPIRED");
    // A link never becomes valid for another purpose.
    assert_eq!(anonymous.verify_email(&reset).await.code(), "LINK_INVALID");
    server.clock.advance(TimeDelta::hours(23));
    assert_eq!(anonymous.verify_email(&verify).await.code(), "LINK_EXPIRED");
    assert_eq!(purge(&server.app, Table::Links).await.unwrap(), 0);
    server.clock.advance(TimeDelta::days(7));
    assert_eq!(purge(&server.app, Table::Links).await.unwrap(), 2);
    assert_eq!(anonymous.verify_email(&verify).await.code(), "LINK_INVALID");
}

#[tokio::test]
async fn account_changes_invalidate_links() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    let resets = [reset_token(&server, "ada@example.org").await, reset_token(&server, "ada@example.org").await];
    let anonymous = server.anonymous();
    // The address changes: links to the old address are invalid.
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let change = server.token_to("ada@new.example").await;
    anonymous.verify_email(&change).await.data("/verifyEmail");
    assert_eq!(anonymous.verify_email(&verify).await.code(), "LINK_INVALID");
    for reset in &resets {
        assert_eq!(anonymous.reset_password(reset, "a new password").await.code(), "LINK_INVALID");
    }
    // The password changes: all other links are invalid, whatever their purpose.
    let resets = [reset_token(&server, "ada@new.example").await, reset_token(&server, "ada@new.example").await];
    ada.change_email(json!({ "newEmail": "ada@third.example" })).await.data("/changeEmail");
    let change = server.token_to("ada@third.example").await;
    anonymous.reset_password(&resets[0], "a new password").await.data("/resetPassword");
    assert_eq!(anonymous.reset_password(&resets[1], "another password").await.code(), "LINK_INVALID");
    assert_eq!(anonymous.verify_email(&change).await.code(), "LINK_INVALID");
}

#[tokio::test]
async fn link_tokens_are_not_stored_or_logged() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let tokens: Vec<String> =
        server.mails_to("ada@example.org").await.iter().map(|mail| token_in(&mail.text.plain)).collect();
    server.anonymous().verify_email(&tokens[1]).await.data("/verifyEmail");
    server.anonymous().reset_password(&tokens[0], "tiny").await.code();
    server.anonymous().get(&format!("/reset-password?token={}", tokens[0])).await;
    let hash = link::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(hash.len(), 2);
    assert!(!format!("{hash:?}").contains(&tokens[0]));
    assert_eq!(tokens.len(), 2);
    for token in &tokens {
        assert_eq!(logged(token), Vec::<String>::new());
        if let hallpass::config::DatabaseUrl::Sqlite(path) = server.database.url() {
            for suffix in ["", "-wal"] {
                let file = std::fs::read(format!("{}{suffix}", path.display())).unwrap();
                assert!(!file.windows(token.len()).any(|window| window == token.as_bytes()), "{suffix}");
            }
        }
    }
}

#[tokio::test]
async fn deleting_an_account_deletes_its_links() {
    let server = TestServer::on(TestDatabase::create().await, |_| {}).await;
    server.user_at("ada", "ada@example.org").await;
    let token = server.token_to("ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let db = server.app.database.read();
    hallpass::entity::user::Entity::delete_many().exec(db).await.unwrap();
    assert_eq!(server.anonymous().verify_email(&token).await.code(), "LINK_INVALID");
    assert_eq!(link::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
    assert_eq!(hallpass::entity::mail::Entity::find().all(db).await.unwrap(), []);
}

#[tokio::test]
async fn password_set_by_an_administrator_revokes_links_and_notifies_the_owner() {
    use hallpass::domain::users::administration::{self, Administrator};
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let verify = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&verify).await.data("/verifyEmail");
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let tokens = [server.token_to("ada@new.example").await, reset_token(&server, "ada@example.org").await];
    let administrator = Administrator::at_command_line();
    let ada = administration::find(&server.command_line(), &administrator, "ada").await.unwrap();
    administration::set_password(&server.command_line(), &administrator, ada.id, "another good one".into())
        .await
        .unwrap();
    assert_eq!(server.anonymous().verify_email(&tokens[0]).await.code(), "LINK_INVALID");
    assert_eq!(server.anonymous().reset_password(&tokens[1], "a new password").await.code(), "LINK_INVALID");
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "Your password was changed");
}
