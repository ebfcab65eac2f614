//! Subscriptions: events as they happen.
//!
//! A resolver runs once when a client subscribes, and then once for each event. The executor decides which: see
//! `executor/event_stream.rs`.

use std::option;

use async_graphql::{Context, SimpleObject, Subscription};
use futures_util::stream;

use crate::{
    Result,
    domain::live_events::{self, LiveEvent},
    graphql::{
        context::ContextExt,
        schema::{
            audit::{AuditEvent, AuditEventFilter},
            groups::EventGroup,
            users::User,
        },
    },
};

/// See the type's description below.
#[derive(Debug, Default)]
pub struct Subscription;

/// One event, or none when a client subscribes.
type AtMostOne<T> = stream::Iter<option::IntoIter<T>>;

/// A subscription selects one field, and its response is a stream of events: server-sent events, or a multipart response, by the
/// header `Accept`. A stream ends when the access token expires. Its last message is an error without data. Subscriptions can
/// also be sent over WebSocket, to `/graphql/ws`.
#[Subscription]
impl Subscription {
    /// Events of the signed-in user's account: changes made elsewhere, and the end of sessions.
    /// Codes: UNAUTHENTICATED, TOO_MANY_STREAMS, SERVICE_UNAVAILABLE.
    async fn account_events(&self, ctx: &Context<'_>) -> Result<AtMostOne<AccountEvent>> {
        let Some(event) = ctx.request().live_event() else {
            ctx.request().open(Box::pin(live_events::of_account(ctx.domain())).await?);
            return Ok(stream::iter(None));
        };
        Ok(stream::iter(Some(AccountEvent::new(event))))
    }

    /// The audit log as it is written. Requires the role `admin`. The stream ends when the role is taken away.
    /// Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, TOO_MANY_STREAMS, SERVICE_UNAVAILABLE.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events to receive. Without it, all.")] filter: Option<AuditEventFilter>,
    ) -> Result<AtMostOne<AuditEvent>> {
        let Some(event) = ctx.request().live_event() else {
            let filter = filter.unwrap_or_default().parse()?;
            ctx.request().open(Box::pin(live_events::of_audit_events(ctx.domain(), filter)).await?);
            return Ok(stream::iter(None));
        };
        Ok(stream::iter(Some(event_of(event))))
    }
}

fn event_of(live: &LiveEvent) -> AuditEvent {
    AuditEvent::new(live.event.clone(), &EventGroup::of([&live.event]))
}

/// An event of the signed-in user's account.
#[derive(Debug, SimpleObject)]
pub struct AccountEvent {
    /// What happened.
    event: AuditEvent,
    /// The signed-in user, after the event. If the session has ended, as the stream last had it.
    user: User,
    /// Whether the session of this stream has ended: sign out. It is the last event of the stream.
    ends_session: bool,
}

impl AccountEvent {
    fn new(live: &LiveEvent) -> Self {
        Self { event: event_of(live), user: live.user.clone().into(), ends_session: live.ends_session }
    }
}
