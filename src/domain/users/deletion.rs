//! Leaving: an account deleted by its owner, and what every deletion does.

use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{
    App, Result,
    config::SecretString,
    domain::{Client, Principal, audit, sign_in::proof, throttle, users::administration::lock_unless_last_admin},
    entity::{
        audit_event::{self, Kind},
        user,
    },
    error::Field,
};

/// Deletes the account of the signed-in user: their row, and with it sessions, links and mails that wait. The audit log
/// keeps what happened, and no longer to whom. Returns the id that was theirs.
///
/// # Errors
/// REQUIRED (the password), WRONG_PASSWORD, RATE_LIMITED; LAST_ADMIN. UNAUTHENTICATED: the session was ended meanwhile.
pub async fn delete(app: &App, principal: &Principal, password: Option<SecretString>) -> Result<Uuid> {
    proof::check(app, principal, password.as_ref(), Field::Password).await??;
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    let user = lock_unless_last_admin(app, &transaction, user_id).await?;
    principal.lock_session(&transaction, &user, now).await?;
    erase(app, &transaction, &user, (None, &Client::default())).await?;
    transaction.commit().await?;
    Ok(user_id)
}

/// Deletes a user whose sessions and row are locked, and all that names them. `by` is whoever else does so.
pub(in crate::domain) async fn erase(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    by: (Option<Uuid>, &Client),
) -> Result<()> {
    audit_event::forget_client(transaction, user.id).await?;
    throttle::forget_account(app, transaction, user).await?;
    user::Entity::delete_by_id(user.id).exec(transaction).await?;
    audit::record(transaction, Kind::AccountDeleted, by.0, None, by.1, app.clock.now()).await
}
