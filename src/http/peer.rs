//! Where a request comes from.

use std::net::SocketAddr;

use axum::{extract::Request, http::header::USER_AGENT};

use crate::accounts::Client;

/// The other end of the connection, put into a request's extensions by [`super::serve()`].
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What is kept of a request's origin.
pub(super) fn client(request: &Request) -> Client {
    let address = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Client::new(address.map(|ip| ip.to_string()), user_agent.as_deref())
}
