//! A sign-in in a browser that is signed in already: the session of the cookie that it overwrites ends (OWASP ASVS 5.0
//! §7.2.4).

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    App, Result,
    config::{ExposeSecret, SecretString},
    domain::{Client, audit},
    entity::{
        audit_event::Kind,
        session::{self, Delivery},
        user,
    },
};

/// How the session of a sign-in is to be opened.
#[derive(Debug)]
pub struct NewSession {
    /// How its refresh token travels.
    pub delivery: Delivery,
    /// The refresh token in the cookie that the answer overwrites, whatever its age.
    pub replaced_cookie: Option<SecretString>,
}

impl NewSession {
    /// A session whose refresh token travels in bodies: it overwrites no cookie.
    #[must_use]
    pub const fn in_body() -> Self {
        Self { delivery: Delivery::Body, replaced_cookie: None }
    }

    /// The session that this one replaces, if the cookie names one.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE, when the database is not there.
    pub(in crate::domain) async fn replaced(&self, app: &App) -> Result<Option<Replaced>> {
        let claims = self.replaced_cookie.as_ref().and_then(|token| app.refresh_tokens.verify(token.expose_secret()));
        let Some(claims) = claims else { return Ok(None) };
        let owner = session::owners(app.database.read(), vec![claims.session_id]).await?.pop();
        Ok(owner.map(|(session_id, user_id)| Replaced { session_id, user_id }))
    }
}

/// A session that is to end because another one takes its cookie.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct Replaced {
    session_id: Uuid,
    user_id: Uuid,
}

impl Replaced {
    /// Ends the session. It may belong to another user than `signing_in`: both rows are locked in one order, before the
    /// transaction writes either.
    pub(in crate::domain) async fn end(
        self,
        transaction: &impl ConnectionTrait,
        signing_in: Uuid,
        client: &Client,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let users = user::lock(transaction, vec![self.user_id, signing_in]).await?;
        if let Some(owner) = users.iter().find(|user| user.id == self.user_id)
            && session::revoke(transaction, owner, vec![self.session_id], now).await? == 1
        {
            audit::record(transaction, Kind::LoggedOut, Some(owner.id), owner.id, client, now).await?;
        }
        Ok(())
    }
}
