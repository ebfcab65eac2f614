//! Lists of sessions, for their users and for administrators.

use std::collections::HashMap;

use uuid::Uuid;

use super::MAX_SESSIONS;
use crate::{
    Error, Result,
    domain::{
        Context, Principal,
        users::administration::{Administrator, may_read},
    },
    entity::session::{self, Model},
};

/// Lists the live sessions of a user, most recently used first, at most [`MAX_SESSIONS`].
///
/// # Errors
/// NOT_FOUND for another user, except for administrators.
pub async fn list(context: &Context, principal: &Principal, user_id: Uuid) -> Result<Vec<Model>> {
    if !may_read(context, principal, user_id) {
        return Err(Error::NotFound);
    }
    Ok(session::live_of(context.app.database.read(), user_id, MAX_SESSIONS, context.now()).await?)
}

/// Lists the live sessions of each of these users, as [`list`] does, by the id of the user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list_many(context: &Context, _: &Administrator, user_ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Model>>> {
    Ok(session::live_of_many(context.app.database.read(), user_ids, MAX_SESSIONS, context.now()).await?)
}

/// Finds a live session of the signed-in user, or of any user for administrators.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find(context: &Context, principal: &Principal, id: Uuid) -> Result<Option<Model>> {
    let found = session::find_live(context.app.database.read(), id, context.now()).await?;
    Ok(found.filter(|session| may_read(context, principal, session.user_id)))
}
