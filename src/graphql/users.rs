//! `User`, and `me`.

use async_graphql::{Context, ID, Object};

use super::{Nullable, context::ContextExt, scalars::DateTime, sessions::Session};
use crate::{Result, accounts::sessions, entity::user};

#[derive(Debug, Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user. Without a valid access token it is null, always with the error UNAUTHENTICATED, whose
    /// `extensions.reason` says why.
    async fn me(&self, ctx: &Context<'_>) -> Nullable<User> {
        Some(ctx.principal().await.map(|principal| principal.user.clone().into()))
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

/// A person with an account.
#[Object]
impl User {
    /// Opaque and permanent; the `sub` claim of the access token.
    fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Letters, digits, `_` and `-`. Unique, compared without regard to case.
    fn username(&self) -> &str {
        &self.0.username
    }

    /// `null` when the account has none.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Whether the owner has shown that they read what comes to `email`.
    fn email_verified(&self) -> bool {
        self.0.email.is_some() && self.0.email_verified_at.is_some()
    }

    /// The address that waits for its verification after `changeEmail`, for 24 hours at most.
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

    /// First and last name together, or `null` when neither is set.
    fn full_name(&self) -> Option<String> {
        self.0.full_name()
    }

    /// False for a disabled account: it can't sign in, and its tokens stop working at once.
    fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// Names of the roles held, sorted. Also the `roles` claim of the access token. A role that the server no longer has is
    /// not among them.
    fn roles(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.app().settings.known_roles(&self.0.roles.0)
    }

    /// When the account was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When its owner or an administrator last changed it.
    fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Live sessions, the latest used first, at most 100. Only of the signed-in user itself.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let principal = ctx.principal().await?;
        let sessions = sessions::list(ctx.app(), principal, self.0.id).await?;
        Ok(sessions.into_iter().map(|session| Session::new(session, principal)).collect())
    }

    /// The latest sign-in.
    fn last_login_at(&self) -> Option<DateTime> {
        self.0.last_login_at.map(DateTime)
    }
}
