//! Verifying and changing e-mail addresses.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::entity::audit_event::{self, Action};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;

use crate::support::{Actor, TestServer, json, password_of};

const ADDRESSES: &str = "{ me { email emailVerified pendingEmail updatedAt } }";

async fn addresses(actor: &Actor) -> Value {
    actor.query(ADDRESSES).await.data("/me")
}

async fn events(server: &TestServer) -> Vec<Action> {
    let events =
        audit_event::Entity::find().order_by_asc(audit_event::Column::At).order_by_asc(audit_event::Column::Id);
    events.all(server.app.database.read()).await.unwrap().into_iter().map(|event| event.action).collect()
}

#[tokio::test]
async fn link_in_the_mail_verifies_the_email() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "Ada@Example.org").await;
    assert_eq!(addresses(&ada).await["emailVerified"], false);
    let [mail] = &server.mails_to("Ada@example.org").await[..] else { panic!("one mail") };
    assert!(mail.text.plain.starts_with("Hello ada,"), "{}", mail.text.plain);
    assert!(mail.text.plain.contains("http://localhost:8000/verify-email?token="));

    server.clock.advance(TimeDelta::minutes(5));
    let token = server.token_to("Ada@example.org").await;
    assert_eq!(server.anonymous().verify_email(&token).await.data("/verifyEmail/email"), "Ada@Example.org");
    let noon = "2026-01-31T12:05:00.123Z";
    assert_eq!(
        addresses(&ada).await,
        json!({ "email": "Ada@Example.org", "emailVerified": true, "pendingEmail": null, "updatedAt": noon })
    );
    assert_eq!(events(&server).await, [Action::UserRegistered, Action::EmailVerified]);
}

#[tokio::test]
async fn verification_mail_is_resent_only_to_unverified_emails() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let send = async |email: &str| server.anonymous().send_verification_email(email).await;
    assert_eq!(send("ADA@example.org").await.data("/sendVerificationEmail/email"), "ADA@example.org");
    assert_eq!(send("nobody@example.org").await.data("/sendVerificationEmail/email"), "nobody@example.org");
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!(mails.len(), 2);
    assert_eq!(server.app.mailer.dev_mailbox().unwrap().all().len(), 2);
    // The older link still works, because anyone may request another one.
    let token = crate::support::token_in(&mails[1].text.plain);
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    let newer = crate::support::token_in(&mails[0].text.plain);
    assert_eq!(server.anonymous().verify_email(&newer).await.code(), "LINK_INVALID");
    // Nothing to verify, so no mail.
    send("ada@example.org").await.data("/sendVerificationEmail");
    assert_eq!(server.mails_to("ada@example.org").await.len(), 2);
    assert_eq!(send("ada").await.problems(), ["email: INVALID_EMAIL"]);
}

#[tokio::test]
async fn email_changes_when_verified_and_the_old_one_is_notified() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let first = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&first).await.data("/verifyEmail");
    let changed = ada.change_email(json!({ "newEmail": "Ada@New.example" })).await.data("/changeEmail/user");
    assert_eq!((&changed["email"], &changed["pendingEmail"]), (&json!("ada@example.org"), &json!("Ada@New.example")));
    assert_eq!(addresses(&ada).await, changed);
    assert_eq!(changed["emailVerified"], true);

    let token = server.token_to("Ada@new.example").await;
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
    assert_eq!(server.anonymous().verify_email(&token).await.data("/verifyEmail/email"), "Ada@New.example");
    let after = addresses(&ada).await;
    assert_eq!(after["email"], "Ada@New.example");
    assert_eq!((&after["emailVerified"], &after["pendingEmail"]), (&json!(true), &Value::Null));
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!((mails.len(), mails[0].text.subject.as_str()), (2, "Your e-mail address was changed"));
    assert!(!mails[0].text.plain.to_lowercase().contains("new.example"));
    server.anonymous().login("ada@new.example", &password_of("ada")).await.data("/login/user");
    let expected = [
        Action::UserRegistered,
        Action::EmailVerified,
        Action::EmailChangeRequested,
        Action::EmailChanged,
        Action::LoggedIn,
    ];
    let mut seen = events(&server).await;
    seen.sort_by_key(|kind| expected.iter().position(|other| other == kind));
    assert_eq!(seen, expected);
    assert_eq!(server.anonymous().login("ada@example.org", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn email_change_allows_ten_wrong_passwords() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    server.clock.advance(TimeDelta::minutes(20));
    let guess =
        async |password: &str| ada.change_email(json!({ "newEmail": "ada@new.example", "password": password })).await;
    for number in 0..10 {
        assert_eq!(guess(&format!("guess {number}")).await.code(), "WRONG_PASSWORD");
    }
    assert_eq!(guess(&password_of("ada")).await.code(), "RATE_LIMITED");
    server.clock.advance(TimeDelta::minutes(15));
    // The access token has expired by now; the session has not.
    let login = server.anonymous().login("ada", &password_of("ada")).await;
    let ada = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    let input = json!({ "newEmail": "ada@new.example", "password": password_of("ada") });
    for _ in 0..3 {
        ada.change_email(input.clone()).await.data("/changeEmail");
    }
}

#[tokio::test]
async fn email_change_requires_the_password_if_the_session_is_not_fresh() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let change = async |input: Value| ada.change_email(input).await;
    server.clock.advance(TimeDelta::seconds(10 * 60 - 1));
    change(json!({ "newEmail": "a@new.example" })).await.data("/changeEmail");
    // A given password must be correct even if none is required.
    let wrong = change(json!({ "newEmail": "b@new.example", "password": "a wrong one" })).await;
    assert_eq!(wrong.problems(), ["password: WRONG_PASSWORD"]);
    server.clock.advance(TimeDelta::seconds(1));
    for password in [json!(null), json!("")] {
        let answer = change(json!({ "newEmail": "ada", "password": password })).await;
        assert_eq!(answer.problems(), ["newEmail: INVALID_EMAIL", "password: REQUIRED"]);
    }
    let wrong = change(json!({ "newEmail": "b@new.example", "password": "x".repeat(200) })).await;
    assert_eq!(wrong.problems(), ["password: WRONG_PASSWORD"]);
    assert_eq!(addresses(&ada).await["pendingEmail"], "a@new.example");
    change(json!({ "newEmail": "b@new.example", "password": password_of("ada") })).await.data("/changeEmail");
    assert_eq!(addresses(&ada).await["pendingEmail"], "b@new.example");
    // Refreshing does not make a session fresh; signing in does.
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    let fresh = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap());
    fresh.change_email(json!({ "newEmail": "c@new.example" })).await.data("/changeEmail");
    assert_eq!(server.anonymous().change_email(json!({ "newEmail": "c@new.example" })).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn pending_email_can_be_replaced_and_cancelled() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    ada.change_email(json!({ "newEmail": "first@new.example" })).await.data("/changeEmail");
    let first = server.token_to("first@new.example").await;
    ada.change_email(json!({ "newEmail": "second@new.example" })).await.data("/changeEmail");
    let second = server.token_to("second@new.example").await;
    assert_eq!(server.anonymous().verify_email(&first).await.code(), "LINK_INVALID");
    ada.change_email(json!({ "newEmail": "ADA@example.org" })).await.data("/changeEmail");
    assert_eq!(addresses(&ada).await["pendingEmail"], Value::Null);
    assert_eq!(server.anonymous().verify_email(&second).await.code(), "LINK_INVALID");
    // The queued mail of a cancelled request is not sent.
    ada.change_email(json!({ "newEmail": "third@new.example" })).await.data("/changeEmail");
    ada.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
    assert_eq!(server.mails_to("third@new.example").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn first_account_to_verify_an_email_keeps_it() {
    let server = Arc::new(TestServer::with(|settings| settings.throttle.is_enabled = false).await);
    let mut tokens = Vec::new();
    let mut users = Vec::new();
    for name in ["ada", "bo", "cy"] {
        let user = server.user(name).await;
        user.change_email(json!({ "newEmail": "shared@example.org" })).await.data("/changeEmail");
        tokens.push(server.token_to("shared@example.org").await);
        users.push(user);
    }
    // Another request sends a new link.
    server.anonymous().send_verification_email("shared@example.org").await.data("/sendVerificationEmail");
    assert_eq!(server.mails_to("shared@example.org").await.len(), 4);
    let attempts = tokens.iter().map(|token| {
        let (actor, token) = (server.anonymous(), token.clone());
        tokio::spawn(async move { actor.verify_email(&token).await })
    });
    let mut winners = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let answer = attempt.await.unwrap();
        match answer.json().get("errors") {
            None => winners += 1,
            Some(_) => assert_eq!(answer.problems(), ["token: EMAIL_TAKEN"]),
        }
    }
    assert_eq!(winners, 1);
    let mut holders = 0;
    for user in &users {
        holders += u32::from(addresses(user).await["email"] == "shared@example.org");
    }
    assert_eq!(holders, 1);
    // Whether an address is taken is revealed only to the owner of its mailbox, not on the request.
    let dee = server.user("dee").await;
    dee.change_email(json!({ "newEmail": "shared@example.org" })).await.data("/changeEmail");
    let token = server.token_to("shared@example.org").await;
    assert_eq!(server.anonymous().verify_email(&token).await.code(), "EMAIL_TAKEN");
}

#[tokio::test]
async fn unverified_users_cannot_log_in_if_verification_is_required() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    let answer = server.anonymous().register(input).await;
    let payload = answer.data("/register");
    assert_eq!((&payload["accessToken"], &payload["expiresIn"]), (&Value::Null, &Value::Null));
    assert_eq!((&payload["user"]["username"], &payload["user"]["lastLoginAt"]), (&json!("ada"), &Value::Null));
    assert_eq!(answer.header("set-cookie"), None);
    server.clock.advance(TimeDelta::seconds(1));
    let login = async |password: &str| server.anonymous().login("ada", password).await;
    assert_eq!(login(&password_of("ada")).await.code(), "EMAIL_NOT_VERIFIED");
    assert_eq!(login("a wrong one").await.code(), "INVALID_CREDENTIALS");
    assert_eq!(events(&server).await, [Action::UserRegistered, Action::LoginFailed]);
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    login(&password_of("ada")).await.data("/login/accessToken");
}

#[tokio::test]
async fn email_operations_fail_if_mail_is_disabled() {
    let server = TestServer::with(|settings| settings.mail.dev = false).await;
    let ada = server.user_at("ada", "ada@example.org").await;
    for answer in [
        ada.change_email(json!({ "newEmail": "no address", "password": "wrong" })).await,
        ada.send_verification_email("ada@example.org").await,
        ada.request_password_reset("ada@example.org").await,
    ] {
        assert_eq!(answer.code(), "MAIL_DISABLED");
    }
    assert_eq!(ada.query("{ serverInfo { mailEnabled } }").await.data("/serverInfo/mailEnabled"), false);
    assert_eq!(hallpass::entity::mail::Entity::find().all(server.app.database.read()).await.unwrap(), []);
}

#[tokio::test]
async fn revoked_session_cannot_change_the_email() {
    use hallpass::domain::users::email;
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let principal = server.principal(&ada).await;
    ada.logout(json!({})).await.data("/logout");
    let form = email::EmailChange { new_email: "thief@example.org".to_owned(), password: None };
    let error = email::change(&server.command_line(), &principal, form).await.unwrap_err();
    assert_eq!(error.reason(), Some(hallpass::error::UnauthenticatedReason::SessionRevoked));
    assert_eq!(server.mails_to("thief@example.org").await.len(), 0);
}

#[tokio::test]
async fn verification_returns_the_user_only_to_its_owner() {
    let server = TestServer::start().await;
    let verify = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email user { username email emailVerified pendingEmail } } }";
    let send = async |actor: &Actor, email: &str| {
        let token = server.token_to(email).await;
        actor.graphql(verify, json!({ "input": { "token": token } })).await.data("/verifyEmail/user")
    };
    let ada = server.user_at("ada", "ada@example.org").await;
    let verified =
        json!({ "username": "ada", "email": "ada@example.org", "emailVerified": true, "pendingEmail": null });
    assert_eq!(send(&ada, "ada@example.org").await, verified);
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    assert_eq!(send(&ada, "ada@new.example").await["email"], "ada@new.example");

    server.user_at("bo", "bo@example.org").await;
    assert_eq!(send(&ada, "bo@example.org").await, Value::Null);
    server.user_at("cy", "cy@example.org").await;
    assert_eq!(send(&server.anonymous(), "cy@example.org").await, Value::Null);
    server.user_at("di", "di@example.org").await;
    assert_eq!(send(&server.anonymous().with_bearer("no token"), "di@example.org").await, Value::Null);
}
