//! The signed-in user: the only way to a [`Principal`].

use crate::{
    Error, Result,
    domain::{Context, UnitOfWork, sessions},
    entity::{session, user},
    error::UnauthenticatedReason,
    security::access_token::Claims,
};

/// What the access token of a request says, before the database is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// There is no token.
    Anonymous,
    /// The token is not one of ours. This is an error only for operations that need a user.
    Invalid,
    /// The token has expired. It still says which session to end.
    Expired(Claims),
    /// The token is signed by us and has not expired.
    Authenticated(Claims),
}

/// A user who is signed in. Use cases take one instead of an id, so that none can forget to check.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user.
    pub user: user::Model,
    /// The session of the request.
    pub session: session::Model,
}

impl Principal {
    /// Locks the user and this session until the transaction ends, and makes sure that the session is still live. Returns
    /// the user's row as it is now.
    ///
    /// Every transaction that changes an account locks the user first, then sessions, then what belongs to them, so that no
    /// two wait for each other.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session was ended since it was read.
    pub(in crate::domain) async fn lock(&self, work: &UnitOfWork<'_>) -> Result<user::Locked> {
        let user = user::lock(work.db(), self.user.id).await?;
        let user = user.ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
        self.lock_session(work, &user).await?;
        Ok(user)
    }

    /// Locks this session.
    ///
    /// # Errors
    /// As [`Principal::lock`].
    pub(in crate::domain) async fn lock_session(&self, work: &UnitOfWork<'_>, user: &user::Locked) -> Result<()> {
        let session = session::lock(work.db(), user, self.session.id, work.now).await?;
        session.map(drop).ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))
    }
}

/// The user of the request's access token, from one indexed query, so that a session that was ended a moment ago is
/// refused. A token of a burnt generation ends its session.
///
/// # Errors
/// UNAUTHENTICATED; SERVICE_UNAVAILABLE, never UNAUTHENTICATED, if the database is out of reach.
pub async fn principal(context: &Context) -> Result<Principal> {
    principal_of(context, context.viewer).await
}

/// The same for another access token than the request's.
///
/// # Errors
/// As [`principal`].
pub(in crate::domain) async fn principal_of(context: &Context, viewer: Viewer) -> Result<Principal> {
    match find(context, viewer).await {
        // Here a disabled account looks like one whose sessions have ended, which is so.
        Err(Error::AccountDisabled) => Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)),
        result => result,
    }
}

/// As [`principal`], but the owner of a disabled account is told so.
///
/// # Errors
/// ACCOUNT_DISABLED, and those of [`principal`].
pub async fn active_principal(context: &Context) -> Result<Principal> {
    find(context, context.viewer).await
}

async fn find(context: &Context, viewer: Viewer) -> Result<Principal> {
    let claims = match viewer {
        Viewer::Authenticated(claims) => claims,
        Viewer::Expired(_) => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenExpired)),
        Viewer::Invalid => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenInvalid)),
        Viewer::Anonymous => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenMissing)),
    };
    let (session, user) = session::find_with_user(context.app.database.read(), claims.session_id)
        .await?
        .filter(|(_, user)| user.id == claims.user_id)
        .ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
    if !user.is_active {
        return Err(Error::AccountDisabled);
    }
    if !session.is_live(&user, context.now()) {
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if session.burnt.contains(claims.generation) {
        // Boxed, because it is rare, and every request holds the future of this function.
        Box::pin(sessions::end_reused(context, &session)).await?;
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if claims.generation == session.generation && session.confirmed_generation < session.generation {
        sessions::confirm_later(&context.app, &session);
    }
    log_user(&user);
    Ok(Principal { user, session })
}

/// Adds the user to the lines that the request logs from here on: the field `user_id` of its span.
pub(in crate::domain) fn log_user(user: &user::Model) {
    tracing::Span::current().record("user_id", tracing::field::display(user.id));
}
