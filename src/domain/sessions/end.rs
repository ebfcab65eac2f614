//! Ending sessions: logout, revocation from another session, and all at once.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    App, Error, Result,
    config::ExposeSecret,
    domain::{Client, Principal, Viewer, audit, principal, sessions::PresentedToken, throttle},
    entity::{audit_event::Kind, session, user},
    error::UnauthenticatedReason,
};

/// What a client presents to sign out.
#[derive(Debug)]
pub struct Logout {
    /// The access token.
    pub viewer: Viewer,
    /// Refresh tokens, whichever way they came.
    pub tokens: Vec<PresentedToken>,
    /// All sessions of the user, not just those that are presented.
    pub everywhere: bool,
}

/// The session by which a client signs out everywhere, as it was when it was read.
struct Acting {
    user_id: Uuid,
    session_id: Uuid,
    /// The generation that must still be current, where a refresh token was presented.
    generation: Option<i32>,
    /// What to answer when it is no longer so.
    refused: UnauthenticatedReason,
}

impl Acting {
    /// Locks the session, and makes sure that it may still act. `users` are locked rows.
    async fn lock(&self, transaction: &impl ConnectionTrait, users: &[user::Model], now: DateTime<Utc>) -> Result<()> {
        let session = match users.iter().find(|user| user.id == self.user_id) {
            Some(user) => session::lock(transaction, user, self.session_id, now).await?,
            None => None,
        };
        let is_current = session.is_some_and(|session| self.generation.is_none_or(|seen| seen == session.generation));
        if is_current { Ok(()) } else { Err(Error::Unauthenticated(self.refused)) }
    }
}

/// Ends every session that is presented, by tokens of any age and generation, as long as we have signed them. Returns how
/// many were live. What is not ours is ignored: a client that signs out must not be told to sign in first.
///
/// # Errors
/// UNAUTHENTICATED, only with `everywhere`, which takes a live access token or a current refresh token: then nothing is
/// ended.
pub async fn logout(app: &App, logout: Logout, client: &Client) -> Result<u64> {
    let acting = if logout.everywhere { Some(acting(app, &logout, client).await?) } else { None };
    let mut owners = session::owners(app.database.read(), presented(app, &logout)).await?;
    if acting.is_none() && owners.is_empty() {
        return Ok(0);
    }
    let everywhere = acting.as_ref().map(|acting| acting.user_id);
    let now = app.clock.now();
    let transaction = app.write().await?;
    let ids = owners.iter().map(|(_, user_id)| *user_id).chain(everywhere).collect();
    let users = user::lock(&transaction, ids).await?;
    if let Some(acting) = &acting {
        acting.lock(&transaction, &users, now).await?;
    }
    let mut ended = 0;
    // The sessions of the user who signs out everywhere have one event, below.
    owners.retain(|(_, user_id)| everywhere != Some(*user_id));
    for (id, user_id) in owners {
        let Some(user) = users.iter().find(|user| user.id == user_id) else { continue };
        if session::revoke(&transaction, user, vec![id], now).await? == 1 {
            ended += 1;
            audit::record(&transaction, Kind::LoggedOut, Some(user_id), user_id, client, now).await?;
        }
    }
    if let Some(user_id) = everywhere {
        ended += end_all(&transaction, user_id, None, now).await?;
        throttle::forget_places(app, &transaction, user_id).await?;
        audit::record(&transaction, Kind::LoggedOut, Some(user_id), user_id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(ended)
}

/// The sessions that tokens of ours name.
fn presented(app: &App, logout: &Logout) -> Vec<Uuid> {
    let by_bearer = match logout.viewer {
        Viewer::Authenticated(claims) | Viewer::Expired(claims) => Some(claims.session_id),
        Viewer::Anonymous | Viewer::Invalid => None,
    };
    let verify = |presented: &PresentedToken| app.refresh_tokens.verify(presented.token.expose_secret());
    let by_token = logout.tokens.iter().filter_map(verify).map(|claims| claims.session_id);
    by_bearer.into_iter().chain(by_token).collect()
}

/// By which session a client may sign out everywhere.
async fn acting(app: &App, logout: &Logout, client: &Client) -> Result<Acting> {
    let refused = match principal(app, logout.viewer, client).await {
        Ok(Principal { user, session }) => {
            let refused = UnauthenticatedReason::SessionRevoked;
            return Ok(Acting { user_id: user.id, session_id: session.id, generation: None, refused });
        }
        Err(Error::Unauthenticated(refused)) => refused,
        Err(error) => return Err(error),
    };
    for presented in &logout.tokens {
        let Some(claims) = app.refresh_tokens.verify(presented.token.expose_secret()) else { continue };
        let found = session::find_with_user(app.database.read(), claims.session_id).await?;
        let current = found.filter(|(session, user)| {
            session.generation == claims.generation
                && session.delivery == presented.delivery
                && session.is_live(user, app.clock.now())
                && user.is_active
        });
        if let Some((session, user)) = current {
            let generation = Some(session.generation);
            return Ok(Acting { user_id: user.id, session_id: session.id, generation, refused });
        }
    }
    Err(Error::Unauthenticated(refused))
}

/// Ends one session of the signed-in user; it may be the one that asks.
///
/// # Errors
/// NOT_FOUND: there is no such live session, or it is someone else's. UNAUTHENTICATED: the one that asks was ended meanwhile.
pub async fn revoke(app: &App, principal: &Principal, session_id: Uuid, client: &Client) -> Result<()> {
    let now = app.clock.now();
    let transaction = app.write().await?;
    let user = principal.lock(&transaction, now).await?;
    if session::revoke(&transaction, &user, vec![session_id], now).await? == 0 {
        return Err(Error::NotFound);
    }
    audit::record(&transaction, Kind::SessionRevoked, Some(user.id), user.id, client, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Ends all sessions of the signed-in user but the one that asks. Returns how many were live.
///
/// # Errors
/// UNAUTHENTICATED: the one that asks was ended meanwhile. SERVICE_UNAVAILABLE, when it could not be stored.
pub async fn revoke_others(app: &App, principal: &Principal, client: &Client) -> Result<u64> {
    let now = app.clock.now();
    let transaction = app.write().await?;
    let user = principal.lock(&transaction, now).await?;
    let ended = end_all(&transaction, user.id, Some(principal.session.id), now).await?;
    if ended > 0 {
        audit::record(&transaction, Kind::SessionRevoked, Some(user.id), user.id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(ended)
}

/// Ends all sessions of a user, or all but one, by one update of the user's row. Returns how many were live.
pub(in crate::domain) async fn end_all(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    except: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let Some(epoch) = user::begin_session_epoch(transaction, user_id).await? else { return Ok(0) };
    let ended = session::count_live(transaction, user_id, epoch - 1, except, now).await?;
    if let Some(id) = except {
        session::keep(transaction, id, epoch).await?;
    }
    Ok(ended)
}

/// Ends a session because a token of it came back that had been replaced: two clients hold it.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when it could not be stored.
pub(in crate::domain) async fn end_reused(app: &App, session: &session::Model, client: &Client) -> Result<()> {
    let now = app.clock.now();
    let transaction = app.write().await?;
    for user in user::lock(&transaction, vec![session.user_id]).await? {
        if session::revoke(&transaction, &user, vec![session.id], now).await? == 1 {
            audit::record(&transaction, Kind::RefreshTokenReused, None, user.id, client, now).await?;
        }
    }
    Ok(transaction.commit().await?)
}
