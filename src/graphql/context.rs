//! What a resolver may ask of the request that it answers.

use std::sync::{Arc, OnceLock};

use async_graphql::Context;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use crate::{
    App, Result,
    config::SecretString,
    domain::{self, Principal, RequestId, sessions::Delivery},
    graphql::Circumstances,
};

/// What resolvers know of a request.
#[derive(Debug)]
pub struct RequestContext {
    /// Identifies the request in the log and in `extensions.requestId`.
    pub request_id: RequestId,
    /// For use cases.
    pub domain: domain::Context,
    /// The refresh token in the cookie of the request.
    pub refresh_cookie: Option<SecretString>,
    /// What may explain a surprising result.
    pub circumstances: Circumstances,
    principal: OnceCell<Result<Principal>>,
    cookie_change: OnceLock<CookieChange>,
}

/// What the door is to do with the client's refresh cookie.
#[derive(Clone, Debug)]
pub enum CookieChange {
    /// Set it.
    Set {
        /// The refresh token.
        token: SecretString,
        /// When it is of no more use.
        expires_at: DateTime<Utc>,
    },
    /// Have the client forget it.
    Clear,
}

impl RequestContext {
    /// The context of a request that has just come in.
    #[must_use]
    pub fn new(request_id: RequestId, domain: domain::Context) -> Self {
        Self {
            request_id,
            domain,
            refresh_cookie: None,
            circumstances: Circumstances::default(),
            principal: OnceCell::new(),
            cookie_change: OnceLock::new(),
        }
    }

    /// What became of the refresh cookie while the request was executed.
    pub(super) fn cookie_change(&self) -> Option<CookieChange> {
        self.cookie_change.get().cloned()
    }
}

/// What resolvers ask for, on the engine's own context.
pub(super) trait ContextExt<'a> {
    /// What use cases work on.
    fn app(&self) -> &'a App;

    /// The request.
    fn request(&self) -> &'a RequestContext;

    /// The context of use cases.
    fn domain(&self) -> &'a domain::Context {
        &self.request().domain
    }

    /// From here on the viewer is who has just signed in. A request has one mutation, so nobody was asked for before.
    fn sign_in_as(&self, principal: Principal) {
        let _ = self.request().principal.set(Ok(principal));
    }

    /// Has the door change the refresh cookie.
    fn change_cookie(&self, change: CookieChange) {
        let _ = self.request().cookie_change.set(change);
    }

    /// Has the client forget its refresh cookie, because the session that it is for has ended.
    fn clear_cookie_of(&self, principal: &Principal) {
        if principal.session.delivery == Delivery::Cookie {
            self.change_cookie(CookieChange::Clear);
        }
    }

    /// The signed-in user, asked of the database once for the request.
    ///
    /// # Errors
    /// As [`domain::principal`](domain::principal()).
    async fn principal(&self) -> Result<&'a Principal>;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn app(&self) -> &'a App {
        self.data_unchecked::<Arc<App>>()
    }

    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }

    async fn principal(&self) -> Result<&'a Principal> {
        let request = self.request();
        // Boxed, because the engine moves the future of each field around, and all fields of a type have the size of the
        // largest.
        let find = || Box::pin(domain::principal(&request.domain));
        request.principal.get_or_init(find).await.as_ref().map_err(Clone::clone)
    }
}
