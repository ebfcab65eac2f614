//! Second factors: enrollment, the second step of a sign-in, recovery codes, and what concurrent requests can do.

use std::{future::Future, sync::Arc};

use chrono::TimeDelta;
use hallpass::{
    App, Error, Result,
    config::{ExposeSecret, SecretKey, SecretString},
    domain::{
        Client, Context, Principal, Viewer,
        mfa::{self, Factor},
        sessions::{Cookies, Delivery, NewSession, SignIn},
        sign_in::{
            challenge::{Answer, verify},
            password::{Credentials, login},
            reauthentication::{reauthenticate, reauthenticate_with_factor},
        },
        users::{
            administration::{self, Administrator, reset_mfa},
            deletion, own_data,
            password_change::{self, PasswordChange},
        },
    },
    entity::{audit_event::Action, recovery_code, session, totp_factor},
    error::{ErrorCode, MfaChallenge, MfaMethod},
    security::totp::TotpSecret,
};
use sea_orm::EntityTrait;

use crate::support::{TestServer, decode_part, json, password_of};

pub fn context(server: &TestServer) -> Context {
    Context::of_request(&server.app, Viewer::Anonymous, Client::default())
}

/// The code that the authenticator app of the only enrolled user shows.
pub async fn code(server: &TestServer) -> SecretString {
    let app = &server.app;
    let factor = totp_factor::Entity::find().one(app.database.read()).await.unwrap().unwrap();
    let secret = app.totp_sealer.open(factor.user_id, &factor.sealed()).unwrap();
    TotpSecret::from_bytes(&secret).unwrap().code_at(app.clock.now()).unwrap()
}

pub async fn totp(server: &TestServer) -> Factor {
    Factor::Totp(code(server).await)
}

/// Registers a user with a verified address.
async fn principal(server: &TestServer) -> Principal {
    let actor = server.user_at("ada", "ada@example.org").await;
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    server.principal(&actor).await
}

/// Registers and enrolls a user. Returns the recovery codes. The first code of the app is used.
pub async fn enrolled(server: &TestServer) -> (Principal, Vec<SecretString>) {
    let principal = principal(server).await;
    mfa::start(&context(server), &principal).await.unwrap();
    let (_, codes) = mfa::confirm(&context(server), &principal, &code(server).await).await.unwrap();
    server.clock.advance(TimeDelta::seconds(30));
    (current(server, principal).await, codes)
}

/// The current rows of a principal.
async fn current(server: &TestServer, principal: Principal) -> Principal {
    let found = session::find_with_user(server.app.database.read(), principal.session.id).await.unwrap();
    let (session, user) = found.unwrap();
    Principal { user, session, must_enroll: principal.must_enroll }
}

async fn log_in(app: &Arc<App>, delivery: Delivery) -> Result<SignIn> {
    log_in_as(app, "ada", delivery).await
}

pub async fn log_in_as(app: &Arc<App>, username: &str, delivery: Delivery) -> Result<SignIn> {
    let context = Context::of_request(app, Viewer::Anonymous, Client::default());
    let credentials = Credentials { identifier: username.to_owned(), password: password_of(username).into() };
    login(&context, credentials, NewSession::new(delivery, Cookies::default())).await
}

/// Signs in with the password, up to the challenge.
pub async fn challenge(server: &TestServer) -> MfaChallenge {
    match log_in(&server.app, Delivery::Body).await {
        Err(Error::MfaRequired(challenge)) => *challenge,
        other => panic!("{:?}", other.err()),
    }
}

pub fn answer(challenge: &MfaChallenge, factor: Factor) -> Answer {
    let MfaChallenge { token, client_token, .. } = challenge.clone();
    let cookies = Cookies { mfa_client: client_token, ..Cookies::default() };
    Answer { token, factor, remember_device: false, cookies }
}

pub async fn verified(server: &TestServer, challenge: &MfaChallenge, factor: Factor) -> Result<SignIn> {
    verify(&context(server), answer(challenge, factor)).await
}

pub async fn refused(server: &TestServer, challenge: &MfaChallenge, factor: Factor) -> ErrorCode {
    verified(server, challenge, factor).await.err().unwrap().code()
}

/// How the user of an access token has signed in.
fn claims(access_token: &str) -> serde_json::Value {
    let claims = decode_part(access_token.split('.').nth(1).unwrap());
    json!({ "acr": claims["acr"], "amr": claims["amr"] })
}

pub fn wrong_code() -> Factor {
    Factor::RecoveryCode("0000-0000-0000-0000-0000-0000".into())
}

/// Runs all at the same time. Returns the results.
pub async fn at_once<T: Send + 'static>(tasks: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks.into_iter().map(tokio::spawn).collect::<Vec<_>>() {
        results.push(task.await.unwrap());
    }
    results
}

/// Answers these challenges at the same time. Returns the number of sign-ins and the codes of the other results.
async fn race(server: &TestServer, answers: Vec<Answer>) -> (usize, Vec<ErrorCode>) {
    let context = context(server);
    let tasks = answers.into_iter().map(|answer| {
        let context = context.clone();
        async move { verify(&context, answer).await.map(drop) }
    });
    let results = at_once(tasks.collect()).await;
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err().map(Error::code)).collect();
    (results.len() - refused.len(), refused)
}

async fn without_throttle() -> TestServer {
    TestServer::with(|settings| settings.throttle.is_enabled = false).await
}

#[tokio::test]
async fn sign_in_requires_a_code_once_the_enrollment_is_confirmed() {
    let server = TestServer::start().await;
    let principal = principal(&server).await;
    mfa::start(&context(&server), &principal).await.unwrap();
    log_in(&server.app, Delivery::Body).await.unwrap();
    mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap();
    let challenge = challenge(&server).await;
    assert_eq!((challenge.methods, challenge.expires_in), (vec![MfaMethod::Totp, MfaMethod::RecoveryCode], 300));
    assert!(challenge.client_token.is_none());
    assert_eq!(server.events(Action::MfaEnabled).await, 1);
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "An authenticator app was set up");
}

#[tokio::test]
async fn correct_code_opens_a_session_with_two_factors() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenge = challenge(&server).await;
    let logged_in = server.events(Action::LoggedIn).await;
    let sign_in = verified(&server, &challenge, totp(&server).await).await.unwrap();
    let session = sign_in.principal.session;
    assert_eq!(
        (session.amr.to_string().as_str(), session.second_factor_at),
        ("pwd otp mfa", Some(server.app.clock.now()))
    );
    assert_eq!(session.delivery, Delivery::Body);
    assert_eq!(claims(&sign_in.access_token), json!({ "acr": "aal2", "amr": ["pwd", "otp", "mfa"] }));
    assert_eq!(server.events(Action::LoggedIn).await, logged_in + 1);
}

#[tokio::test]
async fn session_of_an_enrollment_counts_as_confirmed() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    assert_eq!(principal.session.amr.to_string(), "pwd otp mfa");
    assert!(principal.session.second_factor_at.is_some());
}

#[tokio::test]
async fn code_that_confirmed_the_enrollment_is_used() {
    let server = TestServer::start().await;
    let principal = principal(&server).await;
    mfa::start(&context(&server), &principal).await.unwrap();
    mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap();
    let challenge = challenge(&server).await;
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::MfaCodeInvalid);
    assert_eq!(server.events(Action::MfaFailed).await, 1);
}

#[tokio::test]
async fn code_works_once() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenges = [challenge(&server).await, challenge(&server).await];
    verified(&server, &challenges[0], totp(&server).await).await.unwrap();
    assert_eq!(refused(&server, &challenges[1], totp(&server).await).await, ErrorCode::MfaCodeInvalid);
    server.clock.advance(TimeDelta::seconds(30));
    verified(&server, &challenges[1], totp(&server).await).await.unwrap();
}

#[tokio::test]
async fn challenge_works_once() {
    let server = TestServer::start().await;
    let (_, codes) = enrolled(&server).await;
    let challenge = challenge(&server).await;
    verified(&server, &challenge, totp(&server).await).await.unwrap();
    let factor = Factor::RecoveryCode(codes[0].clone());
    assert_eq!(refused(&server, &challenge, factor).await, ErrorCode::MfaChallengeExpired);
    assert_eq!(recovery_code::Entity::find().all(server.app.database.read()).await.unwrap().len(), 10);
}

#[tokio::test]
async fn recovery_code_works_once_and_the_user_is_notified() {
    let server = TestServer::start().await;
    let (_, codes) = enrolled(&server).await;
    let typed = codes[3].expose_secret().to_lowercase().replace('-', " ");
    let challenges = [challenge(&server).await, challenge(&server).await];
    verified(&server, &challenges[0], Factor::RecoveryCode(typed.clone().into())).await.unwrap();
    let again = Factor::RecoveryCode(typed.into());
    assert_eq!(refused(&server, &challenges[1], again).await, ErrorCode::MfaCodeInvalid);
    verified(&server, &challenges[1], Factor::RecoveryCode(codes[4].clone())).await.unwrap();
    assert_eq!(server.events(Action::RecoveryCodeUsed).await, 2);
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "A recovery code was used");
}

#[tokio::test]
async fn challenge_allows_five_attempts() {
    let server = without_throttle().await;
    enrolled(&server).await;
    let challenge = challenge(&server).await;
    for _ in 0..5 {
        assert_eq!(refused(&server, &challenge, wrong_code()).await, ErrorCode::MfaCodeInvalid);
    }
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::MfaChallengeExpired);
    assert_eq!(server.events(Action::MfaFailed).await, 5);
}

#[tokio::test]
async fn text_that_is_no_code_is_not_counted() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenge = challenge(&server).await;
    for _ in 0..10 {
        assert_eq!(refused(&server, &challenge, Factor::Totp("12345".into())).await, ErrorCode::MfaCodeInvalid);
    }
    verified(&server, &challenge, totp(&server).await).await.unwrap();
}

#[tokio::test]
async fn challenge_expires_after_five_minutes() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenge = challenge(&server).await;
    server.clock.advance(TimeDelta::minutes(5));
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::MfaChallengeExpired);
}

#[tokio::test]
async fn challenge_of_a_browser_is_useless_elsewhere() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let Err(Error::MfaRequired(challenge)) = log_in(&server.app, Delivery::Cookie).await else { panic!() };
    for client_token in [None, Some("another".into())] {
        let stolen = MfaChallenge { client_token, ..*challenge.clone() };
        for _ in 0..6 {
            assert_eq!(refused(&server, &stolen, totp(&server).await).await, ErrorCode::MfaChallengeExpired);
        }
    }
    let sign_in = verified(&server, &challenge, totp(&server).await).await.unwrap();
    assert_eq!(sign_in.principal.session.delivery, Delivery::Cookie);
}

#[tokio::test]
async fn wrong_codes_are_limited_for_each_user() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let challenges = [challenge(&server).await, challenge(&server).await];
    for number in 0..5 {
        assert_eq!(refused(&server, &challenges[number % 2], wrong_code()).await, ErrorCode::MfaCodeInvalid);
    }
    // The correct password does not help.
    let next = challenge(&server).await;
    assert_eq!(refused(&server, &next, totp(&server).await).await, ErrorCode::RateLimited);
    server.clock.advance(TimeDelta::minutes(15));
    let next = challenge(&server).await;
    verified(&server, &next, totp(&server).await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_uses_of_a_code_wins() {
    let server = without_throttle().await;
    enrolled(&server).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(answer(&challenge(&server).await, totp(&server).await));
    }
    let (sign_ins, refused) = race(&server, answers).await;
    assert_eq!((sign_ins, refused), (1, vec![ErrorCode::MfaCodeInvalid; 19]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_uses_of_a_recovery_code_wins() {
    let server = without_throttle().await;
    let (_, codes) = enrolled(&server).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(answer(&challenge(&server).await, Factor::RecoveryCode(codes[0].clone())));
    }
    let (sign_ins, refused) = race(&server, answers).await;
    assert_eq!((sign_ins, refused), (1, vec![ErrorCode::MfaCodeInvalid; 19]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_answers_to_a_challenge_wins() {
    let server = without_throttle().await;
    let (_, codes) = enrolled(&server).await;
    let challenge = challenge(&server).await;
    let factors = codes.iter().cycle().take(20).cloned().map(Factor::RecoveryCode);
    let (sign_ins, refused) = race(&server, factors.map(|factor| answer(&challenge, factor)).collect()).await;
    assert_eq!((sign_ins, refused), (1, vec![ErrorCode::MfaChallengeExpired; 19]));
    // The other codes were not used up.
    assert_eq!(recovery_code::Entity::find().all(server.app.database.read()).await.unwrap().len(), 9);
}

#[tokio::test]
async fn password_change_invalidates_challenges() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    let challenge = challenge(&server).await;
    let form = PasswordChange {
        current_password: password_of("ada").into(),
        new_password: "another password of ada".into(),
        keep_other_sessions: true,
    };
    password_change::change(&context(&server), &principal, form).await.unwrap();
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::MfaChallengeExpired);
}

#[tokio::test]
async fn end_of_all_sessions_invalidates_challenges() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    let challenge = challenge(&server).await;
    hallpass::domain::sessions::revoke_others(&context(&server), &principal).await.unwrap();
    assert_eq!(refused(&server, &challenge, totp(&server).await).await, ErrorCode::MfaChallengeExpired);
}

#[tokio::test]
async fn enrollment_requires_a_fresh_sign_in() {
    let server = TestServer::start().await;
    let principal = principal(&server).await;
    server.clock.advance(TimeDelta::minutes(10));
    let error = mfa::start(&context(&server), &principal).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReauthenticationRequired);
}

#[tokio::test]
async fn second_app_cannot_be_enrolled() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    let error = mfa::start(&context(&server), &principal).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::MfaAlreadyEnabled);
    let error = mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::MfaAlreadyEnabled);
}

#[tokio::test]
async fn enrollment_is_confirmed_by_a_correct_code_in_time() {
    let server = TestServer::start().await;
    let principal = principal(&server).await;
    let confirm = async |code: SecretString| mfa::confirm(&context(&server), &principal, &code).await.map(drop);
    assert_eq!(confirm("123456".into()).await.unwrap_err().code(), ErrorCode::MfaNotEnabled);
    let enrollment = mfa::start(&context(&server), &principal).await.unwrap();
    assert!(enrollment.otpauth_uri.expose_secret().starts_with("otpauth://totp/localhost:ada?secret="));
    assert!(enrollment.qr_code().unwrap().expose_secret().starts_with("<svg "));
    let wrong = if code(&server).await.expose_secret() == "000000" { "000001" } else { "000000" };
    assert_eq!(confirm(wrong.into()).await.unwrap_err().code(), ErrorCode::MfaCodeInvalid);
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(confirm(code(&server).await).await.unwrap_err().code(), ErrorCode::MfaNotEnabled);
    log_in(&server.app, Delivery::Body).await.unwrap();
}

#[tokio::test]
async fn removal_requires_a_fresh_second_factor() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    server.clock.advance(TimeDelta::minutes(10));
    for error in [
        mfa::disable(&context(&server), &principal).await.map(drop).unwrap_err(),
        mfa::regenerate_recovery_codes(&context(&server), &principal).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::ReauthenticationRequired);
    }
}

#[tokio::test]
async fn second_factor_is_confirmed_again_in_the_session() {
    let server = TestServer::start().await;
    let (principal, codes) = enrolled(&server).await;
    server.clock.advance(TimeDelta::minutes(10));
    let again = async |factor| reauthenticate_with_factor(&context(&server), &principal, &factor).await;
    assert_eq!(again(wrong_code()).await.err().unwrap().code(), ErrorCode::MfaCodeInvalid);
    let renewed = again(totp(&server).await).await.unwrap().principal;
    assert_eq!(renewed.session.id, principal.session.id);
    assert_eq!(current(&server, principal.clone()).await.session, renewed.session);
    mfa::regenerate_recovery_codes(&context(&server), &renewed).await.unwrap();
    assert_eq!(again(Factor::RecoveryCode(codes[0].clone())).await.err().unwrap().code(), ErrorCode::MfaCodeInvalid);
    mfa::disable(&context(&server), &renewed).await.unwrap();
    assert_eq!(again(any_totp_code()).await.err().unwrap().code(), ErrorCode::MfaNotEnabled);
}

fn any_totp_code() -> Factor {
    Factor::Totp("123456".into())
}

#[tokio::test]
async fn password_is_no_proof_for_a_user_with_a_second_factor() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    server.clock.advance(TimeDelta::minutes(10));
    let password = SecretString::from(password_of("ada"));
    reauthenticate(&context(&server), &principal, &password).await.unwrap();
    let principal = current(&server, principal).await;
    let context = context(&server);
    let form = PasswordChange {
        current_password: password.clone(),
        new_password: "another password of ada".into(),
        keep_other_sessions: true,
    };
    for error in [
        deletion::delete(&context, &principal, Some(password)).await.map(drop).unwrap_err(),
        own_data::begin(&context, &principal).await.map(drop).unwrap_err(),
        password_change::change(&context, &principal, form).await.map(drop).unwrap_err(),
        mfa::start(&context, &principal).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::ReauthenticationRequired);
    }
    reauthenticate_with_factor(&context, &principal, &totp(&server).await).await.unwrap();
    own_data::begin(&context, &current(&server, principal).await).await.unwrap();
}

#[tokio::test]
async fn session_of_a_password_only_cannot_remove_the_factor() {
    let server = TestServer::start().await;
    let principal = principal(&server).await;
    let older = server.principal(&server.signed_in("ada").await).await;
    mfa::start(&context(&server), &principal).await.unwrap();
    mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap();
    let error = mfa::disable(&context(&server), &older).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReauthenticationRequired);
}

#[tokio::test]
async fn removal_ends_the_second_factor_of_all_sessions() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    verified(&server, &challenge(&server).await, totp(&server).await).await.unwrap();
    let open = challenge(&server).await;
    mfa::disable(&context(&server), &principal).await.unwrap();
    assert_eq!(refused(&server, &open, wrong_code()).await, ErrorCode::MfaChallengeExpired);
    for session in session::Entity::find().all(server.app.database.read()).await.unwrap() {
        assert_eq!((session.amr.to_string().as_str(), session.second_factor_at), ("pwd", None));
    }
    let sign_in = log_in(&server.app, Delivery::Body).await.unwrap();
    assert_eq!(claims(&sign_in.access_token), json!({ "acr": "aal1", "amr": ["pwd"] }));
    assert_eq!(server.events(Action::MfaDisabled).await, 1);
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "The authenticator app was removed");
    let error = mfa::disable(&context(&server), &principal).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::MfaNotEnabled);
}

#[tokio::test]
async fn new_recovery_codes_replace_the_previous_ones() {
    let server = TestServer::start().await;
    let (principal, codes) = enrolled(&server).await;
    let (_, new) = mfa::regenerate_recovery_codes(&context(&server), &principal).await.unwrap();
    let challenge = challenge(&server).await;
    let previous = Factor::RecoveryCode(codes[0].clone());
    assert_eq!(refused(&server, &challenge, previous).await, ErrorCode::MfaCodeInvalid);
    verified(&server, &challenge, Factor::RecoveryCode(new[0].clone())).await.unwrap();
    assert_eq!(server.events(Action::RecoveryCodesRegenerated).await, 1);
}

const NEW_SECRET: &str = "another secret that is for the tests only: 9e2b";

/// A server with a new secret, on the database of `server`.
async fn rotated(server: &TestServer) -> TestServer {
    TestServer::on(Arc::clone(&server.database), |settings| {
        let SecretKey::Given(previous) = settings.tokens.secret_key.clone() else { panic!() };
        settings.tokens.secret_key = SecretKey::Given(NEW_SECRET.into());
        settings.tokens.secret_key_previous = Some(previous);
    })
    .await
}

#[tokio::test]
async fn secrets_are_sealed_with_the_new_secret_key() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let rotated = rotated(&server).await;
    let job = Context::of_job(&rotated.app);
    assert_eq!(mfa::count_sealed_by_other_keys(&job).await.unwrap(), 1);
    assert_eq!(mfa::reseal(&job).await.unwrap(), 1);
    assert_eq!(mfa::reseal(&job).await.unwrap(), 0);
    assert_eq!(mfa::count_sealed_by_other_keys(&job).await.unwrap(), 0);
    let later = TestServer::on(Arc::clone(&server.database), |settings| {
        settings.tokens.secret_key = SecretKey::Given(NEW_SECRET.into());
    })
    .await;
    later.clock.advance(TimeDelta::minutes(1));
    verified(&later, &challenge(&later).await, totp(&later).await).await.unwrap();
}

#[tokio::test]
async fn recovery_codes_work_if_the_key_of_the_secret_is_lost() {
    let server = TestServer::start().await;
    let (_, codes) = enrolled(&server).await;
    let lost = TestServer::on(Arc::clone(&server.database), |settings| {
        settings.tokens.secret_key = SecretKey::Given(NEW_SECRET.into());
    })
    .await;
    let challenge = challenge(&lost).await;
    assert_eq!(refused(&lost, &challenge, any_totp_code()).await, ErrorCode::InternalServerError);
    verified(&lost, &challenge, Factor::RecoveryCode(codes[0].clone())).await.unwrap();
}

#[tokio::test]
async fn code_is_accepted_after_a_change_of_the_secret_key() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let rotated = rotated(&server).await;
    rotated.clock.advance(TimeDelta::minutes(1));
    let challenge = challenge(&rotated).await;
    verified(&rotated, &challenge, totp(&rotated).await).await.unwrap();
}

#[tokio::test]
async fn replaced_session_continues_until_the_second_factor_is_confirmed() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let Err(Error::MfaRequired(first)) = log_in(&server.app, Delivery::Cookie).await else { panic!() };
    let sign_in = verified(&server, &first, totp(&server).await).await.unwrap();
    let cookie = Some(sign_in.refresh_token);
    server.clock.advance(TimeDelta::seconds(30));
    let credentials = Credentials { identifier: "ada".to_owned(), password: password_of("ada").into() };
    let cookies = Cookies { refresh_token: cookie.clone(), ..Cookies::default() };
    let new_session = NewSession::new(Delivery::Cookie, cookies);
    let Err(Error::MfaRequired(second)) = login(&context(&server), credentials, new_session).await else { panic!() };
    let is_live = async || {
        let now = server.app.clock.now();
        let db = server.app.database.read();
        session::find_live(db, sign_in.principal.session.id, now).await.unwrap().is_some()
    };
    assert!(is_live().await);
    let mut answer = answer(&second, totp(&server).await);
    answer.cookies.refresh_token = cookie;
    verify(&context(&server), answer).await.unwrap();
    assert!(!is_live().await);
}

/// An administrator who has just signed in.
async fn administrator(server: &TestServer) -> Administrator {
    let actor = server.administrator("grace").await;
    administration::of_principal(&context(server), server.principal(&actor).await).unwrap()
}

#[tokio::test]
async fn administrator_resets_the_factor_of_a_user_who_has_lost_it() {
    let server = TestServer::start().await;
    let (principal, codes) = enrolled(&server).await;
    let open = challenge(&server).await;
    for _ in 0..5 {
        refused(&server, &open, wrong_code()).await;
    }
    let administrator = administrator(&server).await;
    let reason = Some("Showed a passport".to_owned());
    let reset = async |reason| reset_mfa(&context(&server), &administrator, principal.user.id, reason).await;
    let (_, ended) = reset(reason.clone()).await.unwrap();
    assert_eq!((ended, server.events(Action::MfaReset).await), (1, 1));
    assert_eq!(refused(&server, &open, Factor::RecoveryCode(codes[0].clone())).await, ErrorCode::MfaChallengeExpired);
    let mails = server.mails_to("ada@example.org").await;
    assert!(mails.iter().any(|mail| mail.text.subject == "Your authenticator app was removed"));
    assert_eq!(reset(reason).await.unwrap_err().code(), ErrorCode::MfaNotEnabled);
    // The user can enroll again at once.
    let principal = log_in(&server.app, Delivery::Body).await.unwrap().principal;
    mfa::start(&context(&server), &principal).await.unwrap();
    mfa::confirm(&context(&server), &principal, &code(&server).await).await.unwrap();
}

#[tokio::test]
async fn reset_requires_a_fresh_proof_of_another_administrator() {
    let server = TestServer::start().await;
    let (principal, _) = enrolled(&server).await;
    server.set_roles("ada", &["admin"]).await;
    let own = administration::of_principal(&context(&server), current(&server, principal.clone()).await).unwrap();
    let reset = async |administrator: &Administrator| {
        let reason = Some("Showed a passport".to_owned());
        reset_mfa(&context(&server), administrator, principal.user.id, reason).await.map(drop)
    };
    assert_eq!(reset(&own).await.unwrap_err().code(), ErrorCode::Forbidden);
    let other = administrator(&server).await;
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(reset(&other).await.unwrap_err().code(), ErrorCode::ReauthenticationRequired);
    reset(&Administrator::at_command_line()).await.unwrap();
}

#[tokio::test]
async fn every_api_requires_the_second_factor() {
    let server = TestServer::start().await;
    enrolled(&server).await;
    let login = server.anonymous().login("ada", &password_of("ada")).await;
    assert_eq!(login.code(), "MFA_REQUIRED");
    assert_eq!(session::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}
