//! `User`, and `me`.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use crate::{
    Result,
    domain::{
        identities,
        mfa::{self, remembered},
        passkeys, sessions,
    },
    entity::user,
    graphql::{
        Nullable,
        context::ContextExt,
        errors::MfaMethod,
        schema::{
            audit::{self, AuditEventConnection},
            connection::PageArguments,
            groups::UserGroup,
            identities::Identity,
            me::Me,
            mfa::RememberedDevice,
            passkeys::Passkey,
            scalars::DateTime,
            sessions::Session,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user. Without a valid access token, null and the error UNAUTHENTICATED, whose `extensions.reason`
    /// says why. A user who must set up a second factor first may select only `id`, `username` and `mfaMethods`;
    /// otherwise, null and the error MFA_ENROLLMENT_REQUIRED.
    async fn me<'ctx>(&self, ctx: &Context<'ctx>) -> Nullable<Me<'ctx>> {
        Some(ctx.enrolling_principal().await.and_then(|principal| Me::of(ctx, principal)))
    }
}

/// See the type's description below.
#[derive(Clone, Debug)]
pub struct User {
    user: user::Model,
    /// The users that were read together with this one.
    group: Option<Arc<UserGroup>>,
}

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        Self { user, group: None }
    }
}

impl User {
    /// Creates the object of a user who was read by an administrator together with others.
    pub(super) fn of_group(user: user::Model, group: &Arc<UserGroup>) -> Self {
        Self { user, group: Some(Arc::clone(group)) }
    }

    /// Creates the objects of users who were read together by an administrator.
    pub(super) fn in_group(users: Vec<user::Model>) -> Vec<Self> {
        let group = UserGroup::of(&users);
        users.into_iter().map(|user| Self::of_group(user, &group)).collect()
    }

    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.user.id.into()))
    }

    /// The id of the row.
    pub(super) fn uuid(&self) -> Uuid {
        self.user.id
    }

    /// The users that were read together with this one.
    pub(super) fn group(&self) -> Option<&UserGroup> {
        self.group.as_deref()
    }
}

/// A user account.
#[Object]
impl User {
    /// Opaque and permanent. Also the claim `sub` of access tokens.
    fn id(&self) -> ID {
        self.user.id.into()
    }

    /// Letters, digits, `_` and `-`. Unique and case-insensitive.
    fn username(&self) -> &str {
        &self.user.username
    }

    /// `null` if the account has none.
    fn email(&self) -> Option<&str> {
        self.user.email.as_deref()
    }

    /// Whether the owner has verified `email` by a link.
    fn email_verified(&self) -> bool {
        self.user.email.is_some() && self.user.email_verified_at.is_some()
    }

    /// The new address after `changeEmail`, until it is verified, for at most 24 hours.
    async fn pending_email(&self, ctx: &Context<'_>) -> Option<&str> {
        self.user.pending_email_at(ctx.app().clock.now())
    }

    /// Given name.
    fn first_name(&self) -> Option<&str> {
        self.user.first_name.as_deref()
    }

    /// Family name.
    fn last_name(&self) -> Option<&str> {
        self.user.last_name.as_deref()
    }

    /// First and last name, or `null` if neither is set.
    fn full_name(&self) -> Option<String> {
        self.user.full_name()
    }

    /// Whether the account has a password. False until a user whom an administrator created has chosen one.
    fn has_password(&self) -> bool {
        self.user.has_password
    }

    /// False if the account is disabled: the user cannot sign in, and all tokens are refused at once.
    fn is_active(&self) -> bool {
        self.user.is_active
    }

    /// Names of the user's roles, sorted. Also the claim `roles` of access tokens. Roles that no longer exist on the
    /// server are omitted.
    fn roles(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.app().settings.known_roles(&self.user.roles.0)
    }

    /// When the account was created.
    fn created_at(&self) -> DateTime {
        DateTime(self.user.created_at)
    }

    /// When the owner or an administrator last changed it.
    fn updated_at(&self) -> DateTime {
        DateTime(self.user.updated_at)
    }

    /// Current sessions, the last used first, at most 100. Only for the user and for administrators.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let principal = ctx.principal().await?;
        ctx.request().spend_rows(sessions::MAX_SESSIONS)?;
        // Boxed, as the principal is: see `ContextExt::principal`.
        let sessions = match &self.group {
            Some(group) => Box::pin(group.sessions(ctx, self.user.id)).await?,
            None => Box::pin(sessions::list(ctx.domain(), principal, self.user.id)).await?,
        };
        Ok(sessions.into_iter().map(|session| Session::new(session, principal)).collect())
    }

    /// What happened to this account, newest first. Only for the user and for administrators.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The size of the page, counted from its start: 0 to 100. Without `first` and `last`, 50.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: the page begins after it.")] after: Option<String>,
        #[graphql(desc = "The size of the page, counted from its end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: the page ends before it.")] before: Option<String>,
    ) -> Result<AuditEventConnection> {
        Box::pin(audit::list_of_user(ctx, self, PageArguments { first, after, last, before })).await
    }

    /// The second factors that are set up. Empty if a sign-in needs none. Only for the user and for administrators.
    async fn mfa_methods(&self, ctx: &Context<'_>) -> Result<Vec<MfaMethod>> {
        let principal = ctx.enrolling_principal().await?;
        let methods = match &self.group {
            Some(group) => Box::pin(group.mfa_methods(ctx, self.user.id)).await?,
            None => Box::pin(mfa::list_methods(ctx.domain(), principal, self.user.id)).await?,
        };
        Ok(methods.into_iter().map(Into::into).collect())
    }

    /// The number of unused recovery codes. Only for the user; `null` for others, and without a second factor.
    async fn recovery_codes_left(&self, ctx: &Context<'_>) -> Result<Option<u64>> {
        let principal = ctx.principal().await?;
        if principal.user.id != self.user.id {
            return Ok(None);
        }
        Box::pin(mfa::count_recovery_codes(ctx.domain(), principal)).await
    }

    /// The browsers in which the user signs in without the second factor, the last used first, at most 100. Only for the
    /// user; `null` for others.
    async fn remembered_devices(&self, ctx: &Context<'_>) -> Result<Option<Vec<RememberedDevice>>> {
        let principal = ctx.principal().await?;
        if principal.user.id != self.user.id {
            return Ok(None);
        }
        ctx.request().spend_rows(remembered::MAX_DEVICES)?;
        let devices = Box::pin(remembered::list(ctx.domain(), principal)).await?;
        Ok(Some(devices.into_iter().map(Into::into).collect()))
    }

    /// The passkeys, oldest first, at most 20. Only for the user and for administrators.
    async fn passkeys(&self, ctx: &Context<'_>) -> Result<Vec<Passkey>> {
        let principal = ctx.principal().await?;
        ctx.request().spend_rows(passkeys::MAX_PASSKEYS)?;
        let passkeys = match &self.group {
            Some(group) => Box::pin(group.passkeys(ctx, self.user.id)).await?,
            None => Box::pin(passkeys::list(ctx.domain(), principal, self.user.id)).await?,
        };
        Ok(passkeys.into_iter().map(Into::into).collect())
    }

    /// The accounts at providers that the user can sign in with, oldest first, at most 20. Only for the user and for
    /// administrators.
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Identity>> {
        let principal = ctx.principal().await?;
        ctx.request().spend_rows(identities::MAX_IDENTITIES)?;
        let identities = match &self.group {
            Some(group) => Box::pin(group.identities(ctx, self.user.id)).await?,
            None => Box::pin(identities::list(ctx.domain(), principal, self.user.id)).await?,
        };
        Ok(identities.into_iter().map(Into::into).collect())
    }

    /// The time of the last sign-in.
    fn last_login_at(&self) -> Option<DateTime> {
        self.user.last_login_at.map(DateTime)
    }
}
