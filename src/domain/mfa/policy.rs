//! `MFA_REQUIRED_ROLES`: users who have one of these roles need a second factor.
//!
//! Nothing is stored: each request computes whether the policy applies and whether there is a factor, so a change of the roles,
//! of the factors or of the setting takes effect at once.

use crate::{
    App, Error, Result,
    config::Settings,
    domain::UnitOfWork,
    entity::{second_factor, session, user},
};

/// Whether a role of the user requires a second factor.
pub(in crate::domain) fn is_required(settings: &Settings, user: &user::Model) -> bool {
    user.roles.0.iter().any(|role| settings.registration.mfa_required_roles.contains(role))
}

/// Whether a role of the user of a live session requires a second factor, and none is set up. Queries the database only for users
/// with such a role.
///
/// # Errors
/// SESSION_REVOKED if the session has ended since it was read. SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn must_enroll(app: &App, user: &user::Model, session: &session::Model) -> Result<bool> {
    if !is_required(&app.settings, user) {
        return Ok(false);
    }
    // Boxed, because it is rare, and the future of every request contains this one.
    Box::pin(lacks_factor(app, session)).await
}

async fn lacks_factor(app: &App, session: &session::Model) -> Result<bool> {
    let db = app.database.read();
    if !second_factor::exists(db, session.user_id).await? {
        return Ok(true);
    }
    // If another session has just confirmed the factor, it has ended this one.
    let is_live =
        session.second_factor_at.is_some() || user::session_epoch(db, session.user_id).await? == Some(session.epoch);
    if is_live { Ok(false) } else { Err(Error::SessionRevoked) }
}

/// Like [`must_enroll`], in a transaction.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn must_enroll_in(work: &UnitOfWork<'_>, user: &user::Model) -> Result<bool> {
    Ok(is_required(&work.app().settings, user) && !second_factor::exists(work.db(), user.id).await?)
}
