//! `changePassword` and `setPassword`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::{
    Result,
    domain::users::password_change::{self, PasswordChange},
    graphql::{Nullable, context::ContextExt, schema::users::User},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Change the password of the signed-in user. Ends the other sessions unless `keepOtherSessions`, invalidates all
    /// links in mails, and notifies the owner at a verified address. Changes are limited for each account.
    /// Codes: WRONG_PASSWORD, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, UNAUTHENTICATED,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn change_password(&self, ctx: &Context<'_>, input: ChangePasswordInput) -> Nullable<ChangePasswordPayload> {
        Some(change(ctx, input.into()).await)
    }

    /// Set the first password of the signed-in user, if `User.hasPassword` is false. The last sign-in or `reauthenticate` must be less
    /// than 10 minutes ago. Invalidates all links in mails, and notifies the owner at a verified address. The other sessions continue.
    /// Codes: PASSWORD_ALREADY_SET, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, REAUTHENTICATION_REQUIRED,
    /// UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn set_password(&self, ctx: &Context<'_>, input: SetPasswordInput) -> Nullable<SetPasswordPayload> {
        Some(set(ctx, input).await)
    }
}

async fn set(ctx: &Context<'_>, input: SetPasswordInput) -> Result<SetPasswordPayload> {
    let user = password_change::set_first(ctx.domain(), ctx.principal().await?, input.new_password.into()).await?;
    Ok(SetPasswordPayload { user: user.into() })
}

async fn change(ctx: &Context<'_>, change: PasswordChange) -> Result<ChangePasswordPayload> {
    let principal = ctx.principal().await?;
    let (user, revoked_sessions) = password_change::change(ctx.domain(), principal, change).await?;
    Ok(ChangePasswordPayload { user: user.into(), revoked_sessions })
}

/// The current password and the new one.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The current password.
    #[graphql(secret)]
    current_password: String,
    /// 8 to 128 characters of any kind.
    #[graphql(secret)]
    new_password: String,
    /// Whether the user's other sessions continue.
    #[graphql(default)]
    keep_other_sessions: bool,
}

impl From<ChangePasswordInput> for PasswordChange {
    fn from(input: ChangePasswordInput) -> Self {
        Self {
            current_password: input.current_password.into(),
            new_password: input.new_password.into(),
            keep_other_sessions: input.keep_other_sessions,
        }
    }
}

/// The result of `changePassword`.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// The user.
    user: User,
    /// Number of other sessions that were ended.
    revoked_sessions: u64,
}

/// The first password of an account.
#[derive(InputObject)]
pub struct SetPasswordInput {
    /// 8 to 128 characters of any kind.
    #[graphql(secret)]
    new_password: String,
}

/// The result of `setPassword`.
#[derive(SimpleObject)]
pub struct SetPasswordPayload {
    /// The user.
    user: User,
}
