//! Second factors: authenticator apps, recovery codes, and passkeys, whose own rules are in [`crate::domain::passkeys`].
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
pub(in crate::domain) use factor::{ParsedFactor, Verdict};
pub use overview::Overview;
pub(in crate::domain) use overview::overview;
pub(in crate::domain) use policy::{is_required, must_enroll, must_enroll_in};
pub use reseal::{count_sealed_by_other_keys, reseal};
use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        Context, Event, Principal, UnitOfWork,
        users::administration::{Administrator, may_read},
    },
    entity::{
        mfa_challenge, passkey, recovery_code, remembered_device, second_factor, session, totp_factor, user::Locked,
    },
    error::MfaMethod,
};

/// The second factors of a user. Empty if sign-ins require none.
pub(in crate::domain) async fn methods(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<Vec<MfaMethod>> {
    let has_app = totp_factor::is_confirmed(work.db(), user_id).await?;
    let has_passkey = passkey::exists(work.db(), user_id).await?;
    if !has_app && !has_passkey {
        return Ok(Vec::new());
    }
    let has_codes = recovery_code::count(work.db(), user_id).await? > 0;
    Ok(in_order(has_app, has_passkey, has_codes))
}

fn in_order(has_app: bool, has_passkey: bool, has_codes: bool) -> Vec<MfaMethod> {
    let methods = [(has_app, MfaMethod::Totp), (has_passkey, MfaMethod::Passkey), (has_codes, MfaMethod::RecoveryCode)];
    methods.into_iter().filter_map(|(is_set_up, method)| is_set_up.then_some(method)).collect()
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
    let with_app = totp_factor::confirmed_among(db, user_ids).await?;
    let with_passkey = passkey::owners_among(db, user_ids).await?;
    let enabled: BTreeSet<Uuid> = with_app.iter().chain(&with_passkey).copied().collect();
    if enabled.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = enabled.iter().copied().collect();
    let with_codes = recovery_code::owners_among(db, &ids).await?;
    let methods = |id| in_order(with_app.contains(&id), with_passkey.contains(&id), with_codes.contains(&id));
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
    Ok(second_factor::exists(app.database.read(), principal.user.id).await?)
}

/// Removes all second factors of a user, the passkeys too, and all that belongs to them. The sessions of the user no longer count
/// as signed in with them. A user without a password then needs a link to choose one.
///
/// # Errors
/// MFA_NOT_ENABLED.
pub(in crate::domain) async fn remove_all(work: &UnitOfWork<'_>, user: &Locked) -> Result<()> {
    if !second_factor::exists(work.db(), user.id).await? {
        return Err(Error::MfaNotEnabled);
    }
    totp_factor::delete(work.db(), user.id).await?;
    passkey::delete_of(work.db(), user.id).await?;
    clean_up(work, user.id).await
}

/// Removes the authenticator app of a user.
///
/// # Errors
/// MFA_NOT_ENABLED.
pub(in crate::domain) async fn remove_app(work: &UnitOfWork<'_>, user: &Locked) -> Result<()> {
    if !totp_factor::is_confirmed(work.db(), user.id).await? {
        return Err(Error::MfaNotEnabled);
    }
    totp_factor::delete(work.db(), user.id).await?;
    clean_up(work, user.id).await
}

/// Removes the authenticator app of a user whose address was never verified, when a person proves to read its mails: another person may
/// have registered the account and set it up.
pub(in crate::domain) async fn remove_unproven_app(work: &mut UnitOfWork<'_>, user: &Locked) -> Result<()> {
    let was_enabled = totp_factor::is_confirmed(work.db(), user.id).await?;
    totp_factor::delete(work.db(), user.id).await?;
    clean_up(work, user.id).await?;
    if was_enabled {
        work.emit(Event::MfaDisabled { user: user.to_model().into() });
    }
    Ok(())
}

/// Removes what belonged to a second factor that was removed. Recovery codes are kept while the user has another one.
pub(in crate::domain) async fn clean_up(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    if !second_factor::exists(work.db(), user_id).await? {
        recovery_code::delete_of(work.db(), user_id).await?;
        session::forget_second_factors(work.db(), user_id).await?;
    }
    invalidate_proofs(work, user_id).await
}

/// Ends sign-ins that wait for a second factor, and forgets the browsers that do not need one. Called when the password, the
/// factors or the roles of the user change, and when an identity is unlinked.
pub(in crate::domain) async fn invalidate_proofs(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    mfa_challenge::delete_of(work.db(), user_id).await?;
    Ok(remembered_device::delete_of(work.db(), user_id).await?)
}
