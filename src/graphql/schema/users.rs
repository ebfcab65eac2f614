//! `User`, and `me`.

use async_graphql::{Context, ID, Object};

use crate::{
    Result,
    domain::sessions,
    entity::user,
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{me::Me, scalars::DateTime, sessions::Session},
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user. Without a valid access token, null and the error UNAUTHENTICATED, whose `extensions.reason`
    /// says why.
    async fn me<'ctx>(&self, ctx: &Context<'ctx>) -> Nullable<Me<'ctx>> {
        Some(ctx.principal().await.map(|principal| Me(&principal.user)))
    }
}

/// See the type's description below.
#[derive(Clone, Debug)]
pub struct User(user::Model);

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        Self(user)
    }
}

/// A user account.
#[Object]
impl User {
    /// Opaque and permanent. Also the claim `sub` of access tokens.
    fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Letters, digits, `_` and `-`. Unique, regardless of letter case.
    fn username(&self) -> &str {
        &self.0.username
    }

    /// `null` if the account has none.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Whether the owner has verified `email` by a link.
    fn email_verified(&self) -> bool {
        self.0.email.is_some() && self.0.email_verified_at.is_some()
    }

    /// The new address after `changeEmail`, until it is verified, for at most 24 hours.
    async fn pending_email(&self, ctx: &Context<'_>) -> Option<&str> {
        self.0.pending_email_at(ctx.app().clock.now())
    }

    /// Given name.
    fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// Family name.
    fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// First and last name, or `null` if neither is set.
    fn full_name(&self) -> Option<String> {
        self.0.full_name()
    }

    /// False if the account is disabled: the user cannot sign in, and all tokens are refused at once.
    fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// Names of the user's roles, sorted. Also the claim `roles` of access tokens. Roles that no longer exist on the
    /// server are omitted.
    fn roles(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.app().settings.known_roles(&self.0.roles.0)
    }

    /// When the account was created.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the owner or an administrator last changed it.
    fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Current sessions, the last used first, at most 100. Only for the signed-in user.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let principal = ctx.principal().await?;
        // Boxed, as the principal is: see `ContextExt::principal`.
        let sessions = Box::pin(sessions::list(ctx.domain(), principal, self.0.id)).await?;
        Ok(sessions.into_iter().map(|session| Session::new(session, principal)).collect())
    }

    /// The time of the last sign-in.
    fn last_login_at(&self) -> Option<DateTime> {
        self.0.last_login_at.map(DateTime)
    }
}
