//! Authentication: turns the access token of a request into a [`Principal`].

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{Context, UnitOfWork, mfa, sessions},
    entity::{session, user},
    error::UnauthenticatedReason,
    security::{access_token::Claims, forward_auth_token::ForwardAuthClaims},
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
    /// Whether a role of the user requires a second factor and none is set up. Only [`enrolling_principal`] and a sign-in
    /// return such a principal; see [`Principal::check_enrolled`].
    pub must_enroll: bool,
}

impl Principal {
    /// Checks that the user has a second factor if a role of the user requires one.
    ///
    /// # Errors
    /// MFA_ENROLLMENT_REQUIRED.
    pub fn check_enrolled(&self) -> Result<()> {
        if self.must_enroll { Err(Error::MfaEnrollmentRequired) } else { Ok(()) }
    }

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
/// UNAUTHENTICATED, MFA_ENROLLMENT_REQUIRED. If the database is unreachable: SERVICE_UNAVAILABLE, never UNAUTHENTICATED.
pub async fn principal(context: &Context) -> Result<Principal> {
    principal_of(context, context.viewer).await
}

/// Like [`principal`], for an access token other than the request's.
///
/// # Errors
/// As [`principal`].
pub(in crate::domain) async fn principal_of(context: &Context, viewer: Viewer) -> Result<Principal> {
    enrolled(enrolling_principal_of(context, viewer).await)
}

/// Like [`principal`], but also returns users who must set up a second factor first. Only for what these users may do: set it
/// up, read their own id and username, and sign out.
///
/// # Errors
/// UNAUTHENTICATED, SERVICE_UNAVAILABLE.
pub async fn enrolling_principal(context: &Context) -> Result<Principal> {
    enrolling_principal_of(context, context.viewer).await
}

/// Like [`enrolling_principal`], for an access token other than the request's.
///
/// # Errors
/// As [`enrolling_principal`].
pub(in crate::domain) async fn enrolling_principal_of(context: &Context, viewer: Viewer) -> Result<Principal> {
    disabled_is_revoked(find(context, viewer).await)
}

/// Disabling an account ends its sessions.
fn disabled_is_revoked(found: Result<Principal>) -> Result<Principal> {
    match found {
        Err(Error::AccountDisabled) => Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)),
        result => result,
    }
}

fn enrolled(found: Result<Principal>) -> Result<Principal> {
    let principal = found?;
    principal.check_enrolled()?;
    Ok(principal)
}

/// Like [`principal`], but with a separate error for disabled accounts.
///
/// # Errors
/// ACCOUNT_DISABLED, and those of [`principal`].
pub async fn active_principal(context: &Context) -> Result<Principal> {
    enrolled(find(context, context.viewer).await)
}

/// Like [`principal`], for the token in the cookie of forward-auth.
///
/// # Errors
/// As [`principal`].
pub async fn forward_auth_principal(context: &Context, token: &ForwardAuthClaims) -> Result<Principal> {
    let found = find_in_session(context, token.session_id, token.generation, |_| true).await;
    enrolled(disabled_is_revoked(found))
}

async fn find(context: &Context, viewer: Viewer) -> Result<Principal> {
    let claims = match viewer {
        Viewer::Authenticated(claims) => claims,
        Viewer::Expired(_) => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenExpired)),
        Viewer::Invalid => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenInvalid)),
        Viewer::Anonymous => return Err(Error::Unauthenticated(UnauthenticatedReason::TokenMissing)),
    };
    find_in_session(context, claims.session_id, claims.generation, |user| user.id == claims.user_id).await
}

/// Checks a token of one generation of a session. `is_expected` checks the user of the session.
async fn find_in_session(
    context: &Context,
    session_id: Uuid,
    generation: i32,
    is_expected: impl FnOnce(&user::Model) -> bool,
) -> Result<Principal> {
    let (session, user) = session::look_up_with_user(context.app.database.read(), session_id)
        .await?
        .filter(|(_, user)| is_expected(user))
        .ok_or(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked))?;
    if !user.is_active {
        return Err(Error::AccountDisabled);
    }
    if !session.is_live(&user, context.now()) {
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if session.burnt.contains(generation) {
        // Boxed, because it is rare, and the future of every request contains this one.
        Box::pin(sessions::end_reused(context, &session)).await?;
        return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked));
    }
    if generation == session.generation && session.confirmed_generation < session.generation {
        sessions::confirm_later(&context.app, &session);
    }
    log_user(&user);
    let must_enroll = match mfa::must_enroll(&context.app, &user, &session).await {
        Err(Error::SessionRevoked) => return Err(Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)),
        result => result?,
    };
    Ok(Principal { user, session, must_enroll })
}

/// Adds the field `user_id` to the span of the request, so that its later log lines contain it.
pub(in crate::domain) fn log_user(user: &user::Model) {
    tracing::Span::current().record("user_id", tracing::field::display(user.id));
}
