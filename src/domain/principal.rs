//! Authentication: turns the access token of a request into a [`Principal`].

use crate::{
    Error, Result,
    domain::{Context, UnitOfWork, sessions},
    entity::{session, user},
    error::UnauthenticatedReason,
    security::access_token::Claims,
};

/// The access token of a request, verified without the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// There is no token.
    Anonymous,
    /// The token is invalid. This is an error only for operations that require authentication.
    Invalid,
    /// The token has expired. Sign-out still accepts it.
    Expired(Claims),
    /// The token has a valid signature and has not expired.
    Authenticated(Claims),
}

/// A signed-in user. Use cases take a principal instead of an id, so that the check cannot be forgotten.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user.
    pub user: user::Model,
    /// The session of the request.
    pub session: session::Model,
}

impl Principal {
    /// Locks the user and this session until the transaction ends, and checks that the session is still live. Returns the
    /// user's current row.
    ///
    /// Every transaction that changes an account locks the user first, then sessions, then dependent rows, so that two of
    /// them cannot deadlock.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session has ended since it was read.
    pub(in crate::domain) async fn lock(&self, work: &UnitOfWork<'_>) -> Result<user::Locked> {
        self.lock_both(work).await.map(|(user, _)| user)
    }

    /// Like [`Principal::lock`]. Also returns the current row of the session.
    ///
    /// # Errors
    /// As [`Principal::lock`].
    pub(in crate::domain) async fn lock_both(&self, work: &UnitOfWork<'_>) -> Result<(user::Locked, session::Model)> {
        let user = user::lock(work.db(), self.user.id).await?;
        let user = user.ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
        let session = self.lock_session(work, &user).await?;
        Ok((user, session))
    }

    /// Locks this session. Returns its current row.
    ///
    /// # Errors
    /// As [`Principal::lock`].
    pub(in crate::domain) async fn lock_session(
        &self,
        work: &UnitOfWork<'_>,
        user: &user::Locked,
    ) -> Result<session::Model> {
        let session = session::lock(work.db(), user, self.session.id, work.now).await?;
        session.ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))
    }
}

/// Returns the signed-in user of the request. Runs one indexed query for every request, so that the end of a session takes
/// effect at once. A token of a burnt generation ends its session.
///
/// # Errors
/// UNAUTHENTICATED. If the database is unreachable: SERVICE_UNAVAILABLE, never UNAUTHENTICATED.
pub async fn principal(context: &Context) -> Result<Principal> {
    principal_of(context, context.viewer).await
}

/// Like [`principal`], for an access token other than the request's.
///
/// # Errors
/// As [`principal`].
pub(in crate::domain) async fn principal_of(context: &Context, viewer: Viewer) -> Result<Principal> {
    match find(context, viewer).await {
        // Disabling an account ends its sessions.
        Err(Error::AccountDisabled) => Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)),
        result => result,
    }
}

/// Like [`principal`], but with a separate error for disabled accounts.
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
    let (session, user) = session::look_up_with_user(context.app.database.read(), claims.session_id)
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
        // Boxed, because it is rare, and the future of every request contains this one.
        Box::pin(sessions::end_reused(context, &session)).await?;
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if claims.generation == session.generation && session.confirmed_generation < session.generation {
        sessions::confirm_later(&context.app, &session);
    }
    log_user(&user);
    Ok(Principal { user, session })
}

/// Adds the field `user_id` to the span of the request, so that its later log lines contain it.
pub(in crate::domain) fn log_user(user: &user::Model) {
    tracing::Span::current().record("user_id", tracing::field::display(user.id));
}
