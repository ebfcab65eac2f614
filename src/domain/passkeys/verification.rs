//! Request options for a user who is known: for the second step of a sign-in, and for `reauthenticate`.

use uuid::Uuid;

use super::{Started, descriptors};
use crate::{
    Error, Result,
    config::SecretString,
    domain::{Context, Principal, sessions::Cookies, sign_in::challenge},
    entity::passkey,
    security::webauthn::Ceremony,
};

/// Starts the proof of the identity of the signed-in user. `reauthenticate` finishes it.
///
/// # Errors
/// MFA_NOT_ENABLED if the user has no passkey.
pub async fn start(context: &Context, principal: &Principal) -> Result<Started> {
    let user_id = principal.user.id;
    start_for(context, user_id, Ceremony::Reauthenticate { user_id, session_id: principal.session.id }).await
}

/// Starts the second step of a sign-in with a passkey. `verifyMfa` finishes it.
///
/// # Errors
/// MFA_CHALLENGE_EXPIRED if the token is unknown, was used, has expired, or belongs to another browser; MFA_NOT_ENABLED if
/// the user has no passkey.
pub async fn start_for_challenge(context: &Context, token: &SecretString, cookies: &Cookies) -> Result<Started> {
    let challenge = challenge::find(context, token, cookies).await?;
    let (user_id, challenge_id) = (challenge.user_id, challenge.id);
    start_for(context, user_id, Ceremony::SecondFactor { user_id, challenge_id }).await
}

async fn start_for(context: &Context, user_id: Uuid, ceremony: Ceremony) -> Result<Started> {
    let passkeys = passkey::list(context.app.database.read(), user_id).await?;
    if passkeys.is_empty() {
        return Err(Error::MfaNotEnabled);
    }
    Started::request(context, ceremony, descriptors(passkeys))
}
