//! Live events: the audit log as it is written, for the users that may read it.
//!
//! A subscription passes each event through the same checks as a query at that moment: an event is delivered only if the access
//! token, the session and the role are still valid. The first event after which they are not ends the subscription.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tracing::Instrument;

use crate::{
    Error, Result,
    domain::{
        Context, Principal, Viewer, audit,
        principal::principal,
        users::administration::{self, Administrator},
    },
    entity::{
        audit_event::{Filter, Model},
        user,
    },
    error::UnauthenticatedReason,
    live_events::{Batch, Listener, Received},
};

/// Seconds after which a client may subscribe again to a server that stops, or after it has missed events.
const RETRY_AFTER: u32 = 1;

/// A subscription to events.
#[derive(Debug)]
pub struct Subscription {
    listener: Listener,
    topic: Topic,
    /// The user as the client last saw it.
    user: Box<user::Model>,
    expires_at: DateTime<Utc>,
    /// Events that were received, and how many of them were handled.
    received: Option<(Arc<Batch>, usize)>,
    /// Why the subscription ends, after everything else was delivered.
    end: Option<Error>,
}

/// What a subscription is about.
#[derive(Debug)]
enum Topic {
    /// The account of the signed-in user.
    Account,
    /// The audit log. `None` matches no event.
    AuditLog(Option<Box<Filter>>),
}

/// What a subscription delivers.
#[derive(Debug)]
pub enum Delivery {
    /// An event.
    Event(Box<LiveEvent>),
    /// The subscription ends.
    End(Error),
}

/// An event, and the result of the checks for it.
#[derive(Clone, Debug)]
pub struct LiveEvent {
    /// The event, as the signed-in user may see it.
    pub event: Model,
    /// The signed-in user: as it is now, or as the client last saw it if the session has ended.
    pub user: user::Model,
    /// The result of the check for further fields.
    pub principal: Result<Principal>,
    /// Whether the session of the subscription has ended.
    pub ends_session: bool,
}

/// Subscribes to the events that affect the signed-in user.
///
/// # Errors
/// UNAUTHENTICATED, MFA_ENROLLMENT_REQUIRED, TOO_MANY_STREAMS, SERVICE_UNAVAILABLE.
pub async fn of_account(context: &Context) -> Result<Subscription> {
    let listener = listen(context, &principal(context).await?).await?;
    // Again: what happened since the first check is not received. In a span of its own, because the user is in that of the request.
    let principal = principal(context).instrument(tracing::error_span!("subscribe")).await?;
    subscription(context, listener, Topic::Account, principal)
}

/// Subscribes to the audit log. `None` as the filter matches no event.
///
/// # Errors
/// FORBIDDEN, and those of [`of_account`].
pub async fn of_audit_events(context: &Context, filter: Option<Filter>) -> Result<Subscription> {
    let (principal, _) = administrator(context).await?;
    let listener = listen(context, &principal).await?;
    let (principal, _) = administrator(context).instrument(tracing::error_span!("subscribe")).await?;
    subscription(context, listener, Topic::AuditLog(filter.map(Box::new)), principal)
}

async fn listen(context: &Context, principal: &Principal) -> Result<Listener> {
    context.app.live_events.listen(principal.user.id).await
}

async fn administrator(context: &Context) -> Result<(Principal, Administrator)> {
    let principal = principal(context).await?;
    let administrator = administration::of_principal(context, principal.clone())?;
    Ok((principal, administrator))
}

fn subscription(context: &Context, listener: Listener, topic: Topic, principal: Principal) -> Result<Subscription> {
    let Viewer::Authenticated(claims) = context.viewer else {
        return Err(Error::Unauthenticated(UnauthenticatedReason::TokenMissing));
    };
    let expires_at = DateTime::from_timestamp(claims.expires_at, 0).unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Subscription { listener, topic, user: Box::new(principal.user), expires_at, received: None, end: None })
}

impl Subscription {
    /// Waits until there may be something to deliver. Dropping the future loses nothing.
    pub async fn wait(&mut self, context: &Context) {
        while self.received.is_none() && self.end.is_none() {
            let left = (self.expires_at - context.now()).to_std().unwrap_or_default();
            let received = tokio::time::timeout(left, self.listener.next()).await;
            self.end = match received {
                Ok(Received::Events(batch)) => {
                    self.received = self.concerns(&batch).then_some((batch, 0));
                    None
                }
                Ok(Received::Lost) => {
                    Some(Error::unavailable(RETRY_AFTER, "a stream of live events missed some and was ended"))
                }
                Ok(Received::Closing) => Some(Error::ServiceUnavailable { retry_after: RETRY_AFTER, cause: None }),
                Err(_) => self.check_expiry(context).err(),
            };
        }
    }

    /// Whether a batch has an event that is delivered, or may end the subscription.
    fn concerns(&self, batch: &Batch) -> bool {
        batch.affects(self.user.id) || batch.events.iter().any(|event| self.matches(event))
    }

    fn matches(&self, event: &Model) -> bool {
        match &self.topic {
            Topic::Account => event.user_id == Some(self.user.id),
            Topic::AuditLog(filter) => filter.as_ref().is_some_and(|filter| filter.matches(event)),
        }
    }

    /// The access token expires, whatever happens to the session.
    fn check_expiry(&self, context: &Context) -> Result<()> {
        if context.now() < self.expires_at {
            Ok(())
        } else {
            Err(Error::Unauthenticated(UnauthenticatedReason::TokenExpired))
        }
    }

    /// Returns what is to be delivered, or `None` if that is to be waited for.
    pub async fn next(&mut self, context: &Context) -> Option<Delivery> {
        while let Some(event) = self.take() {
            let matches = self.matches(&event);
            // An event of the user may have ended the session, or taken the role.
            if !matches && event.user_id != Some(self.user.id) {
                continue;
            }
            match self.check(context, event).await {
                Ok(event) if matches => return Some(Delivery::Event(Box::new(event))),
                Ok(_) => {}
                Err(error) => return Some(Delivery::End(error)),
            }
        }
        self.end.take().map(Delivery::End)
    }

    /// Takes the next event that was received.
    fn take(&mut self) -> Option<Model> {
        let (batch, handled) = self.received.as_mut()?;
        let event = batch.events.get(*handled).cloned();
        *handled += 1;
        if event.is_none() {
            self.received = None;
        }
        event
    }

    /// Checks that the user may see an event now.
    async fn check(&mut self, context: &Context, mut event: Model) -> Result<LiveEvent> {
        self.check_expiry(context)?;
        let checked = match self.topic {
            Topic::Account => principal(context).await,
            Topic::AuditLog(_) => administrator(context).await.map(|(principal, _)| principal),
        };
        match (checked, &self.topic) {
            (Ok(principal), topic) => {
                if matches!(topic, Topic::Account) {
                    audit::hide_administrator(context, &principal, &mut event);
                }
                (*self.user).clone_from(&principal.user);
                let user = principal.user.clone();
                Ok(LiveEvent { event, user, principal: Ok(principal), ends_session: false })
            }
            // The client learns what ended its session, and nothing that it did not know before.
            (Err(error @ Error::Unauthenticated(UnauthenticatedReason::SessionRevoked)), Topic::Account) => {
                (event.ip_address, event.user_agent) = (None, None);
                self.received = None;
                self.end = Some(error.clone());
                Ok(LiveEvent { event, user: (*self.user).clone(), principal: Err(error), ends_session: true })
            }
            (Err(error), _) => Err(error),
        }
    }
}
