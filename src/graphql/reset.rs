//! `requestPasswordReset`, `resetPassword`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{Nullable, context::ContextExt};
use crate::accounts::reset;

#[derive(Debug, Default)]
pub(super) struct ResetMutation;

#[Object]
impl ResetMutation {
    /// Send a password reset link. Answers alike, and as fast, for known and unknown addresses. RATE_LIMITED depends on the
    /// client and on the account that it is signed in to, never on the address: links beyond its limit are dropped.
    /// Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Nullable<RequestPasswordResetPayload> {
        let RequestPasswordResetInput { email } = input;
        let asked = reset::request(ctx.app(), &email, ctx.request().viewer, ctx.client()).await;
        Some(asked.map(|()| RequestPasswordResetPayload { email }))
    }

    /// Set a new password with the token from the message. Ends every session and a pending change of address; sign in
    /// afterwards. A password that is not taken leaves the token good.
    /// Codes: LINK_INVALID, LINK_EXPIRED, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON,
    /// SERVICE_UNAVAILABLE.
    async fn reset_password(&self, ctx: &Context<'_>, input: ResetPasswordInput) -> Nullable<ResetPasswordPayload> {
        let ResetPasswordInput { token, new_password } = input;
        let reset = reset::reset(ctx.app(), &token.into(), new_password.into(), ctx.client()).await;
        Some(reset.map(|revoked_sessions| ResetPasswordPayload { revoked_sessions }))
    }
}

/// Whose password was forgotten.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The address of the account.
    email: String,
}

/// Someone will get a message, or no one has the address.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// The address given, whether or not anything was sent to it.
    email: String,
}

/// What came in the message, and the new password.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// From the link in the message, what follows `token=`.
    #[graphql(secret)]
    token: String,
    /// 8 to 128 characters of any kind.
    #[graphql(secret)]
    new_password: String,
}

/// The password is a new one.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// How many sessions were ended: all there were.
    revoked_sessions: u64,
}
