//! Variables: their default values, and where they may be used (GraphQL specification, §5.6, §5.8, §6.1.2).

use hallpass::entity::user;
use sea_orm::EntityTrait;

use crate::support::{TestServer, json};

const DELETE: &str = "deleteAccount(input: {}) @skip(if: $dryRun) { deletedUserId }";

/// The message of the only error, which must have this code; nothing was executed.
async fn error_message(server: &TestServer, query: &str, variables: serde_json::Value, code: &str) -> String {
    let answer = server.anonymous().graphql(query, variables).await;
    assert!(answer.json().get("data").is_none(), "{query}: {answer:?}");
    assert_eq!(answer.code(), code, "{query}: {answer:?}");
    answer.error()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn omitted_variables_take_defaults_in_directives() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for mutation in [
        format!("mutation($dryRun: Boolean = true) {{ {DELETE} }}"),
        format!("mutation($dryRun: Boolean! = true) {{ {DELETE} }}"),
        format!("mutation($dryRun: Boolean = true) {{ ...F }} fragment F on Mutation {{ {DELETE} }}"),
        format!("mutation($dryRun: Boolean = true) {{ ... {{ {DELETE} }} }}"),
        format!(
            "mutation($dryRun: Boolean = true) {{ ...F @skip(if: $dryRun) }} fragment F on Mutation {{ {DELETE} }}"
        ),
        "mutation($run: Boolean = false) { deleteAccount(input: {}) @include(if: $run) { deletedUserId } }".to_owned(),
        format!("mutation A($dryRun: Boolean = true) {{ {DELETE} }}"),
    ] {
        // Also when the document is cached, and without a variables object.
        for _ in 0..3 {
            assert_eq!(ada.graphql(&mutation, json!({})).await.data(""), json!({}), "{mutation}");
            assert_eq!(ada.query(&mutation).await.data(""), json!({}), "{mutation}");
        }
    }
    assert_eq!(user::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn omitted_variables_take_defaults_in_queries() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = "query($no: Boolean = false, $yes: Boolean = true) { me { username @skip(if: $no) @include(if: $yes) id @include(if: $no) } }";
    for _ in 0..3 {
        assert_eq!(ada.query(query).await.data("/me"), json!({ "username": "ada" }));
        let given = ada.graphql(query, json!({ "no": true })).await.data("/me");
        assert_eq!(given.as_object().unwrap().keys().collect::<Vec<_>>(), ["id"]);
    }
}

#[tokio::test]
async fn omitted_variables_take_defaults_in_input_fields() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let register = "mutation($name: String!, $delivery: TokenDelivery! = BODY, $first: String = \"Ada\") { register(input: \
        {username: $name, password: \"correct horse\", tokenDelivery: $delivery, firstName: $first}) { refreshToken user { firstName } } }";
    let registered = actor.graphql(register, json!({ "name": "ada" })).await.data("/register");
    assert!(registered["refreshToken"].is_string());
    assert_eq!(registered["user"]["firstName"], "Ada");
    let given = json!({ "name": "bo", "delivery": "COOKIE", "first": null });
    let registered = actor.graphql(register, given).await.data("/register");
    assert_eq!(registered, json!({ "refreshToken": null, "user": { "firstName": null } }));
}

#[tokio::test]
async fn default_does_not_replace_an_explicit_null() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let mutation = format!("mutation($dryRun: Boolean = true) {{ {DELETE} }}");
    for _ in 0..3 {
        let answer = ada.graphql(&mutation, json!({ "dryRun": null })).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert_eq!(answer.error()["message"], "The variable `$dryRun` must not be null where it is used.");
        // Now the document is cached.
        ada.query(&mutation).await.data("");
    }
    ada.me().await.data("/me/username");
}

#[tokio::test]
async fn nullable_variable_is_rejected_in_a_non_null_position() {
    let server = TestServer::start().await;
    for query in [
        "query($x: Boolean) { me @skip(if: $x) { id } }",
        "query($x: Boolean = null) { me @skip(if: $x) { id } }",
        "query($x: Boolean = null) { ...F } fragment F on Query { me { id @include(if: $x) } }",
        "query($x: String) { __typename @skip(if: $x) }",
        "mutation($x: String) { login(input: {username: $x, password: \"x\"}) { tokenType } }",
        "mutation($x: LoginInput) { login(input: $x) { tokenType } }",
        "mutation($x: String!) { login(input: $x) { tokenType } }",
        "mutation($x: [LoginInput!]!) { login(input: $x) { tokenType } }",
        "query A { me { id } } query B($x: Boolean) { me @skip(if: $x) { id } }",
    ] {
        let name = if query.starts_with("query A") { json!("A") } else { json!(null) };
        let body = json!({ "query": query, "operationName": name, "variables": { "x": true } });
        let answer = server.anonymous().post(body.to_string()).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}: {answer:?}");
        let message = answer.error()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("The variable `$x` is of the type ") && message.ends_with(" is expected here."));
        assert_eq!(answer.error()["locations"].as_array().unwrap().len(), 2, "{query}");
    }
}

#[tokio::test]
async fn literals_must_match_the_expected_type() {
    let server = TestServer::start().await;
    let login = |input: &str| format!("mutation($p: String!) {{ login(input: {input}) {{ tokenType }} }}");
    for (query, expected) in [
        (
            login(r#"{username: "ada", password: $p, tokenDelivery: "BODY"}"#),
            "`tokenDelivery` in the argument `input` does not fit the type TokenDelivery!.",
        ),
        (
            login(r#"{username: "ada", password: $p, tokenDelivery: LETTER}"#),
            "`tokenDelivery` in the argument `input` does not fit the type TokenDelivery!.",
        ),
        (login(r"{username: 7, password: $p}"), "`username` in the argument `input` does not fit the type String!."),
        (login(r"{username: ADA, password: $p}"), "`username` in the argument `input` does not fit the type String!."),
        (
            login(r"{username: null, password: $p}"),
            "`username` in the argument `input` must not be null. It is of the type String!.",
        ),
        (login(r"{password: $p}"), "`username` in the argument `input` is missing. It is of the type String!."),
        (
            login(r#"{username: "ada", password: $p, mail: "x"}"#),
            "The argument `input` has the field `mail`, which LoginInput does not have. It has username, password, tokenDelivery.",
        ),
        ("{ me @skip(if: \"true\") { id } }".to_owned(), "The argument `if` does not fit the type Boolean!."),
        (
            "query($d: TokenDelivery = \"BODY\") { __typename }".to_owned(),
            "The default value of the variable `$d` does not fit the type TokenDelivery.",
        ),
        (
            "query($d: Boolean! = null) { __typename @skip(if: $d) }".to_owned(),
            "The default value of the variable `$d` must not be null. It is of the type Boolean!.",
        ),
    ] {
        // Also when the other variable is missing.
        for variables in [json!({}), json!({ "p": "correct horse" })] {
            assert_eq!(
                error_message(&server, &query, variables, "GRAPHQL_VALIDATION_FAILED").await,
                expected,
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn nullable_variable_can_be_omitted() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let update = "mutation($first: String, $last: String) { updateProfile(input: {firstName: $first, lastName: $last}) { user { fullName } } }";
    ada.graphql(update, json!({ "first": "Ada", "last": "King" })).await.data("");
    for (variables, full_name) in [(json!({}), json!("Ada King")), (json!({ "last": null }), json!("Ada"))] {
        assert_eq!(ada.graphql(update, variables).await.data("/updateProfile/user/fullName"), full_name);
    }
}

#[tokio::test]
async fn directives_on_variables_are_validated() {
    let server = TestServer::start().await;
    for (query, expected) in [
        ("query($x: Boolean! @nope) { __typename @skip(if: $x) }", "The directive `@nope` does not exist."),
        (
            "query($x: Boolean! @skip(if: true)) { __typename @skip(if: $x) }",
            "The directive `@skip` can't be used on a variable.",
        ),
    ] {
        assert_eq!(error_message(&server, query, json!({ "x": true }), "GRAPHQL_VALIDATION_FAILED").await, expected);
    }
}

#[tokio::test]
async fn variable_must_have_an_input_type() {
    let server = TestServer::start().await;
    for (query, expected) in [
        ("query($x: [Nothing] = [1]) { __typename }", "The type `Nothing` does not exist."),
        ("query($x: Nothing = 1) { __typename }", "The type `Nothing` does not exist."),
        ("query($x: [User!]! = []) { __typename }", "The variable `$x` must be of an input type."),
    ] {
        assert_eq!(error_message(&server, query, json!({}), "GRAPHQL_VALIDATION_FAILED").await, expected);
    }
}
