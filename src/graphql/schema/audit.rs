//! The audit log: `auditEvents`, and the events of a user.

use std::{
    future::{Ready, ready},
    net::IpAddr,
    sync::Arc,
};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    Error, Result,
    domain::{
        audit::{self, Filter},
        page::Page,
    },
    entity::audit_event::Model,
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            audit_action::{AuditAction, AuditActorType},
            connection::{PageArguments, Rows, connection},
            groups::EventGroup,
            scalars::DateTime,
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit log of the whole server, newest first. Requires the role `admin`.
    /// Codes: BAD_USER_INPUT, FORBIDDEN, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The size of the page, counted from its start: 0 to 100. Without `first` and `last`, 50.")]
        first: Option<i32>,
        #[graphql(desc = "A cursor: the page begins after it.")] after: Option<String>,
        #[graphql(desc = "The size of the page, counted from its end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor: the page ends before it.")] before: Option<String>,
        #[graphql(desc = "Which events to list. Without it, all.")] filter: Option<AuditEventFilter>,
    ) -> Nullable<AuditEventConnection> {
        let arguments = PageArguments { first, after, last, before };
        Some(list(ctx, arguments, filter.unwrap_or_default()).await)
    }
}

/// The name of the list in cursors.
const ALL: &str = "audit events";

async fn list(ctx: &Context<'_>, arguments: PageArguments, filter: AuditEventFilter) -> Result<AuditEventConnection> {
    let administrator = ctx.administrator().await?;
    let range = arguments.range(ctx, ALL)?;
    let page = match filter.parse()? {
        Some(filter) => audit::page(ctx.domain(), &administrator, &filter, range).await?,
        None => Page::empty(),
    };
    let group = EventGroup::of(&page.rows);
    connection_of(ctx, ALL, page, &group)
}

/// Lists the events of a user.
pub(super) async fn list_of_user(
    ctx: &Context<'_>,
    user: &User,
    arguments: PageArguments,
) -> Result<AuditEventConnection> {
    let principal = ctx.principal().await?;
    let list = format!("audit events of {}", user.uuid());
    let range = arguments.range(ctx, &list)?;
    let (page, group) = match user.group() {
        // A cursor belongs to the list of one user.
        Some(group) if range.after.is_none() && range.before.is_none() => {
            group.events(ctx, user.uuid(), &range).await?
        }
        _ => {
            let page = audit::page_of_user(ctx.domain(), principal, user.uuid(), range).await?;
            let group = EventGroup::of(&page.rows);
            (page, group)
        }
    };
    connection_of(ctx, &list, page, &group)
}

fn connection_of(
    ctx: &Context<'_>,
    list: &str,
    page: Page<Model>,
    group: &Arc<EventGroup>,
) -> Result<AuditEventConnection> {
    let rows = Rows::of(ctx, list, page, audit::key)?;
    Ok(AuditEventConnection::new(rows.map(|event| AuditEvent::new(event, group))))
}

connection!(AuditEventConnection, AuditEventEdge, AuditEvent);

/// See the type's description below.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    event: Model,
    group: Arc<EventGroup>,
}

impl AuditEvent {
    /// Creates the object of an event that the signed-in user may see.
    pub(super) fn new(event: Model, group: &Arc<EventGroup>) -> Self {
        Self { event, group: Arc::clone(group) }
    }

    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.event.id.into()))
    }
}

/// Something that happened to an account, or an attempt. Events are never changed; they are deleted after
/// `AUDIT_RETENTION_DAYS`.
#[Object]
impl AuditEvent {
    /// Opaque and permanent.
    async fn id(&self) -> ID {
        self.event.id.into()
    }

    /// When it happened.
    async fn at(&self) -> DateTime {
        DateTime(self.event.at)
    }

    /// What happened.
    async fn action(&self) -> AuditAction {
        self.event.action.into()
    }

    /// The user whose request caused the event. `null` if no user was signed in, on the command line, if the account no
    /// longer exists, and for users who see an action of an administrator.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Box::pin(self.group.user(ctx, self.event.actor_id)).await
    }

    /// The kind of actor.
    async fn actor_type(&self) -> AuditActorType {
        self.event.actor_type.into()
    }

    /// The user whose account is affected. `null` if no account is affected, or if it no longer exists.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Box::pin(self.group.user(ctx, self.event.user_id)).await
    }

    /// The id of the affected user. It remains when the account no longer exists.
    async fn user_id(&self) -> Option<ID> {
        self.event.user_id.map(Into::into)
    }

    /// The IP address of the client. `null` after `AUDIT_IP_DAYS`, for deleted accounts, on the command line, and for users
    /// who see an action of an administrator.
    async fn ip_address(&self) -> Option<&str> {
        self.event.ip_address.as_deref()
    }

    /// The `User-Agent` header of the client. `null` in the same cases as `ipAddress`.
    async fn user_agent(&self) -> Option<&str> {
        self.event.user_agent.as_deref()
    }

    /// More about the event, such as the names of the fields that changed, the method of a sign-in, or the reason that an
    /// administrator gave. Never secrets.
    async fn details(&self) -> Vec<AuditDetail> {
        let details = self.event.details.iter().flat_map(|details| &details.0);
        details.map(|(name, value)| AuditDetail { name: name.clone(), value: value.clone() }).collect()
    }
}

/// A detail of an audit event.
#[derive(Debug, SimpleObject)]
pub struct AuditDetail {
    /// What the value is, such as `field`, `method`, `roles` or `reason`. A name may occur several times.
    name: String,
    /// The value.
    value: String,
}

/// Which audit events to list. An event must meet all criteria that are given.
#[derive(Default, InputObject)]
pub struct AuditEventFilter {
    /// Events with one of these actions. An empty list does not restrict the list.
    actions: Option<Vec<AuditAction>>,
    /// Events that affect the account with this id, which may no longer exist.
    user_id: Option<ID>,
    /// Events that the user with this id caused.
    actor_id: Option<ID>,
    /// Events that were caused from this IP address.
    ip_address: Option<String>,
    /// Events at this time or later.
    after: Option<DateTime>,
    /// Events before this time.
    before: Option<DateTime>,
}

impl AuditEventFilter {
    /// Parses the filter. Returns `None` if no event can match, because an id is not one of this server.
    ///
    /// # Errors
    /// BAD_USER_INPUT if the address is not an IP address.
    pub(super) fn parse(self) -> Result<Option<Filter>> {
        let ids = [self.user_id, self.actor_id].map(|id| id.map(|id| id.parse()).transpose());
        let [Ok(user_id), Ok(actor_id)] = ids else { return Ok(None) };
        // Addresses are stored in their canonical form.
        let address = self.ip_address.map(|address| address.trim().parse::<IpAddr>()).transpose();
        let address =
            address.map_err(|_| Error::BadUserInput("`ipAddress` must be an IPv4 or IPv6 address.".to_owned()))?;
        Ok(Some(Filter {
            actions: self.actions.unwrap_or_default().into_iter().map(Into::into).collect(),
            user_id,
            actor_id,
            ip_address: address.map(|address| address.to_string()),
            after: self.after.map(|time| time.0),
            before: self.before.map(|time| time.0),
        }))
    }
}
