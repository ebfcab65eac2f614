//! `verifyEmail`, `sendVerificationEmail`, `changeEmail`, `cancelEmailChange`, `replaceUnverifiedEmail`.

use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject};

use crate::{
    Result,
    domain::{
        sign_in::password::Credentials,
        users::{
            email::{self, EmailChange},
            unverified,
        },
    },
    graphql::{Nullable, context::ContextExt, schema::users::User},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct EmailMutation;

#[Object]
impl EmailMutation {
    /// Request a change of the e-mail address. It takes effect when the link sent to the new address is used within 24
    /// hours; the old address is notified if it is verified. Whether the new address is taken is not revealed here. A
    /// new request replaces the previous one; `cancelEmailChange` and any change of the password cancel it. With
    /// RATE_LIMITED, nothing changes.
    /// Codes: WRONG_PASSWORD, REQUIRED (no password), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, UNAUTHENTICATED,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn change_email(&self, ctx: &Context<'_>, input: ChangeEmailInput) -> Nullable<ChangeEmailPayload> {
        Some(change(ctx, input.into()).await)
    }

    /// Cancel a pending change of the e-mail address. Needs neither a mail nor the password. Without a pending change,
    /// nothing happens.
    /// Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn cancel_email_change(&self, ctx: &Context<'_>) -> Nullable<CancelEmailChangePayload> {
        Some(cancel(ctx).await)
    }

    /// Verify an e-mail address with the token of the link in the mail. Using the link again succeeds as long as the
    /// account has this address. Another account that has the address but never verified it loses it.
    /// Codes: LINK_INVALID, LINK_EXPIRED, EMAIL_TAKEN, SERVICE_UNAVAILABLE.
    async fn verify_email(&self, ctx: &Context<'_>, input: VerifyEmailInput) -> Nullable<VerifyEmailPayload> {
        let verified = email::verify(ctx.domain(), &input.token.into()).await;
        Some(verified.map(|email| VerifyEmailPayload { email }))
    }

    /// Replace the e-mail address of an account that has never verified one, for example if it is mistyped and keeps
    /// the owner from signing in. Sends a verification mail to the new address; does not sign in. Limited like `login`.
    /// Codes: INVALID_CREDENTIALS (does not say which of the two is wrong), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE; only after the right password: ACCOUNT_DISABLED, EMAIL_ALREADY_VERIFIED,
    /// EMAIL_TAKEN.
    async fn replace_unverified_email(
        &self,
        ctx: &Context<'_>,
        input: ReplaceUnverifiedEmailInput,
    ) -> Nullable<ReplaceUnverifiedEmailPayload> {
        let ReplaceUnverifiedEmailInput { username, password, new_email } = input;
        let credentials = Credentials { identifier: username, password: password.into() };
        let replaced = unverified::replace_email(ctx.domain(), credentials, &new_email).await;
        Some(replaced.map(|()| ReplaceUnverifiedEmailPayload { email: new_email }))
    }

    /// Send a verification mail again: to the account that has this address unverified, otherwise to the one that last
    /// requested a change to it. The response is the same for known and unknown addresses. RATE_LIMITED depends on the
    /// network and the signed-in user, never on the address; mails beyond the limit of an address are dropped.
    /// Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn send_verification_email(
        &self,
        ctx: &Context<'_>,
        input: SendVerificationEmailInput,
    ) -> Nullable<SendVerificationEmailPayload> {
        let SendVerificationEmailInput { email } = input;
        let sent = email::send_verification(ctx.domain(), &email).await;
        Some(sent.map(|()| SendVerificationEmailPayload { email }))
    }
}

async fn change(ctx: &Context<'_>, change: EmailChange) -> Result<ChangeEmailPayload> {
    let principal = ctx.principal().await?;
    let user = email::change(ctx.domain(), principal, change).await?;
    Ok(ChangeEmailPayload { user: user.into() })
}

async fn cancel(ctx: &Context<'_>) -> Result<CancelEmailChangePayload> {
    let principal = ctx.principal().await?;
    let user = email::cancel_change(ctx.domain(), principal).await?;
    Ok(CancelEmailChangePayload { user: user.into() })
}

/// The new e-mail address, and the proof that the owner asks for it.
#[derive(InputObject)]
pub struct ChangeEmailInput {
    /// The new address.
    new_email: String,
    /// The current password. Required unless this session signed in, or used `reauthenticate`, less than 10
    /// minutes ago.
    #[graphql(secret)]
    password: Option<String>,
}

impl From<ChangeEmailInput> for EmailChange {
    fn from(input: ChangeEmailInput) -> Self {
        Self { new_email: input.new_email, password: input.password.map(Into::into) }
    }
}

/// The result of `changeEmail`: the change takes effect when the link sent to the new address is used.
#[derive(SimpleObject)]
pub struct ChangeEmailPayload {
    /// The user, whose `pendingEmail` is the new address.
    user: User,
}

/// The result of `cancelEmailChange`.
#[derive(SimpleObject)]
pub struct CancelEmailChangePayload {
    /// The user, whose `pendingEmail` is now null.
    user: User,
}

/// The token of the link in the mail.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// The value after `token=` in the link.
    #[graphql(secret)]
    token: String,
}

/// The result of `verifyEmail`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct VerifyEmailPayload {
    /// The address that is now verified.
    email: String,
}

#[ComplexObject]
impl VerifyEmailPayload {
    /// The signed-in user, if the address is theirs. `null` if nobody, or somebody else, is signed in.
    async fn user(&self, ctx: &Context<'_>) -> Option<User> {
        let user = &ctx.principal().await.ok()?.user;
        (user.email.as_ref() == Some(&self.email)).then(|| user.clone().into())
    }
}

/// The credentials of the account, and the new address.
#[derive(InputObject)]
pub struct ReplaceUnverifiedEmailInput {
    /// Username or current e-mail address.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// The new address.
    new_email: String,
}

/// The result of `replaceUnverifiedEmail`: the account has the new address, which must be verified.
#[derive(SimpleObject)]
pub struct ReplaceUnverifiedEmailPayload {
    /// The new address.
    email: String,
}

/// The address to verify.
#[derive(InputObject)]
pub struct SendVerificationEmailInput {
    /// The address of an account, or its pending address.
    email: String,
}

/// The response is the same whether or not an account has the address.
#[derive(SimpleObject)]
pub struct SendVerificationEmailPayload {
    /// The address of the request.
    email: String,
}
