//! Deletion of accounts: by their owners, and the steps shared by all deletions.

use uuid::Uuid;

use crate::{
    Result,
    config::SecretString,
    domain::{
        Context, Event, Principal, UnitOfWork, context::Actor, sign_in::proof, throttle,
        users::administration::lock_unless_last_admin,
    },
    entity::{audit_event, user::Locked},
    error::Field,
};

/// Deletes the account of the signed-in user, with sessions, links and mails. Returns the id of the deleted user.
///
/// # Errors
/// REQUIRED (the password), WRONG_PASSWORD, RATE_LIMITED; LAST_ADMIN. UNAUTHENTICATED if the session has ended in the
/// meantime.
pub async fn delete(context: &Context, principal: &Principal, password: Option<SecretString>) -> Result<Uuid> {
    proof::check(context, principal, password.as_ref(), Field::Password).await??;
    let user_id = principal.user.id;
    let work = context.begin_with(Actor::User(user_id)).await?;
    let (mut work, user) = lock_unless_last_admin(work, None, user_id).await?;
    principal.lock_session(&work, &user).await?;
    erase(&mut work, user, None).await?;
    work.commit().await?;
    Ok(user_id)
}

/// Deletes a user with all data, and notifies a verified address. The audit log keeps the id of the user and the reason that
/// an administrator gave, but no IP addresses.
pub(in crate::domain) async fn erase(work: &mut UnitOfWork<'_>, user: Locked, reason: Option<String>) -> Result<()> {
    audit_event::forget_client(work.db(), user.id).await?;
    throttle::forget_account(work, &user).await?;
    let last_state = Box::new(user.to_model());
    user.delete(work.db()).await?;
    work.emit(Event::UserDeleted { user: last_state, reason });
    Ok(())
}
