//! Throttling of password guesses.

use chrono::TimeDelta;
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use hallpass::{
    config::Settings,
    entity::throttle::{Entity, Model},
    jobs::purge::{Table, purge},
};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::support::{Actor, Answer, TestServer, json, password_of};

const HOME: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.7";

/// A login with a wrong password.
async fn guess(actor: &Actor, name: &str) -> String {
    actor.login(name, "not the password").await.code()
}

/// Makes wrong guesses, all of which are evaluated.
async fn guess_often(actor: &Actor, name: &str, times: usize) {
    for number in 0..times {
        assert_eq!(guess(actor, name).await, "INVALID_CREDENTIALS", "guess {number} at {name}");
    }
}

/// The seconds to wait, which the response must state consistently in all places.
fn wait(answer: &Answer) -> i64 {
    assert_eq!(answer.code(), "RATE_LIMITED");
    assert!(answer.json()["data"]["login"].is_null());
    let seconds = answer.error()["extensions"]["retryAfter"].as_i64().unwrap();
    assert_eq!(answer.header("retry-after"), Some(&*seconds.to_string()));
    seconds
}

/// A server with Ada registered from her home network.
async fn with_ada_at_home() -> TestServer {
    let server = TestServer::start().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    server.anonymous().at(HOME).register(input).await.data("/register/user");
    server
}

async fn rows(server: &TestServer) -> Vec<Model> {
    Entity::find().all(server.app.database.read()).await.unwrap()
}

#[tokio::test]
async fn ten_wrong_guesses_lock_out_strangers_but_not_the_owner() {
    let server = with_ada_at_home().await;
    let mallory = server.anonymous().at(ELSEWHERE);
    guess_often(&mallory, "ada", 10).await;
    assert_eq!(wait(&mallory.login("ada", "not the password").await), 15 * 60);
    server.clock.advance(TimeDelta::milliseconds(14 * 60 * 1000 + 500));
    assert_eq!(wait(&mallory.login("ada", &password_of("ada")).await), 60);
    server.anonymous().at(HOME).login("ada", &password_of("ada")).await.data("/login/user/id");

    server.clock.advance(TimeDelta::seconds(60));
    mallory.login("ada", &password_of("ada")).await.data("/login/user/id");
}

#[tokio::test]
async fn all_spellings_of_a_username_share_one_count() {
    let server = with_ada_at_home().await;
    let mallory = server.anonymous().at(ELSEWHERE);
    for name in ["ada", "ADA", "Ada", "aDa", "adA", "AdA", "ADa", "aDA", "ada", "ADA"] {
        assert_eq!(guess(&mallory, name).await, "INVALID_CREDENTIALS", "{name}");
    }
    assert_eq!(guess(&mallory, "Ada").await, "RATE_LIMITED");
    for email in
        ["ada@example.org", "ADA@example.org", "ada@ｅｘａｍｐｌｅ.org", "ada@exam\u{200b}ple.org", "Ada@EXAMPLE.ORG"]
    {
        guess_often(&mallory, email, 2).await;
    }
    assert_eq!(guess(&mallory, "ada@example\u{3002}org").await, "RATE_LIMITED");
}

#[tokio::test]
async fn unknown_usernames_are_counted_like_known_ones() {
    let server = with_ada_at_home().await;
    for (address, name) in [
        ("192.0.2.1", "ada"),
        ("192.0.2.2", "ada@example.org"),
        ("192.0.2.3", "nobody"),
        ("192.0.2.4", "nobody@example.org"),
        ("192.0.2.5", "no such name!"),
        ("192.0.2.6", ""),
        ("192.0.2.7", "ada\0"),
    ] {
        let mallory = server.anonymous().at(address);
        guess_often(&mallory, name, 10).await;
        assert_eq!(wait(&mallory.login(name, "not the password").await), 15 * 60, "{name}");
        assert_eq!(wait(&mallory.login(name, &"x".repeat(2000)).await), 15 * 60, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_guesses_respect_the_limit() {
    let server = with_ada_at_home().await;
    // Two spellings alternate. A later attempt has the correct password.
    let guesses = (0..40).map(|number| {
        let mallory = server.anonymous().at(ELSEWHERE);
        let name = if number % 2 == 0 { "ada" } else { "ADA" };
        tokio::spawn(async move { guess(&mallory, name).await })
    });
    let codes: Vec<String> = join_all(guesses).await.into_iter().map(Result::unwrap).collect();
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert_eq!((count("INVALID_CREDENTIALS"), count("RATE_LIMITED")), (10, 30), "{codes:?}");
    let correct = server.anonymous().at(ELSEWHERE).login("ada", &password_of("ada")).await;
    assert_eq!(correct.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn distributed_guesses_lock_out_strangers_but_not_the_owner() {
    let server = with_ada_at_home().await;
    let strangers = async |hours: i64| {
        for number in 0..5 {
            guess_often(&server.anonymous().at(&format!("203.0.113.{number}")), "ada", 10).await;
        }
        let limited = server.anonymous().at("192.0.2.1").login("ada", &password_of("ada")).await;
        assert_eq!(wait(&limited), hours * 3600);
        // Guesses from home have their own counter.
        assert_eq!(guess(&server.anonymous().at(HOME), "ada").await, "INVALID_CREDENTIALS");
        server.clock.advance(TimeDelta::hours(hours));
    };
    for hours in [1, 2, 4] {
        strangers(hours).await;
    }
    // Either identifier works at home; then strangers can make ten more guesses.
    for name in ["ada@example.org", "ada"] {
        server.anonymous().at(HOME).login(name, &password_of("ada")).await.data("/login/user/id");
    }
    strangers(1).await;
    // A new network is familiar after the first successful login.
    let cafe = server.anonymous().at("192.0.2.1");
    cafe.login("ada", &password_of("ada")).await.data("/login/user/id");
    guess_often(&cafe, "ada", 10).await;
    assert_eq!(guess(&cafe, "ada").await, "RATE_LIMITED");
}

#[tokio::test]
async fn hundred_failures_block_an_ip_for_unfamiliar_accounts() {
    let server = with_ada_at_home().await;
    let mallory = server.anonymous().at(ELSEWHERE);
    server.anonymous().at(ELSEWHERE).register(json!({ "username": "bo", "password": password_of("bo") })).await;
    for number in 0..100 {
        assert_eq!(guess(&mallory, &format!("user-{number}")).await, "INVALID_CREDENTIALS");
        server.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(wait(&mallory.login("ada", &password_of("ada")).await), 3600 - 100);
    // Another user behind the same IP address who has signed in there before is not affected.
    mallory.login("bo", &password_of("bo")).await.data("/login/user/id");
    server.anonymous().at("203.0.113.8").login("ada", &password_of("ada")).await.data("/login/user/id");
}

#[tokio::test]
async fn ipv6_network_counts_as_one_address() {
    let server = with_ada_at_home().await;
    for number in 0..10 {
        let mallory = server.anonymous().at(&format!("2001:db8:1:2:{number}::{number}"));
        assert_eq!(guess(&mallory, "ada").await, "INVALID_CREDENTIALS");
    }
    assert_eq!(guess(&server.anonymous().at("2001:db8:1:2:ffff::1"), "ada").await, "RATE_LIMITED");
    assert_eq!(guess(&server.anonymous().at("2001:db8:1:3::1"), "ada").await, "INVALID_CREDENTIALS");
    // An IPv4 address is the same in all notations.
    guess_often(&server.anonymous().at("::ffff:203.0.113.7"), "ada", 10).await;
    assert_eq!(guess(&server.anonymous().at("203.0.113.7"), "ada").await, "RATE_LIMITED");
}

#[tokio::test]
async fn forged_forwarding_headers_are_ignored() {
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let server = with_ada_at_home().await;
        for number in 0..10 {
            let address = format!("{}192.0.2.{number}", if header == "forwarded" { "for=" } else { "" });
            let mallory = server.anonymous().at(ELSEWHERE).with_header(header, &address);
            assert_eq!(guess(&mallory, "ada").await, "INVALID_CREDENTIALS");
        }
        let home = if header == "forwarded" { format!("for={HOME}") } else { HOME.to_owned() };
        let mallory = server.anonymous().at(ELSEWHERE).with_header(header, &home);
        assert_eq!(guess(&mallory, "ada").await, "RATE_LIMITED", "{header}");
    }
}

#[tokio::test]
async fn client_ip_comes_from_trusted_proxies_only() {
    let variables = [
        ("SECRET_KEY", "a secret that is for the tests only: 4c1f"),
        ("PROXY_HEADER", "x-forwarded-for"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let proxies = Settings::from_vars(variables).unwrap().server.proxies;
    let server = TestServer::with(|settings| settings.server.proxies = proxies).await;
    server.user("ada").await;
    let behind_proxy = |forwarded: &str| server.anonymous().at("10.0.0.1").with_header("x-forwarded-for", forwarded);
    // Values from the client are to the left of those that the proxy adds.
    for number in 0..10 {
        assert_eq!(guess(&behind_proxy(&format!("192.0.2.{number}, {ELSEWHERE}")), "ada").await, "INVALID_CREDENTIALS");
    }
    assert_eq!(guess(&behind_proxy(ELSEWHERE), "ada").await, "RATE_LIMITED");
    assert_eq!(guess(&server.anonymous().at(ELSEWHERE), "ada").await, "RATE_LIMITED");
    assert_eq!(guess(&behind_proxy("192.0.2.1"), "ada").await, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn counters_are_shared_by_instances_and_survive_restarts() {
    let server = with_ada_at_home().await;
    let other = TestServer::on(std::sync::Arc::clone(&server.database), |_| {}).await;
    guess_often(&server.anonymous().at(ELSEWHERE), "ada", 5).await;
    guess_often(&other.anonymous().at(ELSEWHERE), "ada", 5).await;
    assert_eq!(guess(&server.anonymous().at(ELSEWHERE), "ada").await, "RATE_LIMITED");
    let restarted = TestServer::on(std::sync::Arc::clone(&server.database), |_| {}).await;
    assert_eq!(guess(&restarted.anonymous().at(ELSEWHERE), "ada").await, "RATE_LIMITED");
    restarted.anonymous().at(HOME).login("ada", &password_of("ada")).await.data("/login/user/id");
}

#[tokio::test]
async fn success_refunds_the_attempt() {
    let server = with_ada_at_home().await;
    let cafe = server.anonymous().at(ELSEWHERE);
    for _ in 0..12 {
        guess_often(&cafe, "ada", 9).await;
        cafe.login("ada", &password_of("ada")).await.data("/login/user/id");
    }
    // 108 of them were wrong, but only the first nine came from an unfamiliar network.
    guess_often(&cafe, "somebody", 10).await;
}

#[tokio::test]
async fn successful_logins_are_not_counted() {
    let server = TestServer::start().await;
    let client = server.anonymous().at(ELSEWHERE);
    for name in ["ada", "bo"] {
        server.anonymous().at(HOME).register(json!({ "username": name, "password": password_of(name) })).await;
        // More often than an IP address or an unfamiliar network may fail.
        for _ in 0..101 {
            client.login(name, &password_of(name)).await.data("/login/user/id");
        }
    }
    let counted: usize = rows(&server).await.iter().map(|row| row.attempts.times().count()).sum();
    assert_eq!(counted, 2, "only the two registrations");
}

#[tokio::test]
async fn unevaluated_attempts_are_not_counted() {
    // One hasher at 2 s per hash: most attempts find the queue full.
    let server = TestServer::with(|settings| {
        settings.passwords.bcrypt_cost = 15;
        settings.passwords.hash_concurrency = 1;
        settings.passwords.hash_lanes = 1;
    })
    .await;
    let guesses = (0..9).map(|_| {
        let actor = server.anonymous();
        tokio::spawn(async move { guess(&actor, "nobody").await })
    });
    let mut guesses: FuturesUnordered<_> = guesses.collect();
    for _ in 0..5 {
        assert_eq!(guesses.next().await.unwrap().unwrap(), "SERVICE_UNAVAILABLE");
    }
    for row in rows(&server).await {
        assert!(row.attempts.times().count() <= 4, "at least five of nine failed");
    }
}

#[tokio::test]
async fn correct_password_of_a_disabled_account_is_not_counted() {
    let server = with_ada_at_home().await;
    server.disable("ada").await;
    for _ in 0..11 {
        let answer = server.anonymous().at(ELSEWHERE).login("ada", &password_of("ada")).await;
        assert_eq!(answer.code(), "ACCOUNT_DISABLED");
    }
}

#[tokio::test]
async fn network_can_register_30_accounts_an_hour() {
    let server = TestServer::start().await;
    let register = async |address: &str, name: &str| {
        let input = json!({ "username": name, "password": password_of(name) });
        server.anonymous().at(address).register(input).await
    };
    // An invalid form needs no hash and does not wait for one.
    for _ in 0..40 {
        assert_eq!(register(ELSEWHERE, "no name").await.code(), "INVALID_USERNAME");
    }
    for number in 0..29 {
        register(ELSEWHERE, &format!("user-{number}")).await.data("/register/user/id");
    }
    assert_eq!(register(ELSEWHERE, "user-0").await.code(), "USERNAME_TAKEN");
    for name in ["ada", "user-0"] {
        let limited = register(ELSEWHERE, name).await;
        assert_eq!(limited.code(), "RATE_LIMITED");
        assert_eq!(limited.header("retry-after"), Some("3600"));
    }
    register(HOME, "ada").await.data("/register/user/id");
    server.clock.advance(TimeDelta::hours(1));
    register(ELSEWHERE, "bo").await.data("/register/user/id");
}

#[tokio::test]
async fn old_counters_are_purged() {
    let server = with_ada_at_home().await;
    guess_often(&server.anonymous().at(ELSEWHERE), "ada", 3).await;
    guess_often(&server.anonymous().at(HOME), "nobody", 3).await;
    let before = rows(&server).await;
    purge(&server.app, Table::Throttles).await.unwrap();
    assert_eq!(rows(&server).await.len(), before.len(), "all counters are still needed");
    server.clock.advance(TimeDelta::hours(24));
    purge(&server.app, Table::Throttles).await.unwrap();
    // Only the familiar network is left.
    assert_eq!(rows(&server).await.len(), 1);
    server.clock.advance(TimeDelta::days(90));
    assert_eq!(purge(&server.app, Table::Throttles).await.unwrap(), 1);
    assert_eq!(rows(&server).await.len(), 0);
}

#[tokio::test]
async fn familiar_network_expires_after_ninety_days() {
    let server = with_ada_at_home().await;
    let strangers = async || {
        for number in 0..5 {
            guess_often(&server.anonymous().at(&format!("203.0.113.{number}")), "ada", 10).await;
        }
    };
    let home = server.anonymous().at(HOME);
    server.clock.advance(TimeDelta::days(89));
    strangers().await;
    home.login("ada", &password_of("ada")).await.data("/login/user/id");
    server.clock.advance(TimeDelta::days(90));
    strangers().await;
    assert_eq!(home.login("ada", &password_of("ada")).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn disabled_throttle_counts_nothing() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    server.user("ada").await;
    guess_often(&server.anonymous(), "ada", 101).await;
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user/id");
    assert_eq!(rows(&server).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn combined_evasions_do_not_raise_the_limit() {
    let server = with_ada_at_home().await;
    let guesses = (0..101).map(|number: u32| {
        let mallory = server.anonymous().at(ELSEWHERE);
        let login = move |name: &str| json!({ "input": { "username": name, "password": format!("guess {number}") } });
        let one = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
        let two = "mutation($input: LoginInput!) { a: login(input: $input) { accessToken } b: login(input: $input) { accessToken } }";
        tokio::spawn(async move {
            match number % 5 {
                0 => mallory.graphql(two, login("ada")).await,
                1 => mallory.post(json!([{ "query": one, "variables": login("ada") }]).to_string()).await,
                2 => mallory.graphql(one, login("ADA")).await,
                3 => {
                    let mallory = mallory.with_header("x-forwarded-for", &format!("192.0.2.{number}"));
                    mallory.graphql(one, login("Ada")).await
                }
                _ => mallory.with_header("forwarded", "for=198.51.100.7").graphql(one, login("aDA")).await,
            }
            .code()
        })
    });
    let codes: Vec<String> = join_all(guesses).await.into_iter().map(Result::unwrap).collect();
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    // Two operations in one document and an array of two are invalid requests.
    assert_eq!((count("GRAPHQL_VALIDATION_FAILED"), count("BAD_REQUEST")), (21, 20));
    assert_eq!((count("INVALID_CREDENTIALS"), count("RATE_LIMITED")), (10, 50), "{codes:?}");
    let mallory = server.anonymous().at(ELSEWHERE);
    wait(&mallory.login("ada", &password_of("ada")).await);
    server.anonymous().at(HOME).login("ada", &password_of("ada")).await.data("/login/user/id");
}

#[tokio::test]
async fn correct_password_without_a_session_is_not_counted() {
    let server = with_ada_at_home().await;
    let transaction = server.app.write().await.unwrap();
    transaction.execute_unprepared("ALTER TABLE sessions RENAME TO away").await.unwrap();
    transaction.commit().await.unwrap();
    for _ in 0..3 {
        let answer = server.anonymous().at(ELSEWHERE).login("ada", &password_of("ada")).await;
        assert_eq!(answer.code(), "INTERNAL_SERVER_ERROR");
    }
    let counted: usize = rows(&server).await.iter().map(|row| row.attempts.times().count()).sum();
    assert_eq!(counted, 3, "only the registration, and its mail by network and by account");
}
