//! Attacks on second factors: guesses, replays, a clock that is set back, and load.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::{
    Error,
    config::{ExposeSecret, SecretString},
    domain::{
        Client, Context, Principal, Viewer,
        mfa::Factor,
        sign_in::{challenge::verify, reauthentication::reauthenticate_with_factor},
    },
    entity::{audit_event::Action, totp_factor, user},
    error::{ErrorCode, MfaChallenge},
    security::totp::TotpSecret,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use crate::{
    second_factor::{answer, at_once, challenge, code, context, enrolled, refused, totp, verified},
    support::{Answer, TestServer, json, password_of, start_of_time},
};

/// Number of guesses. `SECOND_FACTOR_GUESSES` sets another one.
fn guesses() -> usize {
    std::env::var_os("SECOND_FACTOR_GUESSES").map_or(1_000, |number| number.to_str().unwrap().parse().unwrap())
}

/// Clients that guess at the same time.
const CLIENTS: usize = 50;

/// The ways to send a code.
struct Attack {
    server: Arc<TestServer>,
    principal: Principal,
    challenges: Vec<MfaChallenge>,
}

impl Attack {
    /// Sends a code in one of the ways. Returns how it was refused; `None` if it was accepted.
    async fn send(&self, number: usize, code: &str) -> Option<String> {
        let context = Context::of_request(&self.server.app, Viewer::Anonymous, Client::default());
        let factor = Factor::Totp(code.into());
        let code_of = |error: Error| error.code().to_string();
        match number % 10 {
            0 => login(&self.server, code).await,
            1..4 => reauthenticate_with_factor(&context, &self.principal, &factor).await.err().map(code_of),
            _ => {
                let challenge = &self.challenges[number % self.challenges.len()];
                verify(&context, answer(challenge, factor)).await.err().map(code_of)
            }
        }
    }
}

/// `POST /login` with a code.
async fn login(server: &TestServer, code: &str) -> Option<String> {
    let body = json!({ "username": "ada", "password": password_of("ada"), "otp": code });
    let answer: Answer = server.anonymous().json("/login", body).await;
    (answer.status != 200).then(|| match answer.status.as_u16() {
        429 => "RATE_LIMITED".to_owned(),
        _ => answer.text,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_guesses_are_limited() {
    let server = Arc::new(TestServer::start().await);
    let (principal, _) = enrolled(&server).await;
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(challenge(&server).await);
    }
    let attack = Arc::new(Attack { server: Arc::clone(&server), principal, challenges });
    let accepted = accepted_codes(&server).await;
    let wrong = (0..).map(|number| format!("{number:06}")).filter(|code| !accepted.contains(code));
    let wrong: Arc<Vec<String>> = Arc::new(wrong.take(guesses()).collect());
    let clients = (0..CLIENTS).map(|client| {
        let (attack, wrong) = (Arc::clone(&attack), Arc::clone(&wrong));
        async move {
            let mut evaluated = 0;
            for number in (client..wrong.len()).step_by(CLIENTS) {
                let refused = attack.send(number / CLIENTS + client, &wrong[number]).await.unwrap();
                evaluated += usize::from(refused != "RATE_LIMITED" && refused != "MFA_CHALLENGE_EXPIRED");
            }
            evaluated
        }
    });
    let evaluated: usize = at_once(clients.collect()).await.into_iter().sum();
    assert_eq!((evaluated, server.events(Action::MfaFailed).await), (5, 5));
    // From now on, not even the correct code is evaluated.
    let correct = code(&server).await.expose_secret().to_owned();
    let clients = (0..20).map(|number| {
        let (attack, correct) = (Arc::clone(&attack), correct.clone());
        async move { attack.send(number, &correct).await }
    });
    assert_eq!(at_once(clients.collect()).await, vec![Some("RATE_LIMITED".to_owned()); 20]);
    assert_eq!(server.events(Action::MfaFailed).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_correct_codes_leave_no_wait() {
    let server = TestServer::start().await;
    let (_, codes) = enrolled(&server).await;
    let mut tasks = Vec::new();
    for code in codes {
        let (context, challenge) = (context(&server), challenge(&server).await);
        let answer = answer(&challenge, Factor::RecoveryCode(code));
        tasks.push(async move { verify(&context, answer).await.err().map(|error| error.code()) });
    }
    for refused in at_once(tasks).await {
        // At most five codes are checked at the same time.
        assert!([None, Some(ErrorCode::RateLimited)].contains(&refused), "{refused:?}");
    }
    verified(&server, &challenge(&server).await, totp(&server).await).await.unwrap();
}

/// The codes of the current and the adjacent steps.
async fn accepted_codes(server: &TestServer) -> Vec<String> {
    let mut codes = Vec::new();
    for seconds in [-30, 0, 30] {
        codes.push(code_after(server, seconds).await.expose_secret().to_owned());
    }
    codes
}

/// The code that the app shows so many seconds later.
async fn code_after(server: &TestServer, seconds: i64) -> SecretString {
    let app = &server.app;
    let factor = totp_factor::Entity::find().one(app.database.read()).await.unwrap().unwrap();
    let secret = app.totp_sealer.open(factor.user_id, &factor.sealed()).unwrap();
    TotpSecret::from_bytes(&secret).unwrap().code_at(app.clock.now() + TimeDelta::seconds(seconds)).unwrap()
}

#[tokio::test]
async fn code_of_an_adjacent_step_is_accepted() {
    for (seconds, is_accepted) in [(-60, false), (-30, true), (30, true), (60, false)] {
        let server = TestServer::start().await;
        enrolled(&server).await;
        // The step of the enrollment is used, so that it must not be an adjacent one.
        server.clock.advance(TimeDelta::minutes(5));
        let factor = Factor::Totp(code_after(&server, seconds).await);
        let result = verified(&server, &challenge(&server).await, factor).await;
        assert_eq!(result.is_ok(), is_accepted, "{seconds}");
    }
}

#[tokio::test]
async fn earlier_code_is_refused_after_a_later_one() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    server.clock.advance(TimeDelta::minutes(5));
    let later = Factor::Totp(code_after(&server, 30).await);
    verified(&server, &challenge(&server).await, later).await.unwrap();
    for seconds in [-30, 0, 30] {
        let earlier = Factor::Totp(code_after(&server, seconds).await);
        let refused = refused(&server, &challenge(&server).await, earlier).await;
        assert_eq!(refused, ErrorCode::MfaCodeInvalid, "{seconds}");
    }
}

#[tokio::test]
async fn no_code_works_again_after_the_clock_was_set_back() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    enrolled(&server).await;
    server.clock.advance(TimeDelta::minutes(5));
    let used = code(&server).await;
    verified(&server, &challenge(&server).await, Factor::Totp(used.clone())).await.unwrap();
    for seconds_back in [30, 30, 60] {
        server.clock.advance(TimeDelta::seconds(-seconds_back));
        for code in [used.clone(), code(&server).await] {
            let refused = refused(&server, &challenge(&server).await, Factor::Totp(code)).await;
            assert_eq!(refused, ErrorCode::MfaCodeInvalid, "{seconds_back}");
        }
    }
    // The clock is correct again.
    server.clock.advance(TimeDelta::minutes(2));
    let replayed = refused(&server, &challenge(&server).await, Factor::Totp(used)).await;
    assert_eq!(replayed, ErrorCode::MfaCodeInvalid);
    server.clock.advance(TimeDelta::seconds(30));
    verified(&server, &challenge(&server).await, totp(&server).await).await.unwrap();
}

/// A secret whose codes one and two steps after [`start_of_time`] are equal.
const TWIN_CODES: &[u8; 20] = b"twin codes: 02572199";

/// Gives the only user an app with this secret.
async fn enroll_with_secret(server: &TestServer, secret: &[u8]) {
    let user = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    let sealed = server.app.totp_sealer.seal(user.id, secret).unwrap();
    let factor = totp_factor::Model {
        user_id: user.id,
        sealed_secret: sealed.bytes,
        key_id: sealed.key_id,
        created_at: start_of_time(),
        confirmed_at: Some(start_of_time()),
        expires_at: None,
        last_step: None,
    };
    let transaction = server.app.write().await.unwrap();
    totp_factor::start(&transaction, factor).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn fresh_code_is_accepted_although_the_previous_one_was_equal() {
    let server = TestServer::start().await;
    server.user("ada").await;
    enroll_with_secret(&server, TWIN_CODES).await;
    // The clock of the app is ahead: its code is of the next step.
    let first = code_after(&server, 30).await;
    verified(&server, &challenge(&server).await, Factor::Totp(first.clone())).await.unwrap();
    server.clock.advance(TimeDelta::seconds(60));
    let second = code(&server).await;
    assert_eq!(second.expose_secret(), first.expose_secret());
    verified(&server, &challenge(&server).await, Factor::Totp(second.clone())).await.unwrap();
    assert_eq!(refused(&server, &challenge(&server).await, Factor::Totp(second)).await, ErrorCode::MfaCodeInvalid);
}

#[tokio::test]
async fn equal_codes_of_adjacent_steps_work_once_within_both() {
    let server = TestServer::start().await;
    server.user("ada").await;
    enroll_with_secret(&server, TWIN_CODES).await;
    server.clock.advance(TimeDelta::seconds(30));
    verified(&server, &challenge(&server).await, totp(&server).await).await.unwrap();
    for _ in 0..2 {
        let twin = totp(&server).await;
        assert_eq!(refused(&server, &challenge(&server).await, twin).await, ErrorCode::MfaCodeInvalid);
        server.clock.advance(TimeDelta::seconds(30));
    }
    verified(&server, &challenge(&server).await, totp(&server).await).await.unwrap();
}

#[tokio::test]
async fn second_step_hashes_no_password() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let before = server.app.hasher.finished();
    let challenge = challenge(&server).await;
    assert_eq!(server.app.hasher.finished() - before, 1);
    verified(&server, &challenge, totp(&server).await).await.unwrap();
    assert_eq!(server.app.hasher.finished() - before, 1);
}

#[tokio::test]
async fn code_in_the_same_request_costs_one_hash() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let before = server.app.hasher.finished();
    assert_eq!(login(&server, code(&server).await.expose_secret()).await, None);
    assert_eq!(server.app.hasher.finished() - before, 1);
}

#[tokio::test]
async fn confirming_the_second_factor_again_hashes_no_password() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    let before = server.app.hasher.finished();
    reauthenticate_with_factor(&context(&server), &principal, &totp(&server).await).await.unwrap();
    assert_eq!(server.app.hasher.finished(), before);
}

/// Disables the only user, without ending anything.
async fn mark_as_disabled(server: &TestServer) {
    let user = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    let mut row = user.into_active_model();
    row.is_active = Set(false);
    let transaction = server.app.write().await.unwrap();
    row.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn code_of_a_disabled_user_is_neither_accepted_nor_used() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenge = challenge(&server).await;
    mark_as_disabled(&server).await;
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::AccountDisabled);
    let factor = totp_factor::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    let step = server.app.clock.now().timestamp().div_euclid(30);
    assert_eq!(factor.last_step, Some(step - 1), "the step of the enrollment");
}
