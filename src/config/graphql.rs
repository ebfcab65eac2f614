//! The GraphQL API: explorer and introspection.

/// What clients of the GraphQL API may see.
#[derive(Clone, Debug)]
pub struct GraphqlSettings {
    /// Whether browsers get the explorer.
    pub playground: bool,
    /// Whether clients may query the schema, and error messages reveal it.
    pub introspection: bool,
}
