//! The schema: resolvers and types, one file per subject. Resolvers parse input, call the domain and map the result;
//! they contain no rules.

mod administration;
mod audit;
mod audit_action;
mod connection;
mod deletion;
mod email;
mod email_sign_in;
mod groups;
mod identities;
mod invitations;
mod live_events;
mod me;
mod mfa;
mod nodes;
mod own_data;
mod passkey_registration;
mod passkeys;
mod password_change;
mod password_reset;
mod profile;
mod reauthentication;
mod registration;
mod scalars;
mod server_info;
mod sessions;
mod sign_in;
mod user_list;
mod users;

use async_graphql::{MaybeUndefined, MergedObject};
pub use live_events::Subscription;
pub(super) use nodes::find_user;
pub(super) use users::User;

/// The type of a root field. It is nullable, so that an error in one field does not affect the others. (With
/// `Result<Option<_>>`, the engine would null the parent.)
pub(super) type Nullable<T> = Option<crate::Result<T>>;

/// Operations that only read.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    users::UserQuery,
    user_list::UserListQuery,
    invitations::InvitationQuery,
    audit::AuditQuery,
    own_data::OwnDataQuery,
    nodes::NodeQuery,
    server_info::ServerInfoQuery,
);

/// A mutation takes one argument, `input`, which may be left out where its type is nullable; one that needs no input
/// takes no argument. It returns a payload, or null and an error whose `extensions` are `ErrorExtensions`. A request
/// may contain only one mutation.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    registration::RegisterMutation,
    sign_in::LoginMutation,
    email_sign_in::EmailSignInMutation,
    sessions::SessionMutation,
    reauthentication::ReauthenticationMutation,
    mfa::MfaMutation,
    passkey_registration::PasskeyRegistrationMutation,
    passkeys::PasskeyMutation,
    identities::IdentityMutation,
    profile::ProfileMutation,
    password_change::PasswordMutation,
    deletion::DeletionMutation,
    email::EmailMutation,
    password_reset::ResetMutation,
    administration::AdministrationMutation,
    invitations::InvitationMutation,
);

/// A change of a value that may be cleared: `None` keeps it, and `Some(None)` clears it.
#[expect(clippy::option_option, reason = "a value, no value, or no change")]
fn change(value: MaybeUndefined<String>) -> Option<Option<String>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
