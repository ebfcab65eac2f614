//! Who is asking: the only way to a [`Principal`].

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    App, Error, Result,
    domain::{Client, sessions},
    entity::{session, user},
    error::UnauthenticatedReason,
    security::access_token::Claims,
};

/// What the bearer of a request says, before the database was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// There is none.
    Anonymous,
    /// It is not one of ours. Only who needs a user hears of it.
    Invalid,
    /// It was good until it expired. It still says which session to end.
    Expired(Claims),
    /// It is signed by us and has not expired.
    Authenticated(Claims),
}

/// A user who is signed in at this moment. Use cases take one instead of an id, so that none can forget to check.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The account.
    pub user: user::Model,
    /// The sign-in that the request belongs to.
    pub session: session::Model,
}

impl Principal {
    /// Names the user in the lines that the request logs from here on: the field `user_id` of its span.
    pub fn record_in_log(&self) {
        tracing::Span::current().record("user_id", tracing::field::display(self.user.id));
    }

    /// Locks the user and this session until the transaction ends, and makes sure that the session is still live: a session
    /// that was ended a moment ago changes nothing any more. Returns the user's row as it is now.
    ///
    /// Every transaction that changes an account locks the user first, then sessions, then what belongs to them, so that no
    /// two wait for each other.
    ///
    /// # Errors
    /// UNAUTHENTICATED: the session was ended since it was read.
    pub(super) async fn lock(&self, transaction: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<user::Model> {
        let user = user::lock(transaction, vec![self.user.id]).await?.pop();
        let user = user.ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
        self.lock_session(transaction, &user, now).await?;
        Ok(user)
    }

    /// Locks this session; `user` is the user's locked row.
    ///
    /// # Errors
    /// As [`Principal::lock`].
    pub(super) async fn lock_session(
        &self,
        transaction: &impl ConnectionTrait,
        user: &user::Model,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let session = session::lock(transaction, user, self.session.id, now).await?;
        session.map(drop).ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))
    }
}

/// The signed-in user, from one indexed query: what ended the session a moment ago ends it here. A token of a generation that
/// was burnt ends its session.
///
/// # Errors
/// UNAUTHENTICATED when nobody is signed in; SERVICE_UNAVAILABLE, never UNAUTHENTICATED, when the database is not there.
pub async fn principal(app: &App, viewer: Viewer, client: &Client) -> Result<Principal> {
    match active_principal(app, viewer, client).await {
        // By this door a disabled account looks like one whose sessions have ended, which they have.
        Err(Error::AccountDisabled) => Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)),
        result => result,
    }
}

/// The same, where the owner of a disabled account is told so.
///
/// # Errors
/// ACCOUNT_DISABLED, and those of [`principal`].
pub async fn active_principal(app: &App, viewer: Viewer, client: &Client) -> Result<Principal> {
    let claims = match viewer {
        Viewer::Authenticated(claims) => claims,
        Viewer::Expired(_) => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenExpired)),
        Viewer::Invalid => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenInvalid)),
        Viewer::Anonymous => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenMissing)),
    };
    let now = app.clock.now();
    let (session, user) = session::find_with_user(app.database.read(), claims.session_id)
        .await?
        .filter(|(_, user)| user.id == claims.user_id)
        .ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
    if !user.is_active {
        return Err(Error::AccountDisabled);
    }
    if !session.is_live(&user, now) {
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if session.burnt.contains(claims.generation) {
        sessions::end_reused(app, &session, client).await?;
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if claims.generation == session.generation && session.confirmed_generation < session.generation {
        sessions::confirm_later(app, &session);
    }
    Ok(Principal { user, session })
}
