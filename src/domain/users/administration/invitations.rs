//! Inviting people by mail. [`acceptance`](crate::domain::users::acceptance) creates the account.
//!
//! An invitation is the server's, not the administrator's: it stays valid when the administrator is demoted or deleted, until
//! another one revokes it.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Administrator, begin, parse_roles};
use crate::{
    Error, Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event,
        identity::Email,
        notifications::{self, INVITATION_LIFETIME},
        page::{Page, Range},
        throttle,
    },
    entity::{
        invitation::{self, Model},
        user::{self, Identifier},
    },
    error::{ErrorCode, Field, InputError, Problems},
    security::random,
};

/// Maximum number of attempts to replace an invitation. An attempt fails if the address is invited at the same time.
const MAX_ATTEMPTS: u32 = 3;

/// An invitation, and the administrator who invited, unless the account was deleted.
pub type InvitationAndInviter = (Model, Option<user::Model>);

/// Invites an address, and sends a mail with a link that is valid for 7 days. Inviting an address again replaces the
/// invitation and sends a new mail. `roles` are `DEFAULT_ROLES` if `None`.
///
/// # Errors
/// MAIL_DISABLED; REQUIRED, INVALID_EMAIL, TOO_LONG, ROLE_UNKNOWN; RATE_LIMITED; EMAIL_TAKEN if an account has the address;
/// FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn invite(
    context: &Context,
    administrator: &Administrator,
    email: &str,
    roles: Option<Vec<String>>,
) -> Result<Model> {
    notifications::require(&context.app)?;
    let settings = context.settings();
    let mut problems = Problems::default();
    let email = problems.collect(Email::parse(email));
    let roles = roles.unwrap_or_else(|| settings.registration.default_roles.clone());
    let (Some(email), Some(roles)) = (email, problems.collect(parse_roles(roles, settings))) else {
        return Err(problems.into());
    };
    if let Some(id) = administrator.user_id() {
        throttle::book_invitation(context, id).await?;
    }
    for _ in 0..MAX_ATTEMPTS {
        let mut work = begin(context, administrator).await?;
        if user::find_id(work.db(), Identifier::Email(&email.key)).await?.is_some() {
            work.rollback().await?;
            return Err(InputError::new(ErrorCode::EmailTaken, Field::Email).into());
        }
        let now = work.now;
        let invitation = Model {
            id: random::id(now)?,
            email: email.text.clone(),
            email_key: email.key.clone(),
            roles: roles.clone(),
            invited_by: administrator.user_id(),
            created_at: now,
            expires_at: now + INVITATION_LIFETIME,
        };
        match invitation::replace(work.db(), invitation.clone()).await {
            Ok(()) => {}
            Err(error) if is_unique_violation(&error) => {
                work.rollback().await?;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        work.emit(Event::UserInvited { invitation: invitation.clone().into(), to: email });
        work.commit().await?;
        return Ok(invitation);
    }
    Err(Error::unavailable(1, "an address is invited by several administrators at the same time"))
}

/// Revokes an open invitation.
///
/// # Errors
/// NOT_FOUND if it was accepted, revoked or replaced, or has expired; FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn revoke_invitation(context: &Context, administrator: &Administrator, id: Uuid) -> Result<()> {
    let mut work = begin(context, administrator).await?;
    if !invitation::take(work.db(), id, work.now).await? {
        work.rollback().await?;
        return Err(Error::NotFound);
    }
    work.emit(Event::InvitationRevoked { invitation_id: id });
    work.commit().await
}

/// Returns a page of the open invitations, newest first. Finds all administrators who invited with one query.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn invitations(context: &Context, _: &Administrator, range: Range) -> Result<Page<InvitationAndInviter>> {
    let db = context.app.database.read();
    let Page { rows, has_previous, has_next } =
        Page::read(range, async |range: &Range| invitation::open(db, range, context.now()).await).await?;
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.invited_by).collect();
    let users = if ids.is_empty() { Vec::new() } else { user::find_by_ids(db, &ids).await? };
    let users: HashMap<Uuid, user::Model> = users.into_iter().map(|user| (user.id, user)).collect();
    let with_inviter = |row: Model| {
        let user = row.invited_by.and_then(|id| users.get(&id).cloned());
        (row, user)
    };
    Ok(Page { rows: rows.into_iter().map(with_inviter).collect(), has_previous, has_next })
}

/// Finds an open invitation.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find_invitation(context: &Context, _: &Administrator, id: Uuid) -> Result<Option<InvitationAndInviter>> {
    let db = context.app.database.read();
    let Some(invitation) = invitation::find_open(db, id, context.now()).await? else { return Ok(None) };
    let inviter = match invitation.invited_by {
        Some(id) => user::find_by_id(db, id).await?,
        None => None,
    };
    Ok(Some((invitation, inviter)))
}

/// Finds the open invitation with this id or invited address.
///
/// # Errors
/// NOT_FOUND.
pub async fn find_invitation_of(context: &Context, _: &Administrator, id_or_email: &str) -> Result<Model> {
    let db = context.app.database.read();
    let found = if let Ok(id) = id_or_email.parse() {
        invitation::find_open(db, id, context.now()).await?
    } else {
        let email = Email::parse(id_or_email).map_err(|_| Error::NotFound)?;
        invitation::find_open_by_email(db, &email.key, context.now()).await?
    };
    found.ok_or(Error::NotFound)
}

/// Counts the open invitations. Reads all of them.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn count_invitations(context: &Context, _: &Administrator) -> Result<u64> {
    Ok(invitation::count_open(context.app.database.read(), context.now()).await?)
}
