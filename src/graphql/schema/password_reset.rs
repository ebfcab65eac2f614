//! `requestPasswordReset`, `resetPassword`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::{
    domain::users::password_reset,
    graphql::{Nullable, context::ContextExt},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct ResetMutation;

#[Object]
impl ResetMutation {
    /// Send a mail with a password reset link. The response is the same, and as fast, for known and unknown addresses.
    /// RATE_LIMITED depends on the network and the signed-in user, never on the address; mails beyond the limit of an
    /// address are dropped.
    /// Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Nullable<RequestPasswordResetPayload> {
        let RequestPasswordResetInput { email } = input;
        let sent = password_reset::request(ctx.domain(), &email).await;
        Some(sent.map(|()| RequestPasswordResetPayload { email }))
    }

    /// Set a new password with the token of the link in the mail. Ends all sessions and a pending change of the
    /// address; sign in afterwards. If the password is refused, the token stays valid.
    /// Codes: LINK_INVALID, LINK_EXPIRED, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON,
    /// SERVICE_UNAVAILABLE.
    async fn reset_password(&self, ctx: &Context<'_>, input: ResetPasswordInput) -> Nullable<ResetPasswordPayload> {
        let ResetPasswordInput { token, new_password } = input;
        let reset = password_reset::reset(ctx.domain(), &token.into(), new_password.into()).await;
        Some(reset.map(|revoked_sessions| ResetPasswordPayload { revoked_sessions }))
    }
}

/// The account whose password is forgotten.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The address of the account.
    email: String,
}

/// The response is the same whether or not an account has the address.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// The address of the request.
    email: String,
}

/// The token of the link in the mail, and the new password.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The value after `token=` in the link.
    #[graphql(secret)]
    token: String,
    /// 8 to 128 characters of any kind.
    #[graphql(secret)]
    new_password: String,
}

/// The result of `resetPassword`.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// Number of sessions that were ended: all of the user's.
    revoked_sessions: u64,
}
