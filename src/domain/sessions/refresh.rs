//! Refresh: a token in, its successor out.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    App, Error, Result,
    config::ExposeSecret,
    domain::{
        Client, audit,
        sessions::{PresentedToken, SignIn, end_reused, expiry, sign_in},
    },
    entity::{
        audit_event::Kind,
        session::{self, Model},
        user,
    },
    security::refresh_token::RefreshClaims,
};

/// How often the row may move under one request. Each time, another request has moved it on.
const MAX_RACES: u32 = 8;

/// What a token asks for, given the row that it names.
enum Step {
    /// It is current: move on to the next generation.
    Rotate,
    /// It was replaced a moment ago: give the same successor again, to another tab or because the answer was lost.
    Repeat,
    /// The same, but late, and nobody has used the successor: give a new one, and burn the one that was never used. If the
    /// answer was lost, nothing is lost; if somebody else has the successor, its use tells.
    RotateAgain,
    /// It was replaced and its successor used, or it was burnt: two clients hold the session.
    Reuse,
}

/// Exchanges a refresh token for new tokens. Of many who use the same token at once, the database lets one rotate the
/// session; all get the same successor.
///
/// # Errors
/// SESSION_NOT_FOUND: none, not ours, or by the wrong way. SESSION_EXPIRED, SESSION_REVOKED, ACCOUNT_DISABLED,
/// EMAIL_NOT_VERIFIED. A token whose successor was used, or that was burnt, ends the session (RFC 9700 §4.14.2).
pub async fn refresh(app: &App, presented: Option<PresentedToken>, client: &Client) -> Result<SignIn> {
    let Some(presented) = presented else {
        return Err(Error::SessionNotFound);
    };
    let claims = app.refresh_tokens.verify(presented.token.expose_secret()).ok_or(Error::SessionNotFound)?;
    for _ in 0..MAX_RACES {
        let now = app.clock.now();
        let found = session::find_with_user(app.database.read(), claims.session_id).await?;
        let Some((session, user)) = found else {
            // Swept away after its end, or gone with its account.
            return Err(if claims.expires_at <= now { Error::SessionExpired } else { Error::SessionRevoked });
        };
        // Before anything else, so that no way of presenting it is safe.
        if session.burnt.contains(claims.generation) && session.is_live(&user, now) {
            end_reused(app, &session, client).await?;
            return Err(Error::SessionRevoked);
        }
        if session.delivery != presented.delivery {
            return Err(Error::SessionNotFound);
        }
        check(app, &session, &user, now)?;
        let rotated = match step(app, claims, &session, now) {
            Step::Repeat => Some(session),
            Step::Rotate => rotate(app, &session, now).await?,
            Step::RotateAgain => rotate_again(app, &session, client, now).await?,
            Step::Reuse => {
                end_reused(app, &session, client).await?;
                return Err(Error::SessionRevoked);
            }
        };
        if let Some(session) = rotated {
            return sign_in(app, user, session);
        }
    }
    Err(Error::unavailable(1, "a session kept moving under a refresh"))
}

/// Why a session may not go on.
fn check(app: &App, session: &Model, user: &user::Model, now: DateTime<Utc>) -> Result<()> {
    if !user.is_active {
        Err(Error::AccountDisabled)
    } else if session.is_revoked(user) {
        Err(Error::SessionRevoked)
    } else if session.expires_at <= now {
        Err(Error::SessionExpired)
    } else if app.settings.registration.require_verified_email && user.email_verified_at.is_none() {
        Err(Error::EmailNotVerified)
    } else {
        Ok(())
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

/// The session in its next generation; `None` if it has moved.
async fn rotate(app: &App, session: &Model, now: DateTime<Utc>) -> Result<Option<Model>> {
    let transaction = app.write().await?;
    let rotated = session::rotate(&transaction, session, expiry(app, session.created_at, now), now).await?;
    check_epoch(&transaction, session).await?;
    transaction.commit().await?;
    Ok(rotated)
}

/// The same from the predecessor. The generation that nobody has used is burnt, and with it all after the predecessor.
async fn rotate_again(app: &App, session: &Model, client: &Client, now: DateTime<Utc>) -> Result<Option<Model>> {
    let until = now + app.access_tokens.lifetime();
    let burnt = session.burnt.with(session.generation..=session.generation, until, now);
    let Some(burnt) = burnt else {
        // Nobody loses so many answers within the life of an access token.
        end_reused(app, session, client).await?;
        return Err(Error::SessionRevoked);
    };
    let transaction = app.write().await?;
    // The user before the session, as everywhere, because the event names the user.
    let is_first = session.repeated_at.is_none();
    if is_first {
        user::lock(&transaction, vec![session.user_id]).await?;
    }
    let expires_at = expiry(app, session.created_at, now);
    let rotated = session::rotate_again(&transaction, session, burnt, expires_at, now).await?;
    check_epoch(&transaction, session).await?;
    // Once per predecessor, so that nobody can fill the log.
    if is_first && rotated.is_some() {
        audit::record(&transaction, Kind::RefreshTokenRepeated, None, session.user_id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(rotated)
}

/// Refuses a session that ended together with all others since it was read.
async fn check_epoch(transaction: &impl ConnectionTrait, session: &Model) -> Result<()> {
    let epoch = user::session_epoch(transaction, session.user_id).await?;
    if epoch == Some(session.epoch) { Ok(()) } else { Err(Error::SessionRevoked) }
}
