//! `reauthenticate`.

use async_graphql::{Context, Object, OneofObject};

use crate::{
    Result,
    domain::{mfa::Factor, sign_in::reauthentication},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{passkeys::PasskeyAssertionInput, sessions::AuthPayload},
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct ReauthenticationMutation;

#[Object]
impl ReauthenticationMutation {
    /// Prove the identity of the signed-in user again, after REAUTHENTICATION_REQUIRED. Users with a second factor use that;
    /// their password is not enough. For the next 10 minutes, the session counts as just signed in: `accountData` is
    /// allowed, and `changeEmail` and `deleteAccount` need no password. Returns new tokens of the same session, which
    /// replace the current ones as those of `refreshToken` do. Wrong passwords and codes are limited for each account.
    /// Codes: WRONG_PASSWORD, MFA_CODE_INVALID, PASSKEY_INVALID, MFA_NOT_ENABLED, REQUIRED, EMAIL_NOT_VERIFIED, UNAUTHENTICATED,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn reauthenticate(&self, ctx: &Context<'_>, input: ReauthenticateInput) -> Nullable<AuthPayload> {
        Some(Box::pin(reauthenticate(ctx, input)).await)
    }
}

async fn reauthenticate(ctx: &Context<'_>, input: ReauthenticateInput) -> Result<AuthPayload> {
    let principal = ctx.enrolling_principal().await?;
    let factor = match input {
        ReauthenticateInput::Password(password) => {
            let sign_in = reauthentication::reauthenticate(ctx.domain(), principal, &password.into()).await?;
            return Ok(AuthPayload::of(ctx, sign_in));
        }
        ReauthenticateInput::TotpCode(code) => Factor::Totp(code.into()),
        ReauthenticateInput::RecoveryCode(code) => Factor::RecoveryCode(code.into()),
        ReauthenticateInput::Passkey(assertion) => Factor::Passkey(assertion.into()),
    };
    let sign_in = reauthentication::reauthenticate_with_factor(ctx.domain(), principal, &factor).await?;
    Ok(AuthPayload::of(ctx, sign_in))
}

/// The proof of identity. Exactly one field must be given.
#[derive(OneofObject)]
pub enum ReauthenticateInput {
    /// The current password.
    Password(String),
    /// The current code of the authenticator app: six digits.
    TotpCode(String),
    /// A recovery code, which is used up.
    RecoveryCode(String),
    /// A passkey: call `startPasskeyVerification` without `input` first.
    Passkey(PasskeyAssertionInput),
}
