//! The GraphQL API.
//!
//! This module owns the schema, the limits and validation of documents ([`executor`]) and the format of an
//! [`Error`](crate::Error) in a response ([`errors`]). It does not query the database and is independent of HTTP;
//! resolvers only translate between input types, use cases and payloads.

mod context;
pub mod errors;
pub mod executor;
mod hints;
mod schema;
mod use_cases;

use std::sync::Arc;

use async_graphql::{SDLExportOptions, ValidationMode};
pub use context::{Cookie, CookieChange, RequestContext};
pub use hints::HintContext;

use self::{
    schema::{Mutation, Nullable, Query, Subscription},
    use_cases::TraceUseCases,
};
use crate::App;

type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn build_schema(app: Option<Arc<App>>, validation: ValidationMode) -> Schema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .register_output_type::<errors::ErrorExtensions>()
        .limit_recursive_depth(executor::MAX_DEPTH)
        .validation_mode(validation);
    match app {
        Some(app) if app.traces.is_on() => builder.extension(TraceUseCases).data(app).finish(),
        Some(app) => builder.data(app).finish(),
        None => builder.finish(),
    }
}

/// The schema in the schema definition language, as published in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    sdl_of(&build_schema(None, ValidationMode::Strict))
}

/// The schema as JSON: the result of the introspection query, for tools that do not read the schema definition language.
///
/// # Errors
/// The engine's, if it refuses the query.
pub async fn introspection() -> anyhow::Result<String> {
    const QUERY: &str = include_str!("introspection.graphql");
    let response = build_schema(None, ValidationMode::Fast).execute(QUERY).await.into_result();
    let data = response.map_err(|errors| anyhow::anyhow!("the introspection query failed: {errors:?}"))?.data;
    Ok(format!("{}\n", serde_json::to_string_pretty(&data)?))
}

fn sdl_of(schema: &Schema) -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident().indent_width(2);
    let sdl = schema.sdl_with_options(options);
    let lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim())
}
