//! The audit log: what happened to accounts.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use crate::{
    Result,
    domain::Client,
    entity::audit_event::{self, ActiveModel, Kind},
    security::random,
};

/// Writes one line, in the transaction of what it tells. `actor_id` is none for someone who is not signed
/// in, `user_id` where no account is concerned.
pub(crate) async fn record(
    transaction: &impl ConnectionTrait,
    kind: Kind,
    actor_id: Option<Uuid>,
    user_id: impl Into<Option<Uuid>>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    event(kind, actor_id, user_id.into(), client, now)?.insert(transaction).await?;
    Ok(())
}

/// The same for many users at once.
pub(crate) async fn record_all(
    transaction: &impl ConnectionTrait,
    kind: Kind,
    actor_id: Option<Uuid>,
    user_ids: &[Uuid],
    client: &Client,
    now: DateTime<Utc>,
) -> Result<()> {
    let events = user_ids.iter().map(|id| event(kind, actor_id, Some(*id), client, now));
    let events = events.collect::<Result<Vec<_>>>()?;
    Ok(audit_event::insert_all(transaction, events).await?)
}

fn event(
    kind: Kind,
    actor_id: Option<Uuid>,
    user_id: Option<Uuid>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<ActiveModel> {
    Ok(ActiveModel {
        id: Set(random::id(now)?),
        at: Set(now),
        kind: Set(kind),
        actor_id: Set(actor_id),
        user_id: Set(user_id),
        ip_address: Set(client.ip_address.map(|address| address.to_string())),
        user_agent: Set(client.user_agent.clone()),
    })
}
