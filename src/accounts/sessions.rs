//! Sessions: one for each sign-in.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};

use super::Client;
use crate::{
    App, Result,
    entity::{audit_event, session, user},
    security::{access_token::Subject, random},
};

/// Someone has just signed in. It holds a token, so there is no way to print it.
pub struct SignIn {
    /// Who.
    pub user: user::Model,
    /// The bearer of the requests to come.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: i64,
}

/// Writes session and audit event of a sign-in; the caller's transaction holds what else belongs to it.
pub(super) async fn open(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    event: audit_event::Kind,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<session::Model> {
    let session = session::ActiveModel {
        id: Set(random::id(now)?),
        user_id: Set(user.id),
        generation: Set(0),
        user_agent: Set(client.user_agent.clone()),
        ip_address: Set(client.ip_address.clone()),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + app.settings.refresh_token_lifetime),
        revoked_at: Set(None),
    };
    let event = audit_event::ActiveModel {
        id: Set(random::id(now)?),
        at: Set(now),
        kind: Set(event),
        actor_id: Set(Some(user.id)),
        user_id: Set(Some(user.id)),
        ip_address: Set(client.ip_address.clone()),
        user_agent: Set(client.user_agent.clone()),
    };
    let session = session.insert(transaction).await?;
    event.insert(transaction).await?;
    Ok(session)
}

/// The tokens of a session that has been committed.
pub(super) fn sign_in(app: &App, user: user::Model, session: &session::Model) -> Result<SignIn> {
    let subject = Subject {
        user_id: user.id,
        session_id: session.id,
        generation: session.generation,
        roles: &user.roles.0,
        username: &user.username,
    };
    let access_token = app.access_tokens.sign(subject, app.clock.now())?;
    let expires_in = app.access_tokens.lifetime().num_seconds();
    Ok(SignIn { user, access_token, expires_in })
}
