//! The one rule of the house: arrows only go down. See the crate's documentation.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What a file of a room must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("cli", &["axum::", "async_graphql"]),
    ("graphql", &["sea_orm", "axum::", "crate::http", "crate::cli", "crate::database", "async_graphql::Result"]),
    ("http", &["sea_orm", "crate::cli", "crate::entity", "crate::database"]),
    (
        "accounts",
        &["axum", "async_graphql", "hyper", "crate::graphql", "crate::http", "crate::cli", "StatusCode", "header"],
    ),
    (
        "entity",
        &[
            "axum",
            "async_graphql",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::app",
            "crate::App",
        ],
    ),
    (
        "security",
        &[
            "axum",
            "async_graphql",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::entity",
            "crate::app",
            "crate::App",
        ],
    ),
    (
        "database",
        &[
            "axum",
            "async_graphql",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::entity",
            "crate::app",
            "crate::App",
        ],
    ),
    (
        "mail",
        &[
            "axum",
            "async_graphql",
            "sea_orm",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::entity",
            "crate::database",
            "crate::app",
            "crate::App",
        ],
    ),
    ("app.rs", &["axum", "async_graphql", "crate::graphql", "crate::http", "crate::cli", "crate::accounts"]),
    (
        "config",
        &[
            "axum",
            "async_graphql",
            "sea_orm",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::entity",
            "crate::security",
            "crate::database",
            "crate::app",
        ],
    ),
    (
        "error",
        &[
            "axum",
            "async_graphql",
            "sea_orm",
            "crate::graphql",
            "crate::http",
            "crate::cli",
            "crate::accounts",
            "crate::entity",
            "crate::security",
            "crate::database",
            "crate::app",
            "crate::App",
            "crate::config",
        ],
    ),
    ("clock.rs", &["axum", "async_graphql", "sea_orm", "crate::"]),
    ("language.rs", &["axum", "async_graphql", "sea_orm", "crate::"]),
];

fn sources() -> BTreeMap<PathBuf, String> {
    fn collect(folder: &Path, sources: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.insert(path.clone(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut sources = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    sources
}

/// The code of a file, without comments and its own tests.
fn code(source: &str) -> String {
    let code = source.split("#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn arrows_only_go_down() {
    let source_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut rooms_seen = Vec::new();
    let mut broken = Vec::new();
    for (path, source) in sources() {
        let inside = path.strip_prefix(&source_root).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some((room, forbidden)) = FORBIDDEN.iter().find(|(name, _)| *name == room) else {
            assert!(matches!(room, "main.rs" | "lib.rs"), "{room} is in no line of FORBIDDEN");
            continue;
        };
        rooms_seen.push(*room);
        let code = code(&source);
        broken.extend(
            forbidden.iter().filter(|name| code.contains(**name)).map(|name| format!("{}: {name}", inside.display())),
        );
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(FORBIDDEN.iter().all(|(room, _)| rooms_seen.contains(room)), "FORBIDDEN names a room that is gone");
}

#[test]
fn no_file_outgrows_its_room() {
    for (path, source) in sources() {
        assert!(source.lines().count() <= 300, "{} wants to be two files", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, source) in sources() {
        assert!(source.starts_with("//! "), "{} starts without a word on what it is for", path.display());
    }
}

/// `Schema` looks before it changes anything, so that a migration can be run again after a crash.
#[test]
fn migrations_change_the_database_only_by_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/src");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("m2") {
            continue;
        }
        count += 1;
        let code = code(&fs::read_to_string(&path).unwrap());
        for forbidden in ["connection(", "SchemaManager", "sea_orm::", "execute", "query_"] {
            assert!(!code.contains(forbidden), "{name}: {forbidden}");
        }
    }
    assert_eq!(count, migration::migrations().len());
}
