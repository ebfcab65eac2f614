//! `login`.

use async_graphql::{Context, InputObject, Object};

use super::{
    Nullable,
    context::ContextExt,
    sessions::{AuthPayload, TokenDelivery},
};
use crate::accounts::login::{Credentials, login};

#[derive(Debug, Default)]
pub(super) struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Sign in with a username or e-mail address and a password.
    /// Codes: INVALID_CREDENTIALS (never says which half was wrong), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED (both only
    /// after the right password), RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED: a mistyped password must not
    /// start a token refresh.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Nullable<AuthPayload> {
        let new_session = input.token_delivery.open(ctx);
        let sign_in = login(ctx.app(), input.into(), new_session, ctx.client()).await;
        Some(sign_in.map(|sign_in| AuthPayload::of(ctx, sign_in)))
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
    /// Where the refresh token goes, for as long as the session lives.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

impl From<LoginInput> for Credentials {
    fn from(input: LoginInput) -> Self {
        Self { identifier: input.username, password: input.password.into() }
    }
}
