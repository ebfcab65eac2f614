//! `inviteUser`, `revokeInvitation`, `acceptInvitation`, and `invitations`.

use std::future::{Ready, ready};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    Error, Result,
    domain::users::{
        acceptance::{self, Acceptance},
        administration::{self, InvitationAndInviter},
    },
    entity::{invitation, user},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            connection::{PageArguments, Rows, connection},
            scalars::DateTime,
            sessions::{AuthPayload, TokenDelivery},
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct InvitationQuery;

#[Object]
impl InvitationQuery {
    /// Open invitations, newest first: those that were not accepted, revoked or replaced, and have not expired.
    /// Requires the role `admin`.
    /// Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The size of the page, counted from its start: 0 to 100. Without `first` and `last`, 50.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: the page begins after it.")] after: Option<String>,
        #[graphql(desc = "The size of the page, counted from its end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: the page ends before it.")] before: Option<String>,
    ) -> Nullable<InvitationConnection> {
        Some(list(ctx, PageArguments { first, after, last, before }).await)
    }
}

async fn list(ctx: &Context<'_>, arguments: PageArguments) -> Result<InvitationConnection> {
    const LIST: &str = "invitations";
    let administrator = ctx.administrator().await?;
    let range = arguments.range(ctx, LIST)?;
    let page = administration::invitations(ctx.domain(), &administrator, range).await?;
    let rows = Rows::of(ctx, LIST, page, |(invitation, _)| invitation.sort_key())?;
    Ok(InvitationConnection::new(rows, OpenInvitations))
}

/// Counts the open invitations.
#[derive(Debug)]
pub(super) struct OpenInvitations;

impl OpenInvitations {
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        administration::count_invitations(ctx.domain(), &ctx.administrator().await?).await
    }
}

connection!(InvitationConnection, InvitationEdge, Invitation, counted by OpenInvitations);

#[derive(Debug, Default)]
pub(in crate::graphql) struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invite a person by mail to create an account, also while registration is disabled. The invitation can be accepted
    /// once, for 7 days. Inviting an address again replaces its invitation and sends a new mail.
    /// Requires the role `admin`. The last sign-in or `reauthenticate` must be less than 10 minutes ago.
    /// Codes: REQUIRED, INVALID_EMAIL, TOO_LONG, ROLE_UNKNOWN, EMAIL_TAKEN, MAIL_DISABLED, RATE_LIMITED,
    /// REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn invite_user(&self, ctx: &Context<'_>, input: InviteUserInput) -> Nullable<InviteUserPayload> {
        Some(invite(ctx, input).await)
    }

    /// Revoke an open invitation, so that its link no longer works. Requires the role `admin`. The last sign-in or
    /// `reauthenticate` must be less than 10 minutes ago.
    /// Codes: NOT_FOUND, REAUTHENTICATION_REQUIRED, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Nullable<RevokeInvitationPayload> {
        Some(revoke(ctx, input).await)
    }

    /// Create an account with the token of an invitation, and sign in. The account has the invited address, which counts
    /// as verified, and the roles of the invitation. Works while registration is disabled. If the form is refused, the
    /// token stays valid.
    /// Codes: INVITATION_INVALID, INVITATION_EXPIRED, REQUIRED, TOO_LONG, INVALID_USERNAME, USERNAME_TAKEN, EMAIL_TAKEN
    /// (another account has verified the address), PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON,
    /// RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn accept_invitation(&self, ctx: &Context<'_>, input: AcceptInvitationInput) -> Nullable<AuthPayload> {
        let new_session = input.token_delivery.open(ctx);
        let accepted = acceptance::accept(ctx.domain(), input.into(), new_session).await;
        Some(accepted.map(|sign_in| AuthPayload::of(ctx, sign_in)))
    }
}

async fn invite(ctx: &Context<'_>, input: InviteUserInput) -> Result<InviteUserPayload> {
    let administrator = ctx.administrator().await?;
    let invitation = administration::invite(ctx.domain(), &administrator, &input.email, input.roles).await?;
    let invited_by = ctx.principal().await?.user.clone();
    Ok(InviteUserPayload { invitation: (invitation, Some(invited_by)).into() })
}

async fn revoke(ctx: &Context<'_>, input: RevokeInvitationInput) -> Result<RevokeInvitationPayload> {
    let administrator = ctx.administrator().await?;
    let id = input.invitation_id.parse().map_err(|_| Error::NotFound)?;
    administration::revoke_invitation(ctx.domain(), &administrator, id).await?;
    Ok(RevokeInvitationPayload { revoked_invitation_id: id.into() })
}

/// See the type's description below.
#[derive(Debug)]
pub struct Invitation {
    invitation: invitation::Model,
    invited_by: Option<user::Model>,
}

impl From<InvitationAndInviter> for Invitation {
    fn from((invitation, invited_by): InvitationAndInviter) -> Self {
        Self { invitation, invited_by }
    }
}

impl Invitation {
    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.invitation.id.into()))
    }
}

/// An invitation to create an account.
#[Object]
impl Invitation {
    /// Opaque. Inviting the address again makes a new invitation with another id.
    async fn id(&self) -> ID {
        self.invitation.id.into()
    }

    /// The invited address. The account has it.
    async fn email(&self) -> &str {
        &self.invitation.email
    }

    /// The roles that the account will have, sorted. Roles that no longer exist on the server are omitted.
    async fn roles(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.app().settings.known_roles(&self.invitation.roles.0)
    }

    /// The administrator who invited. `null` for the command line, and if the account was deleted.
    async fn invited_by(&self) -> Option<User> {
        self.invited_by.clone().map(Into::into)
    }

    /// When the address was invited.
    async fn created_at(&self) -> DateTime {
        DateTime(self.invitation.created_at)
    }

    /// When the invitation expires: 7 days after the mail was sent.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.invitation.expires_at)
    }
}

/// The person to invite.
#[derive(InputObject)]
pub struct InviteUserInput {
    /// The address that the mail is sent to, and that the account has.
    email: String,
    /// The roles of the account, each one of the server's. Without them, the roles of a registration.
    roles: Option<Vec<String>>,
}

/// The result of `inviteUser`.
#[derive(SimpleObject)]
pub struct InviteUserPayload {
    /// The new invitation.
    invitation: Invitation,
}

/// The invitation to revoke.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// `Invitation.id`.
    invitation_id: ID,
}

/// The result of `revokeInvitation`.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The id to evict from the client's cache.
    revoked_invitation_id: ID,
}

/// The token of an invitation, and the new user.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// The value after `token=` in the link.
    #[graphql(secret)]
    token: String,
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive.
    username: String,
    /// 8 to 128 characters of any kind. Common passwords, and the user's own name or address, are refused.
    #[graphql(secret)]
    password: String,
    /// Given name, at most 100 characters.
    first_name: Option<String>,
    /// Family name, at most 100 characters.
    last_name: Option<String>,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

impl From<AcceptInvitationInput> for Acceptance {
    fn from(input: AcceptInvitationInput) -> Self {
        Self {
            token: input.token.into(),
            username: input.username,
            password: input.password.into(),
            first_name: input.first_name,
            last_name: input.last_name,
        }
    }
}
