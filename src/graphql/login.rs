//! `login`.

use async_graphql::{Context, InputObject, Object};

use super::{Nullable, context::ContextExt, sessions::AuthPayload};
use crate::accounts::login::{Credentials, login};

#[derive(Debug, Default)]
pub(super) struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Sign in with a username or e-mail address and a password.
    /// Codes: INVALID_CREDENTIALS (never says which half was wrong), ACCOUNT_DISABLED (only after the right password),
    /// SERVICE_UNAVAILABLE. Never UNAUTHENTICATED: a mistyped password must not start a token refresh.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Nullable<AuthPayload> {
        Some(login(ctx.app(), input.into(), ctx.client()).await.map(Into::into))
    }
}

/// Who wants to sign in.
#[derive(InputObject)]
pub struct LoginInput {
    /// Username or e-mail address.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
}

impl From<LoginInput> for Credentials {
    fn from(input: LoginInput) -> Self {
        Self { identifier: input.username, password: input.password.into() }
    }
}
