//! Administration: changes of accounts by administrators.
//!
//! There is always at least one active administrator. A change that would remove the last one is rejected. The check locks
//! the rows of administrators, so that two concurrent changes cannot remove the last two.
//!
//! Each change requires that the administrator has proved their identity recently: see `guard.rs`.

mod account;
mod create;
mod guard;
mod identities;
mod invitations;
mod list;
mod profile;
mod second_factor;

pub(in crate::domain) use account::parse_roles;
pub use account::{Change, revoke_sessions, update};
pub use create::{NewAccount, create, create_with_password};
pub use guard::{Administrator, administrator, of_principal};
use guard::{begin, begin_with_user};
pub(in crate::domain) use guard::{is_administrator, lock_unless_last_admin, may_read};
pub use identities::unlink_identities;
pub use invitations::{
    InvitationAndInviter, count_invitations, find_invitation, find_invitation_of, invitations, invite,
    revoke_invitation,
};
pub use list::{Filter, ListOrder, MAX_SEARCH, count, find_by_id, find_by_ids, is_search_too_long, page, search_terms};
pub use profile::{UserChange, set_email, update_profile, verify_email};
pub use second_factor::{reset_mfa, second_factors};
use uuid::Uuid;

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event,
        identity::{Password, TypedIdentifier},
        mfa,
        notifications::{self, links},
        sessions, throttle,
        users::deletion,
    },
    entity::user,
    error::{ErrorCode, Field, InputError},
};

/// Maximum length of a reason in characters.
const MAX_REASON_LENGTH: usize = 500;

/// Finds the user with this username or e-mail address.
///
/// # Errors
/// NOT_FOUND.
pub async fn find(context: &Context, _: &Administrator, username_or_email: &str) -> Result<user::Model> {
    let identifier = TypedIdentifier::parse(username_or_email);
    let key = identifier.key().ok_or(Error::NotFound)?;
    user::find(context.app.database.read(), key).await?.ok_or(Error::NotFound)
}

/// Lists at most `limit` users ordered by id, after the id `after`. Page by page, every user is returned exactly once, even
/// if usernames change in the meantime.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn export(context: &Context, _: &Administrator, after: Option<Uuid>, limit: u64) -> Result<Vec<user::Model>> {
    Ok(user::by_id(context.app.database.read(), after, limit).await?)
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
    let (mut work, mut user) = begin_with_user(context, administrator, user_id).await?;
    let now = work.now;
    sessions::end_all(&work, &mut user, None).await?;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = true;
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    links::end_all(&work, user_id).await?;
    mfa::invalidate_proofs(&work, user_id).await?;
    throttle::clear_account(&work, &user).await?;
    work.emit(Event::PasswordChanged { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// Sends the user a mail with a link to choose a new password. The current password stays valid until then.
///
/// # Errors
/// NOT_FOUND; MAIL_DISABLED; REQUIRED if the account has no address; ACCOUNT_DISABLED; FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn send_password_reset(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
) -> Result<user::Model> {
    notifications::require(&context.app)?;
    let (work, user) = begin_with_user(context, administrator, user_id).await?;
    let checked = if user.email.is_none() {
        Err(InputError::new(ErrorCode::Required, Field::Email).into())
    } else if user.is_active {
        Ok(())
    } else {
        Err(Error::AccountDisabled)
    };
    let (mut work, ()) = work.or_rollback(checked).await?;
    work.emit(Event::PasswordLinkSent { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

/// Deletes an account, as [`deletion::delete`] does. Returns its last state.
///
/// # Errors
/// NOT_FOUND, LAST_ADMIN, TOO_LONG (the reason), FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn delete(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    reason: Option<String>,
) -> Result<user::Model> {
    let reason = parse_reason(reason)?;
    let work = context.begin_for(administrator).await?;
    let (mut work, user) = lock_unless_last_admin(work, Some(administrator), user_id).await?;
    let before = user.to_model();
    deletion::erase(&mut work, user, reason).await?;
    work.commit().await?;
    Ok(before)
}

/// Parses the reason of a change, for the audit log. A blank reason is `None`.
fn parse_reason(reason: Option<String>) -> Result<Option<String>, InputError> {
    let Some(reason) = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty()) else {
        return Ok(None);
    };
    if reason.chars().count() > MAX_REASON_LENGTH {
        return Err(InputError::with_limit(ErrorCode::TooLong, Field::Reason, MAX_REASON_LENGTH));
    }
    if reason.chars().any(char::is_control) {
        return Err(InputError::new(ErrorCode::BadUserInput, Field::Reason));
    }
    Ok(Some(reason))
}
