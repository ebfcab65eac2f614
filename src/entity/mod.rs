//! The tables: one file for each, with its model and every statement about it.
//!
//! Owns how rows are stored and found. It has no rules: who may do what is decided in `domain/`. Every function returns an
//! error if its query fails; where callers handle one kind of failure, its documentation says so.
#![expect(clippy::missing_errors_doc, reason = "said once, above")]

pub mod audit_event;
mod bulk;
mod columns;
pub mod link;
pub mod mail;
pub mod session;
pub mod throttle;
pub mod user;
pub mod user_role;
