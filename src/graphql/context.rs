//! The context of a GraphQL request, for resolvers.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use async_graphql::Context;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use crate::{
    App, Error, Result,
    config::SecretString,
    domain::{
        self, Principal, RequestId,
        sessions::Delivery,
        users::administration::{self, Administrator},
    },
    graphql::HintContext,
};

/// A request, as resolvers see it.
#[derive(Debug)]
pub struct RequestContext {
    /// Identifies the request in the log and in `extensions.requestId`.
    pub request_id: RequestId,
    /// The context of use cases.
    pub domain: domain::Context,
    /// The refresh token in the cookie of the request.
    pub refresh_cookie: Option<SecretString>,
    /// Facts that may explain an error.
    pub hint_context: HintContext,
    principal: OnceCell<Result<Principal>>,
    cookie_change: OnceLock<CookieChange>,
    rows_left: AtomicI64,
}

/// Maximum number of rows that the lists of one request may contain together.
const MAX_ROWS: i64 = 20_000;

/// A change of the client's refresh cookie, which the response makes.
#[derive(Clone, Debug)]
pub enum CookieChange {
    /// Set it.
    Set {
        /// The refresh token.
        token: SecretString,
        /// When the token expires.
        expires_at: DateTime<Utc>,
    },
    /// Delete it.
    Clear,
}

impl RequestContext {
    /// Creates the context of a new request.
    #[must_use]
    pub fn new(request_id: RequestId, domain: domain::Context) -> Self {
        Self {
            request_id,
            domain,
            refresh_cookie: None,
            hint_context: HintContext::default(),
            principal: OnceCell::new(),
            cookie_change: OnceLock::new(),
            rows_left: AtomicI64::new(MAX_ROWS),
        }
    }

    /// Counts the rows that a list may have against the limit of the request. Nested lists multiply, and each list has
    /// its own limit only.
    ///
    /// # Errors
    /// GRAPHQL_VALIDATION_FAILED if the request has used up its limit.
    pub(super) fn spend_rows(&self, rows: u64) -> Result<()> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        if self.rows_left.fetch_sub(rows, Ordering::Relaxed) >= rows {
            return Ok(());
        }
        Err(too_many_rows())
    }

    /// Checks that rows may still be read, without counting them: the lists that they belong to count them.
    ///
    /// # Errors
    /// As [`RequestContext::spend_rows`].
    pub(super) fn check_rows(&self, rows: u64) -> Result<()> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        if self.rows_left.load(Ordering::Relaxed) >= rows { Ok(()) } else { Err(too_many_rows()) }
    }

    /// The change of the refresh cookie that the resolver requested.
    pub(super) fn cookie_change(&self) -> Option<CookieChange> {
        self.cookie_change.get().cloned()
    }
}

fn too_many_rows() -> Error {
    let message = format!("The lists of a request may have at most {MAX_ROWS} items together. Request smaller pages.");
    Error::ValidationFailed(message)
}

/// Extends the engine's context with what resolvers need.
pub(super) trait ContextExt<'a> {
    /// The application.
    fn app(&self) -> &'a App;

    /// The request.
    fn request(&self) -> &'a RequestContext;

    /// The context of use cases.
    fn domain(&self) -> &'a domain::Context {
        &self.request().domain
    }

    /// Sets the signed-in user, after a sign-in. A request has one mutation, so `principal` was not called before.
    fn sign_in_as(&self, principal: Principal) {
        let _ = self.request().principal.set(Ok(principal));
    }

    /// Changes the client's refresh cookie.
    fn change_cookie(&self, change: CookieChange) {
        let _ = self.request().cookie_change.set(change);
    }

    /// Deletes the client's refresh cookie if it belongs to the session of `principal`, which has ended.
    fn clear_cookie_of(&self, principal: &Principal) {
        if principal.session.delivery == Delivery::Cookie {
            self.change_cookie(CookieChange::Clear);
        }
    }

    /// The signed-in user. Queries the database once per request.
    ///
    /// # Errors
    /// As [`domain::principal`](domain::principal()).
    async fn principal(&self) -> Result<&'a Principal>;

    /// Like [`ContextExt::principal`], but also returns users who must set up a second factor first. Only for what these users
    /// may do.
    ///
    /// # Errors
    /// As [`domain::enrolling_principal`].
    async fn enrolling_principal(&self) -> Result<&'a Principal>;

    /// The signed-in user as an administrator.
    ///
    /// # Errors
    /// FORBIDDEN, and those of [`ContextExt::principal`].
    async fn administrator(&self) -> Result<Administrator>;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn app(&self) -> &'a App {
        self.data_unchecked::<Arc<App>>()
    }

    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }

    async fn principal(&self) -> Result<&'a Principal> {
        let principal = self.enrolling_principal().await?;
        principal.check_enrolled()?;
        Ok(principal)
    }

    async fn enrolling_principal(&self) -> Result<&'a Principal> {
        let request = self.request();
        // Boxed, because the engine moves the future of each field around, and all fields of a type have the size of the
        // largest.
        let find = || Box::pin(domain::enrolling_principal(&request.domain));
        request.principal.get_or_init(find).await.as_ref().map_err(Clone::clone)
    }

    async fn administrator(&self) -> Result<Administrator> {
        let principal = self.principal().await?;
        administration::of_principal(self.domain(), principal.clone())
    }
}
