//! Sessions: one for each sign-in, kept alive by refreshing, ended by logout and its kin.
//!
//! A refresh token says which session and which of its generations it is for; the session's row says which generation
//! is current. Each refresh moves the row one generation on.

mod confirm;
mod device;
mod end;
mod refresh;
mod replace;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};

pub(super) use confirm::confirm_later;
pub use device::device;
pub use end::{Logout, logout, revoke, revoke_others};
pub(super) use end::{end_all, end_reused};
pub use refresh::refresh;
pub use replace::NewSession;

pub use crate::entity::session::Delivery;

use crate::{
    App, Error, Result,
    config::SecretString,
    domain::{Client, Principal, audit},
    entity::{
        audit_event,
        session::{self, BurntGenerations},
        user,
    },
    security::{access_token::Subject, random, refresh_token::RefreshClaims},
};

/// Live sessions of a user; the oldest one ends for one more.
const MAX_SESSIONS: u64 = 100;

/// Excess sessions that one sign-in ends. There are more than one only where they were opened before there was a limit.
const MAX_EXCESS: u64 = 1000;

/// Someone has just signed in, or refreshed. It holds tokens, so there is no way to print it.
pub struct SignIn {
    /// Who, and by which session.
    pub principal: Principal,
    /// The bearer of the requests to come.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: i64,
    /// What the next refresh takes. It goes to the client by the session's delivery and no other way.
    pub refresh_token: SecretString,
}

/// A refresh token as it came in.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    /// The token.
    pub token: SecretString,
    /// Which way it came.
    pub delivery: Delivery,
}

/// Writes session and audit event of a sign-in, in the caller's transaction, which has locked the user. If the user has
/// [`MAX_SESSIONS`], the oldest one ends.
pub(super) async fn open(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    event: audit_event::Kind,
    (delivery, client): (Delivery, &Client),
    now: DateTime<Utc>,
) -> Result<session::Model> {
    let excess = session::older(transaction, user, MAX_SESSIONS - 1, MAX_EXCESS, now).await?;
    if !excess.is_empty() {
        session::revoke(transaction, user, excess, now).await?;
    }
    let session = session::ActiveModel {
        id: Set(random::id(now)?),
        user_id: Set(user.id),
        generation: Set(0),
        user_agent: Set(client.user_agent.clone()),
        ip_address: Set(client.ip_address.map(|address| address.to_string())),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(expiry(app, now, now)),
        revoked_at: Set(None),
        rotated_at: Set(None),
        confirmed_generation: Set(0),
        repeated_at: Set(None),
        delivery: Set(delivery),
        epoch: Set(user.session_epoch),
        predecessor: Set(None),
        burnt: Set(BurntGenerations::default()),
    };
    let session = session.insert(transaction).await?;
    audit::record(transaction, event, Some(user.id), user.id, client, now).await?;
    Ok(session)
}

/// When a session ends that is used now: it slides, but not beyond its greatest age.
fn expiry(app: &App, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let settings = &app.settings;
    (now + settings.tokens.refresh_lifetime).min(created_at + settings.tokens.session_max_lifetime)
}

/// The tokens of a session that has been committed.
pub(super) fn sign_in(app: &App, user: user::Model, session: session::Model) -> Result<SignIn> {
    let roles = app.settings.known_roles(&user.roles.0);
    let subject = Subject {
        user_id: user.id,
        session_id: session.id,
        generation: session.generation,
        roles: &roles,
        username: &user.username,
    };
    let access_token = app.access_tokens.sign(subject, app.clock.now())?;
    let expires_in = app.access_tokens.lifetime().num_seconds();
    // From the row alone, so that a generation has one token, whoever asks for it and how often.
    let refresh_token = app.refresh_tokens.sign(RefreshClaims {
        session_id: session.id,
        generation: session.generation,
        issued_at: session.rotated_at.unwrap_or(session.created_at),
        expires_at: session.expires_at,
    })?;
    let principal = Principal { user, session };
    Ok(SignIn { principal, access_token, expires_in, refresh_token: refresh_token.into() })
}

/// The live sessions of a user, the latest used first, at most 100.
///
/// # Errors
/// NOT_FOUND for someone else's.
pub async fn list(app: &App, principal: &Principal, user_id: uuid::Uuid) -> Result<Vec<session::Model>> {
    if principal.user.id != user_id {
        return Err(Error::NotFound);
    }
    Ok(session::live_of(app.database.read(), user_id, MAX_SESSIONS, app.clock.now()).await?)
}
