//! The tables: one file for each, with its model, the finders that belong to it and what is stored when.
//!
//! Owns how rows look and are found. It decides nothing: who may do what is the use cases' business, in `domain/`.

pub mod audit_event;
mod bulk;
mod columns;
pub mod link;
pub mod mail;
pub mod session;
pub mod throttle;
pub mod user;
