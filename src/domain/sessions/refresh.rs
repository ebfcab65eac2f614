//! Refresh: exchanges a refresh token for its successor.

use chrono::{DateTime, Utc};

use crate::{
    App, Error, Result,
    config::ExposeSecret,
    domain::{
        Context, Event, Principal, UnitOfWork, mfa,
        sessions::{PresentedToken, SignIn, end_reused, expiry, issue_tokens},
        sign_in,
    },
    entity::{
        session::{self, Model},
        user,
    },
    security::refresh_token::RefreshClaims,
};

/// How often other requests may rotate the session while one request refreshes it.
const MAX_CONFLICT_RETRIES: u32 = 8;

/// The action for a refresh token, given the row of its session.
enum Step {
    /// The token is current: rotate the session to the next generation.
    Rotate,
    /// The token was replaced within the grace period: return the same successor, for concurrent tabs and lost responses.
    Repeat,
    /// The token was replaced before the grace period, and its successor was never used: issue a new successor, and burn
    /// the unused one. If its response was lost, the client continues. If another client has the burnt token, presenting
    /// it ends the session.
    RotateAgain,
    /// The token was replaced and its successor was used, or the token was burnt: two clients use the session.
    Reuse,
}

/// Exchanges a refresh token for new tokens. If concurrent requests present the same token, one of them rotates the session,
/// and all get the same successor.
///
/// # Errors
/// SESSION_NOT_FOUND if there is no token, it is invalid, or it was sent in the wrong way. SESSION_EXPIRED, SESSION_REVOKED,
/// ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED. A token that was burnt, or whose successor was used, ends the session (RFC 9700
/// §4.14.2).
pub async fn refresh(context: &Context, presented: Option<PresentedToken>) -> Result<SignIn> {
    let app = &context.app;
    let Some(presented) = presented else {
        return Err(Error::SessionNotFound);
    };
    let claims = app.refresh_tokens.verify(presented.token.expose_secret()).ok_or(Error::SessionNotFound)?;
    for _ in 0..MAX_CONFLICT_RETRIES {
        let now = context.now();
        let found = session::find_with_user(app.database.read(), claims.session_id).await?;
        let Some((session, user)) = found else {
            // The session was purged, or deleted with its user.
            return Err(if claims.expires_at <= now { Error::SessionExpired } else { Error::SessionRevoked });
        };
        // Before the check of the delivery, so that a burnt token is detected however it is sent.
        if session.burnt.contains(claims.generation) && session.is_live(&user, now) {
            end_reused(context, &session).await?;
            return Err(Error::SessionRevoked);
        }
        if session.delivery != presented.delivery {
            return Err(Error::SessionNotFound);
        }
        check(app, &session, &user, now)?;
        let rotated = match step(app, claims, &session, now) {
            Step::Repeat => {
                let must_enroll = mfa::must_enroll(app, &user, &session).await?;
                Some(Principal { user, session, must_enroll })
            }
            Step::Rotate => rotate(context, &user, &session).await?,
            Step::RotateAgain => rotate_again(context, &user, &session).await?,
            Step::Reuse => {
                end_reused(context, &session).await?;
                return Err(Error::SessionRevoked);
            }
        };
        if let Some(principal) = rotated {
            return issue_tokens(app, principal);
        }
    }
    Err(Error::unavailable(1, "other requests kept rotating the session"))
}

/// Returns the user of a refresh token that could be exchanged now. Does not exchange it.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn user_of(context: &Context, presented: &PresentedToken) -> Result<Option<user::Model>> {
    let app = &context.app;
    let Some(claims) = app.refresh_tokens.verify(presented.token.expose_secret()) else { return Ok(None) };
    let Some((session, user)) = session::find_with_user(app.database.read(), claims.session_id).await? else {
        return Ok(None);
    };
    let now = context.now();
    let is_valid = session.delivery == presented.delivery
        && !matches!(step(app, claims, &session, now), Step::Reuse)
        && check(app, &session, &user, now).is_ok();
    Ok(is_valid.then_some(user))
}

/// Checks that a session may continue.
fn check(app: &App, session: &Model, user: &user::Model, now: DateTime<Utc>) -> Result<()> {
    if user.is_active && session.is_revoked(user) {
        Err(Error::SessionRevoked)
    } else if user.is_active && session.expires_at <= now {
        Err(Error::SessionExpired)
    } else {
        sign_in::check_user(&app.settings, user)
    }
}

fn step(app: &App, claims: RefreshClaims, session: &Model, now: DateTime<Utc>) -> Step {
    if claims.generation == session.generation {
        return Step::Rotate;
    }
    if Some(claims.generation) != session.predecessor {
        return Step::Reuse;
    }
    let is_in_grace = session.rotated_at.is_some_and(|rotated| now - rotated <= app.settings.tokens.refresh_grace);
    let is_confirmed = session.confirmed_generation == session.generation;
    match (is_in_grace, is_confirmed) {
        (true, _) => Step::Repeat,
        (false, false) => Step::RotateAgain,
        (false, true) => Step::Reuse,
    }
}

/// Rotates the session to its next generation. Returns `None` if another request did so first.
async fn rotate(context: &Context, user: &user::Model, session: &Model) -> Result<Option<Principal>> {
    let work = context.begin().await?;
    let expires_at = expiry(&context.app, session.created_at, work.now);
    let rotated = session::rotate(work.db(), session, expires_at, work.now).await?;
    // Before the epoch, which changes when another session of the user confirms a factor.
    let must_enroll = mfa::must_enroll_in(&work, user).await?;
    check_epoch(&work, session).await?;
    work.commit().await?;
    Ok(rotated.map(|session| Principal { user: user.clone(), session, must_enroll }))
}

/// Rotates a session that is locked to its next generation, for a client that holds the tokens of the current one.
pub(in crate::domain) async fn rotate_locked(work: &UnitOfWork<'_>, session: &Model) -> Result<Model> {
    let expires_at = expiry(work.app(), session.created_at, work.now);
    let rotated = session::rotate(work.db(), session, expires_at, work.now).await?;
    rotated.ok_or_else(|| Error::internal("a locked session was rotated by another request"))
}

/// Replaces the unused generation, which is burnt, with a new one of the same predecessor. Returns `None` if another
/// request changed the session first.
async fn rotate_again(context: &Context, user: &user::Model, session: &Model) -> Result<Option<Principal>> {
    let mut work = context.begin().await?;
    let until = work.now + context.app.access_tokens.lifetime();
    let burnt = session.burnt.with(session.generation..=session.generation, until, work.now);
    let Some(burnt) = burnt else {
        // The list is full. A client does not lose that many responses within the lifetime of an access token.
        work.rollback().await?;
        end_reused(context, session).await?;
        return Err(Error::SessionRevoked);
    };
    let is_first = session.repeated_at.is_none();
    let expires_at = expiry(&context.app, session.created_at, work.now);
    let rotated = session::rotate_again(work.db(), session, burnt, expires_at, work.now).await?;
    let must_enroll = mfa::must_enroll_in(&work, user).await?;
    check_epoch(&work, session).await?;
    // One event per predecessor, so that a client cannot fill the audit log.
    if is_first && rotated.is_some() {
        work.emit(Event::TokenRepeated { user_id: session.user_id });
    }
    work.commit().await?;
    Ok(rotated.map(|session| Principal { user: user.clone(), session, must_enroll }))
}

/// Checks that not all sessions of the user were ended since this one was read.
async fn check_epoch(work: &UnitOfWork<'_>, session: &Model) -> Result<()> {
    let epoch = user::session_epoch(work.db(), session.user_id).await?;
    if epoch == Some(session.epoch) { Ok(()) } else { Err(Error::SessionRevoked) }
}
