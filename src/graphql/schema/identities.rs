//! Sign-in with other providers: `loginWithCode`, and linking and unlinking them.

use std::future::{Ready, ready};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    App, Error, Result,
    config::ProviderSettings,
    domain::identities::{self, CodeExchange, LinkRequest},
    entity::identity,
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            scalars::DateTime,
            sessions::{AuthPayload, TokenDelivery},
            sign_in,
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct IdentityMutation;

#[Object]
impl IdentityMutation {
    /// Finish a sign-in with a provider: exchange the `code` that `return_to` received, within 60 seconds, once. If no account has the
    /// account at the provider, and no account has its verified address, an account is created.
    /// If the user has a second factor, the error is MFA_REQUIRED, as for `login`.
    /// Codes: CODE_INVALID, MFA_REQUIRED, IDENTITY_UNLINKED, IDENTITY_LIMIT_REACHED, ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED,
    /// REGISTRATION_DISABLED, REQUIRED (accounts need an address, and the provider gives none), RATE_LIMITED, SERVICE_UNAVAILABLE.
    /// Never UNAUTHENTICATED.
    async fn login_with_code(&self, ctx: &Context<'_>, input: LoginWithCodeInput) -> Nullable<AuthPayload> {
        let LoginWithCodeInput { code, code_verifier, token_delivery } = input;
        let exchange = CodeExchange { code: code.into(), code_verifier: code_verifier.into() };
        let signed_in = Box::pin(identities::login(ctx.domain(), &exchange, token_delivery.open(ctx))).await;
        Some(sign_in::payload(ctx, signed_in))
    }

    /// Start to link an account at a provider to the signed-in user: open `url` in this browser, and call `finishIdentityLink` with
    /// the `code` that `returnTo` receives. The last sign-in or `reauthenticate` must be less than 10 minutes ago, with the second
    /// factor if there is one.
    /// Codes: PROVIDER_UNKNOWN, BAD_REQUEST (`returnTo` or `codeChallenge`), REAUTHENTICATION_REQUIRED, UNAUTHENTICATED,
    /// SERVICE_UNAVAILABLE.
    async fn start_identity_link(
        &self,
        ctx: &Context<'_>,
        input: StartIdentityLinkInput,
    ) -> Nullable<StartIdentityLinkPayload> {
        Some(Box::pin(start_link(ctx, input)).await)
    }

    /// Link the account at the provider, in the session that has started it. The user is notified by mail. If it is linked to this
    /// user already, nothing changes.
    /// Codes: CODE_INVALID (also in another session), IDENTITY_TAKEN, IDENTITY_LIMIT_REACHED, REAUTHENTICATION_REQUIRED,
    /// UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn finish_identity_link(
        &self,
        ctx: &Context<'_>,
        input: FinishIdentityLinkInput,
    ) -> Nullable<FinishIdentityLinkPayload> {
        Some(Box::pin(finish_link(ctx, input)).await)
    }

    /// Unlink an account at a provider from the signed-in user. Sessions that were opened with it continue. The last sign-in or
    /// `reauthenticate` must be less than 10 minutes ago, with the second factor if there is one. The user is notified by mail.
    /// Codes: NOT_FOUND, LAST_SIGN_IN_METHOD (the user has no password, no passkey and no other linked provider),
    /// REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn unlink_identity(&self, ctx: &Context<'_>, input: UnlinkIdentityInput) -> Nullable<UnlinkIdentityPayload> {
        Some(Box::pin(unlink(ctx, input.identity_id)).await)
    }
}

async fn start_link(ctx: &Context<'_>, input: StartIdentityLinkInput) -> Result<StartIdentityLinkPayload> {
    let principal = ctx.principal().await?;
    let StartIdentityLinkInput { provider_id, return_to, code_challenge } = input;
    let request = LinkRequest { provider_id: provider_id.0, return_to, code_challenge };
    Ok(StartIdentityLinkPayload { url: identities::start_link(ctx.domain(), principal, &request).await? })
}

async fn finish_link(ctx: &Context<'_>, input: FinishIdentityLinkInput) -> Result<FinishIdentityLinkPayload> {
    let principal = ctx.principal().await?;
    let exchange = CodeExchange { code: input.code.into(), code_verifier: input.code_verifier.into() };
    let (user, identity) = identities::finish_link(ctx.domain(), principal, &exchange).await?;
    Ok(FinishIdentityLinkPayload { user: user.into(), identity: identity.into() })
}

async fn unlink(ctx: &Context<'_>, id: ID) -> Result<UnlinkIdentityPayload> {
    let principal = ctx.principal().await?;
    let user = identities::unlink(ctx.domain(), principal, id.parse().map_err(|_| Error::NotFound)?).await?;
    Ok(UnlinkIdentityPayload { user: user.into(), unlinked_identity_id: id })
}

/// A one-time code of a sign-in with a provider.
#[derive(InputObject)]
pub struct LoginWithCodeInput {
    /// The parameter `code` that `return_to` received.
    #[graphql(secret)]
    code: String,
    /// The verifier of the `code_challenge` that started the sign-in (RFC 7636).
    #[graphql(secret)]
    code_verifier: String,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

/// The provider to link.
#[derive(InputObject)]
pub struct StartIdentityLinkInput {
    /// `IdentityProvider.id`.
    provider_id: ID,
    /// The page to which the browser returns, with `code` or `error` in its query. Its origin must be allowed.
    return_to: String,
    /// The S256 challenge of a verifier that the app keeps (RFC 7636).
    code_challenge: String,
}

/// The result of `startIdentityLink`.
#[derive(SimpleObject)]
pub struct StartIdentityLinkPayload {
    /// The address to open, within 10 minutes.
    url: String,
}

/// A one-time code of a link.
#[derive(InputObject)]
pub struct FinishIdentityLinkInput {
    /// The parameter `code` that `returnTo` received.
    #[graphql(secret)]
    code: String,
    /// The verifier of the `codeChallenge` that started the link (RFC 7636).
    #[graphql(secret)]
    code_verifier: String,
}

/// The result of `finishIdentityLink`.
#[derive(SimpleObject)]
pub struct FinishIdentityLinkPayload {
    /// The user, with the identity.
    user: User,
    /// The identity.
    identity: Identity,
}

/// The identity to unlink.
#[derive(InputObject)]
pub struct UnlinkIdentityInput {
    /// `Identity.id`.
    identity_id: ID,
}

/// The result of `unlinkIdentity`.
#[derive(SimpleObject)]
pub struct UnlinkIdentityPayload {
    /// The user, without the identity.
    user: User,
    /// The id to evict from the client's cache.
    unlinked_identity_id: ID,
}

/// A provider that users can sign in with.
#[derive(Debug, SimpleObject)]
pub struct IdentityProvider {
    /// The id in the settings, such as `google`.
    id: ID,
    /// The name for users.
    name: String,
    /// The address for the login button. Add `return_to` and `code_challenge` to its query.
    start_url: String,
}

impl IdentityProvider {
    /// All providers, in the order of the settings.
    pub(super) fn all(app: &App) -> Vec<Self> {
        let of = |provider: &ProviderSettings| Self::new(app, &provider.id, &provider.name);
        app.settings.providers.iter().map(of).collect()
    }

    fn new(app: &App, id: &str, name: &str) -> Self {
        let start_url = format!("{}/auth/{id}", app.settings.server.public_url);
        Self { id: id.into(), name: name.to_owned(), start_url }
    }
}

/// See the type's description below.
#[derive(Clone, Debug)]
pub struct Identity(identity::Model);

impl From<identity::Model> for Identity {
    fn from(identity: identity::Model) -> Self {
        Self(identity)
    }
}

impl Identity {
    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.0.id.into()))
    }
}

/// An account at a provider that the user can sign in with.
#[Object]
impl Identity {
    /// Opaque.
    fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The provider. If the server no longer has it, its name is the id, and it cannot be used.
    async fn provider(&self, ctx: &Context<'_>) -> IdentityProvider {
        let id = &self.0.provider_id;
        let known = ctx.app().providers.get(id);
        IdentityProvider::new(ctx.app(), id, known.map_or(id, |provider| &provider.settings.name))
    }

    /// The address at the provider, for the user to recognize the account. `null` if the provider gives none.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// When it was linked.
    fn linked_at(&self) -> DateTime {
        DateTime(self.0.linked_at)
    }

    /// The latest sign-in with it. `null` if there was none.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }
}
