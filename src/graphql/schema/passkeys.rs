//! Passkeys: using, renaming and deleting them. [`super::passkey_registration`] adds them.

use std::future::{Ready, ready};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Error, Result,
    domain::passkeys::{self, AcceptedCredentials as Accepted, Assertion, Started},
    entity::passkey,
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            scalars::{DateTime, Json},
            sessions::{AuthPayload, TokenDelivery},
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct PasskeyMutation;

#[Object]
impl PasskeyMutation {
    /// Start a sign-in with a passkey. Public. Works for a button and for conditional UI (autofill).
    /// Codes: SERVICE_UNAVAILABLE.
    async fn start_passkey_login(&self, ctx: &Context<'_>) -> Nullable<PasskeyOptionsPayload> {
        Some(passkeys::start_login(ctx.domain()).map(Into::into))
    }

    /// Start to confirm the identity with a passkey: for `verifyMfa` with `mfaToken`, or, without `input`, for `reauthenticate`.
    /// Codes: MFA_CHALLENGE_EXPIRED, MFA_NOT_ENABLED (the user has no passkey), UNAUTHENTICATED (only without `input`),
    /// SERVICE_UNAVAILABLE.
    async fn start_passkey_verification(
        &self,
        ctx: &Context<'_>,
        input: Option<StartPasskeyVerificationInput>,
    ) -> Nullable<PasskeyOptionsPayload> {
        Some(Box::pin(start_verification(ctx, input)).await)
    }

    /// Sign in with a passkey. No second factor is needed, because the authenticator has verified the user.
    /// Codes: PASSKEY_INVALID (does not say why), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED (only with a valid passkey),
    /// SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
    async fn finish_passkey_login(&self, ctx: &Context<'_>, input: FinishPasskeyLoginInput) -> Nullable<AuthPayload> {
        let FinishPasskeyLoginInput { ceremony_token, credential, token_delivery } = input;
        let assertion = Assertion { ceremony_token, credential: credential.0 };
        let sign_in = Box::pin(passkeys::finish_login(ctx.domain(), &assertion, token_delivery.open(ctx))).await;
        Some(sign_in.map(|sign_in| AuthPayload::of(ctx, sign_in)))
    }

    /// Rename a passkey of the signed-in user.
    /// Codes: NOT_FOUND, REQUIRED, TOO_LONG, BAD_USER_INPUT, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn rename_passkey(&self, ctx: &Context<'_>, input: RenamePasskeyInput) -> Nullable<RenamePasskeyPayload> {
        Some(Box::pin(rename(ctx, input)).await)
    }

    /// Delete a passkey of the signed-in user. The second factor must have been confirmed less than 10 minutes ago, at the
    /// sign-in or with `reauthenticate`. With the last second factor, the recovery codes are deleted too. The user is notified by
    /// mail.
    /// Codes: NOT_FOUND, LAST_SIGN_IN_METHOD (the user has neither a password nor another passkey), REAUTHENTICATION_REQUIRED,
    /// UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn delete_passkey(&self, ctx: &Context<'_>, input: DeletePasskeyInput) -> Nullable<DeletePasskeyPayload> {
        Some(Box::pin(delete(ctx, input.passkey_id)).await)
    }
}

async fn start_verification(
    ctx: &Context<'_>,
    input: Option<StartPasskeyVerificationInput>,
) -> Result<PasskeyOptionsPayload> {
    let started = match input {
        Some(StartPasskeyVerificationInput { mfa_token }) => {
            passkeys::start_for_challenge(ctx.domain(), &mfa_token.into(), &ctx.request().cookies).await?
        }
        None => passkeys::start_verification(ctx.domain(), ctx.principal().await?).await?,
    };
    Ok(started.into())
}

async fn rename(ctx: &Context<'_>, input: RenamePasskeyInput) -> Result<RenamePasskeyPayload> {
    let principal = ctx.principal().await?;
    let id = input.passkey_id.parse().map_err(|_| Error::NotFound)?;
    let passkey = passkeys::rename(ctx.domain(), principal, id, &input.name).await?;
    Ok(RenamePasskeyPayload { passkey: passkey.into() })
}

async fn delete(ctx: &Context<'_>, id: ID) -> Result<DeletePasskeyPayload> {
    let principal = ctx.principal().await?;
    let deleted = passkeys::delete(ctx.domain(), principal, id.parse().map_err(|_| Error::NotFound)?).await?;
    Ok(DeletePasskeyPayload {
        user: deleted.user.into(),
        deleted_passkey_id: id,
        accepted_credentials: deleted.accepted_credentials.into(),
    })
}

/// A ceremony that was started.
#[derive(SimpleObject)]
pub struct PasskeyOptionsPayload {
    /// For the mutation that finishes the ceremony, within 15 minutes. It works once.
    ceremony_token: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`, as it is.
    options: Json,
}

impl From<Started> for PasskeyOptionsPayload {
    fn from(started: Started) -> Self {
        Self { ceremony_token: started.ceremony_token, options: Json(started.options) }
    }
}

/// The sign-in that waits for a second factor.
#[derive(InputObject)]
pub struct StartPasskeyVerificationInput {
    /// `extensions.mfa.token` of the error MFA_REQUIRED.
    #[graphql(secret)]
    mfa_token: String,
}

/// A sign-in with a passkey.
#[derive(InputObject)]
pub struct FinishPasskeyLoginInput {
    /// That of `startPasskeyLogin`.
    ceremony_token: String,
    /// The result of `credential.toJSON()`.
    credential: Json,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

/// The use of a passkey.
#[derive(InputObject)]
pub struct PasskeyAssertionInput {
    /// That of `startPasskeyVerification`.
    ceremony_token: String,
    /// The result of `credential.toJSON()`.
    credential: Json,
}

impl From<PasskeyAssertionInput> for Assertion {
    fn from(input: PasskeyAssertionInput) -> Self {
        Self { ceremony_token: input.ceremony_token, credential: input.credential.0 }
    }
}

/// A new name.
#[derive(InputObject)]
pub struct RenamePasskeyInput {
    /// `Passkey.id`.
    passkey_id: ID,
    /// 1 to 100 characters.
    name: String,
}

/// The result of `renamePasskey`.
#[derive(SimpleObject)]
pub struct RenamePasskeyPayload {
    /// The passkey, with the new name.
    passkey: Passkey,
}

/// The passkey to delete.
#[derive(InputObject)]
pub struct DeletePasskeyInput {
    /// `Passkey.id`.
    passkey_id: ID,
}

/// The result of `deletePasskey`.
#[derive(SimpleObject)]
pub struct DeletePasskeyPayload {
    /// The user, without the passkey.
    user: User,
    /// The id to evict from the client's cache.
    deleted_passkey_id: ID,
    /// The remaining passkeys, so that the password manager deletes this one too.
    accepted_credentials: AcceptedCredentials,
}

/// The passkeys of the user, for `PublicKeyCredential.signalAllAcceptedCredentials`, as they are. With them, the password
/// manager deletes the passkeys that no longer work.
#[derive(SimpleObject)]
pub struct AcceptedCredentials {
    /// The domain that passkeys are bound to.
    rp_id: String,
    /// The id of the user in base64url, as authenticators know it.
    user_id: String,
    /// The ids of all credentials of the user, in base64url.
    all_accepted_credential_ids: Vec<String>,
}

impl From<Accepted> for AcceptedCredentials {
    fn from(accepted: Accepted) -> Self {
        Self {
            rp_id: accepted.rp_id,
            user_id: URL_SAFE_NO_PAD.encode(accepted.user_id),
            all_accepted_credential_ids: accepted.credential_ids.iter().map(|id| URL_SAFE_NO_PAD.encode(id)).collect(),
        }
    }
}

/// See the type's description below.
#[derive(Clone, Debug)]
pub struct Passkey(passkey::Model);

impl From<passkey::Model> for Passkey {
    fn from(passkey: passkey::Model) -> Self {
        Self(passkey)
    }
}

impl Passkey {
    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.0.id.into()))
    }
}

/// A passkey of a user.
#[Object]
impl Passkey {
    /// Opaque.
    fn id(&self) -> ID {
        self.0.id.into()
    }

    /// A name for the user, who can change it.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was added.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The latest sign-in or proof of identity with it. `null` if there was none.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// Whether it is synchronized between the devices of the user. Otherwise, it is lost with the device.
    fn is_synced(&self) -> bool {
        self.0.is_backed_up
    }

    /// The credential id in base64url, for `PublicKeyCredential.signalAllAcceptedCredentials`.
    fn credential_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.credential_id)
    }
}
