//! Renaming and deleting passkeys.

use uuid::Uuid;

use super::AcceptedCredentials;
use crate::{
    Error, Result,
    domain::{
        Context, Event, Principal, UnitOfWork,
        identity::parse_name,
        mfa,
        sign_in::{last_method, proof},
    },
    entity::{
        passkey::{self, Model},
        user,
    },
    error::{ErrorCode, Field, InputError},
};

/// Renames a passkey of the signed-in user.
///
/// # Errors
/// NOT_FOUND; REQUIRED, TOO_LONG, BAD_USER_INPUT (the name). UNAUTHENTICATED if the session has ended in the meantime.
pub async fn rename(context: &Context, principal: &Principal, id: Uuid, name: &str) -> Result<Model> {
    let name = parse_name(Some(name), Field::Name)?;
    let name = name.ok_or_else(|| InputError::new(ErrorCode::Required, Field::Name))?;
    let (work, user) = context.begin_as(principal).await?;
    let found = find_own(&work, &user, id).await;
    let (mut work, passkey) = work.or_rollback(found).await?;
    passkey::rename(work.db(), user.id, id, &name).await?;
    work.emit(Event::PasskeyRenamed { user_id: user.id, passkey_id: id });
    work.commit().await?;
    Ok(Model { name, ..passkey })
}

async fn find_own(work: &UnitOfWork<'_>, user: &user::Locked, id: Uuid) -> Result<Model> {
    let passkey = passkey::find_by_id(work.db(), id).await?;
    passkey.filter(|passkey| passkey.user_id == user.id).ok_or(Error::NotFound)
}

/// The result of [`delete`].
#[derive(Debug)]
pub struct Deleted {
    /// The user.
    pub user: user::Model,
    /// All remaining passkeys of the user.
    pub accepted_credentials: AcceptedCredentials,
}

/// Deletes a passkey of the signed-in user. With the last second factor, the recovery codes are deleted too.
///
/// # Errors
/// NOT_FOUND, REAUTHENTICATION_REQUIRED; LAST_SIGN_IN_METHOD if the user has no password, no other passkey and no identity.
/// UNAUTHENTICATED if the session has ended in the meantime.
pub async fn delete(context: &Context, principal: &Principal, id: Uuid) -> Result<Deleted> {
    proof::check_second_factor_if_any(context, principal).await?;
    let (work, user) = context.begin_as(principal).await?;
    let deleted = delete_in(&work, &user, id).await;
    let (mut work, ()) = work.or_rollback(deleted).await?;
    let accepted_credentials = AcceptedCredentials::of(&work, user.id).await?;
    work.emit(Event::PasskeysRemoved { user: user.to_model().into(), passkey_ids: vec![id] });
    work.commit().await?;
    Ok(Deleted { user: user.into(), accepted_credentials })
}

/// Deletes all passkeys of a user whose address was never verified, when a person proves to read its mails: another person may have
/// registered the account and added them.
pub(in crate::domain) async fn remove_unproven(work: &mut UnitOfWork<'_>, user: &user::Locked) -> Result<()> {
    let passkeys = passkey::list(work.db(), user.id).await?;
    if passkeys.is_empty() {
        return Ok(());
    }
    passkey::delete_of(work.db(), user.id).await?;
    mfa::clean_up(work, user.id).await?;
    let passkey_ids = passkeys.into_iter().map(|passkey| passkey.id).collect();
    work.emit(Event::PasskeysRemoved { user: user.to_model().into(), passkey_ids });
    Ok(())
}

/// The user is locked, so two requests cannot delete the last two passkeys.
async fn delete_in(work: &UnitOfWork<'_>, user: &user::Locked, id: Uuid) -> Result<()> {
    find_own(work, user, id).await?;
    last_method::check_other_than(work, user, id).await?;
    passkey::delete(work.db(), user.id, id).await?;
    mfa::clean_up(work, user.id).await
}
