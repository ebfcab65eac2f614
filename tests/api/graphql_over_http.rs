//! GraphQL over HTTP; the `graphql-http` audits in `tests/e2e` cover the rest of the specification.

use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode, header},
};
use hallpass::{config::OauthClient, entity::user};
use sea_orm::EntityTrait;

use crate::support::{Answer, TestServer, json};

const RESPONSE_JSON: &str = "application/graphql-response+json";

/// Asserts a GraphQL error response with the extensions of Hallpass and the id of the request.
fn assert_rejected(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:#?}");
    assert!(answer.header("content-type").unwrap().contains("json"), "{answer:#?}");
    let error = answer.error();
    assert_eq!(error["extensions"]["code"], code, "{answer:#?}");
    assert_eq!(error["extensions"]["requestId"].as_str(), answer.header("x-request-id"));
    assert!(answer.json().get("data").is_none(), "{answer:#?}");
}

#[tokio::test]
async fn status_of_an_invalid_document_depends_on_the_media_type() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for (body, code) in [
        (json!({ "query": "{ me { id }" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "query A { me { id } }", "operationName": "B" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "query A { me { id } } query B { me { id } }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "fragment F on User { id }" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "query($n: Int!) { me { id } }" }), "BAD_USER_INPUT"),
    ] {
        for (accept, content_type, status) in [
            (RESPONSE_JSON, "application/graphql-response+json; charset=utf-8", 400),
            ("application/json", "application/json; charset=utf-8", 200),
            ("*/*", "application/json; charset=utf-8", 200),
        ] {
            let request = actor
                .request(Method::POST, "/graphql")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::ACCEPT, accept)
                .body(body.to_string().into())
                .unwrap();
            let answer = actor.send(request).await;
            assert_rejected(&answer, status, code);
            assert_eq!(answer.header("content-type"), Some(content_type));
        }
    }
}

#[tokio::test]
async fn malformed_request_gets_a_graphql_error() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for body in [
        "",
        "null",
        "7",
        "\"{ me { id } }\"",
        "[]",
        "{",
        "{\"query\": \"\\ud800\"}",
        r#"{"query":"{me{id}}"} x"#,
        "{}",
        r#"{"query":null}"#,
        r#"{"query":7}"#,
        r#"{"query":["{me{id}}"]}"#,
        r#"[{"query":"{me{id}}"}]"#,
        r#"{"query":"{me{id}}","variables":"{}"}"#,
        r#"{"query":"{me{id}}","variables":[]}"#,
        r#"{"query":"{me{id}}","operationName":7}"#,
        r#"{"query":"{me{id}}","extensions":"x"}"#,
        "\u{feff}{\"query\":\"{me{id}}\"}",
    ] {
        assert_rejected(&actor.post(body).await, 400, "BAD_REQUEST");
    }
    assert_rejected(&actor.post(&b"{\"query\":\"{me{id} \xff}\"}"[..]).await, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn content_type_must_be_json() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let mutation = json!({ "query": r#"mutation { register(input: {username: "ada", password: "correct horse"}) { tokenType } }"# }).to_string();
    for content_type in [
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/graphql+json",
    ] {
        let request = actor.request(Method::POST, "/graphql").header(header::CONTENT_TYPE, content_type);
        assert_rejected(&actor.send(request.body(mutation.clone().into()).unwrap()).await, 415, "BAD_REQUEST");
    }
    let without = actor.request(Method::POST, "/graphql").body(mutation.clone().into()).unwrap();
    assert_rejected(&actor.send(without).await, 415, "BAD_REQUEST");
    let twice = actor
        .request(Method::POST, "/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_TYPE, "text/plain");
    assert_rejected(&actor.send(twice.body(mutation.clone().into()).unwrap()).await, 415, "BAD_REQUEST");
    assert!(user::Entity::find().all(server.app.database.read()).await.unwrap().is_empty());

    for content_type in
        ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\";x=y"]
    {
        let request = actor.request(Method::POST, "/graphql").header(header::CONTENT_TYPE, content_type);
        let answer = actor.send(request.body(r#"{"query":"{__typename}"}"#.into()).unwrap()).await;
        assert_eq!(answer.data("/__typename"), "Query", "{content_type}");
    }
}

#[tokio::test]
async fn mutations_by_get_are_rejected() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let register = r#"register(input: {username: "ada", password: "correct horse"}) { tokenType }"#;
    for (query, operation_name) in [
        (format!("mutation {{ {register} }}"), None),
        (format!("mutation Named {{ {register} }}"), None),
        (format!("mutation Named {{ {register} }}"), Some("Named")),
        (format!("# a comment\nmutation {{ {register} }}"), None),
        (format!("\u{feff}mutation {{ {register} }}"), None),
        (format!(",, mutation {{ {register} }}"), None),
        (format!("query Q {{ __typename }} mutation M {{ {register} }}"), Some("M")),
        (format!("mutation M {{ {register} }} query Q {{ __typename }}"), Some("M")),
        (format!("mutation {{ ...F }} fragment F on Mutation {{ {register} }}"), None),
        (format!("mutation {{ {register} nothing }}"), None),
    ] {
        let mut path = url::form_urlencoded::Serializer::new("/graphql?".to_owned());
        path.append_pair("query", &query);
        if let Some(name) = operation_name {
            path.append_pair("operationName", name);
        }
        let answer = actor.get(&path.finish()).await;
        if query.starts_with(['\u{feff}']) && answer.code() == "GRAPHQL_PARSE_FAILED" {
            continue;
        }
        assert_rejected(&answer, 405, "BAD_REQUEST");
        assert_eq!(answer.header("allow"), Some("POST"), "{query}");
    }
    assert!(user::Entity::find().all(server.app.database.read()).await.unwrap().is_empty());
}

#[tokio::test]
async fn get_accepts_all_query_parameters() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = "query A($yes: Boolean!) { me @include(if: $yes) { username } } query B { __typename }";
    let path = |parts: &[(&str, &str)]| {
        let mut path = url::form_urlencoded::Serializer::new("/graphql?".to_owned());
        path.extend_pairs(parts);
        path.finish()
    };
    let good = path(&[("query", query), ("operationName", "A"), ("variables", r#"{"yes": true}"#)]);
    assert_eq!(ada.get(&good).await.data("/me/username"), "ada");
    for bad in [
        path(&[("query", query), ("query", query)]),
        path(&[("query", query), ("variables", "{")]),
        path(&[("query", query), ("variables", "[]")]),
        path(&[("variables", "{}")]),
        "/graphql".to_owned(),
        "/graphql?query=%ff".to_owned() + "&query=1",
    ] {
        assert_rejected(&ada.get(&bad).await, 400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn other_methods_get_an_allow_header() {
    let server = TestServer::start().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
        let actor = server.anonymous();
        let answer = actor.send(actor.request(method.clone(), "/graphql").body(Body::empty()).unwrap()).await;
        assert_rejected(&answer, 405, "BAD_REQUEST");
        assert_eq!(answer.header("allow"), Some("GET, POST"), "{method}");
    }
}

#[tokio::test]
async fn unacceptable_media_type_is_rejected() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let request = actor
        .request(Method::POST, "/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/html");
    let answer = actor.send(request.body(r#"{"query":"{__typename}"}"#.into()).unwrap()).await;
    assert_rejected(&answer, 406, "BAD_REQUEST");
}

#[tokio::test]
async fn oversized_body_is_not_read() {
    let server = TestServer::start().await;
    let chunk = Bytes::from(vec![b' '; 64 * 1024]);
    let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&read);
    let chunks = futures_util::stream::iter((0..320).map(move |_| {
        count.fetch_add(chunk.len(), std::sync::atomic::Ordering::SeqCst);
        Ok::<_, std::io::Error>(chunk.clone())
    }));
    let answer = server.anonymous().post(Body::from_stream(chunks)).await;
    assert_rejected(&answer, 413, "BAD_REQUEST");
    assert!(read.load(std::sync::atomic::Ordering::SeqCst) <= 256 * 1024);
}

#[tokio::test]
async fn truncated_body_is_a_bad_request() {
    let server = TestServer::start().await;
    let broken = futures_util::stream::iter([Ok(Bytes::from("{\"query\"")), Err(std::io::Error::other("gone"))]);
    assert_rejected(&server.anonymous().post(Body::from_stream(broken)).await, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn mutations_are_limited_to_one_root_field() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let login = r#"login(input: {username: "ada", password: "correct horse"}) { tokenType }"#;
    for query in [
        format!("mutation {{ a: {login} b: {login} }}"),
        format!("mutation {{ {login} {login} }}"),
        format!("mutation {{ a: {login} ... on Mutation {{ b: {login} }} }}"),
        format!(
            "mutation {{ ...F ...G }} fragment F on Mutation {{ a: {login} }} fragment G on Mutation {{ b: {login} }}"
        ),
        format!("mutation {{ ...F ...F }} fragment F on Mutation {{ a: {login} }}"),
        format!(
            "mutation {{ ... {{ ...F }} }} fragment F on Mutation {{ ...G b: {login} }} fragment G on Mutation {{ a: {login} }}"
        ),
        format!("mutation {{ ... @skip(if: true) {{ a: {login} }} b: {login} }}"),
    ] {
        let answer = actor.query(&query).await;
        assert_rejected(&answer, 200, "GRAPHQL_VALIDATION_FAILED");
        assert!(answer.text.contains("only one root field"), "{query}");
    }
    let cycle = actor.query("mutation { ...F } fragment F on Mutation { ...F }").await;
    assert_rejected(&cycle, 200, "GRAPHQL_VALIDATION_FAILED");
    let one = actor.query(&format!("mutation {{ __typename ...F }} fragment F on Mutation {{ a: {login} }}")).await;
    assert_eq!(one.code(), "INVALID_CREDENTIALS");
    assert_eq!(one.json()["data"], json!({ "__typename": "Mutation", "a": null }));
}

#[tokio::test]
async fn variable_errors_name_the_path() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let login = "mutation($input: LoginInput!) { login(input: $input) { tokenType } }";
    for (variables, expected) in [
        (json!({}), "The variable `$input` is missing. It is of the type LoginInput!."),
        (json!({ "input": null }), "The variable `$input` must not be null. It is of the type LoginInput!."),
        (json!({ "input": "s3cret" }), "The variable `$input` must be an object of the type LoginInput."),
        (
            json!({ "input": { "username": "ada" } }),
            "`password` in the variable `$input` is missing. It is of the type String!.",
        ),
        (
            json!({ "input": { "username": 7, "password": "s3cret" } }),
            "`username` in the variable `$input` does not fit the type String!.",
        ),
        (
            json!({ "input": { "username": null, "password": "s3cret" } }),
            "`username` in the variable `$input` must not be null. It is of the type String!.",
        ),
        (
            json!({ "input": { "username": "ada", "password": "x", "s3cret": "s3cret" } }),
            "The variable `$input` has a field that LoginInput does not have. It has username, password, tokenDelivery.",
        ),
    ] {
        let answer = actor.graphql(login, variables).await;
        assert_rejected(&answer, 200, "BAD_USER_INPUT");
        assert_eq!(answer.error()["message"], expected);
        assert_eq!(answer.error()["locations"][0], json!({ "line": 1, "column": 10 }));
    }
    let nullable = "query($yes: Boolean = true, $unused: [Int!]) { me @include(if: $yes) { id } also: me @include(if: $yes) { id } \
        __type(name: \"User\") { fields(includeDeprecated: $yes) { name } } }";
    for (variables, fits) in [
        (json!({}), true),
        (json!({ "yes": false, "extra": 1 }), true),
        (json!({ "yes": 1 }), false),
        (json!({ "unused": [1, null] }), false),
        (json!({ "unused": [1, 2_147_483_648_i64] }), false),
        (json!({ "unused": [1.5] }), false),
    ] {
        let answer = actor.graphql(nullable, variables.clone()).await;
        let is_bad_input = answer.text.contains("BAD_USER_INPUT");
        assert_eq!(is_bad_input, !fits, "{variables}: {answer:?}");
    }
}

#[tokio::test]
async fn validation_errors_explain_the_cause() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for (query, expected) in [
        ("{ me { usernam } }", "The field `usernam` does not exist on User. Did you mean `username`?"),
        ("{ me { xyzzy } }", "The field `xyzzy` does not exist on User."),
        ("{ me }", "The field `me` has subfields. Select some of them in braces."),
        ("{ me { id { x } } }", "The field `id` has no subfields. Remove the braces."),
        ("{ me(x: 1) { id } }", "The argument `x` does not exist on the field `me`."),
        ("{ me @skip(iff: true, if: true) { id } }", "The argument `iff` does not exist on the directive `@skip`."),
        ("{ me @skip { id } }", "The argument `if` of the directive `@skip` is missing."),
        ("mutation { login { tokenType } }", "The argument `input` of the field `login` is missing."),
        ("{ ...F }", "The fragment `F` is not defined in the document."),
        ("{ me { id } } fragment F on User { id }", "The fragment `F` is never used."),
        (
            "{ me { ...F } } fragment F on Query { __typename }",
            "The fragment `F` is on a different type than the selection that spreads it.",
        ),
        ("{ me { ... on Query { __typename } } }", "A fragment on `Query` can't be used here."),
        ("{ ... on Nobody { id } }", "The type `Nobody` does not exist."),
        ("{ ... on DateTime { id } }", "A fragment on `DateTime` can't be used here."),
        ("query($a: Int) { __typename }", "The variable `$a` is declared, but not used."),
        ("{ me @skip(if: $a) { id } }", "The variable `$a` is not declared."),
        (
            "query($a: Boolean = true, $a: Boolean = true) { me @skip(if: $a) { id } }",
            "The variable `$a` is declared twice.",
        ),
        ("{ me { a: id a: username } }", "Two different fields are named `a`. Give one of them an alias."),
        ("{ me @nope { id } }", "The directive `@nope` does not exist."),
        ("query @skip(if: true) { me { id } }", "The directive `@skip` can't be used here."),
        ("{ me @skip(if: true) @skip(if: true) { id } }", "The directive `@skip` may be used only once here."),
        ("{ ...F } fragment F on Query { ...F }", "The fragment `F` spreads itself."),
        ("{ __type(name: 7) { name } }", "The value of the argument `name` does not fit its type here."),
        (
            "{ a: __type(name: \"User\") { name } a: __type(name: \"Query\") { name } }",
            "Two fields `name` have different arguments. Give one of them an alias.",
        ),
        (
            "mutation { login(input: {username: 7, password: \"x\"}) { tokenType } }",
            "`username` in the argument `input` does not fit the type String!.",
        ),
    ] {
        let answer = actor.query(query).await;
        let body = answer.json();
        assert_eq!(body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{query}");
        assert_eq!(body["errors"][0]["message"], expected, "{query}");
        assert!(body["errors"][0]["locations"][0]["line"].is_number(), "{query}");
    }
}

#[tokio::test]
async fn all_string_escapes_of_the_specification_are_supported() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for (literal, name) in
        [(r"\ud83d\ude00", "😀"), (r"\u{1F600}\u{e9}x", "😀éx"), (r"A\u0041\u{22}\u{5C}\n", "AA\"\\")]
    {
        let update =
            format!("mutation {{ updateProfile(input: {{firstName: \"{literal}\"}}) {{ user {{ firstName }} }} }}");
        assert_eq!(ada.query(&update).await.data("/updateProfile/user/firstName"), name, "{literal}");
    }
    for literal in [r"\ud83d", r"\ude00\ud83d", r"\u{d83d}", r"\u{110000}", r"\u{}", r"\u{1F600"] {
        let update =
            format!("mutation {{ updateProfile(input: {{firstName: \"{literal}\"}}) {{ user {{ firstName }} }} }}");
        assert_eq!(ada.query(&update).await.code(), "GRAPHQL_PARSE_FAILED", "{literal}");
    }
}

#[tokio::test]
async fn descriptions_on_executable_definitions_are_accepted() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let query = "\"Who asks\"\nquery Who(\"\"\"\nWhether to tell.\n\"\"\" $yes: Boolean = true) { me @include(if: $yes) { ...F } }\n\
        \"\"\"Their name\"\"\" fragment F on User { username }";
    assert_eq!(ada.query(query).await.data("/me/username"), "ada");
    assert_eq!(ada.query("\"no\" { me { id } }").await.code(), "GRAPHQL_PARSE_FAILED");
    let mutation = "\"\"\"Not by GET.\"\"\" mutation { logout { revokedSessions } }";
    let path = url::form_urlencoded::Serializer::new("/graphql?".to_owned()).append_pair("query", mutation).finish();
    assert_rejected(&ada.get(&path).await, 405, "BAD_REQUEST");
}

#[tokio::test]
async fn directives_after_a_variable_default_are_accepted() {
    let server = TestServer::start().await;
    let answer =
        server.anonymous().query("query($yes: Boolean = true\n  @nope(why: 1)) { me @skip(if: $yes) { id } }").await;
    assert_rejected(&answer, 200, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(answer.error()["message"], "The directive `@nope` does not exist.");
    assert_eq!(answer.error()["locations"], json!([{ "line": 2, "column": 3 }]));
}

#[tokio::test]
async fn error_locations_are_correct_after_newer_syntax() {
    let server = TestServer::start().await;
    let query = "\"\"\"\nTwo\nlines\"\"\" query(\"é\" $x: String!) { me { id } __type(name: \"\\ud83d\\ude00\") { name } nothing __type(name: $x) }";
    let answer = server.anonymous().graphql(query, json!({ "x": "x" })).await;
    let line = query.lines().nth(2).unwrap();
    let column = line.split("nothing").next().unwrap().chars().count() + 1;
    assert!(
        answer.json()["errors"].as_array().unwrap().iter().any(|error| {
            error["message"].as_str().unwrap().starts_with("The field `nothing`")
                && error["locations"] == json!([{ "line": 3, "column": column }])
        }),
        "{answer:?}"
    );
}

#[tokio::test]
async fn equal_errors_of_merged_fields_are_deduplicated() {
    let server = TestServer::start().await;
    let query = "{ me { id } ...F ... { me { username } } other: me { id } } fragment F on Query { me { roles } }";
    let errors = server.anonymous().query(query).await.json()["errors"].clone();
    let paths: Vec<_> = errors.as_array().unwrap().iter().map(|error| error["path"][0].clone()).collect();
    assert_eq!(paths.len(), 2, "{errors}");
    assert!(paths.contains(&json!("me")) && paths.contains(&json!("other")), "{errors}");
    // The specification merges them into one field.
    let merged = errors.as_array().unwrap().iter().find(|error| error["path"][0] == "me").unwrap();
    assert_eq!(merged["locations"].as_array().unwrap().len(), 3, "{errors}");
}

#[tokio::test]
async fn persisted_query_makes_clients_send_the_document() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": "ab".repeat(32) } });
    let path = url::form_urlencoded::Serializer::new("/graphql?".to_owned())
        .append_pair("operationName", "Me")
        .append_pair("extensions", &extensions.to_string())
        .finish();
    for (accept, status) in [(RESPONSE_JSON, 400), ("application/json", 200), ("*/*", 200)] {
        let actor = actor.with_header("accept", accept);
        for body in [json!({ "extensions": extensions }), json!({ "query": null, "extensions": extensions })] {
            assert_rejected(&actor.post(body.to_string()).await, status, "PERSISTED_QUERY_NOT_SUPPORTED");
        }
        let by_get = actor.speaking("ru").get(&path).await;
        assert_rejected(&by_get, status, "PERSISTED_QUERY_NOT_SUPPORTED");
        assert_eq!(by_get.error()["message"], "PersistedQueryNotSupported");
    }
    assert_rejected(&actor.post(r#"{"documentId": "a1"}"#).await, 200, "PERSISTED_QUERY_NOT_SUPPORTED");
    // A request with the document needs no stored query.
    let both = json!({ "query": "{ __typename }", "extensions": extensions });
    assert_eq!(actor.post(both.to_string()).await.data("/__typename"), "Query");
    for without in [json!({}), json!({ "extensions": { "persistedQuery": null } }), json!({ "extensions": {} })] {
        assert_rejected(&actor.post(without.to_string()).await, 400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn empty_query_parameters_are_treated_as_absent() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let path = "/graphql?query=%7B__typename%7D&operationName=&variables=&extensions=";
    assert_eq!(actor.get(path).await.data("/__typename"), "Query");
    assert_rejected(&actor.get("/graphql?query=&operationName=").await, 200, "GRAPHQL_PARSE_FAILED");
}

#[tokio::test]
async fn batched_requests_are_rejected_with_an_explanation() {
    let server = TestServer::start().await;
    for batch in [r#"[{"query":"{__typename}"},{"query":"{__typename}"}]"#, "[]"] {
        let answer = server.anonymous().post(batch).await;
        assert_rejected(&answer, 400, "BAD_REQUEST");
        let message = answer.error()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Batched requests are not supported."), "{message}");
    }
}

#[tokio::test]
async fn compressed_body_is_rejected_with_accept_encoding() {
    let server = TestServer::with(|settings| {
        settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret: "x".repeat(32).into() }];
    })
    .await;
    let ada = server.user("ada").await;
    let form = "application/x-www-form-urlencoded";
    for (method, path, content_type) in [
        (Method::POST, "/graphql", "application/json"),
        (Method::POST, "/login", "application/json"),
        (Method::POST, "/register", "application/json"),
        (Method::POST, "/refresh", "application/json"),
        (Method::POST, "/refresh", form),
        (Method::PUT, "/users/me", "application/json"),
        (Method::DELETE, "/users/me", "application/json"),
        (Method::POST, "/token", form),
        (Method::POST, "/revoke", form),
        (Method::POST, "/introspect", form),
        (Method::POST, "/verify-email", form),
        (Method::POST, "/reset-password", form),
    ] {
        let send = async |coding: &str| {
            let request = ada.request(method.clone(), path).header(header::CONTENT_TYPE, content_type);
            ada.send(request.header(header::CONTENT_ENCODING, coding).body("\u{1f}\u{b}".into()).unwrap()).await
        };
        for coding in ["gzip", "br", "identity, GZIP", "zstd"] {
            let answer = send(coding).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {coding}: {answer:#?}");
            assert_eq!(answer.header("accept-encoding"), Some("identity"), "{path}");
        }
        for coding in ["identity", "Identity", ""] {
            let answer = send(coding).await;
            assert_ne!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {coding}: {answer:#?}");
            assert_eq!(answer.header("accept-encoding"), None, "{path}");
        }
    }
    ada.me().await.data("/me");
}

#[tokio::test]
async fn responses_have_security_headers() {
    let server = TestServer::start().await;
    let answer = server.anonymous().register(json!({ "username": "ada", "password": "correct horse" })).await;
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    assert!(answer.header("server").is_none());
    assert!(answer.header("strict-transport-security").is_none());
    let public =
        TestServer::with(|settings| settings.server.public_url = "https://accounts.example.org".to_owned()).await;
    assert_eq!(
        public.anonymous().get("/health/live").await.header("strict-transport-security"),
        Some("max-age=63072000")
    );
}

#[tokio::test]
async fn cors_allows_only_configured_origins() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    for (origin, is_allowed) in [
        ("http://localhost:3000", true),
        ("http://localhost:5173", true),
        ("http://localhost:8000", true),
        ("http://127.0.0.1:8000", true),
        ("http://[::1]:8000", true),
        ("https://evil.example", false),
        ("http://localhost:3001", false),
        ("http://localhost:3000.evil.example", false),
        ("null", false),
    ] {
        let preflight = actor
            .request(Method::OPTIONS, "/graphql")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type,x-apollo-operation-name");
        let preflight = actor.send(preflight.body(Body::empty()).unwrap()).await;
        let request = actor
            .request(Method::POST, "/graphql")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json");
        let request = actor.send(request.body("not even JSON".into()).unwrap()).await;
        for answer in [&preflight, &request] {
            assert_eq!(answer.header("access-control-allow-origin"), is_allowed.then_some(origin), "{origin}");
            assert!(answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("origin")));
        }
        assert_eq!(preflight.status, StatusCode::OK);
        assert_eq!(preflight.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(
            preflight.header("access-control-allow-headers"),
            Some("authorization,content-type,x-apollo-operation-name")
        );
        assert_eq!(
            request.header("access-control-expose-headers"),
            Some("www-authenticate,retry-after,x-request-id,link")
        );
    }
}

#[tokio::test]
async fn zero_quality_value_is_case_insensitive() {
    let server = TestServer::start().await;
    for q in ["q=0", "Q=0", "q=0.000", " Q = 0 "] {
        let rejected =
            server.anonymous().with_header("accept", &format!("application/json;{q}")).query("{ me { id } }").await;
        assert_eq!(rejected.status, StatusCode::NOT_ACCEPTABLE, "{q}");
        let english = server
            .anonymous()
            .with_header("accept-language", &format!("ru;{q}, en;q=0.1"))
            .query("{ me { id } }")
            .await;
        assert!(english.text.is_ascii(), "{q}");
        let russian = server
            .anonymous()
            .with_header("accept-language", &format!("en;{q}, ru;q=0.1"))
            .query("{ me { id } }")
            .await;
        assert!(!russian.text.is_ascii(), "{q}");
    }
}

#[tokio::test]
async fn request_gets_a_generated_id() {
    let server = TestServer::start().await;
    let actor = server.anonymous();
    let request = actor.request(Method::GET, "/health/live").header("x-request-id", "theirs");
    let answer = actor.send(request.body(Body::empty()).unwrap()).await;
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert!(uuid::Uuid::parse_str(&id).is_ok());
    let lines = crate::support::logged(&id);
    assert!(lines.iter().any(|line| line.contains("status=200") && line.contains("/health/live")), "{lines:?}");
}

#[tokio::test]
async fn log_has_one_line_per_request_with_operation_and_code() {
    let server = TestServer::start().await;
    let answer = server.anonymous().query("query WhoAmI { me { id } }").await;
    let lines = crate::support::logged(answer.header("x-request-id").unwrap());
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains(r#"operation="WhoAmI""#) && line.contains(r#"code="UNAUTHENTICATED""#), "{line}");
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let server = TestServer::start().await;
    for path in ["/graphql/", "/playground/x", "/user", "/users/", "/.env", "/%00"] {
        let answer = server.anonymous().get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["detail"].is_string());
    }
}
