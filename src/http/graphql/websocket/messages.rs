//! The messages of the graphql-transport-ws protocol.

use async_graphql::{Request, Response, ServerError};
use axum::extract::ws::Message;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Error,
    graphql::executor::RequestDocument,
    http::{
        graphql::{RequestError, request},
        json,
    },
};

/// Maximum length of the id of an operation, in bytes. Clients use UUIDs, or numbers.
const MAX_ID: usize = 128;

/// A message from the client.
pub(super) enum ClientMessage {
    /// The first message. The access token may be in its payload.
    ConnectionInit(Map<String, Value>),
    /// Asks for `pong`.
    Ping,
    /// The response to `ping`, which this server does not send.
    Pong,
    /// Starts an operation. The request is an error if its members are invalid.
    Subscribe { id: String, request: Result<Box<(RequestDocument, Request)>, Error> },
    /// Ends an operation.
    Complete { id: String },
}

impl ClientMessage {
    /// Parses a message. Returns `None` if it is not one of the protocol.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut fields)) = json::parse(text.as_bytes()) else { return None };
        let payload = fields.remove("payload");
        let message = match fields.get("type")?.as_str()? {
            "connection_init" => Self::ConnectionInit(match payload {
                None | Some(Value::Null) => Map::new(),
                Some(payload) => object(payload)?,
            }),
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "subscribe" => {
                let request = request::parse_fields(object(payload?)?).map(Box::new).map_err(RequestError::into_error);
                Self::Subscribe { id: id(&fields)?, request }
            }
            "complete" => Self::Complete { id: id(&fields)? },
            _ => return None,
        };
        Some(message)
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

fn id(fields: &Map<String, Value>) -> Option<String> {
    let id = fields.get("id")?.as_str()?;
    (1..=MAX_ID).contains(&id.len()).then(|| id.to_owned())
}

/// A message from the server.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    /// The client may start operations.
    ConnectionAck,
    /// The response to `ping`.
    Pong,
    /// An event.
    Next { id: &'a str, payload: &'a Response },
    /// Ends an operation that has failed.
    Error { id: &'a str, payload: &'a [ServerError] },
}

impl From<ServerMessage<'_>> for Message {
    fn from(message: ServerMessage<'_>) -> Self {
        Self::Text(serde_json::to_string(&message).unwrap_or_default().into())
    }
}
