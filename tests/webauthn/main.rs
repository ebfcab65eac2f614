//! Verification of passkeys: the standard's test vectors, a software authenticator that can lie, and malformed inputs.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic fails the test")]

mod authentication;
#[path = "../api/support/authenticator.rs"]
mod authenticator;
mod cbor;
mod ceremony_tokens;
mod client_data;
mod keys;
mod options;
mod registration;
mod responses;
mod support;
mod vectors;
