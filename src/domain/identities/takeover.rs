//! Taking over an account that never verified its address, by a person whose provider has verified it.

use super::unlink;
use crate::{
    Result,
    domain::{Event, UnitOfWork, mfa, passkeys, sessions, throttle},
    entity::{link, second_factor, user},
    security::password::PasswordHash,
};

/// Removes everything by which another person could sign in to the account of a locked user: the password, second factors,
/// identities, links and sessions. Then the address counts as verified.
pub(super) async fn take_over(work: &mut UnitOfWork<'_>, user: &mut user::Locked) -> Result<()> {
    let now = work.now;
    passkeys::remove_unproven(work, user).await?;
    unlink::remove_unproven(work, user).await?;
    if second_factor::exists(work.db(), user.id).await? {
        mfa::remove_all(work, user).await?;
    }
    mfa::invalidate_proofs(work, user.id).await?;
    link::delete_unused(work.db(), user.id, None).await?;
    let password_hash = PasswordHash::dummy(work.app().settings.passwords.bcrypt_cost)?;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = false;
        user.clear_pending_email();
        user.set_email_verified(now);
        user.updated_at = now;
    })
    .await?;
    if sessions::end_all(work, user, None).await? > 0 {
        work.emit(Event::SessionRevoked { user_id: user.id });
    }
    throttle::clear_account(work, user).await?;
    work.emit(Event::EmailVerified { user_id: user.id });
    Ok(())
}
