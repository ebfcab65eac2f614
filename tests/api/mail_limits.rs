//! Limits on requested and sent mails, and the order of delivery.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    domain::users::administration::{self, Administrator},
    entity::mail,
    jobs::deliver_mail,
    security::random,
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::support::{Actor, SmtpServer, TestServer, json, logged, password_of};

const HOME: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.7";

const CHANGE_PASSWORD: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { revokedSessions } }";

/// A client with its own network.
fn in_network(server: &TestServer, number: usize) -> Actor {
    server.anonymous().at(&format!("192.0.2.{number}"))
}

/// Requests reset links, each from another network.
async fn request_resets(server: &TestServer, email: &str, times: usize) {
    for number in 0..times {
        in_network(server, number).request_password_reset(email).await.data("/requestPasswordReset");
    }
}

/// Requests verification mails, each from another network.
async fn request_verifications(server: &TestServer, email: &str, times: usize) {
    for number in 0..times {
        in_network(server, number).send_verification_email(email).await.data("/sendVerificationEmail");
    }
}

/// A user with a verified e-mail address.
async fn verified_user(server: &TestServer, username: &str, email: &str) -> Actor {
    let user = server.user_at(username, email).await;
    let token = server.token_to(email).await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    user
}

/// Subjects of the mails to an address, newest first.
async fn subjects(server: &TestServer, email: &str) -> Vec<String> {
    server.mails_to(email).await.into_iter().map(|mail| mail.text.subject).collect()
}

async fn waiting(server: &TestServer) -> usize {
    mail::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

/// Writes reset requests for these addresses into the outbox.
async fn flood(server: &TestServer, emails: impl Iterator<Item = String>) {
    let now = server.app.clock.now();
    let rows: Vec<mail::ActiveModel> = emails
        .map(|email| mail::ActiveModel {
            id: Set(random::id(now).unwrap()),
            purpose: Set(mail::Purpose::ResetPassword),
            email: Set(email.clone()),
            email_key: Set(email),
            language: Set("en".to_owned()),
            ip_address: Set(Some(ELSEWHERE.to_owned())),
            created_at: Set(now),
            next_attempt_at: Set(now),
            attempts: Set(0),
            ..mail::ActiveModel::default()
        })
        .collect();
    for rows in rows.chunks(1000) {
        let transaction = server.app.write().await.unwrap();
        mail::Entity::insert_many(rows.to_vec()).exec_without_returning(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

/// Requests a reset for Ada after a flood. Asserts that the worker sends her mail within a limited number of passes and
/// statements.
async fn reset_after_flood(emails: impl Iterator<Item = String>) {
    let (server, statements) = TestServer::observed().await;
    verified_user(&server, "ada", "ada@example.org").await;
    verified_user(&server, "bo", "bo@example.org").await;
    flood(&server, emails).await;
    server.clock.advance(TimeDelta::seconds(1));
    server.anonymous().at(HOME).request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    statements.lock().unwrap().clear();
    let mut passes = 0;
    while !server
        .app
        .mailer
        .dev_mailbox()
        .unwrap()
        .all()
        .iter()
        .any(|mail| mail.text.plain.contains("/reset-password") && mail.to == "ada@example.org")
    {
        passes += 1;
        assert!(passes <= 12, "the reset mail was not sent after 12 passes");
        deliver_mail::pass(&server.app).await.unwrap();
    }
    let statements = statements.lock().unwrap().len();
    assert!(statements <= 250, "{statements} statements");
    deliver_mail::tick(&server.app).await.unwrap();
    assert_eq!(waiting(&server).await, 0);
}

#[tokio::test]
async fn flood_for_unknown_emails_does_not_delay_a_reset_mail() {
    reset_after_flood((0..10_000).map(|number| format!("nobody{number}@example.org"))).await;
}

#[tokio::test]
async fn flood_for_one_email_does_not_delay_the_reset_mail_of_another() {
    reset_after_flood((0..10_000).map(|_| "bo@example.org".to_owned())).await;
}

#[tokio::test]
async fn mails_of_one_network_do_not_delay_those_of_others() {
    let smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| settings.mail.smtp = vec![smtp.settings()]).await;
    for number in 0..20 {
        let name = format!("user{number}");
        in_network(&server, number)
            .register(
                json!({ "username": name, "password": password_of(&name), "email": format!("{name}@example.org") }),
            )
            .await
            .data("/register");
    }
    deliver_mail::tick(&server.app).await.unwrap();
    let mallory = server.anonymous().at(ELSEWHERE);
    for number in 0..19 {
        mallory.request_password_reset(&format!("user{number}@example.org")).await.data("/requestPasswordReset");
    }
    server.clock.advance(TimeDelta::seconds(1));
    server.anonymous().at(HOME).request_password_reset("user19@example.org").await.data("/requestPasswordReset");
    for _ in 0..2 {
        deliver_mail::pass(&server.app).await.unwrap();
    }
    let recipients: Vec<String> = smtp.received().into_iter().skip(20).map(|mail| mail.to).collect();
    assert!(recipients.len() < 19 && recipients.contains(&"user19@example.org".to_owned()), "{recipients:?}");
}

#[tokio::test]
async fn recipient_gets_three_reset_mails_an_hour_without_disclosure() {
    let server = TestServer::start().await;
    verified_user(&server, "ada", "ada@example.org").await;
    for (hour, sent) in [(1, 3), (2, 6)] {
        request_resets(&server, "ada@example.org", 5).await;
        request_resets(&server, "nobody@example.org", 5).await;
        assert_eq!(subjects(&server, "ada@example.org").await.len(), 1 + sent, "hour {hour}");
        server.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(waiting(&server).await, 0);
}

#[tokio::test]
async fn verification_mails_do_not_count_against_reset_mails() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    request_verifications(&server, "ada@example.org", 5).await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 3);
    request_resets(&server, "ada@example.org", 1).await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 4);
}

#[tokio::test]
async fn requests_without_a_mail_do_not_count_against_the_recipient() {
    let server = TestServer::start().await;
    verified_user(&server, "ada", "ada@example.org").await;
    request_verifications(&server, "ada@example.org", 10).await;
    request_resets(&server, "ada@new.example", 10).await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 1);
    // Her address changes. Requests from before the change do not count.
    let ada = server.anonymous().login("ada", &password_of("ada")).await;
    let ada = server.anonymous().with_bearer(ada.data("/login/accessToken").as_str().unwrap());
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let token = server.token_to("ada@new.example").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    request_resets(&server, "ada@new.example", 3).await;
    assert_eq!(subjects(&server, "ada@new.example").await.len(), 4);
}

#[tokio::test]
async fn dropped_mail_is_logged_without_its_recipient() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let change = async || ada.change_email(json!({ "newEmail": "dropped@example.org" })).await.data("/changeEmail");
    for _ in 0..3 {
        change().await;
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 1);
    }
    change().await;
    let id = mail::Entity::find().one(server.app.database.read()).await.unwrap().unwrap().id.to_string();
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    assert!(logged(&id).iter().any(|line| line.contains("mail dropped")), "{:?}", logged(&id));
    assert_eq!(logged("dropped@"), Vec::<String>::new());
}

#[tokio::test]
async fn retried_mail_is_counted_once() {
    let mut smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| settings.mail.smtp = vec![smtp.settings()]).await;
    verified_user(&server, "ada", "ada@example.org").await;
    smtp.stop().await;
    request_resets(&server, "ada@example.org", 2).await;
    for _ in 0..5 {
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
        server.clock.advance(TimeDelta::minutes(5));
    }
    smtp.restart().await;
    request_resets(&server, "ada@example.org", 1).await;
    server.clock.advance(TimeDelta::minutes(20));
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 3);
}

#[tokio::test]
async fn network_can_request_60_mails_an_hour() {
    let server = TestServer::start().await;
    let mallory = server.anonymous().at("2001:db8:1:2::1");
    for number in 0..30 {
        mallory.request_password_reset(&format!("a{number}@example.org")).await.data("/requestPasswordReset");
        mallory.send_verification_email(&format!("b{number}@example.org")).await.data("/sendVerificationEmail");
    }
    let same_network = server.anonymous().at("2001:db8:1:2:ffff::1");
    for answer in [
        same_network.request_password_reset("ada@example.org").await,
        same_network.send_verification_email("ada@example.org").await,
    ] {
        assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("RATE_LIMITED", Some("3600")));
    }
    assert_eq!(waiting(&server).await, 60);
    server
        .anonymous()
        .at("2001:db8:1:3::1")
        .request_password_reset("ada@example.org")
        .await
        .data("/requestPasswordReset");
    server.clock.advance(TimeDelta::hours(1));
    same_network.request_password_reset("ada@example.org").await.data("/requestPasswordReset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests_respect_the_network_limit() {
    let server = TestServer::start().await;
    let requests = (0..70).map(|number| {
        let mallory = server.anonymous().at(ELSEWHERE);
        tokio::spawn(async move { mallory.request_password_reset(&format!("a{number}@example.org")).await.text })
    });
    let answers: Vec<String> = join_all(requests).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|text| text.contains("RATE_LIMITED")).count(), 10, "{answers:?}");
    assert_eq!(waiting(&server).await, 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_registrations_are_all_counted() {
    let server = TestServer::start().await;
    let registrations = (0..20).map(|number| {
        let (stranger, name) = (server.anonymous().at(ELSEWHERE), format!("user{number}"));
        let input = json!({ "username": name, "password": password_of(&name), "email": format!("{name}@example.org") });
        tokio::spawn(async move { stranger.register(input).await.data("/register/user/id") })
    });
    for registration in join_all(registrations).await {
        registration.unwrap();
    }
    let mut rounds: Vec<i32> =
        mail::Entity::find().all(server.app.database.read()).await.unwrap().iter().map(|mail| mail.round).collect();
    rounds.sort_unstable();
    assert_eq!(rounds, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn account_can_request_ten_mails_a_day() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for number in 0..10 {
        let ada = ada.at(&format!("192.0.2.{number}"));
        let email = format!("stranger{number}@example.org");
        match number % 3 {
            0 => ada.change_email(json!({ "newEmail": email })).await.data("/changeEmail"),
            1 => ada.send_verification_email(&email).await.data("/sendVerificationEmail"),
            _ => ada.request_password_reset(&email).await.data("/requestPasswordReset"),
        };
    }
    let ada = ada.at(HOME);
    for answer in [
        ada.change_email(json!({ "newEmail": "another@example.org" })).await,
        ada.send_verification_email("another@example.org").await,
        ada.request_password_reset("another@example.org").await,
    ] {
        assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("RATE_LIMITED", Some("86400")));
    }
    server.anonymous().at(HOME).request_password_reset("another@example.org").await.data("/requestPasswordReset");
}

#[tokio::test]
async fn revoked_session_does_not_count_against_its_account() {
    let server = TestServer::start().await;
    let thief = server.user("ada").await;
    thief.logout(json!({})).await.data("/logout");
    for number in 0..10 {
        thief
            .at(&format!("192.0.2.{number}"))
            .request_password_reset("a@example.org")
            .await
            .data("/requestPasswordReset");
    }
    let ada = server.anonymous().login("ada", &password_of("ada")).await;
    let ada = server.anonymous().with_bearer(ada.data("/login/accessToken").as_str().unwrap());
    ada.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
}

#[tokio::test]
async fn email_change_over_the_limit_writes_nothing() {
    let server = TestServer::start().await;
    let ada = verified_user(&server, "ada", "ada@example.org").await;
    // The registration mail was the first of the account.
    for number in 0..9 {
        ada.change_email(json!({ "newEmail": format!("stranger{number}@example.org") })).await.data("/changeEmail");
    }
    let before = waiting(&server).await;
    let answer = ada.change_email(json!({ "newEmail": "last@example.org" })).await;
    assert_eq!(answer.code(), "RATE_LIMITED");
    let update = json!({ "email": "last@example.org", "first_name": "Ada" });
    let request = ada.request(axum::http::Method::PUT, "/users/me").header("content-type", "application/json");
    let answer = ada.send(request.body(update.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, 429);
    let me = ada.query("{ me { pendingEmail firstName } }").await.data("/me");
    assert_eq!(me, json!({ "pendingEmail": "stranger8@example.org", "firstName": null }));
    assert_eq!(waiting(&server).await, before);
    // Changing back to the verified address sends no mail and is not limited.
    ada.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
}

#[tokio::test]
async fn accounts_in_one_network_share_its_limit() {
    let server = TestServer::start().await;
    let mut accepted = 0;
    for name in ["ada", "bo", "cy", "dee", "eve", "flo", "gil"] {
        let user = server.user(name).await.at(ELSEWHERE);
        for number in 0..10 {
            let answer = user.change_email(json!({ "newEmail": format!("{name}{number}@example.org") })).await;
            match answer.json().get("errors") {
                None => accepted += 1,
                Some(_) => assert_eq!(answer.code(), "RATE_LIMITED"),
            }
        }
    }
    assert_eq!(accepted, 60);
}

#[tokio::test]
async fn deleting_and_registering_again_does_not_reset_the_mail_limit() {
    let server = TestServer::start().await;
    for number in 0..12 {
        let stranger = server.user_at(&format!("user{number}"), "victim@example.org").await;
        deliver_mail::tick(&server.app).await.unwrap();
        stranger.query("mutation { deleteAccount(input: {}) { deletedUserId } }").await.data("/deleteAccount");
    }
    assert_eq!(subjects(&server, "victim@example.org").await.len(), 3);
}

#[tokio::test]
async fn registration_over_the_mail_limit_succeeds_without_a_mail() {
    let server = TestServer::start().await;
    for number in 0..60 {
        server
            .anonymous()
            .request_password_reset(&format!("a{number}@example.org"))
            .await
            .data("/requestPasswordReset");
    }
    server.user_at("ada", "ada@example.org").await;
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 0);
    server.anonymous().at(HOME).send_verification_email("ada@example.org").await.data("/sendVerificationEmail");
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 1);
}

#[tokio::test]
async fn registration_counts_against_its_network() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    for number in 0..59 {
        server
            .anonymous()
            .request_password_reset(&format!("a{number}@example.org"))
            .await
            .data("/requestPasswordReset");
    }
    assert_eq!(server.anonymous().request_password_reset("ada@example.org").await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn email_changes_do_not_count_against_the_owner_of_the_email() {
    let server = TestServer::start().await;
    let mallory = server.user("mallory").await;
    for _ in 0..5 {
        mallory.change_email(json!({ "newEmail": "ada@example.org" })).await.data("/changeEmail");
        // Deliver it before the next request, which would replace a queued mail.
        server.mails_to("ada@example.org").await;
    }
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 3);
    server.user_at("ada", "ada@example.org").await;
    let mails = server.mails_to("ada@example.org").await;
    assert!(mails.len() == 4 && mails[0].text.plain.starts_with("Hello ada,"), "{}", mails.len());
}

#[tokio::test]
async fn mails_are_unlimited_if_the_throttle_is_disabled() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    server.user_at("ada", "ada@example.org").await;
    for _ in 0..61 {
        server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    }
    assert_eq!(subjects(&server, "ada@example.org").await.len(), 62);
}

#[tokio::test]
async fn resend_goes_to_the_account_with_the_unverified_email() {
    let server = TestServer::start().await;
    for name in ["bo", "cy"] {
        server.user(name).await.change_email(json!({ "newEmail": "shared@example.org" })).await.data("/changeEmail");
    }
    server.user_at("ada", "shared@example.org").await;
    let before = server.mails_to("shared@example.org").await.len();
    request_verifications(&server, "shared@example.org", 1).await;
    let mails = server.mails_to("shared@example.org").await;
    assert_eq!(mails.len(), before + 1);
    assert!(mails[0].text.plain.starts_with("Hello ada,"), "{}", mails[0].text.plain);
}

#[tokio::test]
async fn resend_goes_to_the_latest_account_with_the_pending_email() {
    let server = TestServer::start().await;
    for name in ["ada", "cy", "bo"] {
        server.user(name).await.change_email(json!({ "newEmail": "shared@example.org" })).await.data("/changeEmail");
        server.clock.advance(TimeDelta::hours(1));
    }
    let before = server.mails_to("shared@example.org").await.len();
    server.clock.advance(TimeDelta::hours(1));
    request_verifications(&server, "shared@example.org", 1).await;
    let mails = server.mails_to("shared@example.org").await;
    assert_eq!(mails.len(), before + 1);
    assert!(mails[0].text.plain.starts_with("Hello bo,"), "{}", mails[0].text.plain);
}

#[tokio::test]
async fn notices_go_to_verified_emails_only() {
    let server = TestServer::start().await;
    let mallory = server.user_at("mallory", "stranger@example.org").await;
    let input = json!({ "currentPassword": password_of("mallory"), "newPassword": "another long password" });
    mallory.graphql(CHANGE_PASSWORD, json!({ "input": input })).await.data("/changePassword");
    let administrator = Administrator::at_command_line();
    let user = administration::find(&server.command_line(), &administrator, "mallory").await.unwrap();
    administration::set_password(&server.command_line(), &administrator, user.id, "yet another good one".into())
        .await
        .unwrap();
    let login = server.anonymous().login("mallory", "yet another good one").await;
    let mallory = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    mallory.change_email(json!({ "newEmail": "own@example.org" })).await.data("/changeEmail");
    let token = server.token_to("own@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    assert_eq!(subjects(&server, "stranger@example.org").await, ["Confirm your e-mail address"]);
}

#[tokio::test]
async fn changes_are_reported_to_the_verified_email() {
    let server = TestServer::start().await;
    let ada = verified_user(&server, "ada", "ada@example.org").await;
    let input = json!({ "currentPassword": password_of("ada"), "newPassword": "another long password" });
    ada.graphql(CHANGE_PASSWORD, json!({ "input": input })).await.data("/changePassword");
    ada.change_email(json!({ "newEmail": "ada@new.example" })).await.data("/changeEmail");
    let token = server.token_to("ada@new.example").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    let received: BTreeSet<String> = subjects(&server, "ada@example.org").await.into_iter().collect();
    let expected = ["Confirm your e-mail address", "Your e-mail address was changed", "Your password was changed"];
    assert_eq!(received, expected.map(ToOwned::to_owned).into());
}

#[tokio::test]
async fn password_can_be_changed_ten_times_a_day() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let change = async |from: String, to: String| {
        let input = json!({ "currentPassword": from, "newPassword": to });
        ada.graphql(CHANGE_PASSWORD, json!({ "input": input })).await
    };
    let password = |number: usize| if number == 0 { password_of("ada") } else { format!("long password {number}") };
    for number in 0..10 {
        // A wrong password does not count.
        assert_eq!(change("not hers".to_owned(), "a good password".to_owned()).await.code(), "WRONG_PASSWORD");
        change(password(number), password(number + 1)).await.data("/changePassword");
        server.clock.advance(TimeDelta::minutes(2));
    }
    let limited = change(password(10), password(11)).await;
    assert_eq!(limited.code(), "RATE_LIMITED");
    server.anonymous().login("ada", &password(10)).await.data("/login/user");
    server.clock.advance(TimeDelta::hours(24));
    let ada = server.anonymous().login("ada", &password(10)).await;
    let ada = server.anonymous().with_bearer(ada.data("/login/accessToken").as_str().unwrap());
    let input = json!({ "currentPassword": password(10), "newPassword": password(11) });
    ada.graphql(CHANGE_PASSWORD, json!({ "input": input })).await.data("/changePassword");
}
