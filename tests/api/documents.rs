//! Published documents match the code: schema, manual, changelog.

use std::path::{Path, PathBuf};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use hallpass::{error::ErrorCode, graphql::sdl};

use crate::support::TestServer;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn published_schema_is_current() {
    assert!(
        read("schema.graphql") == sdl(),
        "schema.graphql is out of date. Generate it again, and review the difference before you commit:\n\n    \
         cargo run -q -- schema > schema.graphql\n"
    );
}

#[tokio::test]
async fn schema_is_served() {
    let server = TestServer::start().await;
    let answer = server.anonymous().get("/schema.graphql").await;
    assert_eq!(answer.text, sdl());
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

/// Code generators that introspect the server, instead of reading the file, also get the error types.
#[tokio::test]
async fn introspection_includes_the_error_types() {
    let server = TestServer::start().await;
    let query = "{ __schema { types { name fields { name } enumValues { name } } } }";
    let types = server.anonymous().query(query).await.data("/__schema/types");
    let members = |name: &str, list: &str| -> Vec<String> {
        let found = types.as_array().unwrap().iter().find(|found| found["name"] == name);
        let members = found.unwrap_or_else(|| panic!("no {name}"))[list].as_array().unwrap();
        members.iter().map(|member| member["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        members("ErrorExtensions", "fields"),
        ["code", "reason", "errors", "retryAfter", "mfa", "requestId", "hint"]
    );
    assert_eq!(members("InputError", "fields"), ["code", "message", "field", "limit"]);
    assert_eq!(members("UnauthenticatedReason", "enumValues").len(), 4);
    for code in members("ErrorCode", "enumValues") {
        assert!(sdl().contains(&format!("\n  {code}\n")), "{code}");
    }
    // No federation-only definitions.
    assert!(!types.as_array().unwrap().iter().any(|found| found["name"].as_str().unwrap().starts_with("_E")));
}

#[test]
fn schema_definitions_have_descriptions() {
    let document = parse_schema(sdl()).unwrap();
    let mut bare = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let definition = definition.node;
        let name = definition.name.node.to_string();
        let mut check = |member: &str, is_described: bool| {
            if !is_described {
                bare.push(format!("{name} {member}"));
            }
        };
        check("", definition.description.is_some());
        match &definition.kind {
            TypeKind::Object(object) => {
                object.fields.iter().for_each(|field| check(&field.node.name.node, field.node.description.is_some()));
            }
            TypeKind::InputObject(input) => {
                input.fields.iter().for_each(|field| check(&field.node.name.node, field.node.description.is_some()));
            }
            TypeKind::Enum(kind) => {
                kind.values.iter().for_each(|value| check(&value.node.value.node, value.node.description.is_some()));
            }
            _ => {}
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn mutation_descriptions_state_authentication() {
    let document = parse_schema(sdl()).unwrap();
    let mutation = document.definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == "Mutation" => Some(definition.node),
        _ => None,
    });
    let mutation = mutation.unwrap();
    let description = mutation.description.unwrap().node.replace('\n', " ");
    let TypeKind::Object(object) = mutation.kind else { panic!("not an object") };
    let (mut nullable, mut none) = (0, 0);
    for field in object.fields {
        match &field.node.arguments[..] {
            [] => none += 1,
            [input] => {
                assert_eq!(input.node.name.node, "input");
                nullable += usize::from(input.node.ty.node.nullable);
            }
            _ => panic!("{} has several arguments", field.node.name.node),
        }
    }
    assert!(nullable > 0 && description.contains("may be left out where its type is nullable"), "{description}");
    assert!(none > 0 && description.contains("one that needs no input takes no argument"), "{description}");
}

/// Verified with the plugins themselves; see the description.
#[test]
fn schema_tells_code_generators_about_error_types() {
    let sdl = sdl();
    let (before, _) = sdl.split_once("\ntype ErrorExtensions").unwrap();
    let description = before.rsplit("\n\n").next().unwrap();
    for generator in ["plugin `typescript`", "preset `client`", "`typescript-operations`"] {
        assert!(description.contains(generator), "{description}");
    }
}

#[tokio::test]
async fn postman_collection_matches_the_documented_requests() {
    // The collection has no deletion, no token introspection, and no requests of administrators.
    const OMITTED: [(&str, &str); 4] =
        [("delete", "/users/me"), ("post", "/introspect"), ("get", "/users"), ("get", "/users/{id}")];
    let collection: serde_json::Value = serde_json::from_str(&read("docs/hallpass.postman_collection.json")).unwrap();
    let requests: Vec<(String, String)> = collection["item"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let text = |pointer| item["request"].pointer(pointer).unwrap().as_str().unwrap();
            (text("/method").to_lowercase(), text("/url/raw").replace("{{baseUrl}}", ""))
        })
        .collect();
    let document = TestServer::start().await.anonymous().get("/openapi.json").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let is_included = requests.iter().any(|(known, at)| known == method && at == path);
            assert!(is_included || OMITTED.contains(&(method, path)), "{method} {path}");
        }
    }
}

/// The table of codes in `docs/errors.md`.
fn table_of_codes() -> String {
    let rows = ErrorCode::ALL.iter().map(|code| {
        let (description, rest, (status, error)) = (code.description(), code.rest_status(), code.oauth());
        format!("| `{code}` | {description} | {rest} | {status} `{error}` |\n")
    });
    let header = "| Code | Meaning | REST | OAuth |\n|---|---|---|---|\n".to_owned();
    [header].into_iter().chain(rows).collect()
}

#[test]
fn manual_has_the_table_of_error_codes() {
    const PAGE: &str = "docs/errors.md";
    const START: &str = "<!-- Generated from src/error/codes.rs. -->\n\n";
    const END: &str = "\n<!-- End of the generated part. -->\n";
    let page = read(PAGE);
    let (before, rest) = page.split_once(START).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let expected = table_of_codes();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(PAGE), [before, START, &expected, END, after].concat()).unwrap();
    } else {
        assert!(
            table == expected,
            "{PAGE} is out of date. Regenerate its table:\n\n    \
             UPDATE_DOCS=1 cargo test --test api manual_has_the_table_of_error_codes\n"
        );
    }
}

/// All pages of the manual, by path from the repository root.
fn pages() -> Vec<String> {
    let mut folders = vec!["docs".to_owned()];
    let mut pages: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if Path::new(&path).extension().is_some_and(|extension| extension == "md") => pages.push(path),
                false => {}
            }
        }
    }
    pages
}

/// The anchors that GitHub generates for the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_in_the_manual_resolve() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = read(&page);
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let defined =
            text.lines().filter(|line| line.starts_with('[')).filter_map(|line| Some(line.split_once("]: ")?.1));
        for link in inline.chain(defined) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let folder = Path::new(&page).parent().unwrap();
            let target = if path.is_empty() { PathBuf::from(&page) } else { folder.join(path) };
            let has_anchor = |target: &Path| {
                std::fs::read_to_string(target).is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor))
            };
            let target = root().join(target);
            if !target.exists() || (!anchor.is_empty() && !has_anchor(&target)) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// These pages use reference links, because `src/development.rs` defines their targets for rustdoc.
#[test]
fn the_pages_for_contributors_are_in_rustdoc() {
    let included = read("src/development.rs");
    for page in pages().into_iter().filter(|page| page.starts_with("docs/development/")) {
        assert!(included.contains(&format!("include_str!(\"../{page}\")")), "{page}");
        assert!(!read(&page).contains("]("), "{page}");
    }
}

#[test]
fn readme_fits_on_two_screens() {
    assert!(read("README.md").lines().count() <= 150);
}
