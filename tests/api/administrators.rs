//! Mutations by administrators: who may call them, and what they change.

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, password_of};

/// A server with the administrator `boss` and the user `ada`, who has a verified address.
struct Scene {
    server: TestServer,
    boss: Actor,
    ada: Actor,
    ada_id: Value,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let boss = server.administrator("boss").await;
        let ada = server.user_at("ada", "ada@example.org").await;
        let token = server.token_to("ada@example.org").await;
        server.anonymous().verify_email(&token).await.data("/verifyEmail");
        let ada_id = ada.me().await.data("/me/id");
        Self { server, boss, ada, ada_id }
    }

    /// Runs a mutation as the administrator. `userId` is that of Ada.
    async fn run(&self, mutation: &str, mut input: Value, selection: &str) -> Answer {
        input["userId"] = self.ada_id.clone();
        // The ids of events are ordered by time.
        self.server.clock.advance(TimeDelta::seconds(1));
        let answer = run(&self.boss, mutation, input, selection).await;
        self.server.clock.advance(TimeDelta::seconds(1));
        answer
    }

    /// The subjects of the mails to Ada, oldest first.
    async fn subjects(&self) -> Vec<String> {
        let mails = self.server.mails_to("ada@example.org").await;
        mails.iter().rev().map(|mail| mail.text.subject.clone()).collect()
    }

    /// The latest entry of the audit log about Ada, as pairs of column and value.
    async fn last_event(&self) -> Value {
        use hallpass::entity::audit_event::{Column, Entity};
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
        let id: sea_orm::prelude::Uuid = self.ada_id.as_str().unwrap().parse().unwrap();
        let events = Entity::find().filter(Column::UserId.eq(id)).order_by_desc(Column::Id);
        let event = events.all(self.server.app.database.read()).await.unwrap().swap_remove(0);
        json!({
            "action": format!("{:?}", event.action),
            "actorType": format!("{:?}", event.actor_type),
            "hasActor": event.actor_id.is_some(),
            "details": event.details.map(|details| details.0).unwrap_or_default(),
        })
    }
}

async fn run(actor: &Actor, mutation: &str, input: Value, selection: &str) -> Answer {
    let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {selection} }} }}");
    actor.graphql(&document, json!({ "input": input })).await
}

#[tokio::test]
async fn created_user_chooses_a_password_by_the_link_in_the_mail() {
    let Scene { server, boss, .. } = Scene::new().await;
    let input = json!({ "username": "bo", "email": "bo@example.org", "firstName": "Bo" });
    let created = run(&boss, "createUser", input, "user { username emailVerified roles firstName }").await;
    let expected = json!({ "username": "bo", "emailVerified": false, "roles": ["user"], "firstName": "Bo" });
    assert_eq!(created.data("/createUser/user"), expected);
    let mails = server.mails_to("bo@example.org").await;
    assert_eq!(mails.len(), 1, "no other mail, such as one to verify the address");
    server.clock.advance(TimeDelta::hours(23));
    let token = server.token_to("bo@example.org").await;
    server.anonymous().reset_password(&token, &password_of("bo")).await.data("/resetPassword");
    let bo = server.signed_in("bo").await;
    assert_eq!(bo.query("{ me { emailVerified } }").await.data("/me/emailVerified"), true);
}

#[tokio::test]
async fn created_user_cannot_sign_in_before_choosing_a_password() {
    let Scene { server, boss, .. } = Scene::new().await;
    let input = json!({ "username": "bo", "email": "bo@example.org", "emailVerified": true, "roles": ["admin"] });
    let created = run(&boss, "createUser", input, "user { emailVerified roles }").await;
    assert_eq!(created.data("/createUser/user"), json!({ "emailVerified": true, "roles": ["admin"] }));
    for password in ["", " ", "bo", "bo@example.org"] {
        assert_eq!(server.anonymous().login("bo", password).await.code(), "INVALID_CREDENTIALS");
    }
}

#[tokio::test]
async fn created_user_is_validated() {
    let Scene { server: _server, boss, .. } = Scene::new().await;
    let input = json!({ "username": "a da", "email": "x", "firstName": "x".repeat(101), "roles": ["root"] });
    let problems = run(&boss, "createUser", input, "user { id }").await.problems();
    assert_eq!(problems.len(), 4, "{problems:?}");
    let taken = json!({ "username": "ADA", "email": "Ada@example.org" });
    assert_eq!(run(&boss, "createUser", taken, "user { id }").await.problems().len(), 2);
}

#[tokio::test]
async fn users_are_not_created_without_mail() {
    let server = TestServer::with(|settings| settings.mail.dev = false).await;
    let boss = server.administrator("boss").await;
    let input = json!({ "username": "bo", "email": "bo@example.org" });
    assert_eq!(run(&boss, "createUser", input, "user { id }").await.code(), "MAIL_DISABLED");
}

#[tokio::test]
async fn update_changes_only_the_given_fields() {
    let scene = Scene::new().await;
    let selection = "user { username firstName lastName email emailVerified }";
    let input = json!({ "firstName": "Ada", "lastName": "Byron" });
    scene.run("updateUser", input, selection).await.data("/updateUser");
    let answer = scene.run("updateUser", json!({ "lastName": null, "username": "countess" }), selection).await;
    let expected = json!({
        "username": "countess", "firstName": "Ada", "lastName": null, "email": "ada@example.org", "emailVerified": true,
    });
    assert_eq!(answer.data("/updateUser/user"), expected);
    let event = scene.last_event().await;
    let expected = json!({
        "action": "ProfileUpdated", "actorType": "Administrator", "hasActor": true,
        "details": [["field", "username"], ["field", "lastName"]],
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn new_address_is_unverified_and_the_old_one_is_notified() {
    let scene = Scene::new().await;
    let answer = scene.run("updateUser", json!({ "email": "new@example.org" }), "user { emailVerified }").await;
    assert_eq!(answer.data("/updateUser/user/emailVerified"), false);
    assert!(scene.subjects().await.last().unwrap().contains("address"), "{:?}", scene.subjects().await);
    let token = scene.server.token_to("new@example.org").await;
    scene.server.anonymous().verify_email(&token).await.data("/verifyEmail");
}

#[tokio::test]
async fn new_address_may_count_as_verified() {
    let scene = Scene::new().await;
    let input = json!({ "email": "new@example.org", "emailVerified": true });
    let answer = scene.run("updateUser", input, "user { emailVerified }").await;
    assert_eq!(answer.data("/updateUser/user/emailVerified"), true);
    assert!(scene.server.mails_to("new@example.org").await.is_empty());
}

#[tokio::test]
async fn verification_can_be_taken_back() {
    let scene = Scene::new().await;
    let answer = scene.run("updateUser", json!({ "emailVerified": false }), "user { email emailVerified }").await;
    assert_eq!(answer.data("/updateUser/user"), json!({ "email": "ada@example.org", "emailVerified": false }));
    assert_eq!(scene.last_event().await["details"], json!([["field", "emailVerified"]]));
}

#[tokio::test]
async fn username_and_address_cannot_be_cleared_or_taken() {
    let scene = Scene::new().await;
    scene.server.user_at("bo", "bo@example.org").await;
    for (input, code) in [
        (json!({ "username": null }), "REQUIRED"),
        (json!({ "email": null }), "REQUIRED"),
        (json!({ "username": "BO" }), "USERNAME_TAKEN"),
        (json!({ "email": "bo@example.org" }), "EMAIL_TAKEN"),
    ] {
        assert_eq!(scene.run("updateUser", input.clone(), "user { id }").await.code(), code, "{input}");
    }
    // A user's own values are not taken.
    scene.run("updateUser", json!({ "username": "ADA", "firstName": "A" }), "user { id }").await.data("/updateUser");
}

#[tokio::test]
async fn new_roles_apply_at_once_and_are_mailed() {
    let scene = Scene::new().await;
    let answer = scene.run("setUserRoles", json!({ "roles": ["admin", "admin"] }), "user { roles }").await;
    assert_eq!(answer.data("/setUserRoles/user/roles"), json!(["admin"]));
    scene.ada.query("{ users { nodes { id } } }").await.data("/users");
    assert!(scene.subjects().await.last().unwrap().contains("roles"));
    assert_eq!(scene.last_event().await["details"], json!([["roles", "admin"]]));
    assert_eq!(scene.run("setUserRoles", json!({ "roles": ["root"] }), "user { id }").await.code(), "ROLE_UNKNOWN");
}

#[tokio::test]
async fn disabling_ends_sessions_records_the_reason_and_is_mailed() {
    let scene = Scene::new().await;
    let answer = scene.run("disableUser", json!({ "reason": " spam " }), "revokedSessions user { isActive }").await;
    assert_eq!(answer.data("/disableUser"), json!({ "revokedSessions": 1, "user": { "isActive": false } }));
    assert_eq!(scene.ada.me().await.code(), "UNAUTHENTICATED");
    assert!(scene.subjects().await.last().unwrap().contains("disabled"));
    assert_eq!(scene.last_event().await["details"], json!([["reason", "spam"]]));
    scene.run("enableUser", json!({}), "user { isActive }").await.data("/enableUser");
    scene.server.signed_in("ada").await.me().await.data("/me/id");
}

#[tokio::test]
async fn reason_is_limited() {
    let scene = Scene::new().await;
    for mutation in ["disableUser", "deleteUser"] {
        let input = json!({ "reason": "x".repeat(501) });
        let selection = if mutation == "disableUser" { "user { id }" } else { "deletedUserId" };
        assert_eq!(scene.run(mutation, input, selection).await.code(), "TOO_LONG");
    }
    scene.ada.me().await.data("/me/id");
}

#[tokio::test]
async fn deleted_user_is_gone_and_the_reason_is_kept() {
    let scene = Scene::new().await;
    let answer = scene.run("deleteUser", json!({ "reason": "asked by phone" }), "deletedUserId").await;
    assert_eq!(answer.data("/deleteUser/deletedUserId"), scene.ada_id);
    assert_eq!(scene.ada.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(scene.last_event().await["details"], json!([["reason", "asked by phone"]]));
    assert_eq!(scene.run("deleteUser", json!({}), "deletedUserId").await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn deleted_user_is_mailed_without_the_reason() {
    let scene = Scene::new().await;
    scene.run("deleteUser", json!({ "reason": "asked by phone" }), "deletedUserId").await.data("/deleteUser");
    let mail = scene.server.mails_to("ada@example.org").await.swap_remove(0);
    assert_eq!(mail.text.subject, "Your account was deleted");
    assert!(!mail.text.plain.contains("phone"), "{}", mail.text.plain);
}

#[tokio::test]
async fn administrators_act_only_after_a_recent_sign_in() {
    let scene = Scene::new().await;
    scene.server.administrator("other").await;
    let own = json!({ "userId": scene.boss.me().await.data("/me/id") });
    scene.server.clock.advance(TimeDelta::minutes(10));
    for (mutation, selection) in [("disableUser", "user { id }"), ("deleteUser", "deletedUserId")] {
        let answer = run(&scene.boss, mutation, own.clone(), selection).await;
        assert_eq!(answer.code(), "REAUTHENTICATION_REQUIRED", "{mutation}");
    }
    assert_eq!(scene.run("disableUser", json!({}), "user { id }").await.code(), "REAUTHENTICATION_REQUIRED");
    let password = json!({ "input": { "password": password_of("boss") } });
    let reauthenticate = "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { tokenType } }";
    scene.boss.graphql(reauthenticate, password).await.data("/reauthenticate");
    scene.run("disableUser", json!({}), "user { id }").await.data("/disableUser");
    run(&scene.boss, "deleteUser", own, "deletedUserId").await.data("/deleteUser");
}

#[tokio::test]
async fn all_sessions_of_a_user_can_be_ended() {
    let scene = Scene::new().await;
    scene.server.signed_in("ada").await;
    let answer = scene.run("revokeUserSessions", json!({}), "revokedSessions").await;
    assert_eq!(answer.data("/revokeUserSessions/revokedSessions"), 2);
    assert_eq!(scene.ada.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(scene.last_event().await["actorType"], "Administrator");
}

#[tokio::test]
async fn password_link_is_sent_and_the_password_stays_valid_until_it_is_used() {
    let scene = Scene::new().await;
    scene.run("sendUserPasswordReset", json!({}), "user { id }").await.data("/sendUserPasswordReset");
    assert_eq!(scene.last_event().await["action"], "PasswordResetRequested");
    scene.server.signed_in("ada").await;
    let token = scene.server.token_to("ada@example.org").await;
    scene.server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    assert_eq!(scene.server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn password_link_needs_an_active_account_with_an_address() {
    let scene = Scene::new().await;
    let id = scene.server.signed_in("boss").await.me().await.data("/me/id");
    let without = run(&scene.boss, "sendUserPasswordReset", json!({ "userId": id }), "user { id }").await;
    assert_eq!(without.code(), "REQUIRED");
    scene.run("disableUser", json!({}), "user { id }").await.data("/disableUser");
    assert_eq!(scene.run("sendUserPasswordReset", json!({}), "user { id }").await.code(), "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn unknown_users_are_not_found() {
    let Scene { server: _server, boss, .. } = Scene::new().await;
    for id in ["00000000-0000-7000-8000-000000000000", "ada", ""] {
        for (mutation, selection) in [
            ("updateUser", "user { id }"),
            ("disableUser", "user { id }"),
            ("enableUser", "user { id }"),
            ("deleteUser", "deletedUserId"),
            ("revokeUserSessions", "revokedSessions"),
            ("sendUserPasswordReset", "user { id }"),
        ] {
            let answer = run(&boss, mutation, json!({ "userId": id }), selection).await;
            assert_eq!(answer.code(), "NOT_FOUND", "{mutation} {id}");
        }
    }
}

#[tokio::test]
async fn last_administrator_stays() {
    let scene = Scene::new().await;
    let id = scene.boss.me().await.data("/me/id");
    for (mutation, input, selection) in [
        ("setUserRoles", json!({ "roles": ["user"] }), "user { id }"),
        ("disableUser", json!({}), "user { id }"),
        ("deleteUser", json!({}), "deletedUserId"),
    ] {
        let mut input = input;
        input["userId"] = id.clone();
        assert_eq!(run(&scene.boss, mutation, input, selection).await.code(), "LAST_ADMIN", "{mutation}");
    }
}

#[tokio::test]
async fn administrators_who_remove_each_other_leave_one() {
    for (mutation, selection) in
        [("disableUser", "user { id }"), ("deleteUser", "deletedUserId"), ("setUserRoles", "user { id }")]
    {
        let server = TestServer::start().await;
        let (one, other) = (server.administrator("one").await, server.administrator("other").await);
        let ids = [one.me().await.data("/me/id"), other.me().await.data("/me/id")];
        let input = |id: &Value| match mutation {
            "setUserRoles" => json!({ "userId": id, "roles": [] }),
            _ => json!({ "userId": id }),
        };
        let (first, second) = tokio::join!(
            run(&one, mutation, input(&ids[1]), selection),
            run(&other, mutation, input(&ids[0]), selection),
        );
        let succeeded = [&first, &second].iter().filter(|answer| answer.json()["errors"].is_null()).count();
        assert_eq!(succeeded, 1, "{mutation}: {} {}", first.json(), second.json());
        let remaining = [one, other];
        let mut administrators = 0;
        for actor in &remaining {
            administrators += usize::from(actor.query("{ users { totalCount } }").await.json()["errors"].is_null());
        }
        assert_eq!(administrators, 1, "{mutation}");
    }
}

#[tokio::test]
async fn administrator_who_was_demoted_meanwhile_changes_nothing() {
    let Scene { server, boss, ada, .. } = Scene::new().await;
    server.administrator("other").await;
    let principal = server.principal(&boss).await;
    let context = server.command_line();
    let administrator = hallpass::domain::users::administration::of_principal(&context, principal).unwrap();
    server.set_roles("boss", &[]).await;
    let id = server.principal(&ada).await.user.id;
    let ended = hallpass::domain::users::administration::revoke_sessions(&context, &administrator, id).await;
    assert_eq!(ended.unwrap_err().code(), hallpass::error::ErrorCode::Forbidden);
    ada.me().await.data("/me/id");
}

#[tokio::test]
async fn administrator_whose_session_has_ended_meanwhile_changes_nothing() {
    let Scene { server, boss, ada, .. } = Scene::new().await;
    let principal = server.principal(&boss).await;
    let context = server.command_line();
    let administrator = hallpass::domain::users::administration::of_principal(&context, principal).unwrap();
    boss.logout(json!({})).await.data("/logout");
    let id = server.principal(&ada).await.user.id;
    let ended = hallpass::domain::users::administration::revoke_sessions(&context, &administrator, id).await;
    assert_eq!(ended.unwrap_err().code(), hallpass::error::ErrorCode::Unauthenticated);
    ada.me().await.data("/me/id");
}
