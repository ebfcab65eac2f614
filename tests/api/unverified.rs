//! Unverified accounts: they can replace their address, lose it to its owner, and are purged.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use hallpass::{
    domain::users::{
        administration::{self, Administrator, Change},
        registration::Registration,
        unverified,
    },
    entity::{
        audit_event::{self, Action},
        user::{self, Model},
    },
};
use sea_orm::EntityTrait;

use crate::support::{Actor, Answer, TestServer, json, password_of};

async fn server() -> TestServer {
    TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await
}

/// Registers an account that cannot sign in yet.
async fn register(server: &TestServer, username: &str, email: &str) {
    let input = json!({ "username": username, "password": password_of(username), "email": email });
    server.anonymous().register(input).await.data("/register/user");
}

async fn replace(actor: &Actor, username: &str, password: &str, new_email: &str) -> Answer {
    let replace = "mutation($input: ReplaceUnverifiedEmailInput!) { replaceUnverifiedEmail(input: $input) { email } }";
    let input = json!({ "username": username, "password": password, "newEmail": new_email });
    actor.graphql(replace, json!({ "input": input })).await
}

async fn verify(server: &TestServer, email: &str) {
    let token = server.token_to(email).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
}

async fn users(server: &TestServer) -> Vec<Model> {
    user::Entity::find().all(server.app.database.read()).await.unwrap()
}

async fn find(server: &TestServer, username: &str) -> Model {
    administration::find(&server.command_line(), &Administrator::at_command_line(), username).await.unwrap()
}

async fn count(server: &TestServer, action: Action) -> usize {
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    events.iter().filter(|event| event.action == action).count()
}

#[tokio::test]
async fn mistyped_email_can_be_replaced_with_the_password() {
    let server = server().await;
    register(&server, "ada", "ada@exmaple.org").await;
    let mistyped = server.token_to("ada@exmaple.org").await;
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "EMAIL_NOT_VERIFIED");
    let replaced = replace(&server.anonymous(), "ada", &password_of("ada"), "Ada@example.org").await;
    assert_eq!(replaced.data("/replaceUnverifiedEmail/email"), "Ada@example.org");
    assert_eq!(replaced.header("set-cookie"), None);
    assert_eq!(server.anonymous().verify_email(&mistyped).await.code(), "LINK_INVALID");
    verify(&server, "Ada@example.org").await;
    server.anonymous().login("ada@example.org", &password_of("ada")).await.data("/login/accessToken");
    assert_eq!(count(&server, Action::EmailReplaced).await, 1);
}

#[tokio::test]
async fn replacement_with_wrong_credentials_is_a_failed_login() {
    let (server, statements) = TestServer::observed().await;
    server.user_at("ada", "ada@example.org").await;
    let mut runs = Vec::new();
    for (username, is_login) in [("ada", true), ("ada", false), ("nobody", false)] {
        statements.lock().unwrap().clear();
        // Not from the network of the registration, which has its own counter.
        let elsewhere = server.anonymous().at("192.0.2.1");
        let answer = if is_login {
            elsewhere.login(username, "a wrong one").await
        } else {
            replace(&elsewhere, username, "a wrong one", "new@example.org").await
        };
        assert_eq!(answer.code(), "INVALID_CREDENTIALS");
        let ran = std::mem::take(&mut *statements.lock().unwrap());
        runs.push(ran.into_iter().map(|statement| statement.sql).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
    assert_eq!(count(&server, Action::LoginFailed).await, 3);
}

#[tokio::test]
async fn replacement_and_login_share_the_throttle() {
    let server = server().await;
    register(&server, "ada", "ada@exmaple.org").await;
    let (home, elsewhere) = (server.anonymous().at("192.0.2.1"), server.anonymous().at("192.0.2.2"));
    for number in 0..10 {
        let guess = replace(&elsewhere, "ada", &format!("guess {number}"), "ada@example.org").await;
        assert_eq!(guess.code(), "INVALID_CREDENTIALS");
    }
    let correct = replace(&elsewhere, "ada", &password_of("ada"), "ada@example.org").await;
    assert_eq!(correct.code(), "RATE_LIMITED");
    assert_eq!(elsewhere.login("ada", &password_of("ada")).await.code(), "RATE_LIMITED");
    replace(&home, "ada", &password_of("ada"), "ada@example.org").await.data("/replaceUnverifiedEmail");
}

#[tokio::test]
async fn account_state_is_revealed_only_after_the_correct_password() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    verify(&server, "ada@example.org").await;
    server.user_at("bo", "bo@example.org").await;
    server.disable("bo").await;
    for (username, code) in [("ada", "EMAIL_ALREADY_VERIFIED"), ("bo", "ACCOUNT_DISABLED")] {
        let replace = async |password: &str| replace(&server.anonymous(), username, password, "new@example.org").await;
        assert_eq!(replace(&password_of(username)).await.code(), code);
        assert_eq!(replace("a wrong one").await.code(), "INVALID_CREDENTIALS");
    }
    assert_eq!(server.mails_to("new@example.org").await.len(), 0);
}

#[tokio::test]
async fn previously_verified_account_cannot_replace_its_email() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    verify(&server, "ada@example.org").await;
    let (administrator, ada) = (Administrator::at_command_line(), find(&server, "ada").await);
    administration::set_email(&server.command_line(), &administrator, ada.id, "ada@new.example", false).await.unwrap();
    let replaced = replace(&server.anonymous(), "ada", &password_of("ada"), "thief@example.org").await;
    assert_eq!(replaced.code(), "EMAIL_ALREADY_VERIFIED");
}

#[tokio::test]
async fn replacement_and_registration_share_the_probe_limit() {
    let server = server().await;
    register(&server, "ada", "ada@example.org").await;
    register(&server, "bo", "bo@example.org").await;
    // The registrations of Bo and Ada count, too.
    for number in 0..28 {
        register(&server, &format!("user{number}"), &format!("user{number}@example.org")).await;
    }
    let limited = replace(&server.anonymous(), "bo", &password_of("bo"), "ada@example.org").await;
    assert_eq!(limited.code(), "RATE_LIMITED");
    server.clock.advance(TimeDelta::hours(1));
    let taken = replace(&server.anonymous(), "bo", &password_of("bo"), "ada@example.org").await;
    assert_eq!(taken.problems(), ["newEmail: EMAIL_TAKEN"]);
    assert_eq!(find(&server, "bo").await.email.as_deref(), Some("bo@example.org"));
}

#[tokio::test]
async fn verification_takes_the_email_from_an_unverified_account() {
    let server = TestServer::start().await;
    let squatter = server.user_at("squatter", "ada@example.org").await;
    let squatter_token = server.token_to("ada@example.org").await;
    let ada = server.user("ada").await;
    let input = json!({ "username": "bo", "password": password_of("bo"), "email": "ada@example.org" });
    assert_eq!(server.anonymous().register(input).await.problems(), ["email: EMAIL_TAKEN"]);

    ada.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
    verify(&server, "ada@example.org").await;
    assert_eq!(ada.me().await.data("/me/email"), "ada@example.org");
    assert_eq!(
        squatter.query("{ me { email emailVerified } }").await.data("/me"),
        json!({ "email": null, "emailVerified": false })
    );
    assert_eq!(server.anonymous().verify_email(&squatter_token).await.code(), "LINK_INVALID");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    let removed: Vec<_> = events.iter().filter(|event| event.action == Action::EmailRemoved).collect();
    assert!(matches!(removed[..], [event] if event.user_id == Some(find_id(&squatter).await)), "{removed:?}");
    // A verified address is not taken over.
    squatter.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
    let token = server.token_to("ada@example.org").await;
    assert_eq!(server.anonymous().verify_email(&token).await.code(), "EMAIL_TAKEN");
}

async fn find_id(actor: &Actor) -> uuid::Uuid {
    actor.query("{ me { id } }").await.data("/me/id").as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_verifications_of_one_email_leave_one_owner() {
    for _ in 0..6 {
        let server = TestServer::start().await;
        server.user_at("bo", "ada@example.org").await;
        let own = server.token_to("ada@example.org").await;
        let ada = server.user("ada").await;
        ada.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
        let change = server.token_to("ada@example.org").await;
        let attempts = [own, change].map(|token| {
            let actor = server.anonymous();
            tokio::spawn(async move { actor.verify_email(&token).await.json()["errors"].is_null() })
        });
        let [own, change] = attempts;
        let (own, change) = (own.await.unwrap(), change.await.unwrap());
        assert!(own != change, "{own} {change}");
        let [ada, bo] = [find(&server, "ada").await, find(&server, "bo").await];
        let expected = Some("ada@example.org");
        assert_eq!((ada.email.as_deref(), bo.email.as_deref()), if own { (None, expected) } else { (expected, None) });
    }
}

fn after_a_week(settings: &mut hallpass::config::Settings) {
    settings.registration.unverified_account_lifetime = Some(TimeDelta::days(7));
}

async fn usernames(server: &TestServer) -> BTreeSet<String> {
    users(server).await.into_iter().map(|user| user.username).collect()
}

#[tokio::test]
async fn unverified_registration_is_purged() {
    let server = TestServer::with(after_a_week).await;
    server.user_at("ada", "ada@example.org").await;
    server.clock.advance(TimeDelta::days(7) - TimeDelta::microseconds(1));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 0);
    server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 1);
    assert_eq!(usernames(&server).await, BTreeSet::new());
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert!(events.iter().all(|event| event.ip_address.is_none()), "{events:?}");
    assert_eq!(count(&server, Action::UserDeleted).await, 1);
    server.user_at("ada", "ada@example.org").await;
}

#[tokio::test]
async fn purge_keeps_verified_and_administered_accounts() {
    let server = TestServer::with(after_a_week).await;
    let administrator = Administrator::at_command_line();
    for name in ["verified", "changed", "boss", "disabled", "confirmed", "forgotten"] {
        server.user_at(name, &format!("{name}@example.org")).await;
    }
    server.user("without_address").await;
    let form = Registration {
        username: "created".to_owned(),
        password: password_of("created").into(),
        email: Some("created@example.org".to_owned()),
        first_name: None,
        last_name: None,
    };
    administration::create_with_password(&server.command_line(), &administrator, form, None).await.unwrap();
    for name in ["verified", "changed"] {
        verify(&server, &format!("{name}@example.org")).await;
    }
    let changed = find(&server, "changed").await;
    administration::set_email(&server.command_line(), &administrator, changed.id, "changed@new.example", false)
        .await
        .unwrap();
    let confirmed = find(&server, "confirmed").await;
    administration::verify_email(&server.command_line(), &administrator, confirmed.id).await.unwrap();
    let roles = Change { roles: Some(vec!["admin".to_owned()]), ..Change::default() };
    administration::update(&server.command_line(), &administrator, find(&server, "boss").await.id, roles)
        .await
        .unwrap();
    server.disable("disabled").await;
    server.clock.advance(TimeDelta::days(8));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 1);
    let kept = ["boss", "disabled", "created", "changed", "verified", "confirmed", "without_address"];
    assert_eq!(usernames(&server).await, kept.map(ToOwned::to_owned).into());
}

#[tokio::test]
async fn replacement_restarts_the_verification_period() {
    let server = TestServer::with(after_a_week).await;
    server.user_at("ada", "ada@exmaple.org").await;
    server.clock.advance(TimeDelta::days(6));
    replace(&server.anonymous(), "ada", &password_of("ada"), "ada@example.org").await.data("/replaceUnverifiedEmail");
    server.clock.advance(TimeDelta::days(6));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 0);
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 1);
}

#[tokio::test]
async fn unverified_accounts_are_kept_by_default() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    server.clock.advance(TimeDelta::days(4000));
    assert_eq!(unverified::purge(&server.command_line()).await.unwrap(), 0);
    assert_eq!(users(&server).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_purges_delete_each_account_once() {
    let server = TestServer::with(|settings| {
        after_a_week(settings);
        settings.throttle.is_enabled = false;
    })
    .await;
    for number in 0..12 {
        server.user_at(&format!("user{number}"), &format!("user{number}@example.org")).await;
    }
    server.clock.advance(TimeDelta::days(7));
    let purges = (0..4).map(|_| {
        let app = Arc::clone(&server.app);
        tokio::spawn(async move { unverified::purge(&hallpass::domain::Context::of_job(&app)).await.unwrap() })
    });
    let mut deleted = 0;
    for purge in purges.collect::<Vec<_>>() {
        deleted += purge.await.unwrap();
    }
    assert_eq!((deleted, count(&server, Action::UserDeleted).await), (12, 12));
}
