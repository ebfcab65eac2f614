//! The GraphQL door: one file for each capability, and what they share.
//!
//! Owns the schema, what a document may be ([`engine`]) and how an [`Error`](crate::Error) looks in an answer
//! ([`errors`]). It never queries the database and knows no HTTP; resolvers only translate between input types, use
//! cases and payloads.

mod context;
mod deletion;
mod document;
mod email;
pub mod engine;
pub mod errors;
mod escapes;
mod hints;
mod input_types;
mod known_documents;
mod lexer;
mod limits;
mod login;
mod messages;
mod normalize;
mod password;
mod profile;
mod register;
mod request_id;
mod reset;
mod scalars;
mod schema_types;
mod server_info;
mod sessions;
mod users;
mod values;
mod variables;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions, ValidationMode};
pub use context::{CookieChange, RequestContext};
pub use hints::Circumstances;
pub use request_id::RequestId;

use crate::App;

/// The type of a root field: nullable, so that one that fails takes nothing else with it. (A `Result<Option<_>>`
/// would null its parent, by the engine's rules.)
type Nullable<T> = Option<crate::Result<T>>;

/// Operations that only read.
#[derive(Debug, Default, MergedObject)]
pub struct Query(users::UserQuery, server_info::ServerInfoQuery);

/// A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
/// takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
/// may contain only one mutation.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    register::RegisterMutation,
    login::LoginMutation,
    sessions::SessionMutation,
    profile::ProfileMutation,
    password::PasswordMutation,
    deletion::DeletionMutation,
    email::EmailMutation,
    reset::ResetMutation,
);

type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

fn schema(app: Option<Arc<App>>, validation: ValidationMode) -> Schema {
    let builder = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<errors::ErrorExtensions>()
        .limit_recursive_depth(limits::MAX_DEPTH)
        .validation_mode(validation);
    match app {
        Some(app) => builder.data(app).finish(),
        None => builder.finish(),
    }
}

/// The schema in GraphQL's schema definition language: the published `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    sdl_of(&schema(None, ValidationMode::Strict))
}

fn sdl_of(schema: &Schema) -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident().indent_width(2);
    let sdl = schema.sdl_with_options(options);
    let lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim())
}
