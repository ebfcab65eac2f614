//! `node(id:)`.

use serde_json::Value;

use crate::{
    audit::{administrator, id_of},
    support::{Actor, TestServer, json},
};

async fn node(actor: &Actor, id: &Value) -> Value {
    actor.graphql("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": id })).await.data("/node")
}

/// The ids of a user, of one of their sessions and of one of their events, with the types of these objects.
async fn objects_of(actor: &Actor) -> [(&'static str, Value); 3] {
    let me = actor.query("{ me { id sessions { id } auditEvents { nodes { id } } } }").await;
    [
        ("User", me.data("/me/id")),
        ("Session", me.data("/me/sessions/0/id")),
        ("AuditEvent", me.data("/me/auditEvents/nodes/0/id")),
    ]
}

#[tokio::test]
async fn users_find_their_own_objects() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for (name, id) in objects_of(&ada).await {
        assert_eq!(node(&ada, &id).await, json!({ "__typename": name, "id": id }));
    }
}

#[tokio::test]
async fn objects_of_others_are_null() {
    let server = TestServer::start().await;
    let (ada, bo) = (server.user("ada").await, server.user("bo").await);
    for (name, id) in objects_of(&bo).await {
        assert_eq!(node(&ada, &id).await, Value::Null, "{name}");
    }
}

#[tokio::test]
async fn administrators_find_all_objects() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let admin = administrator(&server, "root").await;
    for (name, id) in objects_of(&ada).await {
        assert_eq!(node(&admin, &id).await["__typename"], name);
    }
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_null() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for id in ["", "not an id", "00000000-0000-7000-8000-000000000000"] {
        assert_eq!(node(&ada, &json!(id)).await, Value::Null, "{id}");
    }
}

#[tokio::test]
async fn ended_session_is_null() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let [_, (_, old), _] = objects_of(&ada).await;
    let login = ada.login("ada", &crate::support::password_of("ada")).await;
    let again = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    again.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    assert_eq!(node(&again, &old).await, Value::Null);
}

#[tokio::test]
async fn node_requires_a_token() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = format!("{{ node(id: \"{}\") {{ id }} }}", id_of(&ada).await);
    assert_eq!(server.anonymous().query(&query).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn variables_in_fragments_of_a_node_are_checked() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let id = id_of(&ada).await;
    let query = "query($id: ID!, $first: Int) { node(id: $id) { ... on User { auditEvents(first: $first) { nodes { action } } } } }";
    let answer = ada.graphql(query, json!({ "id": id, "first": 1 })).await;
    assert_eq!(answer.data("/node/auditEvents/nodes"), json!([{ "action": "USER_REGISTERED" }]));
    assert_eq!(ada.graphql(query, json!({ "id": id, "first": "1" })).await.code(), "BAD_USER_INPUT");
}
