//! The last way to sign in, which users cannot remove.

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::UnitOfWork,
    entity::{identity, passkey, user},
};

/// Checks that a locked user can still sign in without this passkey or identity: with a password, another passkey, or another
/// identity at a provider that the settings still have.
///
/// # Errors
/// LAST_SIGN_IN_METHOD.
pub(in crate::domain) async fn check_other_than(
    work: &UnitOfWork<'_>,
    user: &user::Locked,
    removed: Uuid,
) -> Result<()> {
    if user.has_password {
        return Ok(());
    }
    if passkey::list(work.db(), user.id).await?.iter().any(|passkey| passkey.id != removed) {
        return Ok(());
    }
    let is_usable = |identity: &identity::Model| work.app().providers.get(&identity.provider_id).is_some();
    let identities = identity::list(work.db(), user.id).await?;
    if identities.iter().any(|identity| identity.id != removed && is_usable(identity)) {
        return Ok(());
    }
    Err(Error::LastSignInMethod)
}
