//! Sign-in with other providers: a provider with real keys that can lie, and malformed documents.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod authorization;
mod callback;
mod claims;
mod flows;
mod github;
mod key_selection;
mod keys;
mod metadata;
mod microsoft;
mod profiles;
mod settings;
mod signatures;
mod support;
mod times;
mod tokens;
