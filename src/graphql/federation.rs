//! The schema as a subgraph of [Apollo Federation](https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec):
//! other subgraphs refer to `User` by its id, and the router asks for its fields by `_entities`.

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry, resolver_utils::resolve_container,
};

use crate::{
    Error, Result,
    graphql::{
        context::ContextExt,
        schema::{Query, User, find_user},
    },
};

/// How many items of lists an entity counts as: each one is read by a statement of its own.
const ROWS_OF_ENTITY: u64 = 20;

/// `Query` of a subgraph. The engine adds `_service` and `_entities`.
#[derive(Debug, Default)]
pub struct SubgraphQuery(Query);

impl ObjectType for SubgraphQuery {}

impl OutputType for SubgraphQuery {
    fn type_name() -> std::borrow::Cow<'static, str> {
        Query::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = Query::create_type_info(registry);
        registry.add_keys(&User::type_name(), "id");
        name
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for SubgraphQuery {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.0.resolve_field(ctx).await
    }

    /// Resolves a representation. One that fails is null, so that it does not affect the others.
    async fn find_entity(&self, ctx: &Context<'_>, representation: &Value) -> ServerResult<Option<Value>> {
        match Box::pin(find(ctx, representation)).await {
            Ok(Some(user)) => {
                let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
                user.resolve(&selection, ctx.item).await.map(Some)
            }
            Ok(None) => Ok(Some(Value::Null)),
            Err(error) => {
                let error = async_graphql::Error::from(error).into_server_error(ctx.item.pos);
                ctx.add_error(ctx.set_error_path(error));
                Ok(Some(Value::Null))
            }
        }
    }
}

/// Finds the user of a representation.
async fn find(ctx: &Context<'_>, representation: &Value) -> Result<Option<User>> {
    ctx.request().spend_rows(ROWS_OF_ENTITY)?;
    let Value::Object(fields) = representation else { return Err(not_a_user()) };
    match (fields.get("__typename"), fields.get("id")) {
        (Some(Value::String(name)), Some(Value::String(id))) if *name == User::type_name() => {
            // Like `user`, for which an id of another form is that of no user.
            let Ok(id) = id.parse() else { return Ok(None) };
            find_user(ctx, id).await
        }
        _ => Err(not_a_user()),
    }
}

fn not_a_user() -> Error {
    Error::BadUserInput(r#"Each representation must be {"__typename": "User", "id": "…"}."#.to_owned())
}
