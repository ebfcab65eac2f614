//! Second factors: authenticator apps and recovery codes.
//!
//! The gate in [`crate::domain::sign_in`] asks for them. This module owns how they are set up, checked and removed.

mod enrollment;
mod factor;
mod overview;
mod policy;
pub mod remembered;
mod reseal;

pub use enrollment::{Enrollment, confirm, disable, regenerate_recovery_codes, start};
pub use factor::Factor;
pub(in crate::domain) use factor::ParsedFactor;
pub use overview::Overview;
pub(in crate::domain) use overview::overview;
pub(in crate::domain) use policy::{is_required, must_enroll, must_enroll_in};
pub use reseal::{count_sealed_by_other_keys, reseal};
use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        Context, Principal, UnitOfWork,
        users::administration::{Administrator, may_read},
    },
    entity::{mfa_challenge, recovery_code, remembered_device, session, totp_factor, user::Locked},
    error::MfaMethod,
};

/// The second factors of a user. Empty if sign-ins require none.
pub(in crate::domain) async fn methods(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<Vec<MfaMethod>> {
    if !totp_factor::is_confirmed(work.db(), user_id).await? {
        return Ok(Vec::new());
    }
    let has_codes = recovery_code::count(work.db(), user_id).await? > 0;
    Ok([MfaMethod::Totp].into_iter().chain(has_codes.then_some(MfaMethod::RecoveryCode)).collect())
}

/// Lists the second factors of a user.
///
/// # Errors
/// NOT_FOUND for another user, except for administrators.
pub async fn list_methods(context: &Context, principal: &Principal, user_id: Uuid) -> Result<Vec<MfaMethod>> {
    if !may_read(context, principal, user_id) {
        return Err(Error::NotFound);
    }
    Ok(methods_of_many(context, &[user_id]).await?.remove(&user_id).unwrap_or_default())
}

/// Lists the second factors of each of these users, by the id of the user. Users without one are left out.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list_methods_of_many(
    context: &Context,
    _: &Administrator,
    user_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<MfaMethod>>> {
    methods_of_many(context, user_ids).await
}

async fn methods_of_many(context: &Context, user_ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<MfaMethod>>> {
    let db = context.app.database.read();
    let enabled = totp_factor::confirmed_among(db, user_ids).await?;
    if enabled.is_empty() {
        return Ok(HashMap::new());
    }
    let with_codes = recovery_code::owners_among(db, &enabled).await?;
    let methods = |id| {
        let code = with_codes.contains(&id).then_some(MfaMethod::RecoveryCode);
        [MfaMethod::Totp].into_iter().chain(code).collect()
    };
    Ok(enabled.into_iter().map(|id| (id, methods(id))).collect())
}

/// Counts the unused recovery codes of the signed-in user. Returns `None` without a second factor.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn count_recovery_codes(context: &Context, principal: &Principal) -> Result<Option<u64>> {
    if !is_enabled(&context.app, principal).await? {
        return Ok(None);
    }
    Ok(Some(recovery_code::count(context.app.database.read(), principal.user.id).await?))
}

/// Whether sign-ins of the signed-in user require a second factor.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn is_enabled(app: &crate::App, principal: &Principal) -> Result<bool> {
    Ok(totp_factor::is_confirmed(app.database.read(), principal.user.id).await?)
}

/// Removes the second factor of a user and all that belongs to it. The sessions of the user no longer count as signed in with it.
///
/// # Errors
/// MFA_NOT_ENABLED.
pub(in crate::domain) async fn remove(work: &UnitOfWork<'_>, user: &Locked) -> Result<()> {
    if !totp_factor::is_confirmed(work.db(), user.id).await? {
        return Err(Error::MfaNotEnabled);
    }
    totp_factor::delete(work.db(), user.id).await?;
    recovery_code::delete_of(work.db(), user.id).await?;
    session::forget_second_factors(work.db(), user.id).await?;
    invalidate_proofs(work, user.id).await
}

/// Ends sign-ins that wait for a second factor, and forgets the browsers that do not need one. Called when the password, the
/// factors or the roles of the user change.
pub(in crate::domain) async fn invalidate_proofs(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    mfa_challenge::delete_of(work.db(), user_id).await?;
    Ok(remembered_device::delete_of(work.db(), user_id).await?)
}
