//! `verifyEmail`, `sendVerificationEmail`, `changeEmail`, `cancelEmailChange`, `replaceUnverifiedEmail`.

use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject};

use super::{Nullable, context::ContextExt, users::User};
use crate::{
    Result,
    accounts::{
        email::{self, EmailChange},
        login::Credentials,
        unverified,
    },
};

#[derive(Debug, Default)]
pub(super) struct EmailMutation;

#[Object]
impl EmailMutation {
    /// Ask to move the account to another e-mail address. It moves when the link sent to the new address is used within
    /// 24 hours; the old address is told if it is verified. A taken address is not revealed here. A new request replaces
    /// the one before; `cancelEmailChange`, and any change of the password, cancels it. Beyond the limit of mails that an
    /// account may ask for, nothing changes.
    /// Codes: WRONG_PASSWORD, REQUIRED (no password), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, UNAUTHENTICATED,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn change_email(&self, ctx: &Context<'_>, input: ChangeEmailInput) -> Nullable<ChangeEmailPayload> {
        Some(change(ctx, input.into()).await)
    }

    /// Withdraw a pending change of address. Needs neither a mail nor the password; without a pending change nothing happens.
    /// Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn cancel_email_change(&self, ctx: &Context<'_>) -> Nullable<CancelEmailChangePayload> {
        Some(cancel(ctx).await)
    }

    /// Confirm an e-mail address with the token from the message. Using the link a second time succeeds as long as the
    /// account has this address. An account that has the address without ever confirming it loses it. Codes: LINK_INVALID, LINK_EXPIRED, EMAIL_TAKEN,
    /// SERVICE_UNAVAILABLE.
    async fn verify_email(&self, ctx: &Context<'_>, input: VerifyEmailInput) -> Nullable<VerifyEmailPayload> {
        let verified = email::verify(ctx.app(), &input.token.into(), ctx.client()).await;
        Some(verified.map(|email| VerifyEmailPayload { email }))
    }

    /// Replace the e-mail address of an account that has never verified one, such as a mistyped one that keeps its owner from
    /// signing in. Sends the verification message to the new address; does not sign in. Counted as a login.
    /// Codes: INVALID_CREDENTIALS (never says which half was wrong), INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED,
    /// SERVICE_UNAVAILABLE; only after the right password: ACCOUNT_DISABLED, EMAIL_ALREADY_VERIFIED, EMAIL_TAKEN.
    async fn replace_unverified_email(
        &self,
        ctx: &Context<'_>,
        input: ReplaceUnverifiedEmailInput,
    ) -> Nullable<ReplaceUnverifiedEmailPayload> {
        let ReplaceUnverifiedEmailInput { username, password, new_email } = input;
        let credentials = Credentials { identifier: username, password: password.into() };
        let replaced = unverified::replace_email(ctx.app(), credentials, &new_email, ctx.client()).await;
        Some(replaced.map(|()| ReplaceUnverifiedEmailPayload { email: new_email }))
    }

    /// Send the verification message again: to the account that has not verified this address, else to the one that last
    /// asked to move to it. Answers alike for known and unknown addresses. RATE_LIMITED depends on the client and on the
    /// account that it is signed in to, never on the address: messages beyond the limit of an address are dropped.
    /// Codes: INVALID_EMAIL, TOO_LONG, MAIL_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn send_verification_email(
        &self,
        ctx: &Context<'_>,
        input: SendVerificationEmailInput,
    ) -> Nullable<SendVerificationEmailPayload> {
        let SendVerificationEmailInput { email } = input;
        let asked = email::send_verification(ctx.app(), &email, ctx.request().viewer, ctx.client()).await;
        Some(asked.map(|()| SendVerificationEmailPayload { email }))
    }
}

async fn change(ctx: &Context<'_>, form: EmailChange) -> Result<ChangeEmailPayload> {
    let principal = ctx.principal().await?;
    let user = email::change(ctx.app(), principal, form, ctx.client()).await?;
    Ok(ChangeEmailPayload { user: user.into() })
}

async fn cancel(ctx: &Context<'_>) -> Result<CancelEmailChangePayload> {
    let principal = ctx.principal().await?;
    let user = email::cancel_change(ctx.app(), principal, ctx.client()).await?;
    Ok(CancelEmailChangePayload { user: user.into() })
}

/// Where to move to.
#[derive(InputObject)]
pub struct ChangeEmailInput {
    /// The new address.
    new_email: String,
    /// Needed unless this session signed in less than 10 minutes ago.
    #[graphql(secret)]
    password: Option<String>,
}

impl From<ChangeEmailInput> for EmailChange {
    fn from(input: ChangeEmailInput) -> Self {
        Self { new_email: input.new_email, password: input.password.map(Into::into) }
    }
}

/// The wish to move was noted.
#[derive(SimpleObject)]
pub struct ChangeEmailPayload {
    /// The user, `pendingEmail` included.
    user: User,
}

/// There is no pending change of address any more.
#[derive(SimpleObject)]
pub struct CancelEmailChangePayload {
    /// The user; `pendingEmail` is null.
    user: User,
}

/// What came in the message.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// From the link in the message, what follows `token=`.
    #[graphql(secret)]
    token: String,
}

/// An address was verified.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct VerifyEmailPayload {
    /// The address that is now verified.
    email: String,
}

#[ComplexObject]
impl VerifyEmailPayload {
    /// The signed-in user, if the address is theirs. `null` when the link was opened where nobody, or somebody else, is signed in.
    async fn user(&self, ctx: &Context<'_>) -> Option<User> {
        let user = &ctx.principal().await.ok()?.user;
        (user.email.as_ref() == Some(&self.email)).then(|| user.clone().into())
    }
}

/// Whose address to replace, and by which.
#[derive(InputObject)]
pub struct ReplaceUnverifiedEmailInput {
    /// Username, or the e-mail address so far.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// The new address.
    new_email: String,
}

/// The account has the new address, which waits for its verification.
#[derive(SimpleObject)]
pub struct ReplaceUnverifiedEmailPayload {
    /// The address given.
    email: String,
}

/// Which address to verify.
#[derive(InputObject)]
pub struct SendVerificationEmailInput {
    /// The address of an account, or one that it waits to move to.
    email: String,
}

/// Someone will get a message, or no one has the address.
#[derive(SimpleObject)]
pub struct SendVerificationEmailPayload {
    /// The address given, whether or not anything was sent to it.
    email: String,
}
