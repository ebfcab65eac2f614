//! The GraphQL API: explorer and introspection.

use crate::config::{setting::Setting, vars::Vars};

/// What clients of the GraphQL API may see.
#[derive(Clone, Debug)]
pub struct GraphqlSettings {
    /// Whether browsers get the explorer.
    pub playground: bool,
    /// Whether clients may query the schema, and error messages reveal it.
    pub introspection: bool,
}

impl GraphqlSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("graphql", "GraphQL");
        Self {
            playground: Setting::new(
                "PLAYGROUND",
                "Whether browsers get the explorer at `/`, `/playground` and `/graphql`.",
            )
            .flag()
            .read_or(vars, true),
            introspection: Setting::new(
                "INTROSPECTION",
                "Whether clients may query the schema. If `false`, error messages do not reveal it and `/schema.graphql` \
                 is not found.",
            )
            .flag()
            .read_or(vars, true),
        }
    }
}
