//! The context of a GraphQL request, for resolvers.

use std::sync::{
    Arc, Mutex, PoisonError,
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
        live_events::{LiveEvent, Subscription},
        sessions::{Cookies, Delivery},
        users::administration::{self, Administrator},
    },
    graphql::HintContext,
    traces::UseCaseSpans,
};

/// A request, as resolvers see it.
#[derive(Debug)]
pub struct RequestContext {
    /// Identifies the request in the log and in `extensions.requestId`.
    pub request_id: RequestId,
    /// The context of use cases.
    pub domain: domain::Context,
    /// The tokens in the cookies of the request.
    pub cookies: Cookies,
    /// Facts that may explain an error.
    pub hint_context: HintContext,
    /// The spans of the root fields.
    pub(super) use_cases: UseCaseSpans,
    principal: OnceCell<Result<Principal>>,
    cookie_changes: Mutex<Vec<CookieChange>>,
    rows_left: AtomicI64,
    /// The event that a subscription resolves.
    live_event: Option<LiveEvent>,
    /// The stream that a subscription has opened.
    opened: Mutex<Option<Subscription>>,
}

/// Maximum number of rows that the lists of one request may contain together.
const MAX_ROWS: i64 = 20_000;

/// A cookie of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The refresh token.
    RefreshToken,
    /// Binds challenges for a second factor to the browser.
    MfaClient,
    /// Lets the user sign in without the second factor.
    RememberedDevice,
}

/// A change of a cookie of the client, which the response makes.
#[derive(Clone, Debug)]
pub struct CookieChange {
    /// The cookie.
    pub cookie: Cookie,
    /// The new token, and when it expires. `None` deletes the cookie.
    pub token: Option<(SecretString, DateTime<Utc>)>,
}

impl RequestContext {
    /// Creates the context of a new request.
    #[must_use]
    pub fn new(request_id: RequestId, domain: domain::Context) -> Self {
        Self {
            request_id,
            domain,
            cookies: Cookies::default(),
            hint_context: HintContext::default(),
            use_cases: UseCaseSpans::default(),
            principal: OnceCell::new(),
            cookie_changes: Mutex::default(),
            rows_left: AtomicI64::new(MAX_ROWS),
            live_event: None,
            opened: Mutex::default(),
        }
    }

    /// The same context, for an event of a subscription.
    pub(super) fn of_event(self, event: LiveEvent) -> Self {
        let principal = OnceCell::new_with(Some(event.principal.clone()));
        Self { principal, live_event: Some(event), ..self }
    }

    /// The event that a subscription resolves. `None` if the client subscribes.
    pub(super) fn live_event(&self) -> Option<&LiveEvent> {
        self.live_event.as_ref()
    }

    /// Keeps the stream that a subscription has opened, for the executor.
    pub(super) fn open(&self, subscription: Subscription) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(subscription);
    }

    /// Takes the stream that a subscription has opened.
    pub(super) fn take_opened(&self) -> Option<Subscription> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).take()
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

    /// Takes the changes of cookies that the resolver requested.
    pub(super) fn take_cookie_changes(&self) -> Vec<CookieChange> {
        std::mem::take(&mut self.cookie_changes.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Sets a cookie of the client until the token expires.
    fn set_cookie(&self, cookie: Cookie, token: SecretString, expires_at: DateTime<Utc>) {
        self.change_cookie(CookieChange { cookie, token: Some((token, expires_at)) });
    }

    /// Deletes a cookie of the client.
    fn clear_cookie(&self, cookie: Cookie) {
        self.change_cookie(CookieChange { cookie, token: None });
    }

    /// Changes a cookie of the client. A request has one mutation, which changes each cookie at most once.
    fn change_cookie(&self, change: CookieChange) {
        self.request().cookie_changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }

    /// Deletes the client's refresh cookie if it belongs to the session of `principal`, which has ended.
    fn clear_cookie_of(&self, principal: &Principal) {
        if principal.session.delivery == Delivery::Cookie {
            self.clear_cookie(Cookie::RefreshToken);
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
