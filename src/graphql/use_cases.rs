//! The spans of root fields.

use std::sync::Arc;

use async_graphql::{
    ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
};

use crate::graphql::RequestContext;

/// Runs each root field in a span of its own. The engine calls an extension for every field and every item of a list, so it is added
/// only if there are traces.
pub(super) struct TraceUseCases;

impl ExtensionFactory for TraceUseCases {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for TraceUseCases {
    async fn resolve(
        &self,
        engine: &ExtensionContext<'_>,
        field: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let is_root = field.path_node.parent.is_none();
        let Some(context) = engine.data_opt::<Arc<RequestContext>>().filter(|_| is_root) else {
            return next.run(engine, field).await;
        };
        let operation = if field.parent_type == "Mutation" { "mutation" } else { "query" };
        let (key, name) = (field.alias.unwrap_or(field.name), field.name);
        context.use_cases.run(key, operation, name, next.run(engine, field)).await
    }
}
