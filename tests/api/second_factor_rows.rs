//! The rows of second factors: what concurrent requests may change, how they are found, and when they are purged.

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    App,
    database::Transaction,
    entity::{
        mfa_challenge, recovery_code, remembered_device,
        session::{AuthenticationMethods, Delivery},
        totp_factor,
    },
    jobs::purge::{Table, purge},
    security::{
        link_token::{self, TokenHash},
        recovery_code::RecoveryCode,
        sealed::Sealed,
    },
};
use sea_orm::{EntityTrait, prelude::Uuid};

use crate::support::{Plan, TestServer, random_id};

async fn user_id(server: &TestServer) -> Uuid {
    server.created("ada").await.id
}

pub fn token_hash() -> TokenHash {
    link_token::generate().unwrap().1
}

/// Runs statements in a transaction of their own.
async fn write<T>(app: &App, statements: impl AsyncFnOnce(&Transaction) -> T) -> T {
    let transaction = app.write().await.unwrap();
    let result = statements(&transaction).await;
    transaction.commit().await.unwrap();
    result
}

pub fn enrollment(user_id: Uuid, secret: u8, now: DateTime<Utc>) -> totp_factor::Model {
    totp_factor::Model {
        user_id,
        sealed_secret: vec![secret; 48],
        key_id: "0123456789abcdef".to_owned(),
        created_at: now,
        confirmed_at: None,
        expires_at: Some(now + TimeDelta::minutes(10)),
        last_step: None,
    }
}

fn challenge(user_id: Uuid, now: DateTime<Utc>) -> mfa_challenge::Model {
    mfa_challenge::Model {
        id: random_id(),
        token_hash: token_hash(),
        user_id,
        epoch: 0,
        amr: AuthenticationMethods::password(),
        delivery: Delivery::Cookie,
        client_hash: Some(token_hash()),
        created_at: now,
        expires_at: now + TimeDelta::minutes(5),
        attempts: 0,
    }
}

pub fn device(user_id: Uuid, token_hash: TokenHash, now: DateTime<Utc>) -> remembered_device::Model {
    remembered_device::Model {
        id: random_id(),
        user_id,
        token_hash,
        user_agent: None,
        created_at: now,
        last_used_at: now,
        expires_at: now + TimeDelta::days(30),
    }
}

#[tokio::test]
async fn new_enrollment_replaces_the_previous_one() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let [first, second] = [1, 2].map(|secret| enrollment(id, secret, now));
    write(app, async |db| totp_factor::start(db, first.clone()).await).await.unwrap();
    write(app, async |db| totp_factor::start(db, second.clone()).await).await.unwrap();
    assert!(!write(app, async |db| totp_factor::confirm(db, &first, 7, now).await).await.unwrap());
    assert!(!totp_factor::is_confirmed(app.database.read(), id).await.unwrap());
    assert!(write(app, async |db| totp_factor::confirm(db, &second, 7, now).await).await.unwrap());
    let factor = totp_factor::find(app.database.read(), id).await.unwrap().unwrap();
    assert_eq!((factor.last_step, factor.expires_at), (Some(7), None));
}

#[tokio::test]
async fn confirmed_factor_is_not_replaced() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let factor = enrollment(id, 1, now);
    write(app, async |db| totp_factor::start(db, factor.clone()).await).await.unwrap();
    assert!(write(app, async |db| totp_factor::confirm(db, &factor, 7, now).await).await.unwrap());
    assert!(!write(app, async |db| totp_factor::confirm(db, &factor, 8, now).await).await.unwrap());
    let transaction = app.write().await.unwrap();
    assert!(totp_factor::start(&transaction, enrollment(id, 2, now)).await.is_err());
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn expired_enrollment_cannot_be_confirmed_and_is_purged() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let started = enrollment(id, 1, now);
    write(app, async |db| totp_factor::start(db, started.clone()).await).await.unwrap();
    server.clock.advance(TimeDelta::minutes(10));
    let now = app.clock.now();
    assert!(!write(app, async |db| totp_factor::confirm(db, &started, 7, now).await).await.unwrap());
    assert_eq!(purge(app, Table::TotpEnrollments).await.unwrap(), 1);
}

#[tokio::test]
async fn last_step_only_advances() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let factor = enrollment(id, 1, now);
    write(app, async |db| totp_factor::start(db, factor.clone()).await).await.unwrap();
    let advance = async |step| write(app, async |db| totp_factor::advance(db, &factor, step).await).await.unwrap();
    assert!(!advance(8).await, "the enrollment is not confirmed");
    assert!(write(app, async |db| totp_factor::confirm(db, &factor, 7, now).await).await.unwrap());
    assert!(!advance(7).await);
    assert!(advance(9).await);
    assert!(!advance(8).await);
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(purge(app, Table::TotpEnrollments).await.unwrap(), 0);
}

#[tokio::test]
async fn secrets_of_other_keys_are_found_and_replaced() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let factor = enrollment(id, 1, now);
    write(app, async |db| totp_factor::start(db, factor.clone()).await).await.unwrap();
    let db = app.database.read();
    assert_eq!(totp_factor::count_sealed_by_other_keys(db, &factor.key_id).await.unwrap(), 0);
    assert_eq!(totp_factor::count_sealed_by_other_keys(db, "another").await.unwrap(), 1);
    let found = totp_factor::sealed_by(db, &factor.key_id, None, 10).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&factor));
    assert_eq!(totp_factor::sealed_by(db, &factor.key_id, Some(id), 10).await.unwrap(), []);
    let sealed = || Sealed { key_id: "another".to_owned(), bytes: vec![2; 48] };
    assert!(write(app, async |db| totp_factor::reseal(db, &factor, sealed()).await).await.unwrap());
    assert!(!write(app, async |db| totp_factor::reseal(db, &factor, sealed()).await).await.unwrap());
    assert_eq!(totp_factor::count_sealed_by_other_keys(db, "another").await.unwrap(), 0);
}

#[tokio::test]
async fn recovery_code_is_taken_once_by_its_user() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let other = server.created("bo").await.id;
    let hashes: Vec<_> = RecoveryCode::generate_all().unwrap().iter().map(RecoveryCode::hash).collect();
    write(app, async |db| recovery_code::replace(db, id, hashes.clone(), now).await).await.unwrap();
    let take = async |id| write(app, async |db| recovery_code::take(db, id, hashes[0].clone()).await).await.unwrap();
    assert!(!take(other).await);
    assert!(take(id).await);
    assert!(!take(id).await);
    assert_eq!(recovery_code::count(app.database.read(), id).await.unwrap(), 9);
    let new: Vec<_> = RecoveryCode::generate_all().unwrap().iter().map(RecoveryCode::hash).collect();
    write(app, async |db| recovery_code::replace(db, id, new, now).await).await.unwrap();
    assert!(!write(app, async |db| recovery_code::take(db, id, hashes[1].clone()).await).await.unwrap());
    assert_eq!(recovery_code::count(app.database.read(), id).await.unwrap(), 10);
}

#[tokio::test]
async fn challenge_allows_five_attempts() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let challenge = challenge(id, now);
    write(app, async |db| mfa_challenge::insert(db, challenge.clone()).await).await.unwrap();
    let book = async || write(app, async |db| mfa_challenge::book_attempt(db, challenge.id, now).await).await.unwrap();
    for _ in 0..mfa_challenge::MAX_ATTEMPTS {
        assert!(mfa_challenge::find(app.database.read(), &challenge.token_hash, now).await.unwrap().is_some());
        assert!(book().await);
    }
    assert!(!book().await);
    assert_eq!(mfa_challenge::find(app.database.read(), &challenge.token_hash, now).await.unwrap(), None);
    // The fifth attempt may be the correct one.
    assert!(write(app, async |db| mfa_challenge::take(db, challenge.id, now).await).await.unwrap());
    assert!(!write(app, async |db| mfa_challenge::take(db, challenge.id, now).await).await.unwrap());
}

#[tokio::test]
async fn expired_challenge_is_useless_and_purged() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let challenge = challenge(id, now);
    write(app, async |db| mfa_challenge::insert(db, challenge.clone()).await).await.unwrap();
    server.clock.advance(TimeDelta::minutes(5));
    let now = app.clock.now();
    assert_eq!(mfa_challenge::find(app.database.read(), &challenge.token_hash, now).await.unwrap(), None);
    assert!(!write(app, async |db| mfa_challenge::book_attempt(db, challenge.id, now).await).await.unwrap());
    assert!(!write(app, async |db| mfa_challenge::take(db, challenge.id, now).await).await.unwrap());
    assert_eq!(purge(app, Table::MfaChallenges).await.unwrap(), 1);
}

#[tokio::test]
async fn token_of_a_device_is_used_once() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    let other = server.created("bo").await.id;
    let [first, second, third] = [(); 3].map(|()| token_hash());
    write(app, async |db| remembered_device::insert(db, device(id, first.clone(), now)).await).await.unwrap();
    let rotate = async |id, from: &TokenHash, to: &TokenHash| {
        let hashes = [from.clone(), to.clone()];
        let now = app.clock.now();
        write(app, async |db| remembered_device::rotate(db, id, hashes, now).await).await.unwrap()
    };
    assert!(!rotate(other, &first, &second).await);
    assert!(rotate(id, &first, &second).await);
    assert!(!rotate(id, &first, &third).await);
    let devices = remembered_device::list(app.database.read(), id, 10, now).await.unwrap();
    assert_eq!(devices.len(), 1);
    server.clock.advance(TimeDelta::days(30));
    assert!(!rotate(id, &second, &third).await);
    let now = app.clock.now();
    assert_eq!(remembered_device::list(app.database.read(), id, 10, now).await.unwrap(), []);
    assert_eq!(purge(app, Table::RememberedDevices).await.unwrap(), 1);
}

#[tokio::test]
async fn rows_are_deleted_with_their_user() {
    let server = TestServer::start().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    write(app, async |db| {
        totp_factor::start(db, enrollment(id, 1, now)).await.unwrap();
        let hashes = RecoveryCode::generate_all().unwrap().iter().map(RecoveryCode::hash).collect::<Vec<_>>();
        recovery_code::replace(db, id, hashes, now).await.unwrap();
        mfa_challenge::insert(db, challenge(id, now)).await.unwrap();
        remembered_device::insert(db, device(id, token_hash(), now)).await.unwrap();
    })
    .await;
    server.deleted("ada").await;
    let db = app.database.read();
    assert_eq!(totp_factor::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(recovery_code::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(mfa_challenge::Entity::find().all(db).await.unwrap(), []);
    assert_eq!(remembered_device::Entity::find().all(db).await.unwrap(), []);
}

#[tokio::test]
async fn queries_of_second_factors_use_an_index() {
    let (server, statements) = TestServer::observed().await;
    let (app, now, id) = (&server.app, server.app.clock.now(), user_id(&server).await);
    statements.lock().unwrap().clear();
    let (factor, challenge, token) = (enrollment(id, 1, now), challenge(id, now), token_hash());
    let code = RecoveryCode::generate_all().unwrap().remove(0).hash();
    write(app, async |db| {
        totp_factor::start(db, factor.clone()).await.unwrap();
        totp_factor::confirm(db, &factor, 7, now).await.unwrap();
        totp_factor::advance(db, &factor, 8).await.unwrap();
        totp_factor::sealed_by(db, "another", Some(id), 10).await.unwrap();
        totp_factor::count_sealed_by_other_keys(db, "another").await.unwrap();
        totp_factor::reseal(db, &factor, factor.sealed()).await.unwrap();
        totp_factor::delete(db, id).await.unwrap();
        recovery_code::replace(db, id, [code.clone()], now).await.unwrap();
        recovery_code::take(db, id, code).await.unwrap();
        recovery_code::count(db, id).await.unwrap();
        mfa_challenge::insert(db, challenge.clone()).await.unwrap();
        mfa_challenge::find(db, &challenge.token_hash, now).await.unwrap();
        mfa_challenge::book_attempt(db, challenge.id, now).await.unwrap();
        mfa_challenge::take(db, challenge.id, now).await.unwrap();
        mfa_challenge::delete_of(db, id).await.unwrap();
        remembered_device::insert(db, device(id, token.clone(), now)).await.unwrap();
        remembered_device::rotate(db, id, [token.clone(), token], now).await.unwrap();
        remembered_device::list(db, id, 10, now).await.unwrap();
        remembered_device::delete(db, id, id).await.unwrap();
        remembered_device::delete_of(db, id).await.unwrap();
    })
    .await;
    for table in [Table::TotpEnrollments, Table::MfaChallenges, Table::RememberedDevices] {
        purge(app, table).await.unwrap();
    }
    let statements = std::mem::take(&mut *statements.lock().unwrap());
    let queries: Vec<_> = statements.iter().filter(|statement| !statement.sql.starts_with("INSERT")).collect();
    assert!(queries.len() >= 20, "{queries:#?}");
    for statement in queries {
        let plan = Plan::by_index(&app.database, statement).await;
        assert!(plan.uses_index(), "{}\n{}", statement.sql, plan.text);
    }
}
