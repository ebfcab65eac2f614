//! `GET /users` and `GET /users/{id}` of the REST API.

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

/// A server with the administrator `boss` and the users `ada`, `bo` and `cy`, created in this order.
async fn scene() -> (TestServer, Actor) {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    for name in ["ada", "bo", "cy"] {
        server.clock.advance(TimeDelta::seconds(1));
        server.user_at(name, &format!("{name}@example.org")).await;
    }
    (server, boss)
}

/// The usernames of a list.
fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:#?}");
    let users = answer.json();
    users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// The target of the link to the next page.
fn next(answer: &Answer) -> Option<String> {
    let target = answer.header("link")?.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(format!("/users{target}"))
}

/// The location and the type of the only invalid parameter.
fn invalid(answer: &Answer) -> String {
    assert_eq!(answer.status, 422, "{answer:#?}");
    let problems = answer.json()["detail"].as_array().unwrap().clone();
    assert_eq!(problems.len(), 1, "{answer:#?}");
    assert!(problems[0]["msg"].as_str().unwrap().len() > 5, "{answer:#?}");
    let location: Vec<&str> =
        problems[0]["loc"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
    format!("{}: {}", location.join("."), problems[0]["type"].as_str().unwrap())
}

/// `get_current_user_with_roles` of the long tutorial, for a user as `/users/me` returns it.
fn user_with_roles(current_user: &Value) -> Result<&Value, (u16, &'static str)> {
    if current_user["roles"].as_array().is_none_or(Vec::is_empty) {
        return Err((403, "Недостаточно прав"));
    }
    Ok(current_user)
}

#[tokio::test]
async fn role_example_of_the_tutorial_works() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await.speaking("ru");
    let current_user = ada.get("/users/me").await.json();
    assert_eq!(user_with_roles(&current_user).unwrap()["roles"], json!(["user"]));
    server.set_roles("ada", &[]).await;
    let current_user = ada.get("/users/me").await.json();
    let (status, detail) = user_with_roles(&current_user).unwrap_err();
    // The endpoint for administrators responds as the example does.
    let refused = ada.get("/users").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["detail"]), (status, &json!(detail)));
    server.set_roles("ada", &["admin"]).await;
    assert_eq!(names(&ada.get("/users").await), ["ada"]);
}

#[tokio::test]
async fn administrator_lists_users_newest_first() {
    let (server, boss) = scene().await;
    let ada = server.signed_in("ada").await;
    let listed = boss.get("/users").await;
    assert_eq!(names(&listed), ["cy", "bo", "ada", "boss"]);
    assert_eq!(listed.json()[2], ada.get("/users/me").await.json());
    assert_eq!((listed.header("cache-control"), listed.header("link")), (Some("no-store"), None));
}

#[tokio::test]
async fn pages_are_linked() {
    let (server, boss) = scene().await;
    let first = boss.get("/users?limit=2&search=example").await;
    assert_eq!(names(&first), ["cy", "bo"]);
    // A user who is created meanwhile does not repeat others.
    server.user_at("dee", "dee@example.org").await;
    let second = boss.get(&next(&first).unwrap()).await;
    assert_eq!((names(&second), next(&second)), (vec!["ada".to_owned()], None));
}

#[tokio::test]
async fn links_keep_the_filter() {
    let (_server, boss) = scene().await;
    let link = next(&boss.get("/users?role=user&search=EXAMPLE%2e+e&limit=1&other=1").await).unwrap();
    assert!(link.starts_with("/users?limit=1&search=EXAMPLE.+e&role=user&after="), "{link}");
}

#[tokio::test]
async fn users_are_filtered() {
    let (server, boss) = scene().await;
    server.disable("bo").await;
    assert_eq!(names(&boss.get("/users?role=admin").await), ["boss"]);
    assert_eq!(names(&boss.get("/users?search=bo").await), ["bo", "boss"]);
    assert_eq!(names(&boss.get("/users?search=bo&role=user").await), ["bo"]);
    assert_eq!(names(&boss.get("/users?search=nobody").await), [""; 0]);
}

#[tokio::test]
async fn page_has_50_users_unless_the_request_says_otherwise() {
    let (server, boss) = scene().await;
    for number in 0..50 {
        server.created(&format!("user-{number}")).await;
    }
    let listed = boss.get("/users").await;
    assert_eq!((names(&listed).len(), next(&listed).is_some()), (50, true));
    assert_eq!(names(&boss.get("/users?limit=100").await).len(), 54);
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let (_server, boss) = scene().await;
    let long = format!("search={}", "x".repeat(201));
    for (query, problem) in [
        ("limit=0", "query.limit: greater_than_equal"),
        ("limit=101", "query.limit: less_than_equal"),
        ("limit=99999999999999999999", "query.limit: less_than_equal"),
        ("limit=ten", "query.limit: int_parsing"),
        ("limit=-1", "query.limit: greater_than_equal"),
        ("after=x", "query.after: value_error"),
        ("search=a%00", "query.search: value_error"),
        (&long, "query.search: string_too_long"),
        ("role=a&role=b", "query: value_error"),
        ("role=%ff", "query: value_error"),
    ] {
        assert_eq!(invalid(&boss.get(&format!("/users?{query}")).await), problem, "{query}");
    }
}

#[tokio::test]
async fn all_invalid_parameters_are_reported() {
    let (_server, boss) = scene().await;
    let problems = boss.speaking("ru").get("/users?limit=0&after=x").await.json()["detail"].clone();
    let expected = json!([
        { "loc": ["query", "limit"], "msg": "Укажите число от 1 до 100.", "type": "greater_than_equal" },
        { "loc": ["query", "after"], "msg": "Это не курсор этого списка. Начните заново без него.", "type": "value_error" },
    ]);
    assert_eq!(problems, expected);
}

#[tokio::test]
async fn cursor_of_another_order_is_invalid() {
    let (_server, boss) = scene().await;
    let by_username = "{ users(orderBy: { field: USERNAME }) { pageInfo { startCursor } } }";
    let cursor = boss.query(by_username).await.data("/users/pageInfo/startCursor");
    let answer = boss.get(&format!("/users?after={}", cursor.as_str().unwrap())).await;
    assert_eq!(invalid(&answer), "query.after: value_error");
}

#[tokio::test]
async fn administrator_reads_a_user() {
    let (server, boss) = scene().await;
    let expected = server.signed_in("ada").await.get("/users/me").await.json();
    let answer = boss.get(&format!("/users/{}", expected["id"].as_str().unwrap())).await;
    assert_eq!((answer.json(), answer.header("cache-control")), (expected, Some("no-store")));
    assert_eq!(boss.get("/users/me").await.json()["username"], "boss");
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let (_server, boss) = scene().await;
    for id in [UNKNOWN, "1", "ada", "%00", "%ff", "me%20"] {
        let answer = boss.get(&format!("/users/{id}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status_code"]), (404, &json!(404)), "{id}");
    }
}

#[tokio::test]
async fn users_learn_nothing_about_ids() {
    let (server, _boss) = scene().await;
    let (ada, bo) = (server.signed_in("ada").await, server.created("eve").await.id.to_string());
    let own = ada.me().await.data("/me/id");
    let paths =
        ["", "?limit=0", "/ada", &format!("/{UNKNOWN}"), &format!("/{bo}"), &format!("/{}", own.as_str().unwrap())];
    for path in paths {
        let answer = ada.speaking("ru").get(&format!("/users{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["detail"].as_str()),
            (403, Some("Недостаточно прав")),
            "{path}"
        );
        let anonymous = server.anonymous().get(&format!("/users{path}")).await;
        assert_eq!((anonymous.status.as_u16(), anonymous.header("www-authenticate")), (401, Some("Bearer")), "{path}");
    }
}

#[tokio::test]
async fn former_administrator_is_refused() {
    let (server, boss) = scene().await;
    server.administrator("other").await;
    server.set_roles("boss", &["user"]).await;
    assert_eq!(boss.get("/users").await.status, 403);
}
