//! The inputs and payloads of mutations by administrators.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use crate::{
    domain::users::{
        administration::{NewAccount, UserChange},
        profile::ProfileChange,
    },
    graphql::schema::{change, users::User},
};

/// A new user, who is mailed a link to choose a password.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive.
    pub(super) username: String,
    /// The link is sent there.
    pub(super) email: String,
    /// Whether the address counts as verified. Using the link verifies it anyway.
    #[graphql(default)]
    pub(super) email_verified: bool,
    /// Given name, at most 100 characters.
    pub(super) first_name: Option<String>,
    /// Family name, at most 100 characters.
    pub(super) last_name: Option<String>,
    /// Without it, the roles of users who register.
    pub(super) roles: Option<Vec<String>>,
}

impl From<CreateUserInput> for NewAccount {
    fn from(input: CreateUserInput) -> Self {
        let CreateUserInput { username, email, email_verified, first_name, last_name, roles } = input;
        Self { username, email, email_verified, first_name, last_name, roles }
    }
}

/// The result of `createUser`.
#[derive(SimpleObject)]
pub struct CreateUserPayload {
    /// The new user.
    pub(super) user: User,
}

/// The fields to change. Omitted fields stay; `null` clears a name.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// `User.id`.
    pub(super) user_id: ID,
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. It cannot be cleared.
    pub(super) username: MaybeUndefined<String>,
    /// The new address. It cannot be cleared.
    pub(super) email: MaybeUndefined<String>,
    /// Whether the address counts as verified.
    pub(super) email_verified: Option<bool>,
    /// Given name, at most 100 characters.
    pub(super) first_name: MaybeUndefined<String>,
    /// Family name, at most 100 characters.
    pub(super) last_name: MaybeUndefined<String>,
}

impl From<UpdateUserInput> for UserChange {
    fn from(input: UpdateUserInput) -> Self {
        Self {
            names: ProfileChange {
                username: change(input.username),
                first_name: change(input.first_name),
                last_name: change(input.last_name),
            },
            // An empty address is refused as a missing one.
            email: change(input.email).map(Option::unwrap_or_default),
            email_verified: input.email_verified,
        }
    }
}

/// The result of `updateUser`.
#[derive(SimpleObject)]
pub struct UpdateUserPayload {
    /// The user after the change.
    pub(super) user: User,
}

/// The new roles of a user.
#[derive(InputObject)]
pub struct SetUserRolesInput {
    /// `User.id`.
    pub(super) user_id: ID,
    /// All roles that the user is to have.
    pub(super) roles: Vec<String>,
}

/// The result of `setUserRoles`.
#[derive(SimpleObject)]
pub struct SetUserRolesPayload {
    /// The user after the change.
    pub(super) user: User,
}

/// The user to disable.
#[derive(InputObject)]
pub struct DisableUserInput {
    /// `User.id`.
    pub(super) user_id: ID,
    /// Kept in the audit log, where the user can read it. At most 500 characters.
    pub(super) reason: Option<String>,
}

/// The result of `disableUser`.
#[derive(SimpleObject)]
pub struct DisableUserPayload {
    /// The user after the change.
    pub(super) user: User,
    /// Number of sessions that were ended.
    pub(super) revoked_sessions: u64,
}

/// The user to enable.
#[derive(InputObject)]
pub struct EnableUserInput {
    /// `User.id`.
    pub(super) user_id: ID,
}

/// The result of `enableUser`.
#[derive(SimpleObject)]
pub struct EnableUserPayload {
    /// The user after the change.
    pub(super) user: User,
}

/// The user to delete.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// `User.id`.
    pub(super) user_id: ID,
    /// Kept in the audit log. At most 500 characters.
    pub(super) reason: Option<String>,
}

/// The result of `deleteUser`.
#[derive(SimpleObject)]
pub struct DeleteUserPayload {
    /// The id to evict from the client's cache.
    pub(super) deleted_user_id: ID,
}

/// The user whose sessions end.
#[derive(InputObject)]
pub struct RevokeUserSessionsInput {
    /// `User.id`.
    pub(super) user_id: ID,
}

/// The result of `revokeUserSessions`.
#[derive(SimpleObject)]
pub struct RevokeUserSessionsPayload {
    /// The user.
    pub(super) user: User,
    /// Number of sessions that were ended.
    pub(super) revoked_sessions: u64,
}

/// The user who is to choose a new password.
#[derive(InputObject)]
pub struct SendUserPasswordResetInput {
    /// `User.id`.
    pub(super) user_id: ID,
}

/// The result of `sendUserPasswordReset`.
#[derive(SimpleObject)]
pub struct SendUserPasswordResetPayload {
    /// The user.
    pub(super) user: User,
}

/// The user whose second factor is removed.
#[derive(InputObject)]
pub struct ResetUserMfaInput {
    /// `User.id`.
    pub(super) user_id: ID,
    /// Kept in the audit log, where the user can read it. At most 500 characters.
    pub(super) reason: String,
}

/// The result of `resetUserMfa`.
#[derive(SimpleObject)]
pub struct ResetUserMfaPayload {
    /// The user, without a second factor.
    pub(super) user: User,
    /// Number of sessions that were ended.
    pub(super) revoked_sessions: u64,
}
