//! The API as a subgraph of Apollo Federation.

use serde_json::Value;

use crate::support::{Actor, Answer, TestServer, json};

const ENTITIES: &str =
    "query($of: [_Any!]!) { _entities(representations: $of) { __typename ... on User { id username email } } }";

async fn subgraph() -> TestServer {
    TestServer::with(|settings| settings.graphql.federation = true).await
}

fn user(id: &Value) -> Value {
    json!({ "__typename": "User", "id": id })
}

async fn id_of(actor: &Actor) -> Value {
    actor.me().await.data("/me/id")
}

async fn entities(actor: &Actor, representations: &[Value]) -> Answer {
    actor.graphql(ENTITIES, json!({ "of": representations })).await
}

/// The names of the users in a response, which may have errors.
fn names(answer: &Answer) -> Vec<Value> {
    let entities = answer.json()["data"]["_entities"].clone();
    entities.as_array().unwrap().iter().map(|entity| entity["username"].clone()).collect()
}

#[tokio::test]
async fn server_is_no_subgraph_by_default() {
    let server = TestServer::start().await;
    let ada = server.administrator("ada").await;
    for query in ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"] {
        assert_eq!(ada.query(query).await.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
}

#[tokio::test]
async fn administrators_find_users_of_other_subgraphs() {
    let server = subgraph().await;
    let ada = server.administrator("ada").await;
    let grace = server.user_at("grace", "grace@example.org").await;
    let missing = json!("01a22a82-7800-72e6-8222-c79184436a1a");
    let representations = [id_of(&grace).await, missing, json!("no UUID"), id_of(&ada).await].map(|id| user(&id));
    let found = entities(&ada, &representations).await.data("/_entities");
    assert_eq!(
        found[0],
        json!({ "__typename": "User", "id": id_of(&grace).await, "username": "grace", "email": "grace@example.org" })
    );
    assert_eq!((&found[1], &found[2], &found[3]["username"]), (&Value::Null, &Value::Null, &json!("ada")));
}

#[tokio::test]
async fn users_find_only_themselves() {
    let server = subgraph().await;
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    let answer = entities(&ada, &[user(&id_of(&grace).await), user(&id_of(&ada).await)]).await;
    assert_eq!((names(&answer), answer.code().as_str()), (vec![Value::Null, json!("ada")], "FORBIDDEN"));
    assert_eq!(answer.error()["path"], json!(["_entities"]));
}

#[tokio::test]
async fn whether_a_user_exists_is_not_revealed() {
    let server = subgraph().await;
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    let code_of = async |id: Value| entities(&ada, &[user(&id)]).await.code();
    assert_eq!(code_of(id_of(&grace).await).await, code_of(json!("01a22a82-7800-72e6-8222-c79184436a1a")).await);
}

#[tokio::test]
async fn entities_require_authentication() {
    let server = subgraph().await;
    let id = id_of(&server.user("ada").await).await;
    assert_eq!(entities(&server.anonymous(), &[user(&id)]).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn invalid_representation_does_not_affect_the_others() {
    let server = subgraph().await;
    let ada = server.user("ada").await;
    let id = id_of(&ada).await;
    for invalid in [
        json!({ "__typename": "Session", "id": id }),
        json!({ "__typename": "User" }),
        json!({ "__typename": "User", "id": 1 }),
        json!({ "id": id }),
        json!("User"),
    ] {
        let answer = entities(&ada, &[invalid.clone(), user(&id)]).await;
        assert_eq!(
            (names(&answer), answer.code().as_str()),
            (vec![Value::Null, json!("ada")], "BAD_USER_INPUT"),
            "{invalid}"
        );
    }
}

#[tokio::test]
async fn entities_of_a_request_are_limited() {
    let server = subgraph().await;
    let ada = server.user("ada").await;
    let representations = vec![user(&id_of(&ada).await); 501];
    let query = "query($of: [_Any!]!) { a: _entities(representations: $of) { __typename } b: _entities(representations: $of) { __typename } }";
    let answer = ada.graphql(query, json!({ "of": representations })).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    let data = answer.json()["data"].clone();
    let found = ["a", "b"].iter().flat_map(|alias| data[alias].as_array().unwrap());
    assert_eq!(found.filter(|entity| !entity.is_null()).count(), 1000);
}

#[tokio::test]
async fn service_returns_the_schema_of_the_subgraph() {
    let server = subgraph().await;
    let sdl = server.anonymous().query("{ _service { sdl } }").await.data("/_service/sdl");
    let sdl = sdl.as_str().unwrap();
    assert!(sdl.contains("type User implements Node @key(fields: \"id\") {"), "{sdl}");
    assert!(sdl.contains("type PageInfo @shareable {") && !sdl.contains("type Subscription"), "{sdl}");
}

#[tokio::test]
async fn service_is_refused_without_introspection() {
    let server = TestServer::with(|settings| {
        settings.graphql.federation = true;
        settings.graphql.introspection = false;
    })
    .await;
    let refused = server.anonymous().query("{ _service { sdl } }").await;
    assert_eq!(refused.code(), server.anonymous().query("{ __schema { description } }").await.code());
    let ada = server.user("ada").await;
    assert_eq!(names(&entities(&ada, &[user(&id_of(&ada).await)]).await), [json!("ada")]);
}
