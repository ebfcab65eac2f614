//! Administration: changes of accounts by administrators.
//!
//! There is always at least one active administrator. A change that would remove the last one is rejected. The check locks
//! the rows of administrators, so that two concurrent changes cannot remove the last two.

mod email;
mod guard;
mod list;

pub use email::{set_email, verify_email};
pub(in crate::domain) use guard::lock_unless_last_admin;
pub use guard::{Administrator, administrator, of_principal};
use guard::{lock, lock_administrator};
pub use list::{Filter, ListOrder, count, find_by_id, page, search_terms};
use uuid::Uuid;

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    domain::{
        Context, Event,
        identity::{Password, TypedIdentifier},
        sessions, throttle,
        users::{
            deletion,
            registration::{self, Registration},
        },
    },
    entity::{
        link,
        user::{self, Roles},
    },
    error::{ErrorCode, Field, InputError, Problems},
};

/// A change of an account. `None` keeps a value.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether the user can sign in.
    pub is_active: Option<bool>,
    /// The full new set of roles.
    pub roles: Option<Vec<String>>,
}

/// Creates an account for another person, with `DEFAULT_ROLES` unless other roles are given. Does not sign in.
///
/// # Errors
/// As [`registration::register`], except for REGISTRATION_DISABLED; and ROLE_UNKNOWN.
pub async fn create(
    context: &Context,
    administrator: &Administrator,
    form: Registration,
    roles: Option<Vec<String>>,
) -> Result<user::Model> {
    let mut problems = Problems::default();
    let form = match registration::parse(form, context.settings()) {
        Ok(form) => Some(form),
        Err(Error::Input(found)) => {
            problems.append(found);
            None
        }
        Err(error) => return Err(error),
    };
    let roles = roles.unwrap_or_else(|| context.settings().registration.default_roles.clone());
    let roles = problems.collect(parse_roles(roles, context.settings()));
    let (Some(form), Some(roles)) = (form, roles) else {
        return Err(problems.into());
    };
    let new_user = form.hash(context).await?;
    let work = context.begin_for(administrator).await?;
    lock_administrator(&work, administrator).await?;
    let (mut work, user) = registration::insert(work, new_user, roles.0, false).await?;
    work.emit(Event::UserCreated { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// Finds the user with this username or e-mail address.
///
/// # Errors
/// NOT_FOUND.
pub async fn find(context: &Context, _: &Administrator, username_or_email: &str) -> Result<user::Model> {
    let identifier = TypedIdentifier::parse(username_or_email);
    let key = identifier.key().ok_or(Error::NotFound)?;
    user::find(context.app.database.read(), key).await?.ok_or(Error::NotFound)
}

/// Lists at most `limit` users ordered by username, after the user `after`.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list(
    context: &Context,
    _: &Administrator,
    after: Option<&user::Model>,
    limit: u64,
) -> Result<Vec<user::Model>> {
    let after = after.map(|user| user.username_key.as_str());
    Ok(user::by_username(context.app.database.read(), after, limit).await?)
}

/// Lists at most `limit` users ordered by id, after the id `after`. Page by page, every user is returned exactly once, even
/// if usernames change in the meantime.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn export(context: &Context, _: &Administrator, after: Option<Uuid>, limit: u64) -> Result<Vec<user::Model>> {
    Ok(user::by_id(context.app.database.read(), after, limit).await?)
}

/// Changes an account. Disabling an account ends its sessions, deletes its links, and cancels a pending change of the
/// address. Does nothing if nothing would change.
///
/// # Errors
/// NOT_FOUND, ROLE_UNKNOWN, LAST_ADMIN.
pub async fn update(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    change: Change,
) -> Result<user::Model> {
    let roles = change.roles.map(|roles| parse_roles(roles, context.settings())).transpose()?;
    let is_disabling = change.is_active == Some(false);
    let is_demoted = |roles: &Roles| !roles.0.iter().any(|role| role == user::ADMIN);
    let mut work = context.begin_for(administrator).await?;
    let mut user = if is_disabling || roles.as_ref().is_some_and(is_demoted) {
        lock_unless_last_admin(&work, Some(administrator), user_id).await?
    } else {
        lock(&work, administrator, user_id).await?
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
        return Ok(before);
    }
    if user.is_active && !before.is_active {
        work.emit(Event::UserEnabled { user_id });
    } else if is_disabling {
        work.emit(Event::UserDisabled { user_id });
    }
    if user.roles != before.roles {
        work.emit(Event::RolesChanged { user_id, roles: user.roles.0.clone() });
    }
    work.commit().await?;
    Ok(user.into())
}

/// Sets a new password, ends all sessions, deletes links, cancels a pending change of the address, clears failed sign-ins,
/// and notifies the user.
///
/// # Errors
/// NOT_FOUND, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON.
pub async fn set_password(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    password: SecretString,
) -> Result<user::Model> {
    let user = user::find_by_id(context.app.database.read(), user_id).await?.ok_or(Error::NotFound)?;
    let password = Password::parse(password, Field::Password, &(&user).into(), context.settings())?;
    let password_hash = context.app.hasher.hash(password.secret()).await?;
    let mut work = context.begin_for(administrator).await?;
    let now = work.now;
    let mut user = lock(&work, administrator, user_id).await?;
    sessions::end_all(&work, &mut user, None).await?;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    link::delete_unused(work.db(), user_id, None).await?;
    throttle::clear_account(&work, &user).await?;
    work.emit(Event::PasswordChanged { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// Deletes an account, as [`deletion::delete`] does. Returns its last state.
///
/// # Errors
/// NOT_FOUND, LAST_ADMIN.
pub async fn delete(context: &Context, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let mut work = context.begin_for(administrator).await?;
    let user = lock_unless_last_admin(&work, Some(administrator), user_id).await?;
    let before = user.to_model();
    deletion::erase(&mut work, user).await?;
    work.commit().await?;
    Ok(before)
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
