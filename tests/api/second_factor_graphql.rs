//! The second factor in GraphQL: the two steps of a sign-in in browsers and apps, setting the factor up, and remembered devices.

use chrono::TimeDelta;
use hallpass::{
    config::{ExposeSecret, OauthClient, SecretString},
    entity::{audit_event::Action, remembered_device, totp_factor},
    security::totp::TotpSecret,
};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer, decode_part, password_of, refreshed_tokens};

const LOGIN: &str =
    "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { username } } }";
const VERIFY: &str =
    "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { accessToken refreshToken user { username } } }";
const START: &str = "mutation { startTotpEnrollment { secret otpauthUri qrCodeSvg } }";
const CONFIRM: &str = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { \
    user { mfaMethods recoveryCodesLeft } recoveryCodes } }";
const DEVICES: &str = "{ me { rememberedDevices { id device userAgent createdAt lastUsedAt expiresAt } } }";

/// The code that the app of the user who started the latest enrollment shows now.
async fn code(server: &TestServer) -> String {
    let app = &server.app;
    let latest = totp_factor::Entity::find().order_by_desc(totp_factor::Column::CreatedAt);
    let factor = latest.one(app.database.read()).await.unwrap().unwrap();
    let secret = app.totp_sealer.open(factor.user_id, &factor.sealed()).unwrap();
    TotpSecret::from_bytes(&secret).unwrap().code_at(app.clock.now()).unwrap().expose_secret().to_owned()
}

/// Sets up an authenticator app for a signed-in user. Returns the recovery codes. The first code of the app is used.
async fn enroll(server: &TestServer, actor: &Actor) -> Vec<SecretString> {
    actor.query(START).await.data("/startTotpEnrollment");
    let confirmed = actor.graphql(CONFIRM, json!({ "input": { "code": code(server).await } })).await;
    let codes = confirmed.data("/confirmTotpEnrollment/recoveryCodes");
    server.clock.advance(TimeDelta::seconds(30));
    codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap().into()).collect()
}

/// A server with the user `ada`, who has an authenticator app.
async fn enrolled() -> (TestServer, Actor, Vec<SecretString>) {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let codes = enroll(&server, &ada).await;
    (server, ada, codes)
}

/// A browser: it keeps cookies.
struct Browser {
    actor: Actor,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn of(server: &TestServer) -> Self {
        Self {
            actor: server.anonymous().with_header("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/140.0"),
            cookies: Vec::new(),
        }
    }

    async fn send(&mut self, document: &str, variables: Value) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.actor.cookie = (!cookies.is_empty()).then(|| cookies.join("; "));
        let answer = self.actor.graphql(document, variables).await;
        for line in set_cookies(&answer) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// The first step of a sign-in.
    async fn log_in(&mut self) -> Answer {
        self.send(LOGIN, json!({ "input": { "username": "ada", "password": password_of("ada") } })).await
    }

    async fn verify(&mut self, challenge: &str, code: &str, remember: bool) -> Answer {
        let factor = json!({ "totpCode": code });
        self.send(VERIFY, json!({ "input": { "token": challenge, "factor": factor, "rememberDevice": remember } }))
            .await
    }

    /// Signs in with both steps, and remembers the device if asked to.
    async fn sign_in(&mut self, server: &TestServer, remember: bool) -> Answer {
        let challenge = token_of(&self.log_in().await);
        self.verify(&challenge, &code(server).await, remember).await
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known.starts_with(name)).map(|(_, value)| value.as_str())
    }

    fn signed_in(&self, answer: &Answer) -> Actor {
        let root = if answer.json()["data"].get("login").is_some() { "login" } else { "verifyMfa" };
        self.actor.with_bearer(answer.data(&format!("/{root}/accessToken")).as_str().unwrap())
    }
}

fn set_cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect()
}

/// The token of the challenge in an error MFA_REQUIRED.
fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.code(), "MFA_REQUIRED");
    answer.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned()
}

async fn body_challenge(actor: &Actor) -> String {
    let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
    token_of(&actor.graphql(LOGIN, json!({ "input": input })).await)
}

async fn body_verify(actor: &Actor, challenge: &str, factor: Value) -> Answer {
    actor.graphql(VERIFY, json!({ "input": { "token": challenge, "factor": factor } })).await
}

async fn device_rows(server: &TestServer) -> usize {
    remembered_device::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

fn acr(access_token: &str) -> Value {
    decode_part(access_token.split('.').nth(1).unwrap())["acr"].clone()
}

#[tokio::test]
async fn enrollment_returns_the_secret_as_text_uri_and_image() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let started = ada.query(START).await.data("/startTotpEnrollment");
    let secret = started["secret"].as_str().unwrap();
    assert_eq!(
        started["otpauthUri"],
        format!("otpauth://totp/localhost:ada?secret={secret}&issuer=localhost&algorithm=SHA1&digits=6&period=30")
    );
    assert!(started["qrCodeSvg"].as_str().unwrap().starts_with("<svg"));
    assert_eq!(
        ada.query("{ me { mfaMethods recoveryCodesLeft } }").await.data("/me"),
        json!({ "mfaMethods": [], "recoveryCodesLeft": null })
    );
    let confirmed = ada.graphql(CONFIRM, json!({ "input": { "code": code(&server).await } })).await;
    let payload = confirmed.data("/confirmTotpEnrollment");
    assert_eq!(payload["user"], json!({ "mfaMethods": ["TOTP", "RECOVERY_CODE"], "recoveryCodesLeft": 10 }));
    assert_eq!(payload["recoveryCodes"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn wrong_code_does_not_confirm_an_enrollment() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    ada.query(START).await.data("/startTotpEnrollment");
    let wrong = format!("{:06}", (code(&server).await.parse::<u32>().unwrap() + 1) % 1_000_000);
    let answer = ada.graphql(CONFIRM, json!({ "input": { "code": wrong } })).await;
    assert_eq!(answer.code(), "MFA_CODE_INVALID");
    assert_eq!(ada.query("{ me { mfaMethods } }").await.data("/me/mfaMethods"), json!([]));
}

#[tokio::test]
async fn old_session_cannot_set_up_a_factor() {
    let server = TestServer::start().await;
    let (_, refresh_token) = server.app_user("ada").await;
    server.clock.advance(TimeDelta::minutes(10));
    // New tokens do not make the session a recent proof of identity.
    let (_, access_token) = refreshed_tokens(&server.anonymous().refresh(&refresh_token).await);
    let thief = server.anonymous().with_bearer(&access_token);
    assert_eq!(thief.query(START).await.code(), "REAUTHENTICATION_REQUIRED");
    let confirmed = thief.graphql(CONFIRM, json!({ "input": { "code": "123456" } })).await;
    assert_eq!(confirmed.code(), "MFA_NOT_ENABLED");
    // The owner, who knows the password, is not hindered.
    let owner = server.signed_in("ada").await;
    assert_eq!(owner.query("{ me { mfaMethods } }").await.data("/me/mfaMethods"), json!([]));
    enroll(&server, &owner).await;
}

#[tokio::test]
async fn login_says_how_to_finish_and_binds_the_challenge_to_the_browser() {
    let (server, ..) = enrolled().await;
    let answer = Browser::of(&server).log_in().await;
    let extensions = &answer.error()["extensions"];
    assert_eq!(
        (&extensions["mfa"]["methods"], &extensions["mfa"]["expiresIn"]),
        (&json!(["TOTP", "RECOVERY_CODE"]), &json!(300))
    );
    assert_eq!(answer.json()["data"], json!({ "login": null }));
    let cookies = set_cookies(&answer);
    let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
    let (name, attributes) = (cookie.split('=').next().unwrap(), cookie.split_once(';').unwrap().1);
    assert_eq!((name, attributes), ("mfa_client_0121783a", " HttpOnly; SameSite=Strict; Path=/; Max-Age=300"));
}

#[tokio::test]
async fn challenge_cookie_has_the_host_prefix_on_https() {
    let server =
        TestServer::with(|settings| settings.server.public_url = "https://accounts.example.org".to_owned()).await;
    let ada = server.user("ada").await;
    enroll(&server, &ada).await;
    let answer = Browser::of(&server).log_in().await;
    assert!(set_cookies(&answer)[0].starts_with("__Host-mfa_client="), "{answer:?}");
    assert!(set_cookies(&answer)[0].contains("Secure"), "{answer:?}");
}

#[tokio::test]
async fn browser_finishes_the_sign_in_with_a_cookie() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let answer = browser.sign_in(&server, false).await;
    let payload = answer.data("/verifyMfa");
    assert_eq!((&payload["refreshToken"], &payload["user"]["username"]), (&Value::Null, &json!("ada")));
    assert!(browser.cookie("refresh_token").is_some() && browser.cookie("remembered_device").is_none());
    let methods = browser.signed_in(&answer).query("{ me { sessions { isCurrent authenticationMethods } } }").await;
    let sessions = methods.data("/me/sessions");
    let current = sessions.as_array().unwrap().iter().find(|session| session["isCurrent"] == true).unwrap();
    assert_eq!(current["authenticationMethods"], json!(["pwd", "otp", "mfa"]));
}

#[tokio::test]
async fn challenge_of_a_browser_cannot_be_finished_without_its_cookie() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let challenge = token_of(&browser.log_in().await);
    let stolen = body_verify(&server.anonymous(), &challenge, json!({ "totpCode": code(&server).await })).await;
    assert_eq!(stolen.code(), "MFA_CHALLENGE_EXPIRED");
    let mut other = Browser::of(&server);
    other.log_in().await;
    assert_eq!(other.verify(&challenge, &code(&server).await, false).await.code(), "MFA_CHALLENGE_EXPIRED");
    browser.verify(&challenge, &code(&server).await, false).await.data("/verifyMfa");
}

#[tokio::test]
async fn sign_ins_in_two_tabs_can_both_be_finished() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let challenges = [token_of(&browser.log_in().await), token_of(&browser.log_in().await)];
    browser.verify(&challenges[0], &code(&server).await, false).await.data("/verifyMfa");
    server.clock.advance(TimeDelta::seconds(30));
    browser.verify(&challenges[1], &code(&server).await, false).await.data("/verifyMfa");
}

#[tokio::test]
async fn app_finishes_the_sign_in_with_the_token_alone() {
    let (server, _, codes) = enrolled().await;
    let app = server.anonymous();
    let challenge = body_challenge(&app).await;
    let answer =
        body_verify(&app, &challenge, json!({ "recoveryCode": codes[0].expose_secret().to_lowercase() })).await;
    assert!(answer.data("/verifyMfa/refreshToken").is_string());
    assert!(set_cookies(&answer).is_empty());
    let left = app.with_bearer(answer.data("/verifyMfa/accessToken").as_str().unwrap());
    assert_eq!(left.query("{ me { recoveryCodesLeft } }").await.data("/me/recoveryCodesLeft"), 9);
}

#[tokio::test]
async fn remembered_device_is_only_for_browsers() {
    let (server, _, codes) = enrolled().await;
    let app = server.anonymous();
    let challenge = body_challenge(&app).await;
    let input =
        json!({ "token": challenge, "factor": { "recoveryCode": codes[0].expose_secret() }, "rememberDevice": true });
    let answer = app.graphql(VERIFY, json!({ "input": input })).await;
    answer.data("/verifyMfa");
    assert_eq!((set_cookies(&answer).len(), device_rows(&server).await), (0, 0));
}

#[tokio::test]
async fn remembered_device_needs_no_second_factor_for_thirty_days() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let answer = browser.sign_in(&server, true).await;
    let cookies = set_cookies(&answer);
    let device = cookies.iter().find(|line| line.starts_with("remembered_device")).unwrap();
    assert!(device.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000"), "{device}");
    server.clock.advance(TimeDelta::days(29));
    let token = browser.log_in().await.data("/login/accessToken");
    assert_eq!(acr(token.as_str().unwrap()), "aal1");
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(browser.log_in().await.code(), "MFA_REQUIRED");
    assert_eq!(server.events(Action::DeviceRemembered).await, 1);
}

#[tokio::test]
async fn other_browsers_need_the_second_factor_although_one_is_remembered() {
    let (server, ..) = enrolled().await;
    Browser::of(&server).sign_in(&server, true).await.data("/verifyMfa");
    assert_eq!(Browser::of(&server).log_in().await.code(), "MFA_REQUIRED");
}

#[tokio::test]
async fn remembered_device_of_one_user_is_useless_for_another() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    let bo = server.user("bo").await;
    enroll(&server, &bo).await;
    let input = json!({ "username": "bo", "password": password_of("bo") });
    assert_eq!(browser.send(LOGIN, json!({ "input": input })).await.code(), "MFA_REQUIRED");
}

#[tokio::test]
async fn token_of_a_remembered_device_works_once() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    let old = browser.cookies.clone();
    browser.log_in().await.data("/login");
    assert_ne!(
        browser.cookie("remembered_device"),
        old.iter().find(|(name, _)| name.starts_with("remembered")).map(|(_, value)| value.as_str())
    );
    let mut copy = Browser { cookies: old, ..Browser::of(&server) };
    assert_eq!(copy.log_in().await.code(), "MFA_REQUIRED");
    browser.log_in().await.data("/login");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_sign_ins_in_a_remembered_device_skips_the_second_factor() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let mut copy = Browser { cookies: browser.cookies.clone(), ..Browser::of(&server) };
            tokio::spawn(async move { copy.log_in().await.json()["data"]["login"].is_object() })
        })
        .collect();
    let mut skipped = 0;
    for task in tasks {
        skipped += usize::from(task.await.unwrap());
    }
    assert_eq!(skipped, 1);
}

#[tokio::test]
async fn sign_in_in_a_remembered_device_is_audited() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    server.clock.advance(TimeDelta::seconds(1));
    let answer = browser.log_in().await;
    let events = "{ me { auditEvents(first: 2) { nodes { action details { name value } } } } }";
    let events = browser.signed_in(&answer).query(events).await.data("/me/auditEvents/nodes");
    let login = events.as_array().unwrap().iter().find(|event| event["action"] == "LOGGED_IN").unwrap();
    let detail = json!({ "name": "secondFactor", "value": "remembered_device" });
    assert!(login["details"].as_array().unwrap().contains(&detail), "{login}");
}

#[tokio::test]
async fn remembered_devices_are_listed_for_their_user_only() {
    let (server, ada, _) = enrolled().await;
    Browser::of(&server).sign_in(&server, true).await.data("/verifyMfa");
    let devices = ada.query(DEVICES).await.data("/me/rememberedDevices");
    assert_eq!(devices[0]["device"], "Firefox on Linux");
    let boss = server.administrator("boss").await;
    let users = "{ users { nodes { username mfaMethods recoveryCodesLeft rememberedDevices { id } } } }";
    let users = boss.query(users).await.data("/users/nodes");
    let seen = users.as_array().unwrap().iter().find(|user| user["username"] == "ada").unwrap();
    let expected = json!({ "username": "ada", "mfaMethods": ["TOTP", "RECOVERY_CODE"], "recoveryCodesLeft": null, "rememberedDevices": null });
    assert_eq!(seen, &expected);
    let node = format!("{{ node(id: {}) {{ id }} }}", devices[0]["id"]);
    assert_eq!(boss.query(&node).await.data("/node"), Value::Null);
    assert_eq!(ada.query(&node).await.data("/node/id"), devices[0]["id"]);
}

/// Revokes the first remembered device that `owner` sees, as `actor`.
async fn revoke_device(owner: &Actor, actor: &Actor) -> Answer {
    let id = owner.query(DEVICES).await.data("/me/rememberedDevices/0/id");
    let revoke = "mutation($input: RevokeRememberedDeviceInput!) { revokeRememberedDevice(input: $input) { \
        revokedRememberedDeviceId user { rememberedDevices { id } } } }";
    actor.graphql(revoke, json!({ "input": { "rememberedDeviceId": id } })).await
}

#[tokio::test]
async fn revoked_device_needs_the_second_factor() {
    let (server, ada, _) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    let revoked = revoke_device(&ada, &ada).await.data("/revokeRememberedDevice");
    assert_eq!(revoked["user"]["rememberedDevices"], json!([]));
    assert_eq!(browser.log_in().await.code(), "MFA_REQUIRED");
    assert_eq!(server.events(Action::RememberedDeviceRevoked).await, 1);
}

#[tokio::test]
async fn device_of_another_user_cannot_be_revoked() {
    let (server, ada, _) = enrolled().await;
    Browser::of(&server).sign_in(&server, true).await.data("/verifyMfa");
    let bo = server.user("bo").await;
    assert_eq!(revoke_device(&ada, &bo).await.code(), "NOT_FOUND");
    assert_eq!(device_rows(&server).await, 1);
}

/// Remembers a browser, lets `change` happen, and expects that no device is remembered any more.
async fn forgets_devices(change: impl AsyncFnOnce(&TestServer, &Actor)) {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let answer = browser.sign_in(&server, true).await;
    assert_eq!(device_rows(&server).await, 1);
    change(&server, &browser.signed_in(&answer)).await;
    assert_eq!(device_rows(&server).await, 0);
}

#[tokio::test]
async fn password_change_forgets_devices() {
    forgets_devices(async |_, ada| {
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { revokedSessions } }";
        let input = json!({ "currentPassword": password_of("ada"), "newPassword": "another password of ada", "keepOtherSessions": true });
        ada.graphql(change, json!({ "input": input })).await.data("/changePassword");
    })
    .await;
}

#[tokio::test]
async fn change_of_roles_forgets_devices() {
    forgets_devices(async |server, ada| {
        let boss = server.administrator("boss").await;
        let id = ada.query("{ me { id } }").await.data("/me/id");
        let change = "mutation($input: SetUserRolesInput!) { setUserRoles(input: $input) { user { id } } }";
        boss.graphql(change, json!({ "input": { "userId": id, "roles": ["user", "admin"] } }))
            .await
            .data("/setUserRoles");
    })
    .await;
}

#[tokio::test]
async fn removal_of_the_factor_forgets_devices() {
    forgets_devices(async |_, ada| {
        let disabled = ada.query("mutation { disableTotp { user { mfaMethods recoveryCodesLeft } } }").await;
        assert_eq!(disabled.data("/disableTotp/user"), json!({ "mfaMethods": [], "recoveryCodesLeft": null }));
    })
    .await;
}

#[tokio::test]
async fn logout_everywhere_forgets_devices() {
    forgets_devices(async |_, ada| {
        ada.logout(json!({ "everywhere": true })).await.data("/logout");
    })
    .await;
}

#[tokio::test]
async fn end_of_all_other_sessions_forgets_devices() {
    forgets_devices(async |_, ada| {
        ada.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    })
    .await;
}

#[tokio::test]
async fn plain_logout_keeps_the_device() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    browser.send("mutation { logout { revokedSessions } }", json!({})).await.data("/logout");
    browser.log_in().await.data("/login");
}

#[tokio::test]
async fn second_code_in_a_remembered_browser_replaces_its_row() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    browser.sign_in(&server, true).await.data("/verifyMfa");
    // A challenge that was open before.
    let mut other = Browser { cookies: Vec::new(), ..Browser::of(&server) };
    let challenge = token_of(&other.log_in().await);
    browser.cookies.retain(|(name, _)| !name.starts_with("mfa_client"));
    browser.cookies.extend(other.cookies);
    server.clock.advance(TimeDelta::seconds(30));
    browser.verify(&challenge, &code(&server).await, true).await.data("/verifyMfa");
    assert_eq!(device_rows(&server).await, 1);
}

#[tokio::test]
async fn foreign_site_cannot_use_the_cookies_of_the_second_factor() {
    let (server, ..) = enrolled().await;
    let mut browser = Browser::of(&server);
    let challenge = token_of(&browser.log_in().await);
    browser.actor = browser.actor.with_header("origin", "https://evil.example");
    let answer = browser.verify(&challenge, &code(&server).await, false).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn identity_is_proved_again_by_code_and_the_token_says_so() {
    let (server, ada, codes) = enrolled().await;
    server.clock.advance(TimeDelta::minutes(11));
    let reauthenticate = "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken } }";
    let regenerate = "mutation { regenerateRecoveryCodes { recoveryCodes user { recoveryCodesLeft } } }";
    assert_eq!(ada.query(regenerate).await.code(), "REAUTHENTICATION_REQUIRED");
    ada.graphql(reauthenticate, json!({ "input": { "password": password_of("ada") } })).await.data("/reauthenticate");
    assert_eq!(ada.query(regenerate).await.code(), "REAUTHENTICATION_REQUIRED");
    let by_code = json!({ "input": { "totpCode": code(&server).await } });
    let answer = ada.graphql(reauthenticate, by_code).await;
    assert_eq!(acr(answer.data("/reauthenticate/accessToken").as_str().unwrap()), "aal2");
    let regenerated = ada.query(regenerate).await.data("/regenerateRecoveryCodes");
    assert_eq!(regenerated["user"]["recoveryCodesLeft"], 10);
    let used = json!({ "input": { "recoveryCode": codes[0].expose_secret() } });
    assert_eq!(ada.graphql(reauthenticate, used).await.code(), "MFA_CODE_INVALID");
}

#[tokio::test]
async fn administrator_must_give_a_reason_to_reset_a_factor() {
    let (server, ada, _) = enrolled().await;
    let boss = server.administrator("boss").await;
    let id = ada.query("{ me { id } }").await.data("/me/id");
    let reset =
        "mutation($input: ResetUserMfaInput!) { resetUserMfa(input: $input) { revokedSessions user { mfaMethods } } }";
    let blank = boss.graphql(reset, json!({ "input": { "userId": id, "reason": " " } })).await;
    assert_eq!(blank.code(), "REQUIRED");
    let done = boss.graphql(reset, json!({ "input": { "userId": id, "reason": "Showed a passport" } })).await;
    assert_eq!(done.data("/resetUserMfa"), json!({ "revokedSessions": 1, "user": { "mfaMethods": [] } }));
}

#[tokio::test]
async fn introspection_reports_the_level_of_the_session_rather_than_of_the_token() {
    let secret = "4c1f4c1f4c1f4c1f4c1f4c1f4c1f4c1f";
    let server = TestServer::with(|settings| {
        settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret: secret.into() }];
    })
    .await;
    let ada = server.user("ada").await;
    enroll(&server, &ada).await;
    let token = Browser::of(&server).sign_in(&server, false).await.data("/verifyMfa/accessToken");
    let form = format!("client_id=api&client_secret={secret}&token={}", token.as_str().unwrap());
    let introspected = server.anonymous().form("/introspect", form.clone()).await.json();
    assert_eq!((&introspected["acr"], &introspected["amr"]), (&json!("aal2"), &json!(["pwd", "otp", "mfa"])));
    ada.query("mutation { disableTotp { user { id } } }").await.data("/disableTotp");
    let introspected = server.anonymous().form("/introspect", form).await.json();
    assert_eq!((&introspected["acr"], &introspected["amr"]), (&json!("aal1"), &json!(["pwd"])));
}
