//! `MFA_REQUIRED_ROLES`: what a user who must set up a second factor may do, and how the restriction ends.

use std::sync::{Arc, Mutex};

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use hallpass::{
    Error,
    config::{OauthClient, Settings},
    database::Database,
    domain::{
        self, Client, Context, Principal, Viewer, mfa,
        sessions::{Cookies, Delivery},
        sign_in::challenge,
        users::administration::{self, Administrator},
    },
    entity::{audit_event::Action, session},
    error::ErrorCode,
    language::Language,
};
use sea_orm::{EntityTrait, Statement};
use serde_json::Value;

use crate::{
    forbidden::{ANY_RESPONSE, Schema},
    second_factor::{code, log_in_as},
    support::{Actor, Answer, TestDatabase, TestServer, decode_part, json, password_of, settings},
};

/// The root fields that need no authentication.
const PUBLIC: &[&str] = &[
    "serverInfo",
    "register",
    "registerWithPasskey",
    "login",
    "verifyMfa",
    "startPasskeyLogin",
    "finishPasskeyLogin",
    "loginWithCode",
    "verifyEmail",
    "replaceUnverifiedEmail",
    "sendVerificationEmail",
    "requestPasswordReset",
    "resetPassword",
    "requestEmailSignIn",
    "loginWithEmail",
    "acceptInvitation",
];

/// The root fields for users who must set up a second factor.
const ALLOWED: &[&str] = &[
    "me",
    "startTotpEnrollment",
    "confirmTotpEnrollment",
    "startPasskeyRegistration",
    "finishPasskeyRegistration",
    "reauthenticate",
    "refreshToken",
    "logout",
];

/// The fields of `me` for users who must set up a second factor.
const ALLOWED_FIELDS: &[&str] = &["id", "username", "mfaMethods"];

/// The operations of the REST API that need no access token.
const PUBLIC_PATHS: &[&str] = &["/token", "/login", "/register", "/refresh", "/revoke", "/introspect"];

const REFUSED: &str = "MFA_ENROLLMENT_REQUIRED";
const CLIENT: &str = "client_id=api&client_secret=4c1f4c1f4c1f4c1f4c1f4c1f4c1f4c1f";

fn policy(settings: &mut Settings) {
    settings.registration.mfa_required_roles = vec!["admin".to_owned()];
    let secret = "4c1f4c1f4c1f4c1f4c1f4c1f4c1f4c1f".into();
    settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret }];
}

/// A server with the policy, and an administrator without a second factor.
async fn scene() -> (TestServer, Actor) {
    let server = TestServer::with(policy).await;
    let boss = server.administrator("boss").await;
    (server, boss)
}

fn context(server: &TestServer) -> Context {
    Context::of_request(&server.app, Viewer::Anonymous, Client::default())
}

/// The principal of an access token, if it may set up a second factor.
async fn enrolling(server: &TestServer, actor: &Actor) -> Principal {
    let claims = server.app.access_tokens.verify(actor.bearer.as_deref().unwrap(), server.app.clock.now());
    let viewer = Viewer::Authenticated(claims.unwrap());
    let context = Context::of_request(&server.app, viewer, Client::default());
    domain::enrolling_principal(&context).await.unwrap()
}

/// Sets up a second factor in the session of an actor.
async fn enroll(server: &TestServer, actor: &Actor) {
    let principal = enrolling(server, actor).await;
    mfa::start(&context(server), &principal).await.unwrap();
    mfa::confirm(&context(server), &principal, &code(server).await).await.unwrap();
}

fn roles(access_token: &Value) -> Value {
    decode_part(access_token.as_str().unwrap().split('.').nth(1).unwrap())["roles"].clone()
}

async fn is_active(server: &TestServer, actor: &Actor) -> Value {
    let form = format!("token={}&{CLIENT}", actor.bearer.as_deref().unwrap());
    server.anonymous().form("/introspect", form).await.json()["active"].clone()
}

/// A session whose refresh token is in the body: the client, and the response to its sign-in.
async fn app(server: &TestServer, username: &str) -> (Actor, Value) {
    let input = json!({ "username": username, "password": password_of(username), "tokenDelivery": "BODY" });
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { roles } } }";
    let payload = server.anonymous().graphql(login, json!({ "input": input })).await.data("/login");
    (server.anonymous().with_bearer(payload["accessToken"].as_str().unwrap()), payload)
}

#[tokio::test]
async fn every_other_root_field_is_refused() {
    let (server, boss) = scene().await;
    let schema = Schema::of(&server).await;
    let mut fields = schema.root_fields();
    fields.retain(|(_, field)| {
        let name = field["name"].as_str().unwrap();
        !PUBLIC.contains(&name) && !ALLOWED.contains(&name)
    });
    assert!(fields.len() >= 20, "{}", fields.len());
    let boss = boss.with_header("accept", ANY_RESPONSE);
    for (operation, root) in fields {
        let (document, variables) = schema.call(operation, root);
        assert_eq!(boss.graphql(&document, variables).await.code(), REFUSED, "{document}");
    }
}

#[tokio::test]
async fn every_other_field_of_the_user_is_refused() {
    let (server, boss) = scene().await;
    let schema = Schema::of(&server).await;
    let fields = schema.named("User")["fields"].as_array().unwrap();
    assert!(fields.len() > 10);
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let selection = Schema::selection(field);
        for document in [
            format!("{{ me {{ {name} {selection} }} }}"),
            format!("{{ me {{ id renamed: {name} {selection} }} }}"),
            format!("{{ me {{ ... on Node {{ ... on User {{ {name} {selection} }} }} }} }}"),
            format!(
                "{{ me {{ ...Fields }} }} fragment Fields on User {{ ...More }} fragment More on User {{ {name} {selection} }}"
            ),
        ] {
            let answer = boss.query(&document).await;
            if ALLOWED_FIELDS.contains(&name) {
                answer.data("/me");
            } else {
                assert_eq!(
                    (answer.code().as_str(), &answer.json()["data"]["me"]),
                    (REFUSED, &Value::Null),
                    "{document}"
                );
            }
        }
    }
}

#[tokio::test]
async fn id_and_name_can_be_read() {
    let (_server, boss) = scene().await;
    assert_eq!(
        boss.query("{ me { __typename username } }").await.data("/me"),
        json!({ "__typename": "User", "username": "boss" })
    );
}

#[tokio::test]
async fn every_rest_operation_is_refused() {
    let (server, boss) = scene().await;
    let document = server.anonymous().get("/openapi.json").await.json();
    let message = ErrorCode::MfaEnrollmentRequired.message(Language::English, 0);
    let mut count = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if PUBLIC_PATHS.contains(&path.as_str()) {
            continue;
        }
        let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        for (method, operation) in operations.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = boss.send(boss.request(method.clone(), &path).body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["detail"]), (403, &json!(message)), "{method} {path}");
            assert!(!operation["responses"]["403"].is_null(), "{method} {path}");
            count += 1;
        }
    }
    assert!(count >= 8, "{count}");
}

#[tokio::test]
async fn nested_lists_of_a_sign_in_are_refused() {
    let (server, _) = scene().await;
    let input = json!({ "username": "boss", "password": password_of("boss") });
    let login = "mutation($input: LoginInput!) { login(input: $input) { user { username roles sessions { id } } } }";
    let answer = server.anonymous().graphql(login, json!({ "input": input })).await;
    assert_eq!(answer.code(), REFUSED);
    let (_, payload) = app(&server, "boss").await;
    assert_eq!(payload["user"]["roles"], json!(["admin"]));
}

#[tokio::test]
async fn tokens_are_inactive_for_other_services() {
    let (server, boss) = scene().await;
    assert_eq!(is_active(&server, &boss).await, false);
    enroll(&server, &boss).await;
    assert_eq!(is_active(&server, &boss).await, true);
}

#[tokio::test]
async fn tokens_have_roles_only_after_enrollment() {
    let (server, _) = scene().await;
    let (boss, payload) = app(&server, "boss").await;
    let form = |token: &Value| json!({ "refresh_token": token });
    let refreshed = boss.json("/refresh", form(&payload["refreshToken"])).await.json();
    for token in [&payload["accessToken"], &refreshed["access_token"]] {
        assert_eq!(roles(token), json!([]));
    }
    let repeated = boss.json("/refresh", form(&payload["refreshToken"])).await.json();
    assert_eq!(roles(&repeated["access_token"]), json!([]));
    enroll(&server, &boss).await;
    let refreshed = boss.json("/refresh", form(&refreshed["refresh_token"])).await.json();
    assert_eq!(roles(&refreshed["access_token"]), json!(["admin"]));
    boss.query("{ users { totalCount } }").await.data("/users");
}

#[tokio::test]
async fn enrollment_ends_the_other_sessions() {
    let (server, boss) = scene().await;
    let (other, payload) = app(&server, "boss").await;
    enroll(&server, &boss).await;
    boss.query("{ me { roles } }").await.data("/me");
    assert_eq!(other.me().await.code(), "UNAUTHENTICATED");
    let form = json!({ "refresh_token": payload["refreshToken"] });
    assert_eq!(other.json("/refresh", form).await.status, 401);
    assert_eq!((server.events(Action::SessionRevoked).await, server.events(Action::MfaEnabled).await), (1, 1));
}

#[tokio::test]
async fn enrollment_keeps_the_other_sessions_of_users_without_the_role() {
    let server = TestServer::with(policy).await;
    let ada = server.user("ada").await;
    let other = server.signed_in("ada").await;
    enroll(&server, &ada).await;
    other.query("{ me { roles } }").await.data("/me");
    assert_eq!(server.events(Action::SessionRevoked).await, 0);
}

#[tokio::test]
async fn user_with_a_factor_is_not_restricted() {
    let (server, boss) = scene().await;
    enroll(&server, &boss).await;
    server.clock.advance(TimeDelta::seconds(30));
    let challenge = match log_in_as(&server.app, "boss", Delivery::Body).await {
        Err(Error::MfaRequired(challenge)) => *challenge,
        other => panic!("{:?}", other.err()),
    };
    let factor = mfa::Factor::Totp(code(&server).await);
    let answer =
        challenge::Answer { token: challenge.token, factor, remember_device: false, cookies: Cookies::default() };
    let sign_in = challenge::verify(&context(&server), answer).await.unwrap();
    assert_eq!(roles(&json!(sign_in.access_token)), json!(["admin"]));
    server.anonymous().with_bearer(&sign_in.access_token).query("{ users { totalCount } }").await.data("/users");
}

#[tokio::test]
async fn removal_of_the_factor_restricts_at_once() {
    let (server, _) = scene().await;
    let (boss, payload) = app(&server, "boss").await;
    enroll(&server, &boss).await;
    mfa::disable(&context(&server), &server.principal(&boss).await).await.unwrap();
    assert_eq!(boss.query("{ me { roles } }").await.code(), REFUSED);
    let refreshed = boss.json("/refresh", json!({ "refresh_token": payload["refreshToken"] })).await.json();
    assert_eq!(roles(&refreshed["access_token"]), json!([]));
}

#[tokio::test]
async fn enrollment_that_is_not_confirmed_is_no_factor() {
    let (server, boss) = scene().await;
    mfa::start(&context(&server), &enrolling(&server, &boss).await).await.unwrap();
    assert_eq!(boss.query("{ me { roles } }").await.code(), REFUSED);
}

#[tokio::test]
async fn grant_of_the_role_restricts_open_sessions() {
    let (server, _) = scene().await;
    let ada = server.user("ada").await;
    ada.query("{ me { roles } }").await.data("/me");
    server.set_roles("ada", &["admin", "user"]).await;
    assert_eq!(ada.query("{ me { roles } }").await.code(), REFUSED);
    server.set_roles("ada", &["user"]).await;
    ada.query("{ me { roles } }").await.data("/me");
}

#[tokio::test]
async fn new_user_with_the_role_is_restricted() {
    let server = TestServer::with(|settings| settings.registration.mfa_required_roles = vec!["user".to_owned()]).await;
    let (ada, _) = server.app_user("ada").await;
    assert_eq!(roles(&json!(ada.bearer)), json!([]));
    assert_eq!(ada.query("{ me { roles } }").await.code(), REFUSED);
}

#[tokio::test]
async fn restricted_session_can_sign_out_everywhere() {
    let (server, boss) = scene().await;
    let other = server.signed_in("boss").await;
    assert_eq!(boss.logout(json!({ "everywhere": true })).await.data("/logout/revokedSessions"), 2);
    assert_eq!(other.me().await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn administrator_whose_factor_was_removed_meanwhile_is_refused() {
    let (server, boss) = scene().await;
    let ada = server.user("ada").await;
    enroll(&server, &boss).await;
    let context = context(&server);
    let administrator = administration::of_principal(&context, server.principal(&boss).await).unwrap();
    mfa::disable(&context, &server.principal(&boss).await).await.unwrap();
    let id = server.principal(&ada).await.user.id;
    let refused = administration::revoke_sessions(&context, &administrator, id).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::MfaEnrollmentRequired);
}

#[tokio::test]
async fn command_line_is_not_restricted() {
    let (server, _) = scene().await;
    let (context, operator) = (server.command_line(), Administrator::at_command_line());
    let user = administration::find(&context, &operator, "boss").await.unwrap();
    let (_, ended) = administration::revoke_sessions(&context, &operator, user.id).await.unwrap();
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn factor_is_looked_up_only_for_users_with_the_role() {
    let database = TestDatabase::create().await;
    let mut settings = settings();
    settings.database.url = database.url().clone();
    policy(&mut settings);
    let mut connected = Database::connect(database.url(), Some(2)).await.unwrap();
    let statements = Arc::<Mutex<Vec<Statement>>>::default();
    let seen = Arc::clone(&statements);
    connected.observe(move |info| seen.lock().unwrap().push(info.statement.clone()));
    let server = TestServer::assemble(database, settings, connected);
    let (ada, boss) = (server.user("ada").await, server.administrator("boss").await);
    let lookups = async |actor: &Actor| {
        statements.lock().unwrap().clear();
        actor.query("{ me { username } }").await.data("/me");
        statements.lock().unwrap().iter().filter(|statement| statement.sql.contains("totp_factors")).count()
    };
    assert_eq!((lookups(&ada).await, lookups(&boss).await), (0, 1));
}

#[tokio::test]
async fn refusal_does_not_end_the_session() {
    let (server, boss) = scene().await;
    let refused: Answer = boss.query("{ users { totalCount } }").await;
    assert_eq!(refused.code(), REFUSED);
    let sessions = session::Entity::find().all(server.app.database.read()).await.unwrap();
    assert!(sessions.iter().all(|session| session.revoked_at.is_none()));
    boss.query("{ me { id } }").await.data("/me/id");
}

#[tokio::test]
async fn enrollment_can_start_after_the_identity_is_proved_again() {
    let (server, boss) = scene().await;
    let start = "mutation { startTotpEnrollment { secret } }";
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(boss.query(start).await.code(), "REAUTHENTICATION_REQUIRED");
    let reauthenticate = "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken } }";
    let answer = boss.graphql(reauthenticate, json!({ "input": { "password": password_of("boss") } })).await;
    assert_eq!(roles(&answer.data("/reauthenticate/accessToken")), json!([]));
    boss.query(start).await.data("/startTotpEnrollment");
}
