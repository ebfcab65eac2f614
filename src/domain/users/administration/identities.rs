//! Unlinking the identities of a user whose accounts at providers were stolen.

use uuid::Uuid;

use crate::{
    Result,
    domain::{
        Context, identities, mfa, sessions, throttle,
        users::administration::{Administrator, begin_with_user},
    },
    entity::user,
};

/// Unlinks all identities of a user, ends all sessions, sign-ins that wait for a second factor, and remembered devices, and notifies the
/// user. A user without a password and a passkey cannot sign in afterwards until they have chosen a password by a link. Changes nothing if
/// the user has no identity. Returns the user, the number of identities, and how many sessions were ended.
///
/// # Errors
/// NOT_FOUND; FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn unlink_identities(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
) -> Result<(user::Model, usize, u64)> {
    let (mut work, mut user) = begin_with_user(context, administrator, user_id).await?;
    let count = identities::unlink_all(&mut work, &user).await?;
    if count == 0 {
        work.rollback().await?;
        return Ok((user.into(), 0, 0));
    }
    mfa::invalidate_proofs(&work, user_id).await?;
    let ended = sessions::end_all(&work, &mut user, None).await?;
    throttle::forget_networks(&work, user_id).await?;
    work.commit().await?;
    Ok((user.into(), count, ended))
}
