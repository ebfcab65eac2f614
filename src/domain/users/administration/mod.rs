//! Administration: what is done to accounts by someone else than their owners.
//!
//! An active administrator is always left: who would take the last one's power away is refused, by rows that are locked,
//! so that two instances which do it to the last two at once leave one.

mod email;

pub use email::{set_email, verify_email};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    config::{SecretString, Settings},
    domain::{
        Client, audit,
        identity::{Password, TypedIdentifier},
        notifications, sessions, throttle,
        users::{
            deletion,
            registration::{self, Registration},
        },
    },
    entity::{
        audit_event::Kind,
        link, mail,
        user::{self, Roles},
    },
    error::{ErrorCode, Field, InputError, Problems},
};

/// Other administrators who are looked at, to find one who is left.
const MAX_OTHERS: u64 = 100;

/// Someone who may administrate. Use cases take one, so that none can forget to check.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// Who it is, for the audit log.
    pub(in crate::domain) user_id: Option<Uuid>,
    pub(in crate::domain) client: Client,
}

impl Administrator {
    /// Whoever runs Hallpass's binary on its database, and might as well write there.
    #[must_use]
    pub fn at_command_line() -> Self {
        Self { user_id: None, client: Client::default() }
    }
}

/// What is to be changed about an account; the rest stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether its owner can sign in.
    pub is_active: Option<bool>,
    /// The full new set of roles.
    pub roles: Option<Vec<String>>,
}

/// Makes an account for somebody else, with `DEFAULT_ROLES` unless other roles are given. Nobody is signed in by it.
///
/// # Errors
/// As [`registration::register`], but for REGISTRATION_DISABLED; and ROLE_UNKNOWN.
pub async fn create(
    app: &App,
    administrator: &Administrator,
    form: Registration,
    roles: Option<Vec<String>>,
) -> Result<user::Model> {
    let mut problems = Problems::default();
    let new_user = match registration::parse(form, &app.settings) {
        Ok(new_user) => Some(new_user),
        Err(Error::Input(found)) => {
            problems.append(found);
            None
        }
        Err(error) => return Err(error),
    };
    let roles = roles.unwrap_or_else(|| app.settings.registration.default_roles.clone());
    let roles = problems.collect(parse_roles(roles, &app.settings));
    let (Some(new_user), Some(roles)) = (new_user, roles) else {
        return Err(problems.into());
    };
    let (transaction, user) = registration::create(app, new_user, roles.0, (false, false)).await?;
    let Administrator { user_id, client } = administrator;
    audit::record(&transaction, Kind::UserCreated, *user_id, user.id, client, user.created_at).await?;
    notifications::verify(app, &transaction, &user, client, 0).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

/// The user with this username or e-mail address.
///
/// # Errors
/// NOT_FOUND.
pub async fn find(app: &App, _: &Administrator, username_or_email: &str) -> Result<user::Model> {
    let identifier = TypedIdentifier::parse(username_or_email).ok_or(Error::NotFound)?;
    user::find(app.database.read(), identifier.key()).await?.ok_or(Error::NotFound)
}

/// Some users in the order of their usernames, from behind the one with the username `after`.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is not there.
pub async fn list(app: &App, _: &Administrator, after: Option<&user::Model>, most: u64) -> Result<Vec<user::Model>> {
    let after = after.map(|user| user.username_key.as_str());
    Ok(user::by_username(app.database.read(), after, most).await?)
}

/// Some users in the order of their ids, from behind the one with the id `after`: all of them come, and none twice, whoever
/// changes names meanwhile.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is not there.
pub async fn export(app: &App, _: &Administrator, after: Option<Uuid>, most: u64) -> Result<Vec<user::Model>> {
    Ok(user::by_id(app.database.read(), after, most).await?)
}

/// Changes an account. Disabling one ends its sessions, its links and a pending change of address. Without a difference
/// nothing is written, and it is no error.
///
/// # Errors
/// NOT_FOUND, ROLE_UNKNOWN, LAST_ADMIN.
pub async fn update(app: &App, administrator: &Administrator, user_id: Uuid, change: Change) -> Result<user::Model> {
    let mut problems = Problems::default();
    let roles = change.roles.map(|roles| parse_roles(roles, &app.settings)).transpose();
    let Some(roles) = problems.collect(roles) else {
        return Err(problems.into());
    };
    let disables = change.is_active == Some(false);
    let is_demoted = |roles: &Roles| !roles.0.iter().any(|role| role == user::ADMIN);
    let now = app.clock.now();
    let transaction = app.write().await?;
    let user = if disables || roles.as_ref().is_some_and(is_demoted) {
        lock_unless_last_admin(app, &transaction, user_id).await?
    } else {
        lock(&transaction, user_id).await?
    };
    let ended = if disables { sessions::end_all(&transaction, user_id, None, now).await? } else { 0 };
    let mut row = user.clone().into_active_model();
    if disables {
        clear_pending_email(&mut row);
        link::kill(&transaction, user_id, None).await?;
    }
    if let Some(is_active) = change.is_active {
        row.is_active.set_if_not_equals(is_active);
    }
    if let Some(roles) = roles {
        row.roles.set_if_not_equals(roles);
    }
    if disables {
        throttle::forget_places(app, &transaction, user_id).await?;
    }
    if !row.is_changed() && ended == 0 {
        transaction.rollback().await?;
        return Ok(user);
    }
    row.updated_at = Set(now);
    let user = row.update(&transaction).await?;
    audit::record(&transaction, Kind::UserUpdated, administrator.user_id, user_id, &administrator.client, now).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Gives an account another password, ends its sessions, its links and a pending change of address, forgets who has guessed
/// at the old one, and has its owner told.
///
/// # Errors
/// NOT_FOUND, REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON.
pub async fn set_password(
    app: &App,
    administrator: &Administrator,
    user_id: Uuid,
    password: SecretString,
) -> Result<user::Model> {
    let user = user::Entity::find_by_id(user_id).one(app.database.read()).await?.ok_or(Error::NotFound)?;
    let password = Password::parse(password, Field::Password, &(&user).into(), &app.settings)?;
    let password_hash = app.hasher.hash(password.secret()).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    let mut row = lock(&transaction, user_id).await?.into_active_model();
    sessions::end_all(&transaction, user_id, None, now).await?;
    row.password_hash = Set(password_hash);
    clear_pending_email(&mut row);
    row.updated_at = Set(now);
    let user = row.update(&transaction).await?;
    link::kill(&transaction, user_id, None).await?;
    throttle::clear_account(app, &transaction, &user).await?;
    let client = &administrator.client;
    audit::record(&transaction, Kind::UserUpdated, administrator.user_id, user_id, client, now).await?;
    notifications::tell(app, &transaction, mail::Purpose::PasswordChanged, &user, client, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

/// Deletes an account, as its owner would. Returns it as it was.
///
/// # Errors
/// NOT_FOUND, LAST_ADMIN.
pub async fn delete(app: &App, administrator: &Administrator, user_id: Uuid) -> Result<user::Model> {
    let transaction = app.write().await?;
    let user = lock_unless_last_admin(app, &transaction, user_id).await?;
    let actor_id = administrator.user_id.filter(|actor_id| *actor_id != user_id);
    deletion::erase(app, &transaction, &user, (actor_id, &administrator.client)).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Whatever changes the credentials of an account ends its request to move to another address.
fn clear_pending_email(row: &mut user::ActiveModel) {
    row.pending_email.set_if_not_equals(None);
    row.pending_email_key.set_if_not_equals(None);
    row.pending_email_id.set_if_not_equals(None);
    row.pending_email_expires_at.set_if_not_equals(None);
}

/// Roles as they are stored: sorted, each once.
pub(in crate::domain) fn parse_roles(mut roles: Vec<String>, settings: &Settings) -> Result<Roles, InputError> {
    if !roles.iter().all(|role| settings.registration.roles.contains(role)) {
        return Err(InputError::new(ErrorCode::RoleUnknown, Field::Roles));
    }
    roles.sort();
    roles.dedup();
    Ok(Roles(roles))
}

async fn lock(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<user::Model> {
    user::lock(transaction, vec![user_id]).await?.pop().ok_or(Error::NotFound)
}

/// Locks the row of a user who may be an administrator and will not be one afterwards, together with those of the others
/// who are. Who waits for such rows sees afterwards what became of them. Whatever takes an administrator away begins so.
/// Without `admin` in `ROLES` there are no administrators, and none has to be left.
///
/// # Errors
/// NOT_FOUND; LAST_ADMIN if no other one is left.
pub(in crate::domain) async fn lock_unless_last_admin(
    app: &App,
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<user::Model> {
    if !app.settings.registration.roles.iter().any(|role| role == user::ADMIN) {
        return lock(transaction, user_id).await;
    }
    let before = user::Entity::find_by_id(user_id).one(transaction).await?.ok_or(Error::NotFound)?;
    let mut ids = vec![user_id];
    // Nobody searches all users for an administrator because somebody else is disabled.
    if before.is_active_admin() {
        ids.extend(user::active_admins(transaction, MAX_OTHERS + 1).await?);
    }
    let (mut those, others): (Vec<_>, Vec<_>) =
        user::lock(transaction, ids).await?.into_iter().partition(|user| user.id == user_id);
    let user = those.pop().ok_or(Error::NotFound)?;
    // Who has become one since it was read is refused, too, and may be tried again.
    if user.is_active_admin() && !others.iter().any(user::Model::is_active_admin) {
        return Err(Error::LastAdmin);
    }
    Ok(user)
}
