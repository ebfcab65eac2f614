//! Claiming an account: a person proves to read the mails of an account whose address was never verified.

use crate::{
    Result,
    domain::{Event, UnitOfWork, identities, mfa, notifications::links, passkeys, sessions, throttle},
    entity::user::Locked,
    security::password::PasswordHash,
};

/// Verifies the address, and removes everything with which another person could sign in, because anyone can register an account with
/// an address that is not theirs: the password, the second factors, the passkeys, the identities, the links, and all sessions.
pub(in crate::domain) async fn claim(work: &mut UnitOfWork<'_>, user: &mut Locked) -> Result<()> {
    let now = work.now;
    let had_password = user.has_password;
    let password_hash = PasswordHash::dummy(work.app().settings.passwords.bcrypt_cost)?;
    user.update(work.db(), |user| {
        user.password_hash = password_hash;
        user.has_password = false;
        user.set_email_verified(now);
        user.clear_pending_email();
        user.updated_at = now;
    })
    .await?;
    links::end_all(work, user.id).await?;
    passkeys::remove_unproven(work, user).await?;
    identities::remove_unproven(work, user).await?;
    mfa::remove_unproven_app(work, user).await?;
    sessions::end_all(work, user, None).await?;
    throttle::clear_account(work, user).await?;
    work.emit(Event::EmailVerified { user_id: user.id });
    if had_password {
        work.emit(Event::PasswordRemoved { user: user.to_model().into() });
    }
    Ok(())
}
