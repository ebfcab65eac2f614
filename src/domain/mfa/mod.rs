//! Second factors: authenticator apps and recovery codes.
//!
//! The gate in [`crate::domain::sign_in`] asks for them. This module owns how they are set up, checked and removed.

mod enrollment;
mod factor;
mod policy;
mod reseal;

pub use enrollment::{Enrollment, confirm, disable, regenerate_recovery_codes, start};
pub use factor::Factor;
pub(in crate::domain) use factor::ParsedFactor;
pub(in crate::domain) use policy::{is_required, must_enroll, must_enroll_in};
pub use reseal::{count_sealed_by_other_keys, reseal};
use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{Principal, UnitOfWork},
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
