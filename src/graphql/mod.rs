//! The GraphQL API.
//!
//! This module owns the schema, the limits and validation of documents ([`executor`]) and the format of an
//! [`Error`](crate::Error) in a response ([`errors`]). It does not query the database and is independent of HTTP;
//! resolvers only translate between input types, use cases and payloads.

mod context;
pub mod errors;
pub mod executor;
mod federation;
mod hints;
mod schema;
mod use_cases;

use std::sync::Arc;

use async_graphql::{ObjectType, Request, Response, SDLExportOptions, SchemaBuilder, ValidationMode};
pub use context::{Cookie, CookieChange, RequestContext};
pub use hints::HintContext;

use futures_util::StreamExt;

use self::{
    federation::SubgraphQuery,
    schema::{Mutation, Nullable, Query, Subscription},
    use_cases::TraceUseCases,
};
use crate::App;

/// The schema, alone or as a subgraph.
enum Schema {
    Alone(async_graphql::Schema<Query, Mutation, Subscription>),
    Subgraph(async_graphql::Schema<SubgraphQuery, Mutation, Subscription>),
}

/// Calls a method of the engine's schema.
macro_rules! dispatch {
    ($schema:expr, $name:ident => $call:expr) => {
        match $schema {
            Schema::Alone($name) => $call,
            Schema::Subgraph($name) => $call,
        }
    };
}

impl Schema {
    /// Builds the schema that the settings ask for.
    fn of(app: &Arc<App>, validation: ValidationMode) -> Self {
        let app = Some(Arc::clone(app));
        let is_subgraph = app.as_ref().is_some_and(|app| app.settings.graphql.federation);
        if is_subgraph { Self::subgraph(app, validation) } else { Self::alone(app, validation) }
    }

    fn alone(app: Option<Arc<App>>, validation: ValidationMode) -> Self {
        Self::Alone(finish(
            async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription),
            app,
            validation,
        ))
    }

    fn subgraph(app: Option<Arc<App>>, validation: ValidationMode) -> Self {
        let query = SubgraphQuery::default();
        Self::Subgraph(finish(async_graphql::Schema::build(query, Mutation::default(), Subscription), app, validation))
    }

    async fn execute(&self, request: impl Into<Request>) -> Response {
        dispatch!(self, schema => schema.execute(request).await)
    }

    /// Executes a subscription for one event, or to open its stream. A stream that was opened has an empty response.
    async fn execute_subscription(&self, request: Request) -> Response {
        dispatch!(self, schema => schema.execute_stream(request).next().await).unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        dispatch!(self, schema => schema.names())
    }

    fn sdl(&self, options: SDLExportOptions) -> String {
        let options = options.use_space_ident().indent_width(2);
        let sdl = dispatch!(self, schema => schema.sdl_with_options(options));
        let lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim())
    }
}

fn finish<Q: ObjectType + 'static>(
    builder: SchemaBuilder<Q, Mutation, Subscription>,
    app: Option<Arc<App>>,
    validation: ValidationMode,
) -> async_graphql::Schema<Q, Mutation, Subscription> {
    let builder = builder
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
    Schema::alone(None, ValidationMode::Strict).sdl(SDLExportOptions::new().include_specified_by())
}

/// The schema of the subgraph, as `_service` returns it, for the composition of a supergraph.
#[must_use]
pub fn subgraph_sdl() -> String {
    Schema::subgraph(None, ValidationMode::Strict).sdl(SDLExportOptions::new().federation().compose_directive())
}

/// The schema as JSON: the result of the introspection query, for tools that do not read the schema definition language.
///
/// # Errors
/// The engine's, if it refuses the query.
pub async fn introspection() -> anyhow::Result<String> {
    const QUERY: &str = include_str!("introspection.graphql");
    let response = Schema::alone(None, ValidationMode::Fast).execute(QUERY).await.into_result();
    let data = response.map_err(|errors| anyhow::anyhow!("the introspection query failed: {errors:?}"))?.data;
    Ok(format!("{}\n", serde_json::to_string_pretty(&data)?))
}
