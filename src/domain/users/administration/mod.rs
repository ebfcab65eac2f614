//! Administration: what is done to accounts by somebody else than their owners.
//!
//! One active administrator is always left. A change that would remove the last one is refused, decided by locked rows, so
//! that two instances that demote the last two at the same moment leave one.

mod email;

pub use email::{set_email, verify_email};
use uuid::Uuid;

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    domain::{
        Actor, Context, Event, UnitOfWork,
        identity::{Password, TypedIdentifier},
        sessions, throttle,
        users::{
            deletion,
            registration::{self, Registration},
        },
    },
    entity::{
        link,
        user::{self, Locked, Roles},
    },
    error::{ErrorCode, Field, InputError, Problems},
};

/// Other administrators that are considered, to find one that is left.
const MAX_OTHERS: u64 = 100;

/// Somebody who may administrate. Use cases take one, so that none can forget to check.
#[derive(Clone, Debug)]
pub struct Administrator {
    actor: Actor,
}

impl Administrator {
    /// Whoever runs the binary on the database, and might as well write there.
    #[must_use]
    pub fn at_command_line() -> Self {
        Self { actor: Actor::CommandLine }
    }

    /// For the audit log.
    pub(in crate::domain) fn actor(&self) -> Actor {
        self.actor
    }
}

/// What to change about an account. `None` keeps a value.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether the user can sign in.
    pub is_active: Option<bool>,
    /// The full new set of roles.
    pub roles: Option<Vec<String>>,
}

/// Creates an account for somebody else, with `DEFAULT_ROLES` unless other roles are given. Nobody is signed in by it.
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
    let (mut work, user) = registration::insert(work, new_user, roles.0, false).await?;
    work.emit(Event::UserCreated { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// The user with this username or e-mail address.
///
/// # Errors
/// NOT_FOUND.
pub async fn find(context: &Context, _: &Administrator, username_or_email: &str) -> Result<user::Model> {
    let identifier = TypedIdentifier::parse(username_or_email);
    let key = identifier.key().ok_or(Error::NotFound)?;
    user::find(context.app.database.read(), key).await?.ok_or(Error::NotFound)
}

/// Some users in the order of their usernames, after the user `after`.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is out of reach.
pub async fn list(
    context: &Context,
    _: &Administrator,
    after: Option<&user::Model>,
    limit: u64,
) -> Result<Vec<user::Model>> {
    let after = after.map(|user| user.username_key.as_str());
    Ok(user::by_username(context.app.database.read(), after, limit).await?)
}

/// Some users in the order of their ids, after the user with the id `after`. Every user is returned exactly once, although
/// names change meanwhile.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is out of reach.
pub async fn export(context: &Context, _: &Administrator, after: Option<Uuid>, limit: u64) -> Result<Vec<user::Model>> {
    Ok(user::by_id(context.app.database.read(), after, limit).await?)
}

/// Changes an account. Disabling one ends its sessions, its links and a pending change of the address. Without a
/// difference nothing is written, and it is no error.
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
    let disables = change.is_active == Some(false);
    let is_demoted = |roles: &Roles| !roles.0.iter().any(|role| role == user::ADMIN);
    let mut work = context.begin_for(administrator).await?;
    let mut user = if disables || roles.as_ref().is_some_and(is_demoted) {
        lock_unless_last_admin(&work, user_id).await?
    } else {
        lock(&work, user_id).await?
    };
    let before = user.to_model();
    let ended = if disables { sessions::end_all(&work, &mut user, None).await? } else { 0 };
    if disables {
        link::delete_unused(work.db(), user_id, None).await?;
        throttle::forget_places(&work, user_id).await?;
    }
    let now = work.now;
    let signed_out = user.to_model();
    let changed = user.update(work.db(), |user| {
        if disables {
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
    } else if disables {
        work.emit(Event::UserDisabled { user_id });
    }
    if user.roles != before.roles {
        work.emit(Event::RolesChanged { user_id, roles: user.roles.0.clone() });
    }
    work.commit().await?;
    Ok(user.into())
}

/// Sets another password, ends sessions, links and a pending change of the address, forgets failed sign-ins, and notifies
/// the user.
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
    let mut user = lock(&work, user_id).await?;
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

/// Deletes an account, as its owner would. Returns it as it was.
///
/// # Errors
/// NOT_FOUND, LAST_ADMIN.
pub async fn delete(context: &Context, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let mut work = context.begin_for(administrator).await?;
    let user = lock_unless_last_admin(&work, user_id).await?;
    let before = user.to_model();
    deletion::erase(&mut work, user).await?;
    work.commit().await?;
    Ok(before)
}

/// Parses roles as they are stored: sorted, without repetition.
pub(in crate::domain) fn parse_roles(mut roles: Vec<String>, settings: &Settings) -> Result<Roles, InputError> {
    if !roles.iter().all(|role| settings.registration.roles.contains(role)) {
        return Err(InputError::new(ErrorCode::RoleUnknown, Field::Roles));
    }
    roles.sort();
    roles.dedup();
    Ok(Roles(roles))
}

async fn lock(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<Locked> {
    user::lock(work.db(), user_id).await?.ok_or(Error::NotFound)
}

/// Locks a user who may be an administrator and will not be one afterwards, together with other administrators. Whoever
/// waits for these rows sees afterwards what became of them. If `ROLES` has no `admin`, no administrator has to be left.
///
/// # Errors
/// NOT_FOUND; LAST_ADMIN if no other one is left.
pub(in crate::domain) async fn lock_unless_last_admin(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<Locked> {
    if !work.app().settings.registration.roles.iter().any(|role| role == user::ADMIN) {
        return lock(work, user_id).await;
    }
    let before = user::find_by_id(work.db(), user_id).await?.ok_or(Error::NotFound)?;
    let mut ids = vec![user_id];
    // Administrators are searched for only if one of them is to be changed.
    if before.is_active_admin() {
        ids.extend(user::active_admins(work.db(), MAX_OTHERS + 1).await?);
    }
    let (mut own, others): (Vec<_>, Vec<_>) =
        user::lock_all(work.db(), ids).await?.into_iter().partition(|user| user.id == user_id);
    let user = own.pop().ok_or(Error::NotFound)?;
    // A user who has become one since is refused, too, and the request may be repeated.
    if user.is_active_admin() && !others.iter().any(|other| other.is_active_admin()) {
        return Err(Error::LastAdmin);
    }
    Ok(user)
}
