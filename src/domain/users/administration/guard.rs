//! The permission to administer accounts, checked when a request begins and again in its transaction. The transaction also
//! requires that the administrator has proved their identity recently.

use uuid::Uuid;

use crate::{
    Error, Result,
    config::Settings,
    domain::{Actor, Context, Principal, UnitOfWork, mfa, principal, sign_in::proof},
    entity::{
        second_factor,
        user::{self, Locked},
    },
};

/// Maximum number of other administrators that are locked to find a remaining one.
const MAX_OTHERS: u64 = 100;

/// Permission to administer accounts. Use cases take it as an argument, so that the check cannot be forgotten.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// `None` for the operator.
    principal: Option<Principal>,
}

impl Administrator {
    /// The operator, who has access to the database anyway.
    #[must_use]
    pub fn at_command_line() -> Self {
        Self { principal: None }
    }

    /// The actor for the audit log.
    pub(in crate::domain) fn actor(&self) -> Actor {
        self.principal.as_ref().map_or(Actor::CommandLine, |principal| Actor::Administrator(principal.user.id))
    }

    /// The id of the administrator's account. `None` for the operator.
    #[must_use]
    pub fn user_id(&self) -> Option<Uuid> {
        self.principal.as_ref().map(|principal| principal.user.id)
    }

    /// Checks that administrators do not act on their own accounts.
    ///
    /// # Errors
    /// FORBIDDEN.
    pub(super) fn check_other(&self, user_id: Uuid) -> Result<()> {
        if self.user_id() == Some(user_id) { Err(Error::Forbidden) } else { Ok(()) }
    }
}

/// Checks that the signed-in user is an administrator.
///
/// # Errors
/// UNAUTHENTICATED, FORBIDDEN.
pub async fn administrator(context: &Context) -> Result<Administrator> {
    of_principal(context, principal(context).await?)
}

/// Checks that a signed-in user is an administrator.
///
/// # Errors
/// FORBIDDEN.
pub fn of_principal(context: &Context, principal: Principal) -> Result<Administrator> {
    if is_administrator(context.settings(), &principal.user) {
        Ok(Administrator { principal: Some(principal) })
    } else {
        Err(Error::Forbidden)
    }
}

/// Whether a user is active and has the role `admin`, which must be one of `ROLES`.
pub(in crate::domain) fn is_administrator(settings: &Settings, user: &user::Model) -> bool {
    has_admin_role(settings) && user.is_active_admin()
}

/// Whether a signed-in user may read what belongs to a user: users their own account, administrators any.
pub(in crate::domain) fn may_read(context: &Context, principal: &Principal, user_id: Uuid) -> bool {
    principal.user.id == user_id || is_administrator(context.settings(), &principal.user)
}

fn has_admin_role(settings: &Settings) -> bool {
    settings.registration.roles.iter().any(|role| role == user::ADMIN)
}

/// Locks users until the transaction ends, together with the administrator's own account, and checks that the administrator
/// still is one, that the session has not ended, and that the last proof of identity in it is recent, with the second factor
/// if there is one. All are locked by one statement in a fixed order, so that administrators who change each other cannot
/// deadlock. The operator on the command line needs no proof.
///
/// # Errors
/// UNAUTHENTICATED, FORBIDDEN, MFA_ENROLLMENT_REQUIRED, REAUTHENTICATION_REQUIRED.
async fn lock_all(
    work: &UnitOfWork<'_>,
    administrator: Option<&Administrator>,
    mut ids: Vec<Uuid>,
) -> Result<Vec<Locked>> {
    let principal = administrator.and_then(|administrator| administrator.principal.as_ref());
    ids.extend(principal.map(|principal| principal.user.id));
    let users = user::lock_all(work.db(), ids).await?;
    if let Some(principal) = principal {
        let own = users.iter().find(|user| user.id == principal.user.id);
        let own = own.ok_or(Error::Unauthenticated(crate::error::UnauthenticatedReason::SessionRevoked))?;
        let session = principal.lock_session(work, own).await?;
        if !is_administrator(&work.app().settings, own) {
            return Err(Error::Forbidden);
        }
        let has_factor = second_factor::exists(work.db(), own.id).await?;
        if !has_factor && mfa::is_required(&work.app().settings, own) {
            return Err(Error::MfaEnrollmentRequired);
        }
        proof::check_session(&session, has_factor, work.now)?;
    }
    Ok(users)
}

/// Begins a unit of work that affects no existing account, and checks the administrator as [`lock_all`] does.
///
/// # Errors
/// As [`lock_all`].
pub(in crate::domain) async fn begin<'a>(
    context: &'a Context,
    administrator: &Administrator,
) -> Result<UnitOfWork<'a>> {
    let work = context.begin_for(administrator).await?;
    let checked = lock_all(&work, Some(administrator), Vec::new()).await;
    work.or_rollback(checked).await.map(|(work, _)| work)
}

/// Begins a unit of work that changes a user: locks the user, and checks the administrator as [`lock_all`] does.
///
/// # Errors
/// NOT_FOUND; those of [`lock_all`].
pub(in crate::domain) async fn begin_with_user<'a>(
    context: &'a Context,
    administrator: &Administrator,
    user_id: Uuid,
) -> Result<(UnitOfWork<'a>, Locked)> {
    let work = context.begin_for(administrator).await?;
    let users = lock_all(&work, Some(administrator), vec![user_id]).await;
    let user = users.and_then(|users| users.into_iter().find(|user| user.id == user_id).ok_or(Error::NotFound));
    work.or_rollback(user).await
}

/// Locks a user before a change after which the user is not an active administrator, together with other administrators. A
/// concurrent change waits for these locks, and then sees the result of this one. If `ROLES` does not contain `admin`, no
/// administrator has to remain. `administrator` is `None` if users change their own accounts.
///
/// # Errors
/// NOT_FOUND; LAST_ADMIN if no other administrator remains; those of [`lock_all`]. The unit of work is then rolled back.
pub(in crate::domain) async fn lock_unless_last_admin<'a>(
    work: UnitOfWork<'a>,
    administrator: Option<&Administrator>,
    user_id: Uuid,
) -> Result<(UnitOfWork<'a>, Locked)> {
    let user = lock_removable(&work, administrator, user_id).await;
    work.or_rollback(user).await
}

async fn lock_removable(work: &UnitOfWork<'_>, administrator: Option<&Administrator>, user_id: Uuid) -> Result<Locked> {
    let mut ids = vec![user_id];
    let is_guarded = has_admin_role(&work.app().settings);
    // The other administrators matter only if the user is one.
    if is_guarded && user::find_by_id(work.db(), user_id).await?.is_some_and(|user| user.is_active_admin()) {
        ids.extend(user::active_admins(work.db(), MAX_OTHERS + 1).await?);
    }
    let (mut own, others): (Vec<_>, Vec<_>) =
        lock_all(work, administrator, ids).await?.into_iter().partition(|user| user.id == user_id);
    let user = own.pop().ok_or(Error::NotFound)?;
    // A user who has become an administrator since then is rejected too. The request may be repeated.
    if is_guarded && user.is_active_admin() && !others.iter().any(|other| other.is_active_admin()) {
        return Err(Error::LastAdmin);
    }
    Ok(user)
}
