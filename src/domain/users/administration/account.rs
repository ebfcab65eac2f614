//! Disabling and enabling accounts, and their roles.

use uuid::Uuid;

use crate::{
    Result,
    config::Settings,
    domain::{
        Context, Event, mfa,
        notifications::links,
        sessions, throttle,
        users::administration::{Administrator, begin_with_user, lock_unless_last_admin, parse_reason},
    },
    entity::{
        link,
        user::{self, Roles},
    },
    error::{ErrorCode, Field, InputError},
};

/// A change of an account. `None` keeps a value.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether the user can sign in.
    pub is_active: Option<bool>,
    /// The full new set of roles.
    pub roles: Option<Vec<String>>,
    /// Why the account is disabled, for the audit log.
    pub reason: Option<String>,
}

/// Changes an account. Disabling an account ends its sessions, deletes its links, and cancels a pending change of the
/// address. Does nothing if nothing would change. Returns the user, and how many sessions were ended.
///
/// # Errors
/// NOT_FOUND, ROLE_UNKNOWN, LAST_ADMIN, TOO_LONG (the reason); FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn update(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    change: Change,
) -> Result<(user::Model, u64)> {
    let roles = change.roles.map(|roles| parse_roles(roles, context.settings())).transpose()?;
    let reason = parse_reason(change.reason)?;
    let is_disabling = change.is_active == Some(false);
    let is_demoted = |roles: &Roles| !roles.0.iter().any(|role| role == user::ADMIN);
    let (mut work, mut user) = if is_disabling || roles.as_ref().is_some_and(is_demoted) {
        let work = context.begin_for(administrator).await?;
        lock_unless_last_admin(work, Some(administrator), user_id).await?
    } else {
        begin_with_user(context, administrator, user_id).await?
    };
    let before = user.to_model();
    let ended = if is_disabling { sessions::end_all(&work, &mut user, None).await? } else { 0 };
    if is_disabling {
        link::delete_unused(work.db(), user_id, None).await?;
        throttle::forget_networks(&work, user_id).await?;
    }
    let now = work.now;
    let signed_out = user.to_model();
    let changed = user.update(work.db(), |user| {
        if is_disabling {
            user.clear_pending_email();
        }
        user.is_active = change.is_active.unwrap_or(user.is_active);
        user.roles = roles.unwrap_or_else(|| user.roles.clone());
        if *user != signed_out || ended > 0 {
            user.updated_at = now;
        }
    });
    if !changed.await? {
        work.rollback().await?;
        return Ok((before, 0));
    }
    if user.is_active && !before.is_active {
        // Until here, they fail with ACCOUNT_DISABLED.
        links::end_all(&work, user_id).await?;
        work.emit(Event::UserEnabled { user_id });
    } else if is_disabling {
        work.emit(Event::UserDisabled { user: user.to_model().into(), reason });
    }
    if user.roles != before.roles {
        mfa::invalidate_proofs(&work, user_id).await?;
        work.emit(Event::RolesChanged { user: user.to_model().into() });
    }
    work.commit().await?;
    Ok((user.into(), ended))
}

/// Ends all sessions of a user. Returns the user, and how many sessions were live.
///
/// # Errors
/// NOT_FOUND, FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn revoke_sessions(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
) -> Result<(user::Model, u64)> {
    let (mut work, mut user) = begin_with_user(context, administrator, user_id).await?;
    let ended = sessions::end_all(&work, &mut user, None).await?;
    if ended > 0 {
        work.emit(Event::SessionRevoked { user_id });
    }
    work.commit().await?;
    Ok((user.into(), ended))
}

/// Parses roles into their stored form: sorted and without duplicates.
pub(in crate::domain) fn parse_roles(mut roles: Vec<String>, settings: &Settings) -> Result<Roles, InputError> {
    if !roles.iter().all(|role| settings.registration.roles.contains(role)) {
        return Err(InputError::new(ErrorCode::RoleUnknown, Field::Roles));
    }
    roles.sort();
    roles.dedup();
    Ok(Roles(roles))
}
