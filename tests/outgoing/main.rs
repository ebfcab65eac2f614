//! Requests to other servers: which targets they reach, and what servers that misbehave can do.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod limits;
mod requests;
mod responses;
mod support;
mod targets;
mod tls;
