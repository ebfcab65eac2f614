//! Remembered devices: browsers in which a user signs in without the second factor.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    Error, Result,
    config::SecretString,
    domain::{Context, Event, Principal, UnitOfWork, sessions::DeviceToken},
    entity::{
        remembered_device::{self, Model},
        user::Locked,
    },
    security::{
        link_token::{self, TokenHash},
        random,
    },
};

/// How long a browser is remembered after the second factor was confirmed in it. Later sign-ins do not extend it.
const LIFETIME: TimeDelta = TimeDelta::days(30);

/// Maximum number of remembered devices of a user. A further one replaces the least recently used one.
pub const MAX_DEVICES: u64 = 100;

/// Devices that stay when a further one is remembered.
const MAX_OTHERS: usize = 99;

/// Remembers the browser of a user who has just confirmed the second factor. `previous` is the token in the cookie that the
/// response overwrites.
pub(in crate::domain) async fn remember(
    work: &mut UnitOfWork<'_>,
    user: &Locked,
    previous: Option<&SecretString>,
) -> Result<DeviceToken> {
    if let Some(previous) = previous {
        remembered_device::delete_by_token(work.db(), user.id, &TokenHash::of(previous)).await?;
    }
    for excess in remembered_device::list(work.db(), user.id, MAX_DEVICES, work.now).await?.iter().skip(MAX_OTHERS) {
        remembered_device::delete(work.db(), user.id, excess.id).await?;
    }
    let (token, token_hash) = link_token::generate()?;
    let expires_at = work.now + LIFETIME;
    let device = Model {
        id: random::id(work.now)?,
        user_id: user.id,
        token_hash,
        user_agent: work.context.client.user_agent.clone(),
        created_at: work.now,
        last_used_at: work.now,
        expires_at,
    };
    remembered_device::insert(work.db(), device).await?;
    work.emit(Event::DeviceRemembered { user_id: user.id });
    Ok(DeviceToken { token, expires_at })
}

/// Recognizes a browser in which the user skips the second factor, and replaces its token. Of several requests with the same
/// token, one is recognized. Returns `None` for an unknown, used or expired token.
pub(in crate::domain) async fn recognize(
    work: &UnitOfWork<'_>,
    user: &Locked,
    token: &SecretString,
) -> Result<Option<DeviceToken>> {
    let presented = TokenHash::of(token);
    let Some(device) = remembered_device::find(work.db(), user.id, &presented, work.now).await? else {
        return Ok(None);
    };
    let (token, successor) = link_token::generate()?;
    let is_rotated = remembered_device::rotate(work.db(), user.id, [presented, successor], work.now).await?;
    Ok(is_rotated.then_some(DeviceToken { token, expires_at: device.expires_at }))
}

/// Lists the devices of the signed-in user, most recently used first, at most [`MAX_DEVICES`].
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list(context: &Context, principal: &Principal) -> Result<Vec<Model>> {
    let db = context.app.database.read();
    Ok(remembered_device::list(db, principal.user.id, MAX_DEVICES, context.now()).await?)
}

/// Finds a device of the signed-in user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find(context: &Context, principal: &Principal, id: Uuid) -> Result<Option<Model>> {
    Ok(remembered_device::find_by_id(context.app.database.read(), principal.user.id, id, context.now()).await?)
}

/// Forgets a device of the signed-in user, so that sign-ins in it require the second factor again. Sessions that were opened in
/// it continue.
///
/// # Errors
/// NOT_FOUND. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn revoke(context: &Context, principal: &Principal, id: Uuid) -> Result<()> {
    let (work, user) = context.begin_as(principal).await?;
    let deleted = remembered_device::delete(work.db(), user.id, id).await;
    let (mut work, is_deleted) = work.or_rollback(deleted.map_err(Error::from)).await?;
    if !is_deleted {
        work.rollback().await?;
        return Err(Error::NotFound);
    }
    work.emit(Event::RememberedDeviceRevoked { user_id: user.id });
    work.commit().await
}
