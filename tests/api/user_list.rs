//! `users` and `user`: filters, orders and pages.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hallpass::entity::{totp_factor, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;

use crate::{
    second_factor_rows::enrollment,
    support::{Actor, Answer, TestServer, json, random_id},
};

const LIST: &str = "query($first: Int, $after: String, $last: Int, $before: String, $filter: UserFilter, $orderBy: UserOrder) { \
    users(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) { \
    edges { cursor node { id } } nodes { username } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }";

async fn list(admin: &Actor, variables: Value) -> Answer {
    admin.graphql(LIST, variables).await
}

fn names(answer: &Answer) -> Vec<String> {
    let nodes = answer.data("/users/nodes");
    nodes.as_array().unwrap().iter().map(|node| node["username"].as_str().unwrap().to_owned()).collect()
}

async fn found(admin: &Actor, filter: Value) -> Vec<String> {
    let mut names = names(&list(admin, json!({ "filter": filter })).await);
    names.sort();
    names
}

/// A server with the administrator `boss` and these users, each created a minute after the one before.
async fn with_users(users: &[&str]) -> (TestServer, Actor) {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    for user in users {
        server.clock.advance(TimeDelta::minutes(1));
        server.user_at(user, &format!("{user}@example.org")).await;
    }
    (server, boss)
}

#[tokio::test]
async fn newest_users_come_first() {
    let (_server, boss) = with_users(&["bo", "ada", "cy"]).await;
    let answer = list(&boss, json!({})).await;
    assert_eq!(names(&answer), ["cy", "ada", "bo", "boss"]);
    assert_eq!(answer.data("/users/totalCount"), 4);
    assert_eq!(answer.data("/users/pageInfo/hasNextPage"), false);
    assert_eq!(answer.data("/users/pageInfo/hasPreviousPage"), false);
}

#[tokio::test]
async fn users_are_ordered_by_each_field_in_both_directions() {
    let (server, boss) = with_users(&["bo", "Ada", "cy"]).await;
    server.clock.advance(TimeDelta::minutes(1));
    server.anonymous().login("bo", &crate::support::password_of("bo")).await.data("/login");
    for (field, expected) in [
        ("CREATED_AT", ["boss", "bo", "Ada", "cy"]),
        ("USERNAME", ["Ada", "bo", "boss", "cy"]),
        // A registration counts as a sign-in.
        ("LAST_LOGIN_AT", ["boss", "Ada", "cy", "bo"]),
    ] {
        let ascending = list(&boss, json!({ "orderBy": { "field": field } })).await;
        assert_eq!(names(&ascending), expected, "{field}");
        let descending = list(&boss, json!({ "orderBy": { "field": field, "direction": "DESC" } })).await;
        assert_eq!(names(&descending), expected.iter().rev().copied().collect::<Vec<_>>(), "{field}");
    }
}

/// Stores an authenticator app of a user.
async fn enroll(server: &TestServer, username: &str, is_confirmed: bool) {
    let now = server.app.clock.now();
    let users = user::Entity::find().filter(user::Column::UsernameKey.eq(username));
    let user = users.one(server.app.database.read()).await.unwrap().unwrap();
    let factor = enrollment(user.id, 1, now);
    let confirmed_at = is_confirmed.then_some(now);
    let transaction = server.app.write().await.unwrap();
    totp_factor::start(&transaction, totp_factor::Model { confirmed_at, ..factor }).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn filter_finds_users_with_and_without_a_second_factor() {
    let (server, boss) = with_users(&["ada", "bo", "cy"]).await;
    enroll(&server, "ada", true).await;
    // An enrollment that was not confirmed is no second factor.
    enroll(&server, "bo", false).await;
    assert_eq!(found(&boss, json!({ "hasMfa": true })).await, ["ada"]);
    assert_eq!(found(&boss, json!({ "hasMfa": false })).await, ["bo", "boss", "cy"]);
    assert_eq!(found(&boss, json!({ "hasMfa": null })).await.len(), 4);
    assert_eq!(found(&boss, json!({ "hasMfa": false, "role": "admin" })).await, ["boss"]);
    assert_eq!(found(&boss, json!({ "hasMfa": true, "role": "admin" })).await, [""; 0]);
    let counted = list(&boss, json!({ "filter": { "hasMfa": false } })).await;
    assert_eq!(counted.data("/users/totalCount"), 3);
}

/// Reads all pages of two users forward, then backward, and expects the same order.
async fn walk(boss: &Actor, order: Value, expected: &[&str]) {
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = list(boss, json!({ "first": 2, "after": after, "orderBy": order })).await;
        seen.extend(names(&page));
        if page.data("/users/pageInfo/hasNextPage") == false {
            break;
        }
        after = page.data("/users/pageInfo/endCursor");
    }
    assert_eq!(seen, expected, "forward, {order}");
    let mut seen = Vec::new();
    let mut before = Value::Null;
    loop {
        let page = list(boss, json!({ "last": 2, "before": before, "orderBy": order })).await;
        seen.splice(0..0, names(&page));
        if page.data("/users/pageInfo/hasPreviousPage") == false {
            break;
        }
        before = page.data("/users/pageInfo/startCursor");
    }
    assert_eq!(seen, expected, "backward, {order}");
}

#[tokio::test]
async fn pages_join_without_gaps_in_each_order() {
    let (server, boss) = with_users(&["eve", "bo", "ada", "cy", "dan"]).await;
    // Users who have never signed in, created at the same time.
    for name in ["new1", "new2", "new3"] {
        server.created(name).await;
    }
    walk(&boss, json!({ "field": "USERNAME" }), &["ada", "bo", "boss", "cy", "dan", "eve", "new1", "new2", "new3"])
        .await;
    for field in ["CREATED_AT", "LAST_LOGIN_AT"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let all = names(&list(&boss, json!({ "orderBy": order })).await);
            assert_eq!(all.len(), 9);
            walk(&boss, order, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
    }
}

#[tokio::test]
async fn search_finds_the_beginning_of_each_word() {
    let (server, boss) = with_users(&["ada_lovelace", "grace-hopper", "emile"]).await;
    let names = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }";
    let emile = server.signed_in("emile").await;
    let input = json!({ "firstName": "Émile Zoë", "lastName": "Ёлкин O'Brien" });
    emile.graphql(names, json!({ "input": input })).await.data("/updateProfile");
    for (search, expected) in [
        ("ada", vec!["ada_lovelace"]),
        ("LOVE", vec!["ada_lovelace"]),
        ("ada_love", vec!["ada_lovelace"]),
        ("hopper grace", vec!["grace-hopper"]),
        ("grace-hopper@EXAMPLE.org", vec!["grace-hopper"]),
        ("example.org", vec!["ada_lovelace", "emile", "grace-hopper"]),
        ("émile", vec!["emile"]),
        ("e\u{301}mile", vec!["emile"]),
        ("ЁЛК", vec!["emile"]),
        ("o'br", vec!["emile"]),
        ("brien zo", vec!["emile"]),
        ("lace", vec![]),
        ("ada grace", vec![]),
        ("%", vec![]),
        ("_", vec![]),
    ] {
        assert_eq!(found(&boss, json!({ "search": search })).await, expected, "{search}");
    }
    assert_eq!(found(&boss, json!({ "search": " " })).await.len(), 4);
}

#[tokio::test]
async fn search_follows_changes_of_names_and_addresses() {
    let (server, boss) = with_users(&["ada"]).await;
    let ada = server.signed_in("ada").await;
    ada.query(r#"mutation { updateProfile(input: { username: "countess" }) { user { id } } }"#)
        .await
        .data("/updateProfile");
    assert_eq!(found(&boss, json!({ "search": "count" })).await, ["countess"]);
    assert_eq!(found(&boss, json!({ "search": "ada@ex" })).await, ["countess"]);
    let email =
        r#"mutation($id: ID!) { updateUser(input: { userId: $id, email: "new@lovelace.example" }) { user { id } } }"#;
    let id = ada.me().await.data("/me/id");
    boss.graphql(email, json!({ "id": id })).await.data("/updateUser");
    assert!(found(&boss, json!({ "search": "ada" })).await.is_empty());
    assert_eq!(found(&boss, json!({ "search": "lovelace.ex" })).await, ["countess"]);
}

#[tokio::test]
async fn each_filter_restricts_the_list() {
    let (server, boss) = with_users(&["ada", "bo"]).await;
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    server.disable("bo").await;
    let time = |minutes| (server.app.clock.now() + TimeDelta::minutes(minutes)).to_rfc3339();
    for (filter, expected) in [
        (json!({ "role": "admin" }), vec!["boss"]),
        (json!({ "role": "user" }), vec!["ada", "bo"]),
        (json!({ "role": "unknown" }), vec![]),
        (json!({ "isActive": false }), vec!["bo"]),
        (json!({ "isActive": true }), vec!["ada", "boss"]),
        (json!({ "emailVerified": true }), vec!["ada"]),
        (json!({ "emailVerified": false }), vec!["bo", "boss"]),
        (json!({ "createdAfter": time(-1) }), vec!["ada", "bo"]),
        (json!({ "createdBefore": time(-1) }), vec!["boss"]),
        (json!({ "createdAfter": time(-1), "createdBefore": time(0) }), vec!["ada"]),
        (json!({ "inactiveSince": time(-1) }), vec!["boss"]),
        (json!({ "search": "a", "isActive": true, "role": "user" }), vec!["ada"]),
        (json!({}), vec!["ada", "bo", "boss"]),
    ] {
        assert_eq!(found(&boss, filter.clone()).await, expected, "{filter}");
        let count = list(&boss, json!({ "filter": filter })).await.data("/users/totalCount");
        assert_eq!(count, expected.len(), "{filter}");
    }
}

#[tokio::test]
async fn users_who_never_signed_in_are_inactive_since_their_creation() {
    let (server, boss) = with_users(&[]).await;
    server.created("ada").await;
    server.clock.advance(TimeDelta::minutes(2));
    server.created("bo").await;
    let since = (server.app.clock.now() - TimeDelta::minutes(1)).to_rfc3339();
    assert_eq!(found(&boss, json!({ "inactiveSince": since, "search": "a" })).await, ["ada"]);
    assert_eq!(found(&boss, json!({ "inactiveSince": since, "search": "bo" })).await, ["boss"]);
}

#[tokio::test]
async fn page_sizes_are_limited() {
    let (_server, boss) = with_users(&[]).await;
    for arguments in [
        json!({ "first": 101 }),
        json!({ "first": -1 }),
        json!({ "last": 101 }),
        json!({ "last": -1 }),
        json!({ "first": 1, "last": 1 }),
    ] {
        assert_eq!(list(&boss, arguments.clone()).await.code(), "BAD_USER_INPUT", "{arguments}");
    }
    let empty = list(&boss, json!({ "first": 0 })).await;
    assert!(names(&empty).is_empty());
    assert_eq!(empty.data("/users/pageInfo/endCursor"), Value::Null);
}

#[tokio::test]
async fn cursors_of_other_lists_and_made_up_cursors_are_refused() {
    let (_server, boss) = with_users(&["ada"]).await;
    let by_name = list(&boss, json!({ "orderBy": { "field": "USERNAME" } })).await;
    let cursor = by_name.data("/users/edges/0/cursor");
    for cursor in [cursor, json!(""), json!("YWRh"), json!("x".repeat(10_000)), json!("é")] {
        assert_eq!(list(&boss, json!({ "after": cursor })).await.code(), "BAD_USER_INPUT", "{cursor}");
        assert_eq!(list(&boss, json!({ "before": cursor })).await.code(), "BAD_USER_INPUT", "{cursor}");
    }
}

#[tokio::test]
async fn long_search_is_refused() {
    let (_server, boss) = with_users(&[]).await;
    let longest = "a ".repeat(100);
    list(&boss, json!({ "filter": { "search": longest } })).await.data("/users");
    let answer = list(&boss, json!({ "filter": { "search": longest + "b" } })).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn cursor_reveals_nothing() {
    let (_server, boss) = with_users(&["ada"]).await;
    let answer = list(&boss, json!({ "orderBy": { "field": "USERNAME" } })).await;
    let cursor = answer.data("/users/edges/0/cursor").as_str().unwrap().to_owned();
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    assert!(!bytes.windows(3).any(|window| window == b"ada"), "{cursor}");
}

/// Two thousand users with an old name, followed by as many with a new one: too many matches to be sorted at once, and too far
/// away from the beginning of the list.
#[tokio::test]
async fn matches_that_are_far_away_are_found() {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    for name in ["old", "new"] {
        server.clock.advance(TimeDelta::minutes(1));
        let ada = server.created(&format!("{name}-ada")).await;
        let transaction = server.app.write().await.unwrap();
        for _ in 0..3 {
            let users = (0..700).map(|_| {
                let (id, name) = (random_id(), Some(name.to_owned()));
                user::Model { id, username_key: id.to_string(), first_name: name, email_key: None, ..ada.clone() }
            });
            user::insert_all(&transaction, users).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    for (filter, page) in [("old", json!({ "first": 100 })), ("new", json!({ "last": 100 }))] {
        for order in [Value::Null, json!({ "field": "LAST_LOGIN_AT" })] {
            let mut variables = page.clone();
            variables["filter"] = json!({ "search": filter });
            variables["orderBy"] = order;
            assert_eq!(names(&list(&boss, variables).await), vec![format!("{filter}-ada"); 100]);
        }
    }
}

#[tokio::test]
async fn lists_of_one_request_are_limited_together() {
    let (_server, boss) = with_users(&[]).await;
    let page = |alias: usize| format!("a{alias}: users(first: 100) {{ nodes {{ id }} }}");
    let pages: Vec<String> = (0..30).map(page).collect();
    boss.query(&format!("{{ {} }}", pages.join(" "))).await.data("/a29/nodes/0/id");
    let nested = "{ users(first: 100) { nodes { id } } }";
    boss.query(nested).await.data("/users/nodes/0/id");
}

#[tokio::test]
async fn user_is_found_by_id() {
    let (server, boss) = with_users(&["ada"]).await;
    let id = server.signed_in("ada").await.me().await.data("/me/id");
    let find =
        async |id: Value| boss.graphql("query($id: ID!) { user(id: $id) { username } }", json!({ "id": id })).await;
    assert_eq!(find(id).await.data("/user/username"), "ada");
    for unknown in ["00000000-0000-7000-8000-000000000000", "ada", ""] {
        assert_eq!(find(json!(unknown)).await.data("/user"), Value::Null);
    }
}

#[tokio::test]
async fn walking_the_pages_shows_every_remaining_user_once_while_others_come_and_go() {
    let (server, boss) = with_users(&[]).await;
    for index in 0..30 {
        server.created(&format!("stays{index}")).await;
        server.created(&format!("leaves{index}")).await;
    }
    let mut seen = Vec::new();
    let mut after = Value::Null;
    for round in 0.. {
        let page = list(&boss, json!({ "first": 7, "after": after })).await;
        seen.extend(names(&page));
        if page.data("/users/pageInfo/hasNextPage") == false {
            break;
        }
        after = page.data("/users/pageInfo/endCursor");
        for index in 3 * round..30.min(3 * round + 3) {
            server.clock.advance(TimeDelta::seconds(1));
            server.created(&format!("comes{index}")).await;
            server.deleted(&format!("leaves{index}")).await;
        }
    }
    let stayed: Vec<&String> = seen.iter().filter(|name| name.starts_with("stays")).collect();
    assert_eq!(stayed.iter().collect::<BTreeSet<_>>().len(), 30);
    assert_eq!(stayed.len(), 30);
}
