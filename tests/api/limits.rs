//! Cost limits of documents.

use crate::support::{Answer, TestServer, json, settings};

/// The query of graphql-js 16 and GraphiQL, with all options on.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } \
    subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations \
    args(includeDeprecated: true) { ...InputValue } } } } \
    fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name description \
    args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } \
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } \
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } } \
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason } \
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

fn assert_rejected(answer: &Answer, expected: &str) {
    let body = answer.json();
    let errors = body["errors"].as_array().unwrap();
    assert!(body.get("data").is_none(), "{answer:?}");
    assert_eq!(errors[0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer:?}");
    assert!(errors[0]["message"].as_str().unwrap().contains(expected), "{errors:?}");
    assert!(errors.len() <= 20);
}

#[tokio::test]
async fn introspection_of_graphiql_and_code_generators_is_allowed() {
    let server = TestServer::start().await;
    let types = server.anonymous().query(INTROSPECTION).await.data("/__schema/types");
    assert!(types.as_array().unwrap().iter().any(|kind| kind["name"] == "RegisterInput"));
}

#[tokio::test]
async fn fragment_bomb_is_rejected_quickly() {
    let server = TestServer::start().await;
    let fragments: String = (0..40).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1)).collect();
    let bomb = format!("{{ ...f0 }} {fragments} fragment f40 on Query {{ __typename }}");
    assert_rejected(&server.anonymous().query(&bomb).await, "more than 500 fields");
    // No operation spreads the fragments, but validation would still visit them.
    let idle = format!("{{ __typename }} {fragments} fragment f40 on Query {{ __typename }}");
    assert_rejected(&server.anonymous().query(&idle).await, "more than");
}

#[tokio::test]
async fn fragment_bomb_without_fields_is_rejected_quickly() {
    let server = TestServer::start().await;
    let fragments: String = (0..24).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1)).collect();
    // The last one spreads an unknown fragment, so that there is no field to count.
    let bomb = format!("{{ ...f0 }} {fragments} fragment f24 on Query {{ ...missing }}");
    assert_rejected(&server.anonymous().query(&bomb).await, "more than 1000 selections");
    let idle = format!("{{ __typename }} {fragments} fragment f24 on Query {{ ...missing }}");
    assert_rejected(&server.anonymous().query(&idle).await, "more than 10000 selections in all");
}

#[tokio::test]
async fn long_name_is_not_repeated_in_errors() {
    let server = TestServer::start().await;
    // The engine compares these fields once per level, and each error repeats the argument's name.
    let fields = format!("me(a{}: 1) {}", "x".repeat(60_000), "me ".repeat(400));
    let query = format!("{{ {}{fields}{} }}", "... { ".repeat(30), "}".repeat(30));
    assert_rejected(&server.anonymous().query(&query).await, "a name of more than 200 bytes");
}

#[tokio::test]
async fn copies_of_a_variable_are_limited() {
    let server = TestServer::start().await;
    let uses = "$v, ".repeat(400);
    let query = format!("query($v: String!) {{ __type(name: [{uses}]) {{ name }} }}");
    let actor = server.anonymous();
    assert_rejected(&actor.graphql(&query, json!({ "v": "x".repeat(100_000) })).await, "more than 1 MiB");
    let query = "query($v: String!) { a: __type(name: $v) { name } b: __type(name: $v) { name } }";
    actor.graphql(query, json!({ "v": "x".repeat(100_000) })).await.data("");
}

#[tokio::test]
async fn errors_name_the_exceeded_limit() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let nested = |levels: usize, open: &str, close: &str| {
        format!("{{ {} __typename {} }}", open.repeat(levels), close.repeat(levels))
    };
    for (query, expected) in [
        (format!("{{ {} }}", "__typename ".repeat(1000)), "more than 1000 tokens"),
        (format!("{{ me(x: [{}]) {{ id }} }}", "0".repeat(2000)), "more than 1000 tokens"),
        (format!("{{ __typename }} #{}", "x".repeat(65_536)), "more than 65536 bytes"),
        (format!("{{ {} }}", "__typename ".repeat(501)), "more than 500 fields"),
        (
            format!("{{ {} }}", (0..31).map(|n| format!("a{n}: __typename ")).collect::<String>()),
            "more than 30 aliases",
        ),
        (format!("{{ {} }}", "__typename @skip(if: false) ".repeat(31)), "more than 30 directives"),
        (format!("query {} {{ __typename }}", "@a ".repeat(31)), "more than 30 directives"),
        (format!("{} {{ __typename }}", "\"a\" ".repeat(1000)), "more than 1000 tokens"),
        (format!("query($a: Int = 1 {}) {{ __typename }}", "@a ".repeat(1000)), "more than 1000 tokens"),
        (format!("{{ me(x: \"{}\") {{ id }} }}", "\\u{1F600}".repeat(8000)), "more than 65536 bytes"),
        (nested(36, "... {", "}"), "more than 36 levels"),
        (
            format!(
                "{{ ...f0 }} {} fragment f36 on Query {{ __typename }}",
                (0..36).map(|n| format!("fragment f{n} on Query {{ ...f{} }} ", n + 1)).collect::<String>()
            ),
            "more than 36 levels",
        ),
        (
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned(),
            "more than 3 lists of the schema",
        ),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(), "spreads itself"),
        ("{ __typename } fragment a on Query { ...a }".to_owned(), "spreads itself"),
        ("{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }".to_owned(), "spreads itself"),
    ] {
        assert_rejected(&actor.query(&query).await, expected);
    }
    for fits in [
        format!("{{ {} }}", "__typename ".repeat(500)),
        format!("{{ {} }}", (0..30).map(|n| format!("a{n}: __typename ")).collect::<String>()),
        nested(35, "... {", "}"),
    ] {
        actor.query(&fits).await.data("");
    }
}

#[tokio::test]
async fn limits_apply_to_the_executed_operation() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let send = async |query: &str, name: &str| {
        let body = json!({ "query": query, "operationName": name });
        actor.post(body.to_string()).await
    };
    let aliases = |count: usize| (0..count).map(|n| format!("a{n}: __typename ")).collect::<String>();
    let directives = |count: usize| "__typename @skip(if: false) ".repeat(count);
    for (small, large, expected) in [
        (aliases(20), aliases(31), "more than 30 aliases"),
        (directives(20), directives(31), "more than 30 directives"),
        ("a: __typename ...F ".to_owned(), "...F ...G".to_owned(), "more than 500 fields"),
    ] {
        let query = format!(
            "query A {{ {small} }} query B {{ {small} }} query C {{ {large} }} \
             fragment F on Query {{ {0} }} fragment G on Query {{ ...F ... {{ ...F }} {0} }}",
            "serverInfo { mailEnabled } ".repeat(100),
        );
        let query =
            if expected.contains("fields") { query } else { query.split("fragment").next().unwrap().to_owned() };
        // Also when the document is cached.
        for _ in 0..2 {
            send(&query, "A").await.data("");
            send(&query, "B").await.data("");
            assert_rejected(&send(&query, "C").await, expected);
        }
    }
}

#[tokio::test]
async fn validation_cost_of_all_operations_is_limited() {
    let server = TestServer::start().await;
    let doubling = |times: usize, last: &str| {
        let fragments = (0..times).map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1));
        format!("query B {{ ...f0 }} {} fragment f{times} on Query {{ {last} }}", fragments.collect::<String>())
    };
    for (document, expected) in [
        (doubling(30, "__typename"), "more than 10000 selections in all"),
        (doubling(10, &"__typename ".repeat(5)), "more than 5000 fields in all"),
        (doubling(10, &format!("__typename {}", "@skip(if: true) ".repeat(5))), "more than 5000 directives in all"),
        (format!("query B {{ {} __typename {} }}", "... {".repeat(40), "}".repeat(40)), "more than 36 levels"),
    ] {
        let body = json!({ "query": format!("query A {{ __typename }} {document}"), "operationName": "A" });
        assert_rejected(&server.anonymous().post(body.to_string()).await, expected);
    }
}

#[tokio::test]
async fn introspection_in_another_operation_is_not_executed() {
    let server = TestServer::with(|settings| settings.graphql.introspection = false).await;
    let query = "query A { __typename } query B { __schema { types { name } } }";
    let send =
        async |name: &str| server.anonymous().post(json!({ "query": query, "operationName": name }).to_string()).await;
    for _ in 0..2 {
        send("A").await.data("/__typename");
        assert_rejected(&send("B").await, "Introspection is switched off");
    }
}

#[tokio::test]
async fn validation_errors_are_limited() {
    let server = TestServer::start().await;
    let query = format!("{{ {} }}", (0..400).map(|n| format!("x{n} ")).collect::<String>());
    let answer = server.anonymous().query(&query).await;
    assert_rejected(&answer, "The field `x0` does not exist on Query.");
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn deep_nesting_is_rejected() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let deep = 25_000;
    for query in [
        format!("{{ me(x: {}{}) {{ id }} }}", "[".repeat(deep), "]".repeat(deep)),
        format!("{{ me(x: {}1{}) {{ id }} }}", "{a:".repeat(deep), "}".repeat(deep)),
        format!("{}{}", "{me".repeat(deep), "}".repeat(deep)),
        "{me".repeat(deep),
        "[".repeat(deep),
        format!("query($a: {}Int{}) {{ __typename }}", "[".repeat(deep), "]".repeat(deep)),
    ] {
        assert_rejected(&actor.query(&query).await, "more than");
    }
    let variables =
        format!(r#"{{"query":"{{__typename}}","variables":{}{}}}"#, "{\"a\":".repeat(deep), "}".repeat(deep));
    assert_eq!(actor.post(variables).await.code(), "BAD_REQUEST");
    actor.query("{ __typename }").await.data("/__typename");
}

#[tokio::test]
async fn introspection_can_be_disabled() {
    let server = TestServer::with(|settings| settings.graphql.introspection = false).await;
    let actor = server.anonymous();
    for query in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"User\") { name } }",
        "{ a: __schema { types { name } } }",
        "{ ...f } fragment f on Query { ... { __schema { types { name } } } }",
        INTROSPECTION,
    ] {
        assert_rejected(&actor.query(query).await, "Introspection is switched off");
    }
    actor.query("{ __typename serverInfo { __typename } }").await.data("/serverInfo/__typename");
    assert_eq!(actor.get("/schema.graphql").await.status, 404);

    // The errors that are reported when it is on.
    let documents = [
        "{ me { usernam } }",
        "{ serverInf { emailRequired } }",
        "mutation { login { tokenType } }",
        "{ me }",
        "{ me @skip { id } }",
        "mutation($x: Int!) { revokeSession(input: {sessionId: $x}) { revokedSessionId } }",
        "mutation { revokeSession(input: {id: 1}) { revokedSessionId } }",
        "mutation { revokeSession(input: {sessionId: true}) { revokedSessionId } }",
    ];
    let login = "mutation($form: LoginInput!) { login(input: $form) { tokenType } }";
    let mut answers = vec![
        actor.graphql(login, json!({ "form": { "x": 1 } })).await,
        actor.graphql(login, json!({ "form": 7 })).await,
        actor.graphql(login, json!({})).await,
    ];
    for document in documents {
        answers.push(actor.query(document).await);
    }
    assert_eq!(answers[5].error()["message"], "A required argument of the field `login` is missing.");
    for answer in answers {
        for name in ["username", "serverInfo", "User", "Query", "LoginInput", "sessionId", "ID", "Did you mean"] {
            let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
            assert!(!message.contains(name), "{message}");
        }
    }
    assert!(settings().graphql.introspection);
}

#[tokio::test]
async fn cached_document_gets_the_same_response() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let actor = server.anonymous();
    let login = "mutation Login($input: LoginInput!) { login(input: $input) { user { username } } }";
    let me = "query Me($yes: Boolean!) { me @include(if: $yes) { username } }";
    for _ in 0..3 {
        let input = json!({ "username": "ada", "password": "the password of ada" });
        assert_eq!(actor.graphql(login, json!({ "input": input })).await.data("/login/user/username"), "ada");
        assert_eq!(actor.graphql(login, json!({ "input": { "username": "ada" } })).await.code(), "BAD_USER_INPUT");
        assert_eq!(actor.graphql(login, json!({})).await.code(), "BAD_USER_INPUT");
        let path = url::form_urlencoded::Serializer::new("/graphql?".to_owned()).append_pair("query", login).finish();
        assert_eq!(actor.get(&path).await.status, 405);
        assert_eq!(ada.graphql(me, json!({ "yes": true })).await.data("/me/username"), "ada");
        assert_eq!(ada.graphql(me, json!({ "yes": false })).await.data(""), json!({}));
        assert_eq!(ada.graphql(me, json!({ "yes": "no" })).await.code(), "BAD_USER_INPUT");
        assert_eq!(actor.graphql(me, json!({ "yes": true })).await.code(), "UNAUTHENTICATED");
        assert_eq!(actor.query("{ me { nothing } }").await.code(), "GRAPHQL_VALIDATION_FAILED");
    }
}
