//! Keeps the code to the layers that the crate's documentation describes.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The layers, from top to bottom. A module may only import modules of lower layers.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["http"],
    &["graphql", "jobs"],
    &["domain"],
    &["app"],
    &["live_events", "providers"],
    &["entity", "mail"],
    &["database"],
    &["traces"],
    &["security", "outgoing"],
    &["metrics"],
    &["config"],
    &["error"],
    &["clock", "language"],
];

/// Crates that belong to some modules only.
const CRATES: &[(&str, &[&str])] = &[
    ("axum", &["http"]),
    ("hyper", &["http", "outgoing"]),
    ("async_graphql", &["graphql", "http"]),
    ("opentelemetry", &["traces"]),
    ("prometheus_client", &["metrics"]),
    ("rusqlite", &["database"]),
    ("sea_orm", &["database", "entity", "security"]),
    ("tokio_rustls", &["config", "outgoing"]),
];

struct Source {
    /// Relative to the folder that was read.
    path: PathBuf,
    text: String,
}

impl Source {
    /// The module that the file belongs to: its folder or file in `src`.
    fn module(&self) -> &str {
        let first = self.path.components().next().unwrap().as_os_str().to_str().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The file without comments and its own tests.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]").next().unwrap();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    /// The modules of this crate that the file names.
    fn imports(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut imports = BTreeSet::new();
        for (position, start) in code.match_indices("crate::") {
            let rest = &code[position + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => imports.extend(first_names(group)),
                None => imports.extend(name_at_start(rest)),
            }
        }
        if imports.remove("App") {
            imports.insert("app".to_owned());
        }
        imports.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
    }
}

/// The first names of the paths in a group of a `use` declaration. `group` starts after the opening brace.
fn first_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut is_start = true;
    for (position, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                names.extend(name_at_start(&group[position..]));
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at_start(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn sources(folder: &str) -> Vec<Source> {
    fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(root).unwrap().to_owned(), text });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(!sources.is_empty());
    sources
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn modules_import_lower_layers_only() {
    let mut violations = Vec::new();
    for source in sources("src") {
        let module = source.module();
        if matches!(module, "main" | "lib" | "development") {
            continue;
        }
        let layer = layer_of(module).unwrap_or_else(|| panic!("`{module}` is in no layer"));
        for import in source.imports() {
            let is_lower = layer_of(&import).is_some_and(|other| other > layer);
            if import != module && !is_lower {
                violations.push(format!("{}: {import}", source.path.display()));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn crates_stay_in_their_modules() {
    let mut violations = Vec::new();
    for source in sources("src") {
        let code = source.code();
        for (name, modules) in CRATES {
            if !modules.contains(&source.module()) && code.contains(&format!("{name}::")) {
                violations.push(format!("{}: {name}", source.path.display()));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

/// Files in `src` whose code contains one of the texts.
fn files_with(texts: &[&str]) -> Vec<String> {
    let has_one = |source: &Source| {
        let code = source.code();
        texts.iter().any(|text| code.contains(text))
    };
    let mut files: Vec<_> = sources("src")
        .iter()
        .filter(|source| has_one(source))
        .map(|source| source.path.display().to_string())
        .collect();
    files.sort();
    files
}

#[test]
fn sessions_are_opened_by_the_sign_in_gate_only() {
    assert_eq!(files_with(&["sessions::open("]), ["domain/sign_in/mod.rs"]);
    // The permission to open one: of the gate, and after its challenge.
    assert_eq!(files_with(&["Admission {"]), ["domain/sign_in/challenge.rs", "domain/sign_in/mod.rs"]);
}

/// Everything else refuses users who must set up a second factor.
#[test]
fn few_operations_accept_users_who_must_enroll() {
    let allowed = [
        "domain/mod.rs",
        "domain/principal.rs",
        // Sign-out.
        "domain/sessions/end.rs",
        // Counts the requests of an account for mails.
        "domain/users/mail_request.rs",
        "graphql/context.rs",
        // Setting up a factor, and the proof of identity that it needs.
        "graphql/schema/mfa.rs",
        "graphql/schema/passkey_registration.rs",
        "graphql/schema/reauthentication.rs",
        // `me`, with few fields.
        "graphql/schema/users.rs",
        // Only checks the token: each operation has its own check.
        "http/graphql/websocket/connection.rs",
    ];
    assert_eq!(files_with(&["enrolling_principal"]), allowed);
}

#[test]
fn audit_rows_and_mails_are_written_for_events_only() {
    assert_eq!(files_with(&["audit::record", "notifications::enqueue"]), ["domain/event.rs"]);
    assert_eq!(files_with(&["audit_event::insert"]), ["domain/audit.rs"]);
    // The worker resolves a mail request for an address into mails to the users with that address.
    assert_eq!(files_with(&["mail::insert"]), ["domain/notifications/mod.rs", "jobs/deliver_mail/resolve.rs"]);
}

/// The audit log is append-only.
#[test]
fn audit_rows_are_changed_by_deletion_and_purge_only() {
    assert_eq!(files_with(&["audit_event::forget_client"]), ["domain/users/deletion.rs"]);
    assert_eq!(files_with(&["audit_event::forget_old_clients", "audit_event::delete_expired"]), ["jobs/purge.rs"]);
    let changes = ["update", "delete", "ActiveModel"];
    let entity = sources("src/entity");
    let changing = entity.iter().filter(|source| {
        let code = source.code().replace("ActiveModelBehavior for ActiveModel", "").replace("into_active_model", "");
        source.path.starts_with("audit_event") && changes.iter().any(|change| code.contains(change))
    });
    let changing: Vec<String> = changing.map(|source| source.path.display().to_string()).collect();
    assert_eq!(changing, ["audit_event/retention.rs"]);
    // The statements of other modules cannot name the table. The list of all tables has its columns, for copies.
    assert_eq!(files_with(&["audit_event::Entity", "audit_event::ActiveModel"]), ["entity/tables.rs"]);
    let without_entity = |file: &String| !file.starts_with("entity/audit_event");
    assert_eq!(files_with(&["audit_log"]).into_iter().filter(without_entity).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn files_have_at_most_300_lines() {
    for source in sources("src") {
        assert!(source.text.lines().count() <= 300, "split {}", source.path.display());
    }
}

#[test]
fn files_start_with_their_documentation() {
    for source in sources("src") {
        assert!(source.text.starts_with("//! "), "{}", source.path.display());
    }
}

/// `Schema` checks what exists before each change, so that a migration can be run again after a crash.
#[test]
fn migrations_change_the_database_by_schema_only() {
    let sources = sources("migration/src");
    let migrations: Vec<_> = sources.iter().filter(|source| source.module().starts_with("m2")).collect();
    assert_eq!(migrations.len(), migration::migrations().len());
    for source in migrations {
        for forbidden in ["connection(", "SchemaManager", "sea_orm::", "execute", "query_"] {
            assert!(!source.code().contains(forbidden), "{}: {forbidden}", source.path.display());
        }
    }
}
