//! `TRUSTED_DOCUMENTS`: only listed documents are executed.

use axum::{body::Body, http::Method};
use hallpass::config::{Manifest, Settings};

use crate::support::{Answer, TestServer, json};

const ME: &str = "query Me {\n  me {\n    id\n  }\n}";
const LOGIN: &str = "mutation Login($input: LoginInput!) {\n  login(input: $input) {\n    tokenType\n  }\n}";

async fn server() -> TestServer {
    TestServer::with(|settings| {
        let documents = [("me1", ME), ("login1", LOGIN), ("type1", "{ __typename }"), ("old1", "{ gone }")];
        let manifest = documents.map(|(id, text)| (id.to_owned(), text.to_owned())).into();
        settings.graphql.trusted_documents = Some(Manifest(manifest));
    })
    .await
}

/// The code of the error of a request that was not executed.
fn code(answer: &Answer) -> String {
    assert!(answer.json().get("data").is_none(), "{answer:#?}");
    answer.code()
}

fn persisted(id: &str) -> serde_json::Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": id } })
}

#[tokio::test]
async fn listed_documents_are_executed_by_id_and_by_text() {
    let server = server().await;
    let actor = server.anonymous();
    for body in [
        json!({ "documentId": "type1" }),
        json!({ "extensions": persisted("type1") }),
        json!({ "query": null, "documentId": "type1" }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": "{__typename} # from the app" }),
        json!({ "query": "{ __typename }", "documentId": "unknown" }),
    ] {
        assert_eq!(actor.post(body.to_string()).await.data("/__typename"), "Query", "{body}");
    }
    let by_get = actor.get("/graphql?documentId=type1").await;
    assert_eq!(by_get.data("/__typename"), "Query");
}

#[tokio::test]
async fn other_documents_are_not_executed() {
    let server = server().await;
    let actor = server.anonymous();
    for query in [
        "{ me { id } }",
        "query Me { me { id username } }",
        "{ __schema { types { name } } }",
        "mutation { logout { revokedSessions } }",
        "",
        "{",
    ] {
        let answer = actor.post(json!({ "query": query }).to_string()).await;
        assert_eq!(code(&answer), "QUERY_NOT_IN_SAFELIST", "{query}");
    }
    let with_listed = json!({ "query": "mutation { logout { revokedSessions } }", "documentId": "me1" });
    assert_eq!(code(&actor.post(with_listed.to_string()).await), "QUERY_NOT_IN_SAFELIST");
    for body in [json!({ "documentId": "unknown" }), json!({ "extensions": persisted("") })] {
        assert_eq!(code(&actor.post(body.to_string()).await), "PERSISTED_QUERY_NOT_IN_LIST", "{body}");
    }
}

#[tokio::test]
async fn listed_documents_are_checked_as_any_other() {
    let server = server().await;
    let actor = server.anonymous();
    assert_eq!(code(&actor.post(json!({ "documentId": "old1" }).to_string()).await), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(code(&actor.post(json!({ "documentId": "login1" }).to_string()).await), "BAD_USER_INPUT");
    assert_eq!(actor.post(json!({ "documentId": "me1" }).to_string()).await.code(), "UNAUTHENTICATED");
    assert_eq!(actor.get("/graphql?documentId=login1").await.status, 405);
}

#[tokio::test]
async fn browser_that_opens_the_address_of_a_document_gets_its_result() {
    let server = TestServer::start().await;
    for query_string in ["documentId=a1", "extensions=%7B%7D"] {
        let request = server.anonymous().request(Method::GET, &format!("/graphql?{query_string}"));
        let request = request.header("accept", "text/html").body(Body::empty()).unwrap();
        let answer = server.anonymous().send(request).await;
        assert!(answer.header("content-type").unwrap().contains("json"), "{query_string}");
    }
}

#[test]
fn manifest_is_read_and_closes_the_explorer() {
    let path =
        |name: &str| format!("{}/trusted_documents_{}_{name}.json", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let file = |name: &str, text: &str| {
        std::fs::write(path(name), text).unwrap();
        path(name)
    };
    let read = |variables: &[(&str, &str)]| {
        Settings::from_vars(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
            .map_err(|error| error.to_string())
    };
    let manifest = file("good", &json!({ "me1": ME }).to_string());
    let graphql = read(&[("TRUSTED_DOCUMENTS", &manifest)]).unwrap().graphql;
    assert_eq!(graphql.trusted_documents.unwrap().0["me1"], ME);
    assert!(!graphql.playground);

    let error = read(&[("TRUSTED_DOCUMENTS", &manifest), ("PLAYGROUND", "true")]).unwrap_err();
    assert!(error.contains("PLAYGROUND: expected false"), "{error}");
    for path in [file("bad", "[]"), path("none")] {
        let error = read(&[("TRUSTED_DOCUMENTS", &path)]).unwrap_err();
        assert!(error.contains("TRUSTED_DOCUMENTS: ") && error.contains(&path), "{error}");
    }
}
