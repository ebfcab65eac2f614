//! Invitations by mail: who may invite, what an invitation creates, and when it ends. The page is tested in
//! `invitation_page.rs`.

use std::sync::Arc;

use chrono::TimeDelta;
use hallpass::{
    domain::users::administration::{self, Administrator},
    entity::{audit_event, invitation, mail},
    jobs::purge::{Table, purge},
};
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json, logged, password_of};

const NEW: &str = "new@example.org";
const WEEK: TimeDelta = TimeDelta::days(7);

pub async fn invite(actor: &Actor, email: &str, roles: Value) -> Answer {
    let document = "mutation($input: InviteUserInput!) { inviteUser(input: $input) { invitation { \
        id email roles invitedBy { username } createdAt expiresAt } } }";
    actor.graphql(document, json!({ "input": { "email": email, "roles": roles } })).await
}

async fn revoke(actor: &Actor, id: &Value) -> Answer {
    let document =
        "mutation($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { revokedInvitationId } }";
    actor.graphql(document, json!({ "input": { "invitationId": id } })).await
}

async fn list(actor: &Actor, arguments: Value) -> Answer {
    let document = "query($first: Int, $after: String, $last: Int, $before: String) { \
        invitations(first: $first, after: $after, last: $last, before: $before) { \
        nodes { email invitedBy { username } } totalCount pageInfo { hasNextPage endCursor startCursor hasPreviousPage } } }";
    actor.graphql(document, arguments).await
}

async fn accept_with(actor: &Actor, input: Value) -> Answer {
    let document = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken refreshToken \
        user { username email emailVerified firstName lastName roles } } }";
    actor.graphql(document, json!({ "input": input })).await
}

async fn accept(server: &TestServer, token: &str, username: &str) -> Answer {
    let input = json!({ "token": token, "username": username, "password": password_of(username) });
    accept_with(&server.anonymous(), input).await
}

/// A server with the administrator `boss`.
async fn with_boss() -> (TestServer, Actor) {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    (server, boss)
}

/// A server with an invitation for [`NEW`]. Returns its token.
async fn invited() -> (TestServer, Actor, String) {
    let (server, boss) = with_boss().await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    let token = server.token_to(NEW).await;
    (server, boss, token)
}

fn emails(answer: &Answer) -> Vec<String> {
    let nodes = answer.data("/invitations/nodes");
    nodes.as_array().unwrap().iter().map(|node| node["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn invitation_creates_a_verified_account_and_signs_in() {
    let (server, _, token) = invited().await;
    let input = json!({
        "token": token, "username": "ada", "password": password_of("ada"), "firstName": "Ada", "lastName": "Lovelace",
        "tokenDelivery": "BODY"
    });
    let answer = accept_with(&server.anonymous(), input).await;
    assert_eq!(
        answer.data("/acceptInvitation/user"),
        json!({
            "username": "ada", "email": NEW, "emailVerified": true, "firstName": "Ada", "lastName": "Lovelace",
            "roles": ["user"]
        })
    );
    let bearer = answer.data("/acceptInvitation/accessToken");
    assert_eq!(server.anonymous().with_bearer(bearer.as_str().unwrap()).me().await.data("/me/username"), "ada");
    let refresh = answer.data("/acceptInvitation/refreshToken");
    server.anonymous().refresh(refresh.as_str().unwrap()).await.data("/refreshToken");
    server.anonymous().login(NEW, &password_of("ada")).await.data("/login/user");
}

#[tokio::test]
async fn cookie_delivery_is_the_default() {
    let (server, _, token) = invited().await;
    let answer = accept(&server, &token, "ada").await;
    assert_eq!(answer.data("/acceptInvitation/refreshToken"), Value::Null);
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("HttpOnly")), "{answer:?}");
}

#[tokio::test]
async fn invitation_is_described_by_its_payload() {
    let (_server, boss) = with_boss().await;
    let answer = invite(&boss, "New@Example.org", json!(["user", "admin"])).await;
    let mut invitation = answer.data("/inviteUser/invitation");
    assert!(invitation["id"].take().is_string());
    assert_eq!(
        invitation,
        json!({
            "id": null, "email": "New@Example.org", "roles": ["admin", "user"], "invitedBy": { "username": "boss" },
            "createdAt": "2026-01-31T12:00:00.123Z", "expiresAt": "2026-02-07T12:00:00.123Z"
        })
    );
}

#[tokio::test]
async fn mail_says_what_the_link_is_for_in_both_languages() {
    let (server, boss) = with_boss().await;
    for (language, email, subject, text) in [
        ("en", "en@example.org", "You are invited to create an account", "expires after 7 days."),
        ("ru", "ru@example.org", "Вас приглашают создать учётную запись", "Ссылка действует 7 дней"),
    ] {
        invite(&boss.speaking(language), email, Value::Null).await.data("/inviteUser");
        let mail = server.mails_to(email).await.remove(0);
        assert_eq!(mail.text.subject, subject);
        assert!(mail.text.plain.contains(text), "{}", mail.text.plain);
        assert!(mail.text.plain.contains("http://localhost:8000/accept-invitation?token="), "{}", mail.text.plain);
        assert!(!mail.text.plain.contains("boss") && !mail.text.plain.contains("none"), "{}", mail.text.plain);
    }
}

#[tokio::test]
async fn tokens_are_neither_stored_nor_logged() {
    let (server, _, token) = invited().await;
    let rows = invitation::Entity::find().all(server.app.database.read()).await.unwrap();
    assert!(!format!("{rows:?}").contains(&token));
    accept(&server, &token, "ada").await.data("/acceptInvitation");
    assert_eq!(logged(&token), Vec::<String>::new());
}

#[tokio::test]
async fn invitation_works_while_registration_is_disabled() {
    let before = TestServer::start().await;
    let boss = before.administrator("boss").await;
    let server = TestServer::on(Arc::clone(&before.database), |settings| {
        settings.registration.is_enabled = false;
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    let token = before.token_to(NEW).await;
    accept(&server, &token, "ada").await.data("/acceptInvitation/accessToken");
}

#[tokio::test]
async fn account_has_the_roles_that_still_exist() {
    let before = TestServer::with(|settings| settings.registration.roles.insert(1, "editor".to_owned())).await;
    let boss = before.administrator("boss").await;
    invite(&boss, NEW, json!(["admin", "editor"])).await.data("/inviteUser");
    let token = before.token_to(NEW).await;
    let server = TestServer::on(Arc::clone(&before.database), |_| {}).await;
    assert_eq!(accept(&server, &token, "ada").await.data("/acceptInvitation/user/roles"), json!(["admin"]));
    // The role does not come back when it exists again.
    let ada = before.anonymous().login("ada", &password_of("ada")).await;
    let ada = before.anonymous().with_bearer(ada.data("/login/accessToken").as_str().unwrap());
    assert_eq!(ada.me().await.data("/me/roles"), json!(["admin"]));
}

#[tokio::test]
async fn invitation_is_accepted_once() {
    let (server, _, token) = invited().await;
    accept(&server, &token, "ada").await.data("/acceptInvitation");
    assert_eq!(accept(&server, &token, "bo").await.code(), "INVITATION_INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_acceptances_create_one_account() {
    let (server, boss, token) = invited().await;
    let attempts = (0..20).map(|number| {
        let (actor, token) = (server.anonymous(), token.clone());
        tokio::spawn(async move {
            let username = format!("user{number}");
            let input = json!({ "token": token, "username": username, "password": password_of(&username) });
            accept_with(&actor, input).await
        })
    });
    let mut accepted = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let answer = attempt.await.unwrap();
        if answer.json().get("errors").is_none() {
            accepted += 1;
        } else {
            assert_eq!(answer.code(), "INVITATION_INVALID");
        }
    }
    assert_eq!(accepted, 1);
    let users = boss.query("{ users { totalCount } }").await;
    assert_eq!(users.data("/users/totalCount"), 2);
}

#[tokio::test]
async fn invitation_expires_after_seven_days() {
    let (server, boss, token) = invited().await;
    server.clock.advance(WEEK - TimeDelta::seconds(1));
    let short = json!({ "token": token, "username": "ada", "password": "short" });
    assert_eq!(accept_with(&server.anonymous(), short).await.problems(), ["password: PASSWORD_TOO_SHORT"]);
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(accept(&server, &token, "ada").await.code(), "INVITATION_EXPIRED");
    drop(boss);
    let boss = server.signed_in("boss").await;
    assert_eq!(emails(&list(&boss, json!({})).await), Vec::<String>::new());
}

#[tokio::test]
async fn lifetime_starts_when_the_mail_is_sent() {
    let (server, boss) = with_boss().await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    server.clock.advance(TimeDelta::hours(40));
    let token = server.token_to(NEW).await;
    server.clock.advance(WEEK - TimeDelta::seconds(1));
    accept(&server, &token, "ada").await.data("/acceptInvitation");
}

#[tokio::test]
async fn inviting_again_replaces_the_invitation() {
    let (server, boss, first) = invited().await;
    server.clock.advance(TimeDelta::minutes(5));
    invite(&boss, "NEW@example.org", json!(["admin"])).await.data("/inviteUser");
    let second = server.token_to("NEW@example.org").await;
    assert_eq!(list(&boss, json!({})).await.data("/invitations/totalCount"), 1);
    assert_eq!(accept(&server, &first, "ada").await.code(), "INVITATION_INVALID");
    assert_eq!(accept(&server, &second, "ada").await.data("/acceptInvitation/user/roles"), json!(["admin"]));
}

#[tokio::test]
async fn mail_of_a_replaced_invitation_is_not_sent() {
    let (server, boss) = with_boss().await;
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    invite(&boss, NEW, Value::Null).await.data("/inviteUser");
    assert_eq!(server.mails_to(NEW).await.len(), 1);
    assert_eq!(mail::Entity::find().all(server.app.database.read()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn administrators_who_invite_an_address_at_once_leave_one_invitation() {
    let (server, boss) = with_boss().await;
    let others = [server.administrator("a").await, server.administrator("b").await, boss.clone()];
    let invitations =
        others.into_iter().map(|actor| tokio::spawn(async move { invite(&actor, NEW, Value::Null).await }));
    for invitation in invitations.collect::<Vec<_>>() {
        invitation.await.unwrap().data("/inviteUser");
    }
    assert_eq!(list(&boss, json!({})).await.data("/invitations/totalCount"), 1);
}

#[tokio::test]
async fn revoked_invitation_is_invalid() {
    let (server, boss) = with_boss().await;
    let id = invite(&boss, NEW, Value::Null).await.data("/inviteUser/invitation/id");
    let token = server.token_to(NEW).await;
    assert_eq!(revoke(&boss, &id).await.data("/revokeInvitation/revokedInvitationId"), id);
    assert_eq!(accept(&server, &token, "ada").await.code(), "INVITATION_INVALID");
    assert_eq!(revoke(&boss, &id).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn unknown_token_is_invalid() {
    let server = TestServer::start().await;
    for token in ["", "x", &"x".repeat(1000)] {
        assert_eq!(accept(&server, token, "ada").await.code(), "INVITATION_INVALID");
    }
}

#[tokio::test]
async fn rejected_form_keeps_the_token_valid() {
    let (server, _, token) = invited().await;
    let answer = accept_with(&server.anonymous(), json!({ "token": token, "username": "a da", "password": "x" })).await;
    assert_eq!(answer.problems(), ["username: INVALID_USERNAME", "password: PASSWORD_TOO_SHORT"]);
    for (username, password) in [("boss", "a long password"), ("root", "a long password")] {
        let form = json!({ "token": token, "username": username, "password": password });
        assert_eq!(accept_with(&server.anonymous(), form).await.problems(), ["username: USERNAME_TAKEN"]);
    }
    let own = json!({ "token": token, "username": "ada", "password": NEW });
    assert_eq!(accept_with(&server.anonymous(), own).await.problems(), ["password: PASSWORD_TOO_COMMON"]);
    accept(&server, &token, "ada").await.data("/acceptInvitation");
}

#[tokio::test]
async fn address_of_an_account_cannot_be_invited() {
    let (server, boss) = with_boss().await;
    server.user_at("ada", "ada@example.org").await;
    assert_eq!(invite(&boss, "ADA@example.org", Value::Null).await.problems(), ["email: EMAIL_TAKEN"]);
}

#[tokio::test]
async fn invalid_address_and_unknown_role_are_refused_together() {
    let (_server, boss) = with_boss().await;
    let refused = invite(&boss, "nobody", json!(["root"])).await;
    assert_eq!(refused.problems(), ["email: INVALID_EMAIL", "roles: ROLE_UNKNOWN"]);
}

#[tokio::test]
async fn account_that_never_verified_the_address_loses_it() {
    let (server, _, token) = invited().await;
    let squatter = server.user_at("mallory", NEW).await;
    assert_eq!(accept(&server, &token, "ada").await.data("/acceptInvitation/user/email"), NEW);
    assert_eq!(squatter.me().await.data("/me/email"), Value::Null);
}

#[tokio::test]
async fn address_that_was_verified_meanwhile_is_taken() {
    let (server, _, token) = invited().await;
    let other = server.user_at("other", NEW).await;
    let verification = server.token_to(NEW).await;
    server.anonymous().verify_email(&verification).await.data("/verifyEmail");
    assert_eq!(accept(&server, &token, "ada").await.problems(), ["token: EMAIL_TAKEN"]);
    assert_eq!(other.me().await.data("/me/email"), NEW);
}

#[tokio::test]
async fn invitation_outlives_the_administrator() {
    let (server, _, token) = invited().await;
    let other = server.administrator("other").await;
    assert_eq!(list(&other, json!({})).await.data("/invitations/nodes/0/invitedBy/username"), "boss");
    server.deleted("boss").await;
    assert_eq!(list(&other, json!({})).await.data("/invitations/nodes/0/invitedBy"), Value::Null);
    accept(&server, &token, "ada").await.data("/acceptInvitation");
}

#[tokio::test]
async fn invitations_are_listed_newest_first_in_pages() {
    let (server, boss) = with_boss().await;
    for name in ["a", "b", "c"] {
        server.clock.advance(TimeDelta::seconds(1));
        invite(&boss, &format!("{name}@example.org"), Value::Null).await.data("/inviteUser");
    }
    let first = list(&boss, json!({ "first": 2 })).await;
    assert_eq!(emails(&first), ["c@example.org", "b@example.org"]);
    assert_eq!(first.data("/invitations/pageInfo/hasNextPage"), true);
    let after = first.data("/invitations/pageInfo/endCursor");
    let rest = list(&boss, json!({ "first": 2, "after": after })).await;
    assert_eq!(emails(&rest), ["a@example.org"]);
    assert_eq!(rest.data("/invitations/totalCount"), 3);
    let before = rest.data("/invitations/pageInfo/startCursor");
    assert_eq!(emails(&list(&boss, json!({ "last": 1, "before": before })).await), ["b@example.org"]);
}

#[tokio::test]
async fn page_of_invitations_needs_the_same_queries_for_any_number() {
    let (server, statements) = TestServer::observed().await;
    let boss = server.administrator("boss").await;
    let other = server.administrator("other").await;
    let mut counts = Vec::new();
    for number in 0..6 {
        let actor = if number % 2 == 0 { &boss } else { &other };
        invite(actor, &format!("{number}@example.org"), Value::Null).await.data("/inviteUser");
        statements.lock().unwrap().clear();
        assert_eq!(emails(&list(&boss, json!({})).await).len(), number + 1);
        counts.push(statements.lock().unwrap().len());
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[tokio::test]
async fn invitations_by_one_administrator_are_limited() {
    let server = TestServer::with(|settings| settings.throttle.limits.invitations = 2).await;
    let (boss, other) = (server.administrator("boss").await, server.administrator("other").await);
    for name in ["a", "b"] {
        invite(&boss, &format!("{name}@example.org"), Value::Null).await.data("/inviteUser");
    }
    let limited = invite(&boss, "c@example.org", Value::Null).await;
    assert_eq!((limited.code().as_str(), &limited.error()["extensions"]["retryAfter"]), ("RATE_LIMITED", &json!(3600)));
    invite(&other, "c@example.org", Value::Null).await.data("/inviteUser");
}

#[tokio::test]
async fn mails_to_one_address_are_limited() {
    let (server, boss) = with_boss().await;
    for _ in 0..5 {
        invite(&boss, NEW, Value::Null).await.data("/inviteUser");
        server.mails_to(NEW).await;
    }
    assert_eq!(server.mails_to(NEW).await.len(), 3);
}

#[tokio::test]
async fn acceptances_count_as_registrations_of_the_network() {
    let (server, _, token) = invited().await;
    let input = json!({ "token": token, "username": "boss", "password": password_of("ada") });
    let limit = server.app.settings.throttle.limits.registrations;
    let guest = server.anonymous().at("192.0.2.7");
    for _ in 0..limit {
        assert_eq!(accept_with(&guest, input.clone()).await.code(), "USERNAME_TAKEN");
    }
    assert_eq!(accept_with(&guest, input).await.code(), "RATE_LIMITED");
}

#[tokio::test]
async fn invitations_need_mail() {
    let before = TestServer::start().await;
    let boss = before.administrator("boss").await;
    let server = TestServer::on(Arc::clone(&before.database), |settings| settings.mail.dev = false).await;
    let boss = server.anonymous().with_bearer(boss.bearer.as_deref().unwrap());
    assert_eq!(invite(&boss, NEW, Value::Null).await.code(), "MAIL_DISABLED");
}

#[tokio::test]
async fn demoted_administrator_cannot_invite() {
    let (server, boss) = with_boss().await;
    server.administrator("other").await;
    let administrator = administration::of_principal(&server.command_line(), server.principal(&boss).await).unwrap();
    server.set_roles("boss", &["user"]).await;
    let error = administration::invite(&server.command_line(), &administrator, NEW, None).await.unwrap_err();
    assert_eq!(error.code().to_string(), "FORBIDDEN");
}

#[tokio::test]
async fn audit_log_has_the_roles_but_not_the_address() {
    let (server, boss) = with_boss().await;
    let id = invite(&boss, "old@example.org", Value::Null).await.data("/inviteUser/invitation/id");
    revoke(&boss, &id).await.data("/revokeInvitation");
    invite(&boss, NEW, json!(["admin"])).await.data("/inviteUser");
    let token = server.token_to(NEW).await;
    accept(&server, &token, "ada").await.data("/acceptInvitation");
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert!(!format!("{events:?}").contains("example.org"), "{events:?}");
    let of = |action: audit_event::Action| {
        let rows = events.iter().filter(move |event| event.action == action);
        rows.map(|event| (format!("{:?}", event.actor_type), event.user_id.is_some(), event.details.clone().unwrap().0))
            .collect::<Vec<_>>()
    };
    let invited = of(audit_event::Action::UserInvited);
    assert!(
        invited.iter().any(|(actor, has_user, details)| {
            actor == "Administrator" && !has_user && details.contains(&("roles".to_owned(), "admin".to_owned()))
        }),
        "{invited:?}"
    );
    let [(actor, has_user, details)] = &of(audit_event::Action::InvitationRevoked)[..] else { panic!("{events:?}") };
    assert_eq!((actor.as_str(), *has_user), ("Administrator", false));
    assert_eq!(details[..], [("invitation".to_owned(), id.as_str().unwrap().to_owned())]);
    let [(actor, has_user, details)] = &of(audit_event::Action::InvitationAccepted)[..] else { panic!("{events:?}") };
    assert_eq!((actor.as_str(), *has_user), ("User", true));
    assert!(details.contains(&("roles".to_owned(), "admin".to_owned())), "{details:?}");
}

#[tokio::test]
async fn expired_invitations_are_purged_after_thirty_days() {
    let (server, _, token) = invited().await;
    server.clock.advance(WEEK + TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(purge(&server.app, Table::Invitations).await.unwrap(), 0);
    assert_eq!(accept(&server, &token, "ada").await.code(), "INVITATION_EXPIRED");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(purge(&server.app, Table::Invitations).await.unwrap(), 1);
    assert_eq!(accept(&server, &token, "ada").await.code(), "INVITATION_INVALID");
}

#[tokio::test]
async fn operator_invites_without_a_limit() {
    let server = TestServer::with(|settings| settings.throttle.limits.invitations = 1).await;
    for name in ["a", "b"] {
        let operator = Administrator::at_command_line();
        let email = format!("{name}@example.org");
        let invitation = administration::invite(&server.command_line(), &operator, &email, None).await.unwrap();
        assert_eq!(invitation.invited_by, None);
    }
}
