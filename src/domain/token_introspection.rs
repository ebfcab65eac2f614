//! Token introspection (RFC 7662): what an access token is good for at this moment, for services that need to know more
//! than its signature tells.

use crate::{
    Error, Result,
    domain::{Context, Principal, Viewer, principal::principal_of},
    security::access_token::{Claims, Rejected},
};

/// A token that is good, and its user.
#[derive(Debug)]
pub struct Introspected {
    /// The user and the session.
    pub principal: Principal,
    /// The claims of the token.
    pub claims: Claims,
}

/// Checks an access token against the database, so that a session that was ended a moment ago is inactive. Returns `None`
/// for everything that is not an access token which would be accepted now. A refresh token is none: a service that gets
/// one must not take it for an access token.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is out of reach.
pub async fn introspect(context: &Context, token: &str) -> Result<Option<Introspected>> {
    let claims = match context.app.access_tokens.verify(token, context.now()) {
        Ok(claims) => claims,
        Err(Rejected::Expired(_) | Rejected::Invalid) => return Ok(None),
    };
    match principal_of(context, Viewer::Authenticated(claims)).await {
        Ok(principal) => Ok(Some(Introspected { principal, claims })),
        Err(Error::Unauthenticated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
