//! What a user has set up, without secrets.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    domain::{Context, mfa::remembered},
    entity::{passkey, recovery_code, remembered_device, totp_factor},
};

/// The second factors of a user.
#[derive(Debug)]
pub struct Overview {
    /// When the authenticator app was set up. `None` if there is none.
    pub totp_confirmed_at: Option<DateTime<Utc>>,
    /// The passkeys, oldest first.
    pub passkeys: Vec<passkey::Model>,
    /// The number of recovery codes that were not used.
    pub recovery_codes_left: u64,
    /// Browsers in which the user signs in without the second factor, the last used first.
    pub remembered_devices: Vec<remembered_device::Model>,
}

/// Reads the second factors of a user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn overview(context: &Context, user_id: Uuid) -> Result<Overview> {
    let db = context.app.database.read();
    Ok(Overview {
        totp_confirmed_at: totp_factor::find(db, user_id).await?.and_then(|factor| factor.confirmed_at),
        passkeys: passkey::list(db, user_id).await?,
        recovery_codes_left: recovery_code::count(db, user_id).await?,
        remembered_devices: remembered_device::list(db, user_id, remembered::MAX_DEVICES, context.now()).await?,
    })
}
