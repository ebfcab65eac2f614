//! `login`.

use async_graphql::{Context, InputObject, Object};
use chrono::TimeDelta;

use crate::{
    Error, Result,
    domain::{
        sessions::SignIn,
        sign_in::password::{Credentials, login},
    },
    graphql::{
        Nullable,
        context::{ContextExt, Cookie},
        schema::sessions::{AuthPayload, TokenDelivery},
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Sign in with a username or e-mail address and a password.
    /// If the user has a second factor, the error is MFA_REQUIRED; its `extensions.mfa` has the input for `verifyMfa`.
    /// Codes: INVALID_CREDENTIALS (does not say which of the two is wrong), MFA_REQUIRED, ACCOUNT_DISABLED and
    /// EMAIL_NOT_VERIFIED (all three only after the right password), RATE_LIMITED, SERVICE_UNAVAILABLE. Never
    /// UNAUTHENTICATED, so that a mistyped password does not make clients refresh their token.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Nullable<AuthPayload> {
        let new_session = input.token_delivery.open(ctx);
        Some(payload(ctx, login(ctx.domain(), input.into(), new_session).await))
    }
}

/// The payload of a sign-in, unless a second factor is needed. Then sets the cookie that binds its challenge to the browser.
pub(super) fn payload(ctx: &Context<'_>, sign_in: Result<SignIn>) -> Result<AuthPayload> {
    if let Err(Error::MfaRequired(challenge)) = &sign_in
        && let Some(token) = &challenge.client_token
    {
        let expires_at = ctx.domain().now() + TimeDelta::seconds(challenge.expires_in);
        ctx.set_cookie(Cookie::MfaClient, token.clone(), expires_at);
    }
    sign_in.map(|sign_in| AuthPayload::of(ctx, sign_in))
}

/// The credentials of a user.
#[derive(InputObject)]
pub struct LoginInput {
    /// Username or e-mail address.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

impl From<LoginInput> for Credentials {
    fn from(input: LoginInput) -> Self {
        Self { identifier: input.username, password: input.password.into() }
    }
}
