//! `/graphql/ws`: live events over WebSocket (RFC 6455), by the graphql-transport-ws protocol.
//!
//! The implementation of the engine is not used: it has neither a timeout for `connection_init` nor a limit of operations,
//! replaces an operation whose id is used again, and closes with other codes than the protocol says.

mod close;
mod connection;
mod messages;
mod operation;
mod wire;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{
        HeaderValue, Method, StatusCode,
        header::{SEC_WEBSOCKET_VERSION, UPGRADE},
    },
    response::Response,
};
use tracing::Instrument;

use self::{connection::Connection, operation::Opener};
use crate::{
    domain::Context,
    http::{
        HeldSlot, Server, bearer,
        graphql::{MediaType, RequestError, stream},
        middleware::{cors, peer, request_id},
    },
};

/// The name of the protocol, and its value of `Sec-WebSocket-Protocol`.
const PROTOCOL: &str = "graphql-transport-ws";

/// Maximum size of a message from the client, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;

/// Size of the buffer of a connection, in bytes. Most messages are smaller.
const READ_BUFFER: usize = 2 * 1024;

pub(in crate::http) async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let id = request_id::of(&request);
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    let viewer = bearer::viewer(&server.app, request.headers());
    let context = Context::of_request(&server.app, viewer, client);
    match upgrade(&server, request, context).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.into_response(MediaType::Json, id, language);
            if response.status() == StatusCode::UPGRADE_REQUIRED {
                // RFC 9110 §15.5.22 and RFC 6455 §4.4
                response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
                response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            response
        }
    }
}

/// Accepts the connection.
///
/// # Errors
/// 405, 403, 426, 400, 503.
async fn upgrade(server: &Arc<Server>, request: Request, context: Context) -> Result<Response, RequestError> {
    if request.method() != Method::GET {
        let message = "This path is for WebSocket connections. Send requests to `/graphql`.";
        return Err(RequestError::method_not_allowed(message, "GET"));
    }
    // Browsers let pages of any origin open a WebSocket connection.
    if cors::refused_origins(&server.app.settings, request.headers()).next().is_some() {
        return Err(RequestError::bad_request(
            StatusCode::FORBIDDEN,
            "Pages of this origin may not connect. To allow it, add the origin to ALLOWED_ORIGINS.",
        ));
    }
    let id = request_id::of(&request);
    let (mut head, _) = request.into_parts();
    let slot = head.extensions.remove::<HeldSlot>();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, server).await.map_err(|_| {
        RequestError::bad_request(
            StatusCode::UPGRADE_REQUIRED,
            "This path is for WebSocket connections (RFC 6455). Send queries and mutations by POST to `/graphql`.",
        )
    })?;
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(RequestError::bad_request(
            StatusCode::BAD_REQUEST,
            "The protocol is graphql-transport-ws. Use a client that sends `Sec-WebSocket-Protocol: graphql-transport-ws`.",
        ));
    }
    let permit = stream::permit(server)?;
    let opener = Opener { server: Arc::clone(server), context, id };
    // Not the span of the request, which ends with the response.
    let span = tracing::error_span!(parent: None, "websocket", request_id = %id);
    let upgrade = upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(async move |socket| {
        Connection::new(socket, opener).run().instrument(span).await;
        drop((permit, slot));
    }))
}
