//! Mutations of accounts by administrators.

mod types;

use async_graphql::{Context, ID, Object};
use types::{
    CreateUserInput, CreateUserPayload, DeleteUserInput, DeleteUserPayload, DisableUserInput, DisableUserPayload,
    EnableUserInput, EnableUserPayload, ResetUserMfaInput, ResetUserMfaPayload, RevokeUserSessionsInput,
    RevokeUserSessionsPayload, SendUserPasswordResetInput, SendUserPasswordResetPayload, SetUserRolesInput,
    SetUserRolesPayload, UpdateUserInput, UpdateUserPayload,
};
use uuid::Uuid;

use crate::{
    Error, Result,
    domain::users::administration::{self, Change},
    entity::user,
    graphql::{Nullable, context::ContextExt, schema::users::User},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Create an account and mail its owner a link to choose a password, valid for 24 hours. Requires the role `admin`.
    /// The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, ROLE_UNKNOWN,
    /// MAIL_DISABLED, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn create_user(&self, ctx: &Context<'_>, input: CreateUserInput) -> Nullable<CreateUserPayload> {
        Some(create(ctx, input).await.map(|user| CreateUserPayload { user }))
    }

    /// Change names and address of an account. A new address is not verified unless `emailVerified`, and a verified old
    /// one is notified. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN,
    /// REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn update_user(&self, ctx: &Context<'_>, input: UpdateUserInput) -> Nullable<UpdateUserPayload> {
        Some(update(ctx, input).await.map(|user| UpdateUserPayload { user }))
    }

    /// Replace the roles of a user, who is notified by mail. They apply to the next request; access tokens that other
    /// services verify keep the old roles until they expire. Requires the role `admin`. The last sign-in or
    /// `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, ROLE_UNKNOWN, LAST_ADMIN, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED,
    /// SERVICE_UNAVAILABLE.
    async fn set_user_roles(&self, ctx: &Context<'_>, input: SetUserRolesInput) -> Nullable<SetUserRolesPayload> {
        let change = Change { roles: Some(input.roles), ..Change::default() };
        Some(change_account(ctx, &input.user_id, change).await.map(|(user, _)| SetUserRolesPayload { user }))
    }

    /// Disable an account: end its sessions, invalidate its links, and refuse sign-ins. The user is notified by mail.
    /// Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, LAST_ADMIN, TOO_LONG, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn disable_user(&self, ctx: &Context<'_>, input: DisableUserInput) -> Nullable<DisableUserPayload> {
        let change = Change { is_active: Some(false), reason: input.reason, ..Change::default() };
        let changed = change_account(ctx, &input.user_id, change).await;
        Some(changed.map(|(user, revoked_sessions)| DisableUserPayload { user, revoked_sessions }))
    }

    /// Enable a disabled account. Its sessions stay ended. Requires the role `admin`. The last sign-in or `reauthenticate`
    /// must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn enable_user(&self, ctx: &Context<'_>, input: EnableUserInput) -> Nullable<EnableUserPayload> {
        let change = Change { is_active: Some(true), ..Change::default() };
        Some(change_account(ctx, &input.user_id, change).await.map(|(user, _)| EnableUserPayload { user }))
    }

    /// Delete an account permanently, with its sessions, links and mails. The audit log keeps its id. The user is notified
    /// by mail. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, LAST_ADMIN, TOO_LONG, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn delete_user(&self, ctx: &Context<'_>, input: DeleteUserInput) -> Nullable<DeleteUserPayload> {
        Some(delete(ctx, input).await)
    }

    /// End all sessions of a user. Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10
    /// minutes ago.
    /// Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn revoke_user_sessions(
        &self,
        ctx: &Context<'_>,
        input: RevokeUserSessionsInput,
    ) -> Nullable<RevokeUserSessionsPayload> {
        Some(revoke_sessions(ctx, input).await)
    }

    /// Mail a user a link to choose a new password, valid for 24 hours. The current password is valid until the link is
    /// used. Administrators never choose passwords for others. Requires the role `admin`. The last sign-in or
    /// `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, REQUIRED (the account has no address), ACCOUNT_DISABLED, MAIL_DISABLED,
    /// REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn send_user_password_reset(
        &self,
        ctx: &Context<'_>,
        input: SendUserPasswordResetInput,
    ) -> Nullable<SendUserPasswordResetPayload> {
        Some(send_password_reset(ctx, input).await.map(|user| SendUserPasswordResetPayload { user }))
    }

    /// Remove a lost second factor: the authenticator app, the passkeys, the recovery codes and the remembered devices, and end all
    /// sessions of the user. A user without a password then needs a link to choose one. Make sure by other means that the request
    /// comes from that user, who is notified by mail. Requires the role `admin`. Not for one's own account (FORBIDDEN). The
    /// administrator's last sign-in or `reauthenticate` must be less than 10 minutes ago, with the second factor if the
    /// administrator has one.
    /// Codes: NOT_FOUND, MFA_NOT_ENABLED, TOO_LONG, REQUIRED (the reason), REAUTHENTICATION_REQUIRED, FORBIDDEN,
    /// UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn reset_user_mfa(&self, ctx: &Context<'_>, input: ResetUserMfaInput) -> Nullable<ResetUserMfaPayload> {
        Some(reset_mfa(ctx, input).await)
    }
}

/// Parses an id. No object has an id of another form.
fn parse(id: &ID) -> Result<Uuid> {
    id.parse().map_err(|_| Error::NotFound)
}

async fn create(ctx: &Context<'_>, input: CreateUserInput) -> Result<User> {
    let administrator = ctx.administrator().await?;
    Ok(administration::create(ctx.domain(), &administrator, input.into()).await?.into())
}

async fn update(ctx: &Context<'_>, input: UpdateUserInput) -> Result<User> {
    let administrator = ctx.administrator().await?;
    let id = parse(&input.user_id)?;
    Ok(administration::update_profile(ctx.domain(), &administrator, id, input.into()).await?.into())
}

async fn change_account(ctx: &Context<'_>, user_id: &ID, change: Change) -> Result<(User, u64)> {
    let administrator = ctx.administrator().await?;
    let (user, ended) = administration::update(ctx.domain(), &administrator, parse(user_id)?, change).await?;
    clear_cookie_if_own(ctx, &user).await?;
    Ok((user.into(), ended))
}

/// Clears the cookie of administrators who have disabled or deleted their own accounts.
async fn clear_cookie_if_own(ctx: &Context<'_>, user: &user::Model) -> Result<()> {
    let principal = ctx.principal().await?;
    if principal.user.id == user.id && principal.user.session_epoch != user.session_epoch {
        ctx.clear_cookie_of(principal);
    }
    Ok(())
}

async fn delete(ctx: &Context<'_>, input: DeleteUserInput) -> Result<DeleteUserPayload> {
    let administrator = ctx.administrator().await?;
    let user = administration::delete(ctx.domain(), &administrator, parse(&input.user_id)?, input.reason).await?;
    let principal = ctx.principal().await?;
    if principal.user.id == user.id {
        ctx.clear_cookie_of(principal);
    }
    Ok(DeleteUserPayload { deleted_user_id: user.id.into() })
}

async fn revoke_sessions(ctx: &Context<'_>, input: RevokeUserSessionsInput) -> Result<RevokeUserSessionsPayload> {
    let administrator = ctx.administrator().await?;
    let user_id = parse(&input.user_id)?;
    let (user, revoked_sessions) = administration::revoke_sessions(ctx.domain(), &administrator, user_id).await?;
    clear_cookie_if_own(ctx, &user).await?;
    Ok(RevokeUserSessionsPayload { user: user.into(), revoked_sessions })
}

async fn reset_mfa(ctx: &Context<'_>, input: ResetUserMfaInput) -> Result<ResetUserMfaPayload> {
    let administrator = ctx.administrator().await?;
    let user_id = parse(&input.user_id)?;
    let reason = Some(input.reason);
    let (user, revoked_sessions) = administration::reset_mfa(ctx.domain(), &administrator, user_id, reason).await?;
    Ok(ResetUserMfaPayload { user: user.into(), revoked_sessions })
}

async fn send_password_reset(ctx: &Context<'_>, input: SendUserPasswordResetInput) -> Result<User> {
    let administrator = ctx.administrator().await?;
    let user_id = parse(&input.user_id)?;
    Ok(administration::send_password_reset(ctx.domain(), &administrator, user_id).await?.into())
}
