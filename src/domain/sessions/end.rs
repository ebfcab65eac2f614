//! Ending sessions: sign-out, revocation from another session, and revocation of all sessions.

use uuid::Uuid;

use crate::{
    Error, Result,
    config::ExposeSecret,
    domain::{Context, Event, Principal, UnitOfWork, Viewer, principal, sessions::PresentedToken, throttle},
    entity::{
        remembered_device, session,
        user::{self, Locked},
    },
    error::UnauthenticatedReason,
};

/// The sessions to end. The session of the request's access token is always one of them.
#[derive(Debug)]
pub struct Logout {
    /// The access token.
    pub viewer: Viewer,
    /// The refresh tokens, from the cookie and the body.
    pub tokens: Vec<PresentedToken>,
    /// Whether all sessions of the user end.
    pub everywhere: bool,
}

/// The session that authorizes a sign-out from all sessions, as it was read.
struct ActingSession {
    user_id: Uuid,
    session_id: Uuid,
    /// The generation that must still be current, if a refresh token was presented.
    generation: Option<i32>,
    /// The reason to return if the session is no longer live, or the generation no longer current.
    reason: UnauthenticatedReason,
}

impl ActingSession {
    /// Locks the session, and checks that it still authorizes the sign-out.
    async fn lock(&self, work: &UnitOfWork<'_>, users: &[Locked]) -> Result<()> {
        let session = match users.iter().find(|user| user.id == self.user_id) {
            Some(user) => session::lock(work.db(), user, self.session_id, work.now).await?,
            None => None,
        };
        let is_current = session.is_some_and(|session| self.generation.is_none_or(|seen| seen == session.generation));
        if is_current { Ok(()) } else { Err(Error::Unauthenticated(self.reason)) }
    }
}

/// Ends the sessions of all presented tokens, including expired and replaced ones. Returns how many were live. Invalid
/// tokens are ignored, because signing out must not require signing in.
///
/// # Errors
/// UNAUTHENTICATED, only with `everywhere`, which requires a valid access token or a current refresh token. No session is
/// ended then.
pub async fn logout(context: &Context, logout: Logout) -> Result<u64> {
    let acting = if logout.everywhere { Some(acting_session(context, &logout).await?) } else { None };
    let mut owners = session::owners(context.app.database.read(), presented_sessions(context, &logout)).await?;
    if acting.is_none() && owners.is_empty() {
        return Ok(0);
    }
    let everywhere = acting.as_ref().map(|acting| acting.user_id);
    let mut work = context.begin().await?;
    let ids = owners.iter().map(|(_, user_id)| *user_id).chain(everywhere).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    if let Some(acting) = &acting {
        acting.lock(&work, &users).await?;
    }
    let mut ended = 0;
    // With `everywhere`, all sessions of the user cause one event, below.
    owners.retain(|(_, user_id)| everywhere != Some(*user_id));
    for (id, user_id) in owners {
        let Some(user) = users.iter().find(|user| user.id == user_id) else { continue };
        if session::revoke(work.db(), user, vec![id], work.now).await? == 1 {
            ended += 1;
            work.emit(Event::LoggedOut { user_id });
        }
    }
    if let Some(user) = users.iter_mut().find(|user| everywhere == Some(user.id)) {
        ended += end_all(&work, user, None).await?;
        throttle::forget_networks(&work, user.id).await?;
        work.emit(Event::LoggedOut { user_id: user.id });
    }
    work.commit().await?;
    Ok(ended)
}

/// The ids of the sessions of all valid tokens.
fn presented_sessions(context: &Context, logout: &Logout) -> Vec<Uuid> {
    let by_bearer = match logout.viewer {
        Viewer::Authenticated(claims) | Viewer::Expired(claims) => Some(claims.session_id),
        Viewer::Anonymous | Viewer::Invalid => None,
    };
    let verify = |presented: &PresentedToken| context.app.refresh_tokens.verify(presented.token.expose_secret());
    let by_token = logout.tokens.iter().filter_map(verify).map(|claims| claims.session_id);
    by_bearer.into_iter().chain(by_token).collect()
}

/// Finds the session that authorizes a sign-out from all sessions.
async fn acting_session(context: &Context, logout: &Logout) -> Result<ActingSession> {
    let reason = match principal::enrolling_principal_of(context, logout.viewer).await {
        Ok(Principal { user, session, .. }) => {
            let reason = UnauthenticatedReason::SessionRevoked;
            return Ok(ActingSession { user_id: user.id, session_id: session.id, generation: None, reason });
        }
        Err(Error::Unauthenticated(reason)) => reason,
        Err(error) => return Err(error),
    };
    for presented in &logout.tokens {
        let Some(claims) = context.app.refresh_tokens.verify(presented.token.expose_secret()) else { continue };
        let found = session::find_with_user(context.app.database.read(), claims.session_id).await?;
        let current = found.filter(|(session, user)| {
            session.generation == claims.generation
                && session.delivery == presented.delivery
                && session.is_live(user, context.now())
                && user.is_active
        });
        if let Some((session, user)) = current {
            let generation = Some(session.generation);
            return Ok(ActingSession { user_id: user.id, session_id: session.id, generation, reason });
        }
    }
    Err(Error::Unauthenticated(reason))
}

/// Ends one session of the signed-in user, which may be the session of the request.
///
/// # Errors
/// NOT_FOUND if the user has no live session with this id. UNAUTHENTICATED if the session of the request has ended in the
/// meantime.
pub async fn revoke(context: &Context, principal: &Principal, session_id: Uuid) -> Result<()> {
    let (mut work, user) = context.begin_as(principal).await?;
    if session::revoke(work.db(), &user, vec![session_id], work.now).await? == 0 {
        return Err(Error::NotFound);
    }
    work.emit(Event::SessionRevoked { user_id: user.id });
    work.commit().await
}

/// Ends all sessions of the signed-in user except that of the request. Returns how many were live.
///
/// # Errors
/// UNAUTHENTICATED if the session of the request has ended in the meantime. SERVICE_UNAVAILABLE.
pub async fn revoke_others(context: &Context, principal: &Principal) -> Result<u64> {
    let (mut work, mut user) = context.begin_as(principal).await?;
    let ended = end_all(&work, &mut user, Some(principal.session.id)).await?;
    if ended > 0 {
        work.emit(Event::SessionRevoked { user_id: user.id });
    }
    work.commit().await?;
    Ok(ended)
}

/// Ends all sessions of a user, except `except`, with one update of the user's row, and forgets all remembered devices. Returns
/// how many sessions were live.
pub(in crate::domain) async fn end_all(work: &UnitOfWork<'_>, user: &mut Locked, except: Option<Uuid>) -> Result<u64> {
    let ended_epoch = user.session_epoch;
    user.update(work.db(), |user| user.session_epoch += 1).await?;
    let ended = session::count_live(work.db(), (user.id, ended_epoch), except, work.now).await?;
    if let Some(id) = except {
        session::keep(work.db(), id, user.session_epoch).await?;
    }
    remembered_device::delete_of(work.db(), user.id).await?;
    Ok(ended)
}

/// Ends a session because a replaced token was presented again, which means that two clients use the session.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn end_reused(context: &Context, session: &session::Model) -> Result<()> {
    let mut work = context.begin().await?;
    if let Some(user) = user::lock(work.db(), session.user_id).await?
        && session::revoke(work.db(), &user, vec![session.id], work.now).await? == 1
    {
        work.emit(Event::TokenReused { user_id: user.id });
    }
    work.commit().await
}
