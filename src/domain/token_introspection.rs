//! Introspection: what an access token is good for at this moment, for services that want to know more than its signature
//! tells.

use crate::{
    App, Error, Result,
    domain::{Client, Principal, Viewer, principal},
    security::access_token::{Claims, Rejected},
};

/// A token that is good, and whose it is.
#[derive(Debug)]
pub struct Introspected {
    /// Who signed in.
    pub principal: Principal,
    /// What the token says.
    pub claims: Claims,
}

/// Asks the database, so that a session that ended a moment ago has ended here; `None` for all that is no access token which
/// would be served now. A refresh token is none: a service that was shown one must not take it for an access token.
///
/// # Errors
/// SERVICE_UNAVAILABLE when the database is not there.
pub async fn introspect(app: &App, token: &str, client: &Client) -> Result<Option<Introspected>> {
    let claims = match app.access_tokens.verify(token, app.clock.now()) {
        Ok(claims) => claims,
        Err(Rejected::Expired(_) | Rejected::Invalid) => return Ok(None),
    };
    match principal(app, Viewer::Authenticated(claims), client).await {
        Ok(principal) => Ok(Some(Introspected { principal, claims })),
        Err(Error::Unauthenticated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
