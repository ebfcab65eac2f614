//! The audit log as administrators and users read it.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    domain::{
        audit,
        page::Range,
        users::{
            administration::{self, Administrator, Change},
            registration::Registration,
        },
    },
    entity::audit_event::{self, Action, ActorType, Model},
    error::ErrorCode,
    security::random,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement, prelude::Uuid};
use serde_json::Value;

use crate::support::{Actor, TestServer, json, password_of, start_of_time};

const LIST: &str = "query($filter: AuditEventFilter, $first: Int, $after: String, $last: Int, $before: String) { \
    auditEvents(filter: $filter, first: $first, after: $after, last: $last, before: $before) { \
    nodes { id action userId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// Creates an administrator and signs in.
pub async fn administrator(server: &TestServer, username: &str) -> Actor {
    let form = Registration {
        username: username.to_owned(),
        password: password_of(username).into(),
        email: None,
        first_name: None,
        last_name: None,
    };
    let roles = Some(vec!["admin".to_owned()]);
    administration::create_with_password(&server.command_line(), &Administrator::at_command_line(), form, roles)
        .await
        .unwrap();
    let login = server.anonymous().login(username, &password_of(username)).await;
    server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap())
}

/// The id of the signed-in user.
pub async fn id_of(actor: &Actor) -> String {
    actor.me().await.data("/me/id").as_str().unwrap().to_owned()
}

/// An event at this time that affects no user.
pub fn event(at: DateTime<Utc>, action: Action) -> Model {
    Model {
        id: random::id(at).unwrap(),
        at,
        action,
        actor_type: ActorType::Anonymous,
        actor_id: None,
        user_id: None,
        ip_address: None,
        user_agent: None,
        details: None,
    }
}

pub async fn insert(server: &TestServer, events: Vec<Model>) {
    let transaction = server.app.write().await.unwrap();
    audit_event::insert(&transaction, events).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn list(admin: &Actor, variables: Value) -> Value {
    admin.graphql(LIST, variables).await.data("/auditEvents")
}

fn ids(connection: &Value) -> Vec<String> {
    let nodes = connection["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// The ids of the events that a filter finds.
async fn found(admin: &Actor, filter: Value) -> Vec<String> {
    ids(&list(admin, json!({ "filter": filter, "first": 100 })).await)
}

fn names(events: &[&Model]) -> Vec<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

#[tokio::test]
async fn log_is_for_administrators_only() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(server.anonymous().graphql(LIST, json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(ada.graphql(LIST, json!({})).await.code(), "FORBIDDEN");
    server.clock.advance(TimeDelta::seconds(1));
    let admin = administrator(&server, "root").await;
    let newest = list(&admin, json!({ "first": 2 })).await["nodes"].clone();
    let mut actions: Vec<&str> =
        newest.as_array().unwrap().iter().map(|node| node["action"].as_str().unwrap()).collect();
    // At the same time.
    actions.sort_unstable();
    assert_eq!(actions, ["LOGGED_IN", "USER_CREATED"]);
}

#[tokio::test]
async fn users_see_what_happened_to_their_own_account_newest_first() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.user("bo").await;
    server.clock.advance(TimeDelta::seconds(1));
    ada.login("ada", "not her password").await.code();
    let events =
        ada.query("{ me { auditEvents { nodes { action actorType actor { username } user { username } } } } }").await;
    let expected = json!([
        { "action": "LOGIN_FAILED", "actorType": "ANONYMOUS", "actor": null, "user": { "username": "ada" } },
        { "action": "USER_REGISTERED", "actorType": "USER", "actor": { "username": "ada" }, "user": { "username": "ada" } },
    ]);
    assert_eq!(events.data("/me/auditEvents/nodes"), expected);
}

#[tokio::test]
async fn events_of_another_user_are_not_found() {
    let server = TestServer::start().await;
    let (ada, bo) = (server.user("ada").await, server.user("bo").await);
    let principal = server.principal(&ada).await;
    let bo = id_of(&bo).await.parse().unwrap();
    let page = audit::page_of_user(&server.command_line(), &principal, bo, Range::first(10)).await;
    assert_eq!(page.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn former_administrator_reads_nothing() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    administrator(&server, "other").await;
    let change = Change { roles: Some(Vec::new()), ..Change::default() };
    let id = id_of(&admin).await.parse().unwrap();
    administration::update(&server.command_line(), &Administrator::at_command_line(), id, change).await.unwrap();
    assert_eq!(admin.graphql(LIST, json!({})).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn each_filter_finds_exactly_its_events() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    let at = start_of_time() - TimeDelta::days(1);
    let (user, actor) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let by_user = Model { user_id: Some(user), ..event(at, Action::RolesChanged) };
    let by_actor = Model { actor_id: Some(actor), ..event(at, Action::TokenReused) };
    let by_address = Model { ip_address: Some("2001:db8::1".to_owned()), ..event(at, Action::TokenRepeated) };
    insert(&server, vec![by_user.clone(), by_actor.clone(), by_address.clone()]).await;
    for (filter, expected) in [
        (json!({ "userId": user.to_string() }), &by_user),
        (json!({ "actorId": actor.to_string() }), &by_actor),
        // Any spelling of the address.
        (json!({ "ipAddress": "2001:0DB8:0::1" }), &by_address),
        (json!({ "actions": ["ROLES_CHANGED"] }), &by_user),
        (json!({ "actions": ["TOKEN_REUSED", "ROLES_CHANGED"], "actorId": actor.to_string() }), &by_actor),
    ] {
        assert_eq!(found(&admin, filter.clone()).await, names(&[expected]), "{filter}");
    }
    assert_eq!(found(&admin, json!({ "userId": "not an id" })).await, names(&[]));
    let bad = admin.graphql(LIST, json!({ "filter": { "ipAddress": "localhost" } })).await;
    assert_eq!(bad.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn times_of_a_filter_are_exact_to_the_microsecond() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    let at = start_of_time() - TimeDelta::days(1);
    let (early, late) = (event(at, Action::LoggedIn), event(at + TimeDelta::microseconds(1), Action::LoggedOut));
    insert(&server, vec![early.clone(), late.clone()]).await;
    let time = |at: DateTime<Utc>| at.to_rfc3339();
    let until = start_of_time() - TimeDelta::hours(1);
    let after = |at| json!({ "after": time(at), "before": time(until) });
    let since_early = found(&admin, after(early.at)).await;
    assert_eq!(since_early.len(), 2);
    assert_eq!(found(&admin, after(late.at)).await, names(&[&late]));
    assert_eq!(found(&admin, json!({ "before": time(late.at) })).await, names(&[&early]));
    assert_eq!(found(&admin, json!({ "before": time(early.at) })).await, names(&[]));
}

#[tokio::test]
async fn several_actions_are_one_list_in_order() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    let start = start_of_time() - TimeDelta::days(1);
    let actions = [Action::RolesChanged, Action::TokenReused, Action::EmailVerified];
    let events: Vec<Model> =
        (0..9).map(|n| event(start + TimeDelta::seconds(n), actions[usize::try_from(n).unwrap() % 3])).collect();
    insert(&server, events.clone()).await;
    let filter = json!({ "actions": ["EMAIL_VERIFIED", "ROLES_CHANGED", "EMAIL_VERIFIED"] });
    let expected: Vec<&Model> = events.iter().rev().filter(|event| event.action != Action::TokenReused).collect();
    assert_eq!(found(&admin, filter.clone()).await, names(&expected));
    let first = list(&admin, json!({ "filter": filter, "first": 2 })).await;
    assert_eq!(ids(&first), names(&expected[..2]));
    let next = json!({ "filter": filter, "first": 2, "after": first["pageInfo"]["endCursor"] });
    assert_eq!(ids(&list(&admin, next).await), names(&expected[2..4]));
    let last = list(&admin, json!({ "filter": filter, "last": 2 })).await;
    assert_eq!(ids(&last), names(&expected[4..]));
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_events_that_are_written_meanwhile() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    let before = found(&admin, json!({})).await;
    let start = start_of_time() + TimeDelta::seconds(1);
    insert(&server, (0..7).map(|n| event(start + TimeDelta::seconds(n), Action::LoggedIn)).collect()).await;
    let all = found(&admin, json!({})).await;
    let (mut seen, mut after, mut count) = (Vec::new(), Value::Null, 0);
    loop {
        let page = list(&admin, json!({ "first": 2, "after": after })).await;
        seen.extend(ids(&page));
        insert(&server, vec![event(start + TimeDelta::days(1 + count), Action::LoggedIn)]).await;
        count += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), before.len() + 7);
    assert_eq!(seen, all);
}

#[tokio::test]
async fn cursor_belongs_to_the_list_of_one_user() {
    let server = TestServer::start().await;
    let (ada, bo) = (server.user("ada").await, server.user("bo").await);
    let own = "query($after: String) { me { auditEvents(after: $after) { pageInfo { endCursor } } } }";
    let cursor = ada.query(own).await.data("/me/auditEvents/pageInfo/endCursor");
    ada.graphql(own, json!({ "after": cursor })).await.data("/me/auditEvents");
    assert_eq!(bo.graphql(own, json!({ "after": cursor })).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn address_of_an_administrator_is_hidden_from_users() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let admin = administrator(&server, "root").await;
    let (user_id, actor_id) = (id_of(&ada).await, id_of(&admin).await);
    let disabled = Model {
        actor_type: ActorType::Administrator,
        actor_id: actor_id.parse().ok(),
        user_id: user_id.parse().ok(),
        ip_address: Some("192.0.2.1".to_owned()),
        user_agent: Some("agent".to_owned()),
        ..event(start_of_time() + TimeDelta::seconds(1), Action::RolesChanged)
    };
    insert(&server, vec![disabled]).await;
    let fields = "auditEvents(first: 1) { nodes { action ipAddress userAgent actor { username } } }";
    let own = ada.query(&format!("{{ me {{ {fields} }} }}")).await.data("/me/auditEvents/nodes/0");
    assert_eq!(own, json!({ "action": "ROLES_CHANGED", "ipAddress": null, "userAgent": null, "actor": null }));
    let seen = admin.query(&format!("{{ user(id: \"{user_id}\") {{ {fields} }} }}")).await;
    let expected = json!({ "action": "ROLES_CHANGED", "ipAddress": "192.0.2.1", "userAgent": "agent", "actor": { "username": "root" } });
    assert_eq!(seen.data("/user/auditEvents/nodes/0"), expected);
}

#[tokio::test]
async fn administrators_see_the_sessions_of_all_users() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let admin = administrator(&server, "root").await;
    let one = format!("{{ user(id: \"{}\") {{ sessions {{ isCurrent }} }} }}", id_of(&ada).await);
    assert_eq!(admin.query(&one).await.data("/user/sessions"), json!([{ "isCurrent": false }]));
    let all = "{ users(orderBy: { field: USERNAME }) { nodes { username sessions { isCurrent } } } }";
    let expected = json!([
        { "username": "ada", "sessions": [{ "isCurrent": false }] },
        { "username": "root", "sessions": [{ "isCurrent": true }] },
    ]);
    assert_eq!(admin.query(all).await.data("/users/nodes"), expected);
}

#[tokio::test]
async fn each_user_of_a_page_gets_their_own_events_in_order() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    for name in ["ada", "bo"] {
        let user = server.user(name).await;
        server.clock.advance(TimeDelta::seconds(1));
        user.login(name, "not the password").await.code();
    }
    let query = "{ users(orderBy: { field: USERNAME }, first: 2) { nodes { username \
        newest: auditEvents(first: 1) { nodes { action user { username } } pageInfo { hasNextPage } } \
        oldest: auditEvents(last: 1) { nodes { action } pageInfo { hasPreviousPage } } } } }";
    let users = admin.query(query).await.data("/users/nodes");
    for (user, name) in users.as_array().unwrap().iter().zip(["ada", "bo"]) {
        let expected = json!({
            "username": name,
            "newest": { "nodes": [{ "action": "LOGIN_FAILED", "user": { "username": name } }], "pageInfo": { "hasNextPage": true } },
            "oldest": { "nodes": [{ "action": "USER_REGISTERED" }], "pageInfo": { "hasPreviousPage": true } },
        });
        assert_eq!(user, &expected);
    }
}

/// The statements of a query.
async fn statements_of(actor: &Actor, seen: &Arc<Mutex<Vec<Statement>>>, query: &str) -> Vec<String> {
    seen.lock().unwrap().clear();
    actor.query(query).await.data("");
    seen.lock().unwrap().iter().map(|statement| statement.sql.clone()).collect()
}

#[tokio::test]
async fn nested_lists_of_a_page_cost_one_statement_each() {
    let (server, seen) = TestServer::observed().await;
    let admin = administrator(&server, "root").await;
    server.user("ada").await;
    let query = "{ users(first: 100) { nodes { sessions { isCurrent } auditEvents(first: 20) { nodes { \
        actor { username sessions { id } } user { username auditEvents(first: 2) { nodes { id } } } } } } } }";
    let few = statements_of(&admin, &seen, query).await;
    for index in 0..20 {
        server.user(&format!("user{index}")).await;
    }
    let many = statements_of(&admin, &seen, query).await;
    assert_eq!(few.len(), many.len(), "{many:#?}");
    // The principal, the page, its sessions, its events, their users, and the sessions and events of these.
    assert_eq!(many.len(), 7, "{many:#?}");
}

#[tokio::test]
async fn nested_lists_count_against_the_limit_of_rows() {
    let server = TestServer::start().await;
    let admin = administrator(&server, "root").await;
    for index in 0..9 {
        server.user(&format!("user{index}")).await;
    }
    let lists: String = (0..30).map(|n| format!("l{n}: auditEvents(first: 100) {{ nodes {{ id }} }} ")).collect();
    let error = admin.query(&format!("{{ users(first: 100) {{ nodes {{ {lists} }} }} }}")).await;
    assert!(error.text.contains("GRAPHQL_VALIDATION_FAILED"), "{error:?}");
    let fewer = lists.replace("first: 100", "first: 50");
    admin.query(&format!("{{ users(first: 100) {{ nodes {{ {fewer} }} }} }}")).await.data("/users");
}

/// The plan of a statement, with the indexes that it uses.
async fn plan(server: &TestServer, statement: &Statement) -> String {
    let transaction = server.app.write().await.unwrap();
    let backend = transaction.get_database_backend();
    let explain = if backend == DbBackend::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    if backend == DbBackend::Postgres {
        // Otherwise PostgreSQL reads and sorts all rows of a criterion that matches few of them.
        transaction.execute_unprepared("SET LOCAL enable_bitmapscan = off").await.unwrap();
    }
    let sql = format!("{explain} {}", statement.sql);
    let explained = Statement { sql, values: statement.values.clone(), db_backend: backend };
    let rows = transaction.query_all_raw(explained).await.unwrap();
    let text = |row: &sea_orm::QueryResult| match backend {
        DbBackend::Sqlite => row.try_get::<String>("", "detail").unwrap(),
        DbBackend::Postgres => row.try_get_by_index::<String>(0).unwrap(),
        _ => {
            let column = |name| row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default();
            format!("{} {} {}", column("type"), column("key"), column("Extra"))
        }
    };
    let lines: Vec<String> = rows.iter().map(text).collect();
    transaction.rollback().await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn each_filter_is_read_from_its_index() {
    let (server, seen) = TestServer::observed().await;
    let admin = administrator(&server, "root").await;
    let at = start_of_time() - TimeDelta::days(10);
    let action = |n| match n % 100 {
        0 => Action::RolesChanged,
        1 => Action::TokenReused,
        2 => Action::EmailVerified,
        _ => Action::LoggedIn,
    };
    let many = (0..3000_u32).map(|n| Model {
        user_id: Some(Uuid::from_u128(u128::from(n % 300))),
        actor_id: Some(Uuid::from_u128(u128::from(n % 301))),
        ip_address: Some(format!("192.0.2.{}", n % 250)),
        ..event(at + TimeDelta::minutes(n.into()), action(n))
    });
    insert(&server, many.collect()).await;
    let backend = server.app.database.read().get_database_backend();
    let analyze = if backend == DbBackend::MySql { "ANALYZE TABLE audit_log" } else { "ANALYZE audit_log" };
    let transaction = server.app.write().await.unwrap();
    transaction.query_all_raw(Statement::from_string(backend, analyze)).await.unwrap();
    transaction.commit().await.unwrap();
    let id = Uuid::from_u128(7).to_string();
    let time = (at + TimeDelta::hours(25)).to_rfc3339();
    for (filter, index) in [
        (json!({ "userId": id }), "audit_log_user"),
        (json!({ "actorId": id }), "audit_log_actor"),
        (json!({ "ipAddress": "192.0.2.7" }), "audit_log_address"),
        (json!({ "actions": ["ROLES_CHANGED"] }), "audit_log_action"),
        (json!({ "actions": ["EMAIL_VERIFIED", "TOKEN_REUSED", "ROLES_CHANGED"] }), "audit_log_action"),
        (json!({ "userId": id, "before": time }), "audit_log_user"),
        (json!({ "before": time }), "PRIMARY"),
        (json!({ "after": time, "before": time }), "PRIMARY"),
        (json!({}), "PRIMARY"),
    ] {
        let index = match (index, backend) {
            ("PRIMARY", DbBackend::Sqlite) => "sqlite_autoindex_audit_log_1",
            ("PRIMARY", DbBackend::Postgres) => "audit_log_pkey",
            (index, _) => index,
        };
        seen.lock().unwrap().clear();
        list(&admin, json!({ "filter": filter, "first": 10 })).await;
        let statement = seen.lock().unwrap().last().unwrap().clone();
        let plan = plan(&server, &statement).await;
        assert!(plan.contains(index), "{filter}: {index}\n{}\n{plan}", statement.sql);
        // Only the limited parts of a union may be sorted.
        let sorts = ["TEMP B-TREE", "Sort", "filesort"].iter().any(|sort| plan.contains(sort));
        assert!(!sorts || statement.sql.contains("UNION"), "{filter}\n{}\n{plan}", statement.sql);
    }
}
