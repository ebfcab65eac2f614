//! Each throttle limit can be set below and above its default.

use chrono::TimeDelta;
use hallpass::{
    config::Settings,
    entity::throttle::{self, Attempts, Entity, Model},
    jobs::deliver_mail,
};
use sea_orm::EntityTrait;

use super::invitations::invite;
use crate::support::{Actor, Answer, TestServer, json, password_of};

const MINUTES_15: TimeDelta = TimeDelta::minutes(15);
const HOUR: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::days(1);

/// A server with one limit set.
async fn with_limit(name: &str, limit: usize) -> TestServer {
    let secret = ("SECRET_KEY".to_owned(), "a secret that is for the tests only: 4c1f".to_owned());
    let limits = Settings::from_vars([secret, (name.to_owned(), limit.to_string())]).unwrap().throttle.limits;
    TestServer::with(|settings| settings.throttle.limits = limits).await
}

/// Makes this many accepted attempts, and one more, which must wait for the whole period.
async fn assert_limit(limit: usize, period: TimeDelta, mut attempt: impl AsyncFnMut(usize) -> Answer) {
    for number in 0..limit {
        let accepted = attempt(number).await;
        assert!(!accepted.text.contains("RATE_LIMITED"), "attempt {number} of {limit}: {accepted:?}");
    }
    let limited = attempt(limit).await;
    assert_eq!(limited.code(), "RATE_LIMITED", "attempt {limit} of {limit}");
    let seconds = period.num_seconds();
    assert_eq!(limited.error()["extensions"]["retryAfter"], seconds);
    assert_eq!(limited.header("retry-after"), Some(&*seconds.to_string()));
}

/// A client with its own network.
fn in_network(server: &TestServer, number: usize) -> Actor {
    server.anonymous().at(&format!("192.0.2.{number}"))
}

async fn change_password(actor: &Actor, current: &str, new: &str) -> Answer {
    let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { revokedSessions } }";
    actor.graphql(change, json!({ "input": { "currentPassword": current, "newPassword": new } })).await
}

async fn rename(actor: &Actor, username: &str) -> Answer {
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { username } } }";
    actor.graphql(update, json!({ "input": { "username": username } })).await
}

#[tokio::test]
async fn failed_login_limit_by_name_and_network_is_configurable() {
    for limit in [2, 13] {
        let server = with_limit("LIMIT_FAILED_LOGINS_BY_NAME_AND_NETWORK_PER_15_MINUTES", limit).await;
        let mallory = server.anonymous();
        assert_limit(limit, MINUTES_15, async |_| mallory.login("ada", "not the password").await).await;
    }
}

#[tokio::test]
async fn failed_login_limit_by_name_is_configurable() {
    for limit in [2, 53] {
        let server = with_limit("LIMIT_FAILED_LOGINS_BY_NAME_PER_HOUR", limit).await;
        assert_limit(limit, HOUR, async |number| in_network(&server, number).login("ada", "not the password").await)
            .await;
    }
}

#[tokio::test]
async fn failed_login_limit_by_network_is_configurable() {
    for limit in [2, 103] {
        let server = with_limit("LIMIT_FAILED_LOGINS_BY_NETWORK_PER_HOUR", limit).await;
        let mallory = server.anonymous();
        assert_limit(limit, HOUR, async |number| mallory.login(&format!("user-{number}"), "not the password").await)
            .await;
    }
}

#[tokio::test]
async fn wrong_current_password_limit_is_configurable() {
    for limit in [2, 13] {
        let server = with_limit("LIMIT_WRONG_CURRENT_PASSWORDS_PER_15_MINUTES", limit).await;
        let ada = server.user("ada").await;
        assert_limit(limit, MINUTES_15, async |_| change_password(&ada, "not hers", "a long new password").await).await;
    }
}

#[tokio::test]
async fn registration_limit_is_configurable() {
    for limit in [2, 33] {
        let server = with_limit("LIMIT_REGISTRATIONS_PER_HOUR", limit).await;
        let client = server.anonymous();
        assert_limit(limit, HOUR, async |number| {
            let username = format!("user-{number}");
            client.register(json!({ "username": username, "password": password_of(&username) })).await
        })
        .await;
    }
}

#[tokio::test]
async fn username_change_limit_is_configurable() {
    for limit in [2, 8] {
        let server = with_limit("LIMIT_USERNAME_CHANGES_PER_DAY", limit).await;
        let ada = server.user("ada").await;
        assert_limit(limit, DAY, async |number| rename(&ada, &format!("name-{number}")).await).await;
    }
}

#[tokio::test]
async fn username_request_limit_is_configurable() {
    for limit in [2, 33] {
        let server = with_limit("LIMIT_USERNAME_REQUESTS_PER_HOUR", limit).await;
        server.user("bo").await;
        let ada = server.user("ada").await;
        // Each from another network, which has its own limit.
        assert_limit(limit, HOUR, async |number| rename(&ada.at(&format!("192.0.2.{number}")), "bo").await).await;
    }
}

#[tokio::test]
async fn password_change_limit_is_configurable() {
    for limit in [2, 13] {
        let server = with_limit("LIMIT_PASSWORD_CHANGES_PER_DAY", limit).await;
        let ada = server.user("ada").await;
        let password = |number: usize| if number == 0 { password_of("ada") } else { format!("long password {number}") };
        assert_limit(limit, DAY, async |number| change_password(&ada, &password(number), &password(number + 1)).await)
            .await;
    }
}

#[tokio::test]
async fn mail_request_limit_by_network_is_configurable() {
    for limit in [2, 63] {
        let server = with_limit("LIMIT_MAIL_REQUESTS_BY_NETWORK_PER_HOUR", limit).await;
        let client = server.anonymous();
        assert_limit(limit, HOUR, async |number| {
            client.request_password_reset(&format!("user{number}@example.org")).await
        })
        .await;
    }
}

#[tokio::test]
async fn mail_request_limit_by_account_is_configurable() {
    for limit in [2, 13] {
        let server = with_limit("LIMIT_MAIL_REQUESTS_BY_ACCOUNT_PER_DAY", limit).await;
        let ada = server.user("ada").await;
        assert_limit(limit, DAY, async |number| {
            ada.change_email(json!({ "newEmail": format!("ada{number}@example.org") })).await
        })
        .await;
    }
}

#[tokio::test]
async fn recipient_mail_limit_is_configurable() {
    for limit in [2, 6] {
        let server = with_limit("LIMIT_MAILS_TO_ADDRESS_PER_HOUR", limit).await;
        server.user_at("ada", "ada@example.org").await;
        for number in 0..10 {
            in_network(&server, number).request_password_reset("ada@example.org").await.data("/requestPasswordReset");
            // Some mails are delivered together, others alone.
            if number % 3 == 0 {
                deliver_mail::tick(&server.app).await.unwrap();
            }
        }
        let mut mails = server.mails_to("ada@example.org").await;
        mails.retain(|mail| mail.text.plain.contains("/reset-password"));
        assert_eq!(mails.len(), limit);
    }
}

/// The database stores a row with the highest limit that can be set.
#[tokio::test]
async fn counter_works_with_the_highest_limit() {
    let limit = 5000;
    let server = with_limit("LIMIT_REGISTRATIONS_PER_HOUR", limit).await;
    server.user("ada").await;
    let db = server.app.database.read();
    let mut rows = Entity::find().all(db).await.unwrap();
    let times =
        (1..i64::try_from(limit).unwrap()).map(|number| server.app.clock.now() - TimeDelta::milliseconds(number));
    let attempts: Attempts = times.rev().collect();
    rows.retain(|row| row.attempts.times().count() == 1);
    let counter = Model { attempts, ..rows.pop().unwrap() };
    let transaction = server.app.write().await.unwrap();
    throttle::save(&transaction, vec![counter]).await.unwrap();
    transaction.commit().await.unwrap();

    server.user("bo").await;
    let limited = server.anonymous().register(json!({ "username": "cy", "password": password_of("cy") })).await;
    assert_eq!(limited.code(), "RATE_LIMITED");
    server.clock.advance(HOUR);
    server.user("cy").await;
}

#[tokio::test]
async fn invitation_limit_is_configurable() {
    for limit in [2, 53] {
        let server = with_limit("LIMIT_INVITATIONS_PER_HOUR", limit).await;
        let boss = server.administrator("boss").await;
        assert_limit(limit, HOUR, async |number| {
            invite(&boss, &format!("user{number}@example.org"), serde_json::Value::Null).await
        })
        .await;
    }
}
