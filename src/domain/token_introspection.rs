//! Token introspection (RFC 7662): the current state of an access token, for services that need more than a valid
//! signature.

use crate::{
    Error, Result,
    domain::{Context, Principal, Viewer, principal::principal_of},
    security::access_token::{Claims, Rejected},
};

/// An active token and its user.
#[derive(Debug)]
pub struct Introspected {
    /// The user and the session.
    pub principal: Principal,
    /// The claims of the token.
    pub claims: Claims,
}

/// Checks an access token against the database, so that the end of a session takes effect at once. Returns `None` if the
/// token would not be accepted as an access token now. Refresh tokens are inactive too: a service that receives one must
/// not accept it as an access token.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn introspect(context: &Context, token: &str) -> Result<Option<Introspected>> {
    let claims = match context.app.access_tokens.verify(token, context.now()) {
        Ok(claims) => claims,
        Err(Rejected::Expired(_) | Rejected::Invalid) => return Ok(None),
    };
    match principal_of(context, Viewer::Authenticated(claims)).await {
        Ok(principal) => Ok(Some(Introspected { principal, claims })),
        // A user who must set up a second factor first may do nothing with the token at other services.
        Err(Error::Unauthenticated(_) | Error::MfaEnrollmentRequired) => Ok(None),
        Err(error) => Err(error),
    }
}
