//! Administration: changes of accounts by an administrator.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::{
    Error,
    domain::users::{
        administration::{self, Administrator, Change},
        registration::Registration,
    },
    entity::{
        audit_event::{self, Action},
        user::{self, Model},
    },
    error::{ErrorCode, Field, InputError},
};
use sea_orm::{EntityTrait, QueryOrder};

use crate::support::{TestServer, json, password_of};

fn form(username: &str) -> Registration {
    Registration {
        username: username.to_owned(),
        password: password_of(username).into(),
        email: None,
        first_name: None,
        last_name: None,
    }
}

async fn add(server: &TestServer, username: &str, roles: &[&str]) -> Model {
    let roles = roles.iter().map(ToString::to_string).collect();
    administration::create_with_password(
        &server.command_line(),
        &Administrator::at_command_line(),
        form(username),
        Some(roles),
    )
    .await
    .unwrap()
}

async fn update(server: &TestServer, user: &Model, change: Change) -> Result<Model, Error> {
    administration::update(&server.command_line(), &Administrator::at_command_line(), user.id, change)
        .await
        .map(|(user, _)| user)
}

fn active(is_active: bool) -> Change {
    Change { is_active: Some(is_active), ..Change::default() }
}

fn roles(roles: &[&str]) -> Change {
    Change { roles: Some(roles.iter().map(ToString::to_string).collect()), ..Change::default() }
}

async fn find(server: &TestServer, name: &str) -> Result<Model, Error> {
    administration::find(&server.command_line(), &Administrator::at_command_line(), name).await
}

/// The actions in the audit log, oldest first, without failed sign-ins. Checks that actions of the command line have no actor
/// id.
async fn events(server: &TestServer) -> Vec<Action> {
    let events = audit_event::Entity::find().order_by_asc(audit_event::Column::At);
    let mut events = events.all(server.app.database.read()).await.unwrap();
    for event in &events {
        let is_by_command_line = matches!(event.action, Action::UserCreated | Action::UserUpdated);
        assert!(!is_by_command_line || (event.user_id.is_some() && event.actor_id.is_none()), "{event:?}");
    }
    events.retain(|event| event.action != Action::LoginFailed);
    events.into_iter().map(|event| event.action).collect()
}

#[tokio::test]
async fn created_user_can_log_in() {
    let server = TestServer::start().await;
    let form_of_ada = Registration {
        email: Some("Ada@Example.org".to_owned()),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lovelace".to_owned()),
        ..form("Ada")
    };
    let roles = vec!["user".to_owned(), "admin".to_owned(), "user".to_owned()];
    let ada = administration::create_with_password(
        &server.command_line(),
        &Administrator::at_command_line(),
        form_of_ada,
        Some(roles),
    )
    .await
    .unwrap();
    assert_eq!(ada.last_login_at, None);
    assert_eq!(events(&server).await, [Action::UserCreated]);

    let mut actor = server.anonymous();
    let login = actor.login("ada@example.org", &password_of("Ada")).await;
    actor.bearer = Some(login.data("/login/accessToken").as_str().unwrap().to_owned());
    let me = actor.me().await;
    assert_eq!(me.data("/me/roles"), json!(["admin", "user"]));
    assert_eq!(
        [me.data("/me/username"), me.data("/me/email"), me.data("/me/fullName")],
        ["Ada", "Ada@Example.org", "Ada Lovelace"]
    );
    // Without roles in the form, the user gets the default roles.
    let bo = administration::create_with_password(
        &server.command_line(),
        &Administrator::at_command_line(),
        form("bo"),
        None,
    )
    .await
    .unwrap();
    assert_eq!(bo.roles.0, server.app.settings.registration.default_roles);
}

#[tokio::test]
async fn created_user_is_validated_like_a_registration() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        // Does not apply to administrators.
        settings.registration.is_enabled = false;
    })
    .await;
    let create = async |form: Registration, roles: &[&str]| {
        let roles = roles.iter().map(ToString::to_string).collect();
        administration::create_with_password(
            &server.command_line(),
            &Administrator::at_command_line(),
            form,
            Some(roles),
        )
        .await
    };
    let invalid = Registration { password: "short".into(), ..form("a da") };
    let error = create(invalid, &["user", "root"]).await.unwrap_err();
    assert_eq!(
        error.problems(),
        [
            InputError::new(ErrorCode::InvalidUsername, Field::Username),
            InputError::with_limit(ErrorCode::PasswordTooShort, Field::Password, 8),
            InputError::new(ErrorCode::Required, Field::Email),
            InputError::new(ErrorCode::RoleUnknown, Field::Roles),
        ]
    );
    let valid = || Registration { email: Some("ada@example.org".to_owned()), ..form("ada") };
    assert_eq!(create(valid(), &["Admin"]).await.unwrap_err().code(), ErrorCode::RoleUnknown);
    assert_eq!(create(valid(), &[]).await.unwrap().roles.0, Vec::<String>::new());
    let taken = create(Registration { username: "ADA".to_owned(), ..valid() }, &["user"]).await.unwrap_err();
    assert_eq!(
        taken.problems().iter().map(|problem| problem.field).collect::<Vec<_>>(),
        [Field::Username, Field::Email]
    );
    assert_eq!(events(&server).await, [Action::UserCreated]);
}

#[tokio::test]
async fn user_is_found_by_username_or_email() {
    let server = TestServer::start().await;
    let ada = Registration { email: Some("ada@example.org".to_owned()), ..form("ada") };
    let ada =
        administration::create_with_password(&server.command_line(), &Administrator::at_command_line(), ada, None)
            .await
            .unwrap();
    for name in ["ada", "ADA", " ada ", "ada@example.org", "Ada@EXAMPLE.org"] {
        assert_eq!(find(&server, name).await.unwrap().id, ada.id, "{name}");
    }
    for name in ["", "bo", "a da", "ada@", "ada@example.com", "a\0da", "' OR 1=1 --"] {
        assert_eq!(find(&server, name).await.unwrap_err().code(), ErrorCode::NotFound, "{name}");
    }
}

#[tokio::test]
async fn disabling_a_user_ends_all_sessions_permanently() {
    let server = TestServer::start().await;
    let (ada, refresh_token) = server.app_user("ada").await;
    let bo = server.user("bo").await;
    let row = find(&server, "ada").await.unwrap();
    server.clock.advance(TimeDelta::minutes(1));
    let disabled = update(&server, &row, active(false)).await.unwrap();
    assert_eq!((disabled.is_active, disabled.updated_at), (false, server.app.clock.now()));

    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&refresh_token).await.code(), "ACCOUNT_DISABLED");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "ACCOUNT_DISABLED");
    bo.me().await.data("/me/id");

    // Disabling the user again changes nothing.
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(update(&server, &row, active(false)).await.unwrap(), disabled);
    // Enabling the user does not restore the sessions.
    assert!(update(&server, &row, active(true)).await.unwrap().is_active);
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&refresh_token).await.code(), "SESSION_REVOKED");
    server.clock.advance(TimeDelta::minutes(1));
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
    assert_eq!(
        events(&server).await,
        [Action::UserRegistered, Action::UserRegistered, Action::UserDisabled, Action::UserEnabled, Action::LoggedIn]
    );
}

#[tokio::test]
async fn setting_a_password_revokes_sessions_and_the_old_password() {
    let server = TestServer::start().await;
    let (ada, refresh_token) = server.app_user("ada").await;
    let bo = server.user("bo").await;
    let row = find(&server, "ada").await.unwrap();
    let set = async |password: &str| {
        administration::set_password(&server.command_line(), &Administrator::at_command_line(), row.id, password.into())
            .await
    };
    assert_eq!(set("short").await.unwrap_err().problems()[0].limit, Some(8));
    assert_eq!(set("").await.unwrap_err().code(), ErrorCode::Required);
    ada.me().await.data("/me/id");

    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(set("another horse").await.unwrap().updated_at, server.app.clock.now());
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(server.anonymous().refresh(&refresh_token).await.code(), "SESSION_REVOKED");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    server.clock.advance(TimeDelta::minutes(1));
    server.anonymous().login("ada", "another horse").await.data("/login/user");
    bo.me().await.data("/me/id");
    assert_eq!(
        events(&server).await,
        [Action::UserRegistered, Action::UserRegistered, Action::PasswordChanged, Action::LoggedIn]
    );
}

#[tokio::test]
async fn setting_a_password_lifts_the_login_throttle() {
    let server = TestServer::start().await;
    let ada = add(&server, "ada", &["user"]).await;
    for _ in 0..10 {
        assert_eq!(server.anonymous().login("ada", "a wrong guess").await.code(), "INVALID_CREDENTIALS");
    }
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "RATE_LIMITED");
    let administrator = Administrator::at_command_line();
    administration::set_password(&server.command_line(), &administrator, ada.id, "another horse".into()).await.unwrap();
    server.anonymous().login("ada", "another horse").await.data("/login/user");
}

#[tokio::test]
async fn roles_must_be_configured_and_take_effect_immediately() {
    let server = TestServer::with(|settings| settings.registration.roles.push("editor".to_owned())).await;
    let ada = server.user("ada").await;
    let row = find(&server, "ada").await.unwrap();
    assert_eq!(update(&server, &row, roles(&["user", "root"])).await.unwrap_err().code(), ErrorCode::RoleUnknown);
    update(&server, &row, roles(&["user", "editor", "admin", "user"])).await.unwrap();
    assert_eq!(ada.me().await.data("/me/roles"), json!(["admin", "editor", "user"]));
    add(&server, "grace", &["admin"]).await;
    update(&server, &row, roles(&[])).await.unwrap();
    assert_eq!(ada.me().await.data("/me/roles"), json!([]));
}

#[tokio::test]
async fn last_administrator_cannot_be_removed() {
    let server =
        TestServer::with(|settings| settings.registration.roles.extend(["administrator".into(), "x-admin".into()]))
            .await;
    let ada = add(&server, "ada", &["admin", "user"]).await;
    // Neither of these is an active administrator.
    add(&server, "bo", &["administrator", "user", "x-admin"]).await;
    let carl = add(&server, "carl", &["admin"]).await;
    update(&server, &carl, active(false)).await.unwrap();
    let before = events(&server).await;

    for change in [active(false), roles(&["user"]), roles(&[])] {
        let error = update(&server, &ada, change).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::LastAdmin);
    }
    assert_eq!(find(&server, "ada").await.unwrap(), ada);
    assert_eq!(events(&server).await, before);
    // Changes after which she is still an administrator are allowed.
    update(&server, &ada, roles(&["admin"])).await.unwrap();
    update(&server, &ada, active(true)).await.unwrap();
    // Carl does not count while he is disabled. Once he is enabled, one of the two may be removed.
    update(&server, &carl, roles(&["user", "admin"])).await.unwrap();
    update(&server, &carl, active(true)).await.unwrap();
    update(&server, &ada, roles(&["user"])).await.unwrap();
    assert_eq!(update(&server, &carl, active(false)).await.unwrap_err().code(), ErrorCode::LastAdmin);
}

#[tokio::test]
async fn administrator_is_found_among_many_roles() {
    let server = TestServer::with(|settings| settings.registration.roles.push("a-first".to_owned())).await;
    let mut last = add(&server, "ada", &["admin"]).await;
    for (name, held) in [
        ("bo", ["admin", "user"].as_slice()),
        ("carl", &["a-first", "admin", "user"]),
        ("dora", &["a-first", "admin"]),
        ("eve", &["admin"]),
    ] {
        let next = add(&server, name, held).await;
        update(&server, &last, active(false)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        last = next;
    }
    assert_eq!(update(&server, &last, active(false)).await.unwrap_err().code(), ErrorCode::LastAdmin);
}

#[tokio::test]
async fn concurrent_removals_of_the_last_two_administrators_leave_one() {
    let server = Arc::new(TestServer::start().await);
    let other = TestServer::on(Arc::clone(&server.database), |_| {}).await;
    let ada = add(&server, "ada", &["admin"]).await;
    let bo = add(&server, "bo", &["admin"]).await;
    for round in 0..20 {
        // Alternates the order, and uses both ways to remove an administrator.
        let (first, second) = if round % 2 == 0 { (&ada, &bo) } else { (&bo, &ada) };
        let (one, two) = tokio::join!(update(&server, first, active(false)), update(&other, second, roles(&["user"])));
        let errors: Vec<Error> = [one, two].into_iter().filter_map(Result::err).collect();
        assert_eq!(errors.len(), 1, "round {round}: {errors:?}");
        assert_eq!(errors[0].code(), ErrorCode::LastAdmin, "round {round}: {errors:?}");
        let db = server.app.database.read();
        let left = user::Entity::find().all(db).await.unwrap().into_iter().filter(Model::is_active_admin).count();
        assert_eq!(left, 1, "round {round}");
        for user in [&ada, &bo] {
            let restored = Change { is_active: Some(true), roles: Some(vec!["admin".to_owned()]), reason: None };
            update(&server, user, restored).await.unwrap();
        }
    }
}

#[tokio::test]
async fn removal_of_an_administrator_waits_for_a_concurrent_one() {
    let server = TestServer::start().await;
    let other = TestServer::on(Arc::clone(&server.database), |_| {}).await;
    let ada = add(&server, "ada", &["admin"]).await;
    let bo = add(&server, "bo", &["admin"]).await;
    // The first change is not committed yet: Ada is disabled in an open transaction.
    let transaction = server.app.write().await.unwrap();
    let mut row = user::lock(&transaction, ada.id).await.unwrap().unwrap();
    row.update(&transaction, |user| user.is_active = false).await.unwrap();
    let second = tokio::spawn(async move { update(&other, &bo, active(false)).await });
    // The second change must not finish before that transaction ends.
    tokio::task::yield_now().await;
    for _ in 0..50 {
        find(&server, "ada").await.unwrap();
    }
    assert!(!second.is_finished());
    transaction.commit().await.unwrap();
    assert_eq!(second.await.unwrap().unwrap_err().code(), ErrorCode::LastAdmin);
}

/// Disabling and the requests write the same rows of users and sessions, in any order.
#[tokio::test]
async fn disabling_a_user_during_their_requests_succeeds() {
    let server = TestServer::start().await;
    let row = add(&server, "ada", &["user"]).await;
    let password = password_of("ada");
    for round in 0..10 {
        let mut actors = Vec::new();
        for _ in 0..3 {
            let login = server.anonymous().login("ada", &password).await;
            actors.push(server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap()));
        }
        let [first, second, third] = actors.as_slice() else { panic!("three") };
        let (disabled, out, others, again) = tokio::join!(
            update(&server, &row, active(false)),
            first.logout(json!({})),
            second.query("mutation { revokeOtherSessions { revokedSessions } }"),
            third.login("ada", &password),
        );
        assert!(!disabled.unwrap_or_else(|error| panic!("round {round}: {error:?}")).is_active);
        out.data("/logout/revokedSessions");
        for answer in [others, again] {
            let answer = answer.json();
            let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
            assert!(["", "UNAUTHENTICATED", "ACCOUNT_DISABLED"].contains(&code), "round {round}: {answer}");
        }
        for actor in &actors {
            assert_eq!(actor.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
        }
        update(&server, &row, active(true)).await.unwrap();
    }
}

#[tokio::test]
async fn unknown_user_is_not_found() {
    let server = TestServer::start().await;
    let ada = add(&server, "ada", &["user"]).await;
    user::Entity::delete_many().exec(server.app.database.read()).await.unwrap();
    for change in [active(false), active(true), roles(&["admin"]), roles(&[])] {
        assert_eq!(update(&server, &ada, change).await.unwrap_err().code(), ErrorCode::NotFound);
    }
    let administrator = Administrator::at_command_line();
    let set =
        administration::set_password(&server.command_line(), &administrator, ada.id, "correct horse".into()).await;
    assert_eq!(set.unwrap_err().code(), ErrorCode::NotFound);
}

/// Creates an account with a pending change of address. Returns it with the tokens of two links: one verifies the new address,
/// the other resets the password.
async fn with_pending_change(server: &TestServer) -> (Model, [String; 2]) {
    let ada = server.user_at("ada", "ada@example.org").await;
    ada.change_email(json!({ "newEmail": "thief@example.org" })).await.data("/changeEmail");
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let tokens = [server.token_to("thief@example.org").await, server.token_to("ada@example.org").await];
    (find(server, "ada").await.unwrap(), tokens)
}

#[tokio::test]
async fn setting_an_email_clears_pending_email_and_links() {
    for is_verified in [false, true] {
        let server = TestServer::start().await;
        let (ada, [change, reset]) = with_pending_change(&server).await;
        let administrator = Administrator::at_command_line();
        let set =
            administration::set_email(&server.command_line(), &administrator, ada.id, "Ada@New.example", is_verified)
                .await;
        let ada = set.unwrap();
        assert_eq!((ada.email.as_deref(), ada.pending_email), (Some("Ada@New.example"), None));
        assert_eq!(ada.email_verified_at.is_some(), is_verified);
        assert_eq!(server.anonymous().verify_email(&change).await.code(), "LINK_INVALID");
        assert_eq!(server.anonymous().reset_password(&reset, "a new password").await.code(), "LINK_INVALID");
        // A verified address gets no verification mail.
        assert_eq!(server.mails_to("Ada@new.example").await.len(), usize::from(!is_verified));
        server.anonymous().login("ada@new.example", &password_of("ada")).await.data("/login/accessToken");
        assert_eq!(events(&server).await.iter().filter(|kind| **kind == Action::EmailChanged).count(), 1);
    }
}

#[tokio::test]
async fn setting_an_email_rejects_taken_and_invalid_ones_and_is_idempotent() {
    let server = TestServer::start().await;
    server.user_at("bo", "bo@example.org").await;
    server.user_at("ada", "ada@example.org").await;
    let (administrator, ada) = (Administrator::at_command_line(), find(&server, "ada").await.unwrap());
    let set = async |email: &str| {
        administration::set_email(&server.command_line(), &administrator, ada.id, email, true).await
    };
    assert_eq!(
        set("BO@example.org").await.unwrap_err().problems(),
        [InputError::new(ErrorCode::EmailTaken, Field::Email)]
    );
    assert_eq!(set("ada").await.unwrap_err().problems(), [InputError::new(ErrorCode::InvalidEmail, Field::Email)]);
    for _ in 0..2 {
        set("ada@example.org").await.unwrap();
    }
    assert_eq!(events(&server).await.iter().filter(|kind| **kind == Action::EmailChanged).count(), 1);
}

#[tokio::test]
async fn setting_an_email_notifies_the_old_verified_one() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    let (administrator, ada) = (Administrator::at_command_line(), find(&server, "ada").await.unwrap());
    administration::verify_email(&server.command_line(), &administrator, ada.id).await.unwrap();
    administration::set_email(&server.command_line(), &administrator, ada.id, "ada@new.example", true).await.unwrap();
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "Your e-mail address was changed");
}

#[tokio::test]
async fn administrator_can_mark_an_email_as_verified() {
    let server = TestServer::with(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let administrator = Administrator::at_command_line();
    let form = Registration { email: Some("ada@example.org".to_owned()), ..form("ada") };
    let ada = administration::create_with_password(&server.command_line(), &administrator, form, None).await.unwrap();
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "EMAIL_NOT_VERIFIED");
    for _ in 0..2 {
        administration::verify_email(&server.command_line(), &administrator, ada.id).await.unwrap();
    }
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/accessToken");
    assert_eq!(events(&server).await.iter().filter(|kind| **kind == Action::EmailVerified).count(), 1);
}

#[tokio::test]
async fn missing_email_cannot_be_marked_as_verified() {
    let server = TestServer::start().await;
    let (administrator, ada) = (Administrator::at_command_line(), add(&server, "ada", &["user"]).await);
    let verified = administration::verify_email(&server.command_line(), &administrator, ada.id).await;
    assert_eq!(verified.unwrap_err().problems(), [InputError::new(ErrorCode::Required, Field::Email)]);
}

#[tokio::test]
async fn last_administrator_cannot_be_deleted() {
    let server = TestServer::start().await;
    let grace = add(&server, "grace", &["admin"]).await;
    let ada = server.user_at("ada", "ada@example.org").await;
    let administrator = Administrator::at_command_line();
    let delete = async |id| administration::delete(&server.command_line(), &administrator, id, None).await;
    assert_eq!(delete(grace.id).await.unwrap_err().code(), ErrorCode::LastAdmin);
    let row = find(&server, "ada").await.unwrap();
    assert_eq!(delete(row.id).await.unwrap().username, "ada");
    assert_eq!(ada.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    assert_eq!(find(&server, "ada").await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(delete(row.id).await.unwrap_err().code(), ErrorCode::NotFound);
    let log = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(log.iter().filter(|event| event.action == Action::UserDeleted).count(), 1);
    assert!(log.iter().all(|event| event.user_id != Some(row.id) || event.ip_address.is_none()), "{log:?}");
}
