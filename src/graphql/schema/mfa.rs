//! Second factors: `verifyMfa`, setting up and removing an authenticator app, recovery codes, remembered devices.

use std::future::{Ready, ready};

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        mfa::{self, Factor, remembered},
        sessions,
        sign_in::challenge::{self, Answer},
    },
    entity::remembered_device,
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{passkeys::PasskeyAssertionInput, scalars::DateTime, sessions::AuthPayload, users::User},
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct MfaMutation;

#[Object]
impl MfaMutation {
    /// Finish a sign-in that answered MFA_REQUIRED. The session has the `tokenDelivery` of the first step. With COOKIE, only the
    /// browser of the first step can finish it. A wrong code leaves the token valid, for 5 attempts in total; further limits
    /// hold for each account. A recovery code works once, and the user is notified by mail.
    /// Codes: MFA_CODE_INVALID, PASSKEY_INVALID, MFA_CHALLENGE_EXPIRED (also if the token is unknown or was used: sign in again),
    /// ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED, RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
    async fn verify_mfa(&self, ctx: &Context<'_>, input: VerifyMfaInput) -> Nullable<AuthPayload> {
        let VerifyMfaInput { token, factor, remember_device } = input;
        let cookies = ctx.request().cookies.clone();
        let answer = Answer { token: token.into(), factor: factor.into(), remember_device, cookies };
        let sign_in = Box::pin(challenge::verify(ctx.domain(), answer)).await;
        Some(sign_in.map(|sign_in| AuthPayload::of(ctx, sign_in)))
    }

    /// Start to set up an authenticator app. Nothing changes until `confirmTotpEnrollment`, within 10 minutes. Starting again
    /// replaces the secret. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: MFA_ALREADY_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn start_totp_enrollment(&self, ctx: &Context<'_>) -> Nullable<StartTotpEnrollmentPayload> {
        Some(Box::pin(start_enrollment(ctx)).await)
    }

    /// Set up the authenticator app with its first code. From now on, every sign-in needs a code. The current session counts as
    /// signed in with it. Returns the recovery codes; show them to the user, who must keep them. The user is notified by mail.
    /// Codes: MFA_CODE_INVALID, MFA_NOT_ENABLED (no enrollment was started, or it has expired), MFA_ALREADY_ENABLED,
    /// UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn confirm_totp_enrollment(
        &self,
        ctx: &Context<'_>,
        input: ConfirmTotpEnrollmentInput,
    ) -> Nullable<ConfirmTotpEnrollmentPayload> {
        Some(Box::pin(confirm_enrollment(ctx, input.code.into())).await)
    }

    /// Remove the authenticator app and all remembered devices. Without a passkey, the recovery codes are removed too, and
    /// sign-ins need the password only. The second
    /// factor must have been confirmed less than 10 minutes ago, at the sign-in or with `reauthenticate`. The user is notified
    /// by mail.
    /// Codes: MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn disable_totp(&self, ctx: &Context<'_>) -> Nullable<DisableTotpPayload> {
        Some(Box::pin(disable(ctx)).await)
    }

    /// Replace all recovery codes. The second factor must have been confirmed less than 10 minutes ago, at the sign-in or with
    /// `reauthenticate`.
    /// Codes: MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn regenerate_recovery_codes(&self, ctx: &Context<'_>) -> Nullable<RegenerateRecoveryCodesPayload> {
        Some(Box::pin(regenerate(ctx)).await)
    }

    /// Forget a remembered device of the signed-in user. The next sign-in there needs the second factor. Sessions in that browser
    /// continue; `revokeSession` ends them.
    /// Codes: NOT_FOUND, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn revoke_remembered_device(
        &self,
        ctx: &Context<'_>,
        input: RevokeRememberedDeviceInput,
    ) -> Nullable<RevokeRememberedDevicePayload> {
        Some(Box::pin(revoke_device(ctx, input.remembered_device_id)).await)
    }
}

async fn start_enrollment(ctx: &Context<'_>) -> Result<StartTotpEnrollmentPayload> {
    let enrollment = mfa::start(ctx.domain(), ctx.enrolling_principal().await?).await?;
    Ok(StartTotpEnrollmentPayload {
        qr_code_svg: enrollment.qr_code()?.expose_secret().to_owned(),
        secret: enrollment.secret.expose_secret().to_owned(),
        otpauth_uri: enrollment.otpauth_uri.expose_secret().to_owned(),
    })
}

async fn confirm_enrollment(ctx: &Context<'_>, code: SecretString) -> Result<ConfirmTotpEnrollmentPayload> {
    let (user, codes) = mfa::confirm(ctx.domain(), ctx.enrolling_principal().await?, &code).await?;
    Ok(ConfirmTotpEnrollmentPayload { user: user.into(), recovery_codes: exposed(&codes) })
}

async fn disable(ctx: &Context<'_>) -> Result<DisableTotpPayload> {
    let user = mfa::disable(ctx.domain(), ctx.principal().await?).await?;
    Ok(DisableTotpPayload { user: user.into() })
}

async fn regenerate(ctx: &Context<'_>) -> Result<RegenerateRecoveryCodesPayload> {
    let (user, codes) = mfa::regenerate_recovery_codes(ctx.domain(), ctx.principal().await?).await?;
    Ok(RegenerateRecoveryCodesPayload { user: user.into(), recovery_codes: exposed(&codes) })
}

async fn revoke_device(ctx: &Context<'_>, id: ID) -> Result<RevokeRememberedDevicePayload> {
    let principal = ctx.principal().await?;
    remembered::revoke(ctx.domain(), principal, id.parse().map_err(|_| Error::NotFound)?).await?;
    Ok(RevokeRememberedDevicePayload { revoked_remembered_device_id: id, user: principal.user.clone().into() })
}

fn exposed(codes: &[SecretString]) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}

/// The second step of a sign-in.
#[derive(InputObject)]
pub struct VerifyMfaInput {
    /// `extensions.mfa.token` of the error MFA_REQUIRED.
    #[graphql(secret)]
    token: String,
    /// The second factor.
    factor: MfaFactorInput,
    /// Skip the second factor in this browser for the next 30 days. Ends with a change of the password, the second factor
    /// or the roles. Has no effect with `tokenDelivery: BODY`.
    #[graphql(default)]
    remember_device: bool,
}

/// A second factor. Exactly one field must be given.
#[derive(OneofObject)]
pub enum MfaFactorInput {
    /// The current code of the authenticator app: six digits.
    TotpCode(String),
    /// A recovery code, in any case, with or without hyphens. It is used up.
    RecoveryCode(String),
    /// A passkey: call `startPasskeyVerification` with the token first.
    Passkey(PasskeyAssertionInput),
}

impl From<MfaFactorInput> for Factor {
    fn from(input: MfaFactorInput) -> Self {
        match input {
            MfaFactorInput::TotpCode(code) => Self::Totp(code.into()),
            MfaFactorInput::RecoveryCode(code) => Self::RecoveryCode(code.into()),
            MfaFactorInput::Passkey(assertion) => Self::Passkey(assertion.into()),
        }
    }
}

/// What the user enters into the authenticator app. It contains a secret: do not store it.
#[derive(SimpleObject)]
pub struct StartTotpEnrollmentPayload {
    /// The secret in Base32, for users who cannot scan the QR code.
    secret: String,
    /// The same as a URI, which opens an authenticator app on the same device.
    otpauth_uri: String,
    /// The same as a QR code: an SVG image with its own white background.
    qr_code_svg: String,
}

/// The first code of the authenticator app.
#[derive(InputObject)]
pub struct ConfirmTotpEnrollmentInput {
    /// Six digits.
    #[graphql(secret)]
    code: String,
}

/// The result of `confirmTotpEnrollment`.
#[derive(SimpleObject)]
pub struct ConfirmTotpEnrollmentPayload {
    /// The user, with the second factor.
    user: User,
    /// Ten codes, each of which replaces the authenticator app once. They are shown only now.
    recovery_codes: Vec<String>,
}

/// The result of `disableTotp`.
#[derive(SimpleObject)]
pub struct DisableTotpPayload {
    /// The user, without the second factor.
    user: User,
}

/// The result of `regenerateRecoveryCodes`.
#[derive(SimpleObject)]
pub struct RegenerateRecoveryCodesPayload {
    /// The user.
    user: User,
    /// The new codes. They are shown only now.
    recovery_codes: Vec<String>,
}

/// The device to forget.
#[derive(InputObject)]
pub struct RevokeRememberedDeviceInput {
    /// `RememberedDevice.id`.
    remembered_device_id: ID,
}

/// The result of `revokeRememberedDevice`.
#[derive(SimpleObject)]
pub struct RevokeRememberedDevicePayload {
    /// The id to evict from the client's cache.
    revoked_remembered_device_id: ID,
    /// The signed-in user, whose `rememberedDevices` no longer include this one.
    user: User,
}

/// See the type's description below.
#[derive(Debug)]
pub struct RememberedDevice(remembered_device::Model);

impl From<remembered_device::Model> for RememberedDevice {
    fn from(device: remembered_device::Model) -> Self {
        Self(device)
    }
}

impl RememberedDevice {
    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.0.id.into()))
    }
}

/// A browser in which the user signs in without the second factor.
#[Object]
impl RememberedDevice {
    /// Opaque.
    fn id(&self) -> ID {
        self.0.id.into()
    }

    /// A description of the user agent for users, such as `Firefox on Linux`.
    fn device(&self) -> String {
        sessions::device(self.0.user_agent.as_deref())
    }

    /// The `User-Agent` header of the sign-in, as the client chose it.
    fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// When the user confirmed the second factor in this browser.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time of the last sign-in without the second factor, or `createdAt` if there was none.
    fn last_used_at(&self) -> DateTime {
        DateTime(self.0.last_used_at)
    }

    /// When the second factor is needed again.
    fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}
