//! The audit log: the action, its actor, the affected user and the client.
//!
//! The log is append-only. Entries are written only for events, in the transaction of the action. No API changes or deletes
//! them: `jobs/purge.rs` removes what is older than `AUDIT_RETENTION_DAYS` and `AUDIT_IP_DAYS`, and the deletion of an
//! account removes the addresses of its clients.

mod list;

pub use crate::entity::audit_event::Model as Event;
use chrono::{DateTime, Utc};
pub(in crate::domain) use list::hide_administrator;
pub use list::{Filter, find, key, page, page_of_user, pages_of_users};
use uuid::Uuid;

use crate::{
    Result,
    database::Transaction,
    domain::{Client, context::Actor},
    entity::audit_event::{self, Action, Details, Model},
    security::random,
};

/// A row to be written.
#[derive(Debug)]
pub(in crate::domain) struct Entry {
    action: Action,
    actor: Actor,
    user_id: Option<Uuid>,
    details: Details,
    records_client: bool,
}

impl Entry {
    /// Creates an entry. `user_id` is the affected user, `None` if no user is known.
    pub(in crate::domain) fn new(action: Action, actor: Actor, user_id: impl Into<Option<Uuid>>) -> Self {
        Self { action, actor, user_id: user_id.into(), details: Details::default(), records_client: true }
    }

    /// Adds a detail. Details must not be secrets.
    pub(in crate::domain) fn with(mut self, name: &str, value: &str) -> Self {
        self.details.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the reason that an administrator gave.
    pub(in crate::domain) fn with_reason(self, reason: Option<&str>) -> Self {
        match reason {
            Some(reason) => self.with("reason", reason),
            None => self,
        }
    }

    /// Omits the client's address and user agent.
    pub(in crate::domain) fn without_client(self) -> Self {
        Self { records_client: false, ..self }
    }

    fn row(self, client: &Client, now: DateTime<Utc>) -> Result<Model> {
        let (actor_type, actor_id) = self.actor.as_columns();
        let client = Some(client).filter(|_| self.records_client);
        Ok(Model {
            id: random::id(now)?,
            at: now,
            action: self.action,
            actor_type,
            actor_id,
            user_id: self.user_id,
            ip_address: client.and_then(|client| client.ip_address).map(|address| address.to_string()),
            user_agent: client.and_then(|client| client.user_agent.clone()),
            details: Some(self.details).filter(|details| !details.0.is_empty()),
        })
    }
}

/// Writes entries in the transaction of the actions that they record.
pub(in crate::domain) async fn record(
    transaction: &Transaction,
    entries: Vec<Entry>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = entries.into_iter().map(|entry| entry.row(client, now)).collect::<Result<Vec<_>>>()?;
    Ok(audit_event::insert(transaction, rows).await?)
}
