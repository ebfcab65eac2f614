//! Ending sessions: logout, and revocation from another session.

use uuid::Uuid;

use super::PresentedToken;
use crate::{
    App, Error, Result,
    accounts::{Client, Principal, Viewer, audit, principal},
    config::ExposeSecret,
    entity::{audit_event::Kind, session},
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

/// Ends every session that is shown, by tokens of any age and generation, as long as we have signed them. Returns how
/// many were live. What is not ours is passed over: a client that signs out must not be told to sign in first.
///
/// # Errors
/// UNAUTHENTICATED, only with `everywhere`, which takes a live access token or a current refresh token: then nothing is
/// ended.
pub async fn logout(app: &App, logout: Logout, client: &Client) -> Result<u64> {
    let everywhere = if logout.everywhere { Some(owner(app, &logout).await?) } else { None };
    let shown = shown(app, &logout);
    if everywhere.is_none() && shown.is_empty() {
        return Ok(0);
    }
    let now = app.clock.now();
    let transaction = app.write().await?;
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

/// Who may sign out everywhere.
async fn owner(app: &App, logout: &Logout) -> Result<Uuid> {
    let refused = match principal(app, logout.viewer).await {
        Ok(principal) => return Ok(principal.user.id),
        Err(refused @ Error::Unauthenticated(_)) => refused,
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
        if let Some((_, user)) = current {
            return Ok(user.id);
        }
    }
    Err(refused)
}

/// Ends one session of the signed-in user; it may be the one that asks.
///
/// # Errors
/// NOT_FOUND: there is no such live session, or it is someone else's.
pub async fn revoke(app: &App, principal: &Principal, session_id: Uuid, client: &Client) -> Result<()> {
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
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
/// SERVICE_UNAVAILABLE, when it could not be stored.
pub async fn revoke_others(app: &App, principal: &Principal, client: &Client) -> Result<u64> {
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    let ended = session::revoke_all(&transaction, user_id, Some(principal.session.id), now).await?;
    if ended > 0 {
        audit::record(&transaction, Kind::SessionRevoked, Some(user_id), user_id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(ended)
}
