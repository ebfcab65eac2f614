//! Refresh: a token in, its successor out.

use chrono::{DateTime, Utc};

use super::{PresentedToken, SignIn, expiry, sign_in};
use crate::{
    App, Error, Result,
    accounts::{Client, audit},
    config::ExposeSecret,
    entity::{audit_event::Kind, session, user},
    security::refresh_token::RefreshClaims,
};

/// How often the row may move under one request. Each time, another request has moved it on.
const MOST_RACES: u32 = 8;

/// What a token asks for, given the row that it names.
enum Step {
    /// It is current: move on to the next generation.
    Rotate,
    /// It is the one before, and its successor may not have arrived: give the same successor again.
    Repeat,
    /// The same, but so late that a thief would look alike: tell the audit log.
    RepeatLate,
    /// It was replaced long ago: whoever holds it has no right to it, or the owner lost it to someone.
    Reuse,
}

/// Exchanges a refresh token for new tokens. Of many who use the same token at once, the database lets one rotate the
/// session; all get the same successor.
///
/// # Errors
/// SESSION_NOT_FOUND: none, not ours, or by the wrong way. SESSION_EXPIRED, SESSION_REVOKED, ACCOUNT_DISABLED. A token
/// that was replaced twice ends the session.
pub async fn refresh(app: &App, presented: Option<PresentedToken>, client: &Client) -> Result<SignIn> {
    let Some(presented) = presented else {
        return Err(Error::SessionNotFound);
    };
    let claims = app.refresh_tokens.verify(presented.token.expose_secret()).ok_or(Error::SessionNotFound)?;
    for _ in 0..MOST_RACES {
        let now = app.clock.now();
        let found = session::find_with_user(app.database.read(), claims.session_id).await?;
        let Some((session, user)) = found else {
            // Swept away after its end, or gone with its account.
            return Err(if claims.expires_at <= now { Error::SessionExpired } else { Error::SessionRevoked });
        };
        if session.delivery != presented.delivery {
            return Err(Error::SessionNotFound);
        }
        if !user.is_active {
            return Err(Error::AccountDisabled);
        }
        if session.revoked_at.is_some() {
            return Err(Error::SessionRevoked);
        }
        if session.expires_at <= now {
            return Err(Error::SessionExpired);
        }
        match step(app, claims, &session, now) {
            Step::Rotate => {
                if let Some(session) = rotate(app, &session, now).await? {
                    return sign_in(app, user, session);
                }
            }
            Step::Repeat => return sign_in(app, user, session),
            Step::RepeatLate => {
                tell_of_repeat(app, &session, &user, client, now).await?;
                return sign_in(app, user, session);
            }
            Step::Reuse => {
                end(app, &session, client, now).await?;
                return Err(Error::SessionRevoked);
            }
        }
    }
    Err(Error::unavailable(1, "a session kept moving under a refresh"))
}

fn step(app: &App, claims: RefreshClaims, session: &session::Model, now: DateTime<Utc>) -> Step {
    if claims.generation == session.generation {
        return Step::Rotate;
    }
    if claims.generation != session.generation - 1 {
        return Step::Reuse;
    }
    let in_grace = session.rotated_at.is_some_and(|rotated| now - rotated <= app.settings.refresh_grace);
    match (in_grace, session.confirmed_generation < session.generation) {
        (true, _) => Step::Repeat,
        (false, true) => Step::RepeatLate,
        (false, false) => Step::Reuse,
    }
}

async fn rotate(app: &App, session: &session::Model, now: DateTime<Utc>) -> Result<Option<session::Model>> {
    let transaction = app.write().await?;
    let rotated = session::rotate(&transaction, session, expiry(app, session.created_at, now), now).await?;
    transaction.commit().await?;
    Ok(rotated)
}

/// Once for each generation, so that nobody can fill the log.
async fn tell_of_repeat(
    app: &App,
    session: &session::Model,
    user: &user::Model,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    if session.repeated_at.is_some() {
        return Ok(());
    }
    let transaction = app.write().await?;
    if session::note_repeat(&transaction, session, now).await? {
        audit::record(&transaction, Kind::RefreshTokenRepeated, None, user.id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn end(app: &App, session: &session::Model, client: &Client, now: DateTime<Utc>) -> Result<()> {
    let transaction = app.write().await?;
    if session::revoke(&transaction, session.user_id, session.id, now).await? {
        audit::record(&transaction, Kind::RefreshTokenReused, None, session.user_id, client, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}
