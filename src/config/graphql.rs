//! The GraphQL API: explorer, introspection and trusted documents.

use std::path::Path;

use crate::config::{Manifest, setting::Setting, vars::Vars};

/// What clients of the GraphQL API may see and execute.
#[derive(Clone, Debug)]
pub struct GraphqlSettings {
    /// Whether browsers get the explorer.
    pub playground: bool,
    /// Whether clients may query the schema, and error messages reveal it.
    pub introspection: bool,
    /// Whether the schema is that of a subgraph of Apollo Federation.
    pub federation: bool,
    /// The only documents that are executed. `None` means that all are.
    pub trusted_documents: Option<Manifest>,
}

impl GraphqlSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("graphql", "GraphQL");
        let trusted_documents = Setting::new(
            "TRUSTED_DOCUMENTS",
            "The manifest of the only documents that are executed. See [Trusted documents](graphql.md#trusted-documents).",
        )
        .text("the path of a JSON file", |path| Some(path.to_owned()))
        .read_optional(vars)
        .and_then(|path: String| match Manifest::read(Path::new(&path)) {
            Ok(manifest) => Some(manifest),
            Err(problem) => {
                vars.mistake(format!("TRUSTED_DOCUMENTS: {problem} (\"{path}\")"));
                None
            }
        });
        let is_open = !vars.is_set("TRUSTED_DOCUMENTS");
        let playground = Setting::new(
            "PLAYGROUND",
            "Whether browsers get the explorer at `/`, `/playground` and `/graphql`. Must be `false` with `TRUSTED_DOCUMENTS`.",
        )
        .flag()
        .read_or_computed(vars, is_open, "`true`, with `TRUSTED_DOCUMENTS` `false`");
        if playground && !is_open {
            vars.mistake(
                "PLAYGROUND: expected false, because the explorer sends documents that TRUSTED_DOCUMENTS does not list",
            );
        }
        let introspection = Setting::new(
            "INTROSPECTION",
            "Whether clients may query the schema. If `false`, error messages do not reveal it and `/schema.graphql` \
             is not found.",
        )
        .flag()
        .read_or(vars, true);
        let federation = Setting::new(
            "FEDERATION",
            "Whether the API is a subgraph of Apollo Federation. See [Federation](federation.md).",
        )
        .flag()
        .read_or(vars, false);
        Self { playground, introspection, federation, trusted_documents }
    }
}
