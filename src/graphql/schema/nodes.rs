//! `Node` and `node`: objects by id.

use async_graphql::{Context, ID, Interface, Object};
use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{audit, identities, mfa::remembered, passkeys, sessions, users::administration},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            audit::AuditEvent, groups::EventGroup, identities::Identity, invitations::Invitation,
            mfa::RememberedDevice, passkeys::Passkey, sessions::Session, users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id, or null if there is none that the signed-in user may see. Users see themselves, their
    /// sessions, remembered devices, passkeys, identities and the events of their account; administrators see all but the devices of others.
    /// Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The `id` of any object.")] id: ID) -> Nullable<Node> {
        Box::pin(find(ctx, id)).await.transpose()
    }
}

/// Looks for the id in one kind of objects after the other.
async fn find(ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
    let principal = ctx.principal().await?;
    let Ok(id) = id.parse() else { return Ok(None) };
    match find_user(ctx, id).await {
        Ok(Some(user)) => return Ok(Some(user.into())),
        Ok(None) | Err(Error::Forbidden) => {}
        Err(error) => return Err(error),
    }
    if let Some(session) = sessions::find(ctx.domain(), principal, id).await? {
        return Ok(Some(Session::new(session, principal).into()));
    }
    if let Some(event) = audit::find(ctx.domain(), principal, id).await? {
        let group = EventGroup::of([&event]);
        return Ok(Some(AuditEvent::new(event, &group).into()));
    }
    if let Some(device) = remembered::find(ctx.domain(), principal, id).await? {
        return Ok(Some(RememberedDevice::from(device).into()));
    }
    if let Some(passkey) = passkeys::find(ctx.domain(), principal, id).await? {
        return Ok(Some(Passkey::from(passkey).into()));
    }
    if let Some(identity) = identities::find(ctx.domain(), principal, id).await? {
        return Ok(Some(Identity::from(identity).into()));
    }
    find_invitation(ctx, id).await
}

/// Finds a user: the signed-in one, or for administrators any.
///
/// # Errors
/// FORBIDDEN, UNAUTHENTICATED, MFA_ENROLLMENT_REQUIRED, SERVICE_UNAVAILABLE.
pub(in crate::graphql) async fn find_user(ctx: &Context<'_>, id: Uuid) -> Result<Option<User>> {
    let principal = ctx.principal().await?;
    if id == principal.user.id {
        return Ok(Some(principal.user.clone().into()));
    }
    let administrator = ctx.administrator().await?;
    Ok(administration::find_by_id(ctx.domain(), &administrator, id).await?.map(Into::into))
}

async fn find_invitation(ctx: &Context<'_>, id: Uuid) -> Result<Option<Node>> {
    let administrator = match ctx.administrator().await {
        Err(Error::Forbidden) => return Ok(None),
        administrator => administrator?,
    };
    let invitation = administration::find_invitation(ctx.domain(), &administrator, id).await?;
    Ok(invitation.map(|invitation| Invitation::from(invitation).into()))
}

/// An object with an id that is unique among all objects of this server.
#[derive(Interface)]
#[graphql(field(name = "id", method = "node_id", ty = "ID", desc = "Opaque and permanent."))]
pub enum Node {
    /// A user.
    User(User),
    /// A session.
    Session(Session),
    /// An event of the audit log.
    AuditEvent(AuditEvent),
    /// An invitation.
    Invitation(Invitation),
    /// A remembered device.
    RememberedDevice(RememberedDevice),
    /// A passkey.
    Passkey(Passkey),
    /// An account of the user at a provider.
    Identity(Identity),
}
