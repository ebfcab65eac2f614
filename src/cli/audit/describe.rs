//! Events as lines of text and as JSON.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cli::output::{milliseconds, one_line},
    domain::{
        Context,
        audit::Event,
        users::administration::{self, Administrator},
    },
    entity::audit_event::ActorType,
};

/// The usernames of the users whom events name. Deleted users have none.
pub(super) struct Names(HashMap<Uuid, String>);

impl Names {
    /// Finds the names for these events.
    pub(super) async fn find(context: &Context, administrator: &Administrator, events: &[&Event]) -> Result<Self> {
        let ids: BTreeSet<Uuid> = events.iter().flat_map(|event| [event.user_id, event.actor_id]).flatten().collect();
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let users = administration::find_by_ids(context, administrator, &ids).await;
        let users = users.context("the users of the audit log can't be read")?;
        Ok(Self(users.into_iter().map(|user| (user.id, user.username)).collect()))
    }

    /// The username, or the id of a deleted user.
    fn text(&self, id: Uuid) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    fn object(&self, id: Option<Uuid>) -> Option<Value> {
        let (id, username) = self.0.get_key_value(&id?)?;
        Some(json!({ "id": id, "username": username }))
    }
}

pub(super) fn header() -> String {
    line(["TIME", "ACTION", "USER", "ACTOR", "ADDRESS", "DETAILS"])
}

pub(super) fn as_line(event: &Event, names: &Names) -> String {
    let none = || "-".to_owned();
    let user = event.user_id.map_or_else(none, |id| names.text(id));
    let actor = match (event.actor_type, event.actor_id) {
        (_, Some(id)) => names.text(id),
        // In parentheses, because these are not usernames.
        (ActorType::CommandLine, None) => "(command line)".to_owned(),
        (ActorType::System, None) => "(server)".to_owned(),
        (ActorType::Anonymous | ActorType::User | ActorType::Administrator, None) => none(),
    };
    let details = event.details.iter().flat_map(|details| &details.0);
    let details: Vec<String> = details.map(|(name, value)| format!("{name}={}", quote(value))).collect();
    let address = event.ip_address.clone().unwrap_or_else(none);
    let action = event.action.name();
    line([&milliseconds(event.at), &action, &user, &actor, &address, &details.join(" ")]).trim_end().to_owned()
}

/// Formats a line of the table. A value that is longer than its column shifts the columns after it.
fn line([time, action, user, actor, address, details]: [&str; 6]) -> String {
    format!("{time:<24}  {action:<24}  {user:<20}  {actor:<20}  {address:<15}  {details}")
}

/// Puts a value with spaces or quotes into quotes.
fn quote(value: &str) -> String {
    if value.is_empty() || value.contains([' ', '"', '\\']) { format!("{value:?}") } else { one_line(value) }
}

/// An event as a JSON object with the fields of the API, and `actorId`.
pub(super) fn as_object(event: &Event, names: &Names) -> Value {
    let details = event.details.iter().flat_map(|details| &details.0);
    let details: Vec<Value> = details.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "id": event.id,
        "at": milliseconds(event.at),
        "action": event.action.name(),
        "actorType": event.actor_type.name(),
        "actor": names.object(event.actor_id),
        "actorId": event.actor_id,
        "user": names.object(event.user_id),
        "userId": event.user_id,
        "ipAddress": event.ip_address,
        "userAgent": event.user_agent,
        "details": details,
    })
}
