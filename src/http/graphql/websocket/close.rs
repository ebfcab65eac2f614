//! Why the server closes a connection.

use axum::extract::ws::{CloseFrame, Message};

use crate::{
    Error,
    error::{ErrorCode, UnauthenticatedReason},
};

/// Why the server closes a connection, with the codes of the graphql-transport-ws protocol, and those of RFC 6455 §7.4.1.
///
/// The client graphql-ws does not connect again after 4400, 4401, 4409 and 4429; after the others of these, it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// A message is not one of the protocol.
    InvalidMessage,
    /// A message is too long.
    TooLong,
    /// The client violates RFC 6455.
    ProtocolError,
    /// The access token or the session is not valid.
    Unauthenticated(UnauthenticatedReason),
    /// The client sent `subscribe` first.
    NotInitialized,
    /// The client did not send `connection_init` in time.
    InitTimeout,
    /// The client sent `connection_init` twice.
    InitTwice,
    /// Two operations have the same id.
    DuplicateId,
    /// The user has too many connections.
    TooManyConnections,
    /// The server cannot serve the client now.
    Unavailable,
    /// The server stops.
    Stopping,
}

impl Close {
    /// Why the connection is closed after this error. `None` if it concerns an operation only.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error.reason() {
            Some(reason) => Some(Self::Unauthenticated(reason)),
            None => (error.code() == ErrorCode::ServiceUnavailable).then_some(Self::Unavailable),
        }
    }

    /// The code and the reason. The reason may have 123 bytes.
    pub(super) const fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::InvalidMessage => (4400, "This is not a message of the graphql-transport-ws protocol."),
            Self::TooLong => (1009, "The message is longer than 16 KiB."),
            Self::ProtocolError => (1002, "The frame violates RFC 6455."),
            // 4401 tells the client graphql-ws to give up, and 4403 to connect again, with a new token.
            Self::Unauthenticated(UnauthenticatedReason::TokenExpired) => (4403, "TOKEN_EXPIRED"),
            Self::Unauthenticated(UnauthenticatedReason::TokenMissing) => (4401, "TOKEN_MISSING"),
            Self::Unauthenticated(UnauthenticatedReason::TokenInvalid) => (4401, "TOKEN_INVALID"),
            Self::Unauthenticated(UnauthenticatedReason::SessionRevoked) => (4401, "SESSION_REVOKED"),
            Self::NotInitialized => (4401, "Send `connection_init` first."),
            Self::InitTimeout => (4408, "`connection_init` was not sent within 10 seconds."),
            Self::InitTwice => (4429, "`connection_init` was sent twice."),
            Self::DuplicateId => (4409, "An operation with this id is running."),
            Self::TooManyConnections => (1013, "The user has 10 connections."),
            Self::Unavailable => (1013, "SERVICE_UNAVAILABLE"),
            Self::Stopping => (1012, "The server stops."),
        }
    }

    /// The frame that closes the connection.
    pub(super) fn frame(self) -> Message {
        let (code, reason) = self.code_and_reason();
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}
