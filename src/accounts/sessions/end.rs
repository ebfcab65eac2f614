//! Ending sessions: logout, and revocation from another session.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::PresentedToken;
use crate::{
    App, Error, Result,
    accounts::{Client, Principal, Viewer, audit, principal},
    config::ExposeSecret,
    entity::{audit_event::Kind, session},
    error::UnauthenticatedReason,
};

/// What someone shows who wants to sign out.
#[derive(Debug)]
pub struct Logout {
    /// By the access token.
    pub viewer: Viewer,
    /// Refresh tokens, whichever way they came.
    pub tokens: Vec<PresentedToken>,
    /// All sessions of the user, not just those that are shown.
    pub everywhere: bool,
}

/// The session by which someone ends others, as it was when it was looked at.
struct Acting {
    user_id: Uuid,
    session_id: Uuid,
    /// Which one must be current still, where a refresh token is shown.
    generation: Option<i32>,
    /// What to say when it is no longer so.
    refused: UnauthenticatedReason,
}

impl Acting {
    fn of(principal: &Principal) -> Self {
        Self {
            user_id: principal.user.id,
            session_id: principal.session.id,
            generation: None,
            refused: UnauthenticatedReason::SessionRevoked,
        }
    }

    /// Locks what is to be ended, and this session with it: one that was ended a moment ago ends no other any more. Of two
    /// that end each other, one does.
    async fn lock(
        &self,
        transaction: &impl ConnectionTrait,
        only: Option<[Uuid; 2]>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let locked = session::lock(transaction, self.user_id, only, now).await?;
        let is_this = |(id, generation): &(Uuid, i32)| {
            *id == self.session_id && self.generation.is_none_or(|current| current == *generation)
        };
        if locked.iter().any(is_this) { Ok(()) } else { Err(Error::Unauthenticated(self.refused)) }
    }
}

/// Ends every session that is shown, by tokens of any age and generation, as long as we have signed them. Returns how
/// many were live. What is not ours is passed over: a client that signs out must not be told to sign in first.
///
/// # Errors
/// UNAUTHENTICATED, only with `everywhere`, which takes a live access token or a current refresh token: then nothing is
/// ended.
pub async fn logout(app: &App, logout: Logout, client: &Client) -> Result<u64> {
    let acting = if logout.everywhere { Some(acting(app, &logout).await?) } else { None };
    let shown = shown(app, &logout);
    if acting.is_none() && shown.is_empty() {
        return Ok(0);
    }
    let now = app.clock.now();
    let transaction = app.write().await?;
    if let Some(acting) = &acting {
        acting.lock(&transaction, None, now).await?;
    }
    let everywhere = acting.map(|acting| acting.user_id);
    let mut ended = 0;
    for id in shown {
        // Those of the user who signs out everywhere are told of in one line below.
        let user_id = session::owner(&transaction, id).await?.filter(|user_id| everywhere != Some(*user_id));
        if let Some(user_id) = user_id
            && session::revoke(&transaction, user_id, id, now).await?
        {
            ended += 1;
            audit::record(&transaction, Kind::LoggedOut, Some(user_id), user_id, client, now).await?;
        }
    }
    if let Some(user_id) = everywhere {
        let all = session::revoke_all(&transaction, user_id, None, now).await?;
        if all > 0 {
            audit::record(&transaction, Kind::LoggedOut, Some(user_id), user_id, client, now).await?;
        }
        ended += all;
    }
    transaction.commit().await?;
    Ok(ended)
}

/// The sessions that tokens of ours name.
fn shown(app: &App, logout: &Logout) -> Vec<Uuid> {
    let by_bearer = match logout.viewer {
        Viewer::Authenticated(claims) | Viewer::Expired(claims) => Some(claims.session_id),
        Viewer::Anonymous | Viewer::Invalid => None,
    };
    let verify = |presented: &PresentedToken| app.refresh_tokens.verify(presented.token.expose_secret());
    let by_token = logout.tokens.iter().filter_map(verify).map(|claims| claims.session_id);
    let mut shown: Vec<Uuid> = by_bearer.into_iter().chain(by_token).collect();
    // In one order, so that two who sign out of the same sessions don't wait for each other.
    shown.sort_unstable();
    shown.dedup();
    shown
}

/// By which session someone may sign out everywhere.
async fn acting(app: &App, logout: &Logout) -> Result<Acting> {
    let refused = match principal(app, logout.viewer).await {
        Ok(principal) => return Ok(Acting::of(&principal)),
        Err(Error::Unauthenticated(refused)) => refused,
        Err(error) => return Err(error),
    };
    for presented in &logout.tokens {
        let Some(claims) = app.refresh_tokens.verify(presented.token.expose_secret()) else { continue };
        let found = session::find_with_user(app.database.read(), claims.session_id).await?;
        let current = found.filter(|(session, user)| {
            session.generation == claims.generation
                && session.delivery == presented.delivery
                && session.is_live(app.clock.now())
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
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    Acting::of(principal).lock(&transaction, Some([principal.session.id, session_id]), now).await?;
    if !session::revoke(&transaction, user_id, session_id, now).await? {
        return Err(Error::NotFound);
    }
    audit::record(&transaction, Kind::SessionRevoked, Some(user_id), user_id, client, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Ends all sessions of the signed-in user but the one that asks. Returns how many were live.
///
/// # Errors
/// UNAUTHENTICATED: the one that asks was ended meanwhile. SERVICE_UNAVAILABLE, when it could not be stored.
pub async fn revoke_others(app: &App, principal: &Principal, client: &Client) -> Result<u64> {
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    Acting::of(principal).lock(&transaction, None, now).await?;
    let ended = session::revoke_all(&transaction, user_id, Some(principal.session.id), now).await?;
    if ended > 0 {
        audit::record(&transaction, Kind::SessionRevoked, Some(user_id), user_id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(ended)
}
