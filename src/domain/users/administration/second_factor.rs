//! The second factors of a user, for administrators, and resetting those that were lost.

use uuid::Uuid;

use crate::{
    Result,
    domain::{
        Context, Event,
        mfa::{self, Overview},
        sessions, throttle,
        users::administration::{Administrator, begin_with_user, parse_reason},
    },
    entity::user,
    error::{ErrorCode, Field, InputError},
};

/// Reads the second factors of a user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn second_factors(context: &Context, _: &Administrator, user_id: Uuid) -> Result<Overview> {
    mfa::overview(context, user_id).await
}

/// Removes all second factors, the passkeys too, the recovery codes and the remembered devices of a user, ends all sessions, and notifies the user.
/// Administrators must identify the user by other means first (OWASP ASVS 5.0 §6.4.4), and cannot reset their own factor.
/// A user without a password cannot sign in afterwards until they have chosen one by a link. Returns the user, and how many sessions were ended.
///
/// # Errors
/// NOT_FOUND, MFA_NOT_ENABLED; TOO_LONG, or REQUIRED unless the operator acts (the reason); FORBIDDEN,
/// REAUTHENTICATION_REQUIRED.
pub async fn reset_mfa(
    context: &Context,
    administrator: &Administrator,
    user_id: Uuid,
    reason: Option<String>,
) -> Result<(user::Model, u64)> {
    let reason = parse_reason(reason)?;
    if reason.is_none() && administrator.user_id().is_some() {
        return Err(InputError::new(ErrorCode::Required, Field::Reason).into());
    }
    administrator.check_other(user_id)?;
    let (work, mut user) = begin_with_user(context, administrator, user_id).await?;
    let removed = mfa::remove_all(&work, &user).await;
    let (mut work, ()) = work.or_rollback(removed).await?;
    let ended = sessions::end_all(&work, &mut user, None).await?;
    throttle::clear_second_factor(&work, user_id).await?;
    throttle::forget_networks(&work, user_id).await?;
    work.emit(Event::MfaReset { user: user.to_model().into(), reason });
    work.commit().await?;
    Ok((user.into(), ended))
}
