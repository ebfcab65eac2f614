//! The schema: resolvers and types, one file per subject. Resolvers parse input, call the domain and map the result;
//! they contain no rules.

mod deletion;
mod email;
mod me;
mod password_change;
mod password_reset;
mod profile;
mod registration;
mod scalars;
mod server_info;
mod sessions;
mod sign_in;
mod users;

use async_graphql::MergedObject;

/// The type of a root field. It is nullable, so that an error in one field does not affect the others. (With
/// `Result<Option<_>>`, the engine would null the parent.)
pub(super) type Nullable<T> = Option<crate::Result<T>>;

/// Operations that only read.
#[derive(Debug, Default, MergedObject)]
pub struct Query(users::UserQuery, server_info::ServerInfoQuery);

/// A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
/// takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
/// may contain only one mutation.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    registration::RegisterMutation,
    sign_in::LoginMutation,
    sessions::SessionMutation,
    profile::ProfileMutation,
    password_change::PasswordMutation,
    deletion::DeletionMutation,
    email::EmailMutation,
    password_reset::ResetMutation,
);
