//! Unlinking identities.

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        Context, Event, Principal, UnitOfWork, mfa,
        sign_in::{last_method, proof},
    },
    entity::{
        identity::{self, Model},
        user,
    },
};

/// Unlinks an identity of the signed-in user. Sessions that were opened with it continue; sign-ins that wait for a second factor, and
/// remembered devices, end. Returns the user.
///
/// # Errors
/// NOT_FOUND, REAUTHENTICATION_REQUIRED; LAST_SIGN_IN_METHOD. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn unlink(context: &Context, principal: &Principal, id: Uuid) -> Result<user::Model> {
    proof::check_fresh(context, principal).await?;
    let (work, user) = context.begin_as(principal).await?;
    let unlinked = unlink_in(&work, &user, id).await;
    let (mut work, identity) = work.or_rollback(unlinked).await?;
    let provider_ids = vec![identity.provider_id];
    work.emit(Event::IdentitiesUnlinked { user: user.to_model().into(), provider_ids });
    work.commit().await?;
    Ok(user.into())
}

/// The user is locked, so two requests cannot remove the last two ways to sign in.
async fn unlink_in(work: &UnitOfWork<'_>, user: &user::Locked, id: Uuid) -> Result<Model> {
    let found = identity::find_by_id(work.db(), id).await?;
    let identity = found.filter(|identity| identity.user_id == user.id).ok_or(Error::NotFound)?;
    last_method::check_other_than(work, user, id).await?;
    identity::delete(work.db(), user.id, id).await?;
    mfa::invalidate_proofs(work, user.id).await?;
    Ok(identity)
}

/// Unlinks all identities of a user whose address was never verified, when a person proves to own it: another person may have
/// registered the account and linked them.
pub(in crate::domain) async fn remove_unproven(work: &mut UnitOfWork<'_>, user: &user::Locked) -> Result<()> {
    unlink_all(work, user).await.map(drop)
}

/// Unlinks all identities of a user. Returns their number.
pub(in crate::domain) async fn unlink_all(work: &mut UnitOfWork<'_>, user: &user::Locked) -> Result<usize> {
    let identities = identity::list(work.db(), user.id).await?;
    let count = identities.len();
    if count > 0 {
        identity::delete_of(work.db(), user.id).await?;
        let provider_ids = identities.into_iter().map(|identity| identity.provider_id).collect();
        work.emit(Event::IdentitiesUnlinked { user: user.to_model().into(), provider_ids });
    }
    Ok(count)
}
