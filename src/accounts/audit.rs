//! The audit log: what happened to accounts.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::Client;
use crate::{Result, entity::audit_event, security::random};

/// Writes one line, in the transaction of what it tells. `actor_id` is none for someone who is not signed
/// in, `user_id` where no account is concerned.
pub(super) async fn record(
    transaction: &impl ConnectionTrait,
    kind: audit_event::Kind,
    actor_id: Option<Uuid>,
    user_id: impl Into<Option<Uuid>>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = audit_event::ActiveModel {
        id: Set(random::id(now)?),
        at: Set(now),
        kind: Set(kind),
        actor_id: Set(actor_id),
        user_id: Set(user_id.into()),
        ip_address: Set(client.ip_address.map(|address| address.to_string())),
        user_agent: Set(client.user_agent.clone()),
    };
    event.insert(transaction).await?;
    Ok(())
}
