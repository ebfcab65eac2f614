//! Database entities: one file per table, with its model and all of its statements.
//!
//! Owns how rows are stored and found. Contains no business rules; `domain/` decides who may do what. Every function
//! returns an error if its query fails. If callers handle a specific error, the function's documentation names it.
#![expect(clippy::missing_errors_doc, reason = "documented once, above")]

pub mod audit_event;
mod bulk;
mod columns;
pub mod email_sign_in;
pub mod expiry;
pub mod identity;
pub mod invitation;
pub mod link;
pub mod mail;
pub mod mfa_challenge;
pub mod page;
pub mod passkey;
pub mod provider_login;
pub mod recovery_code;
pub mod remembered_device;
pub mod second_factor;
pub mod session;
pub mod spent_challenge;
pub mod tables;
pub mod throttle;
pub mod totp_factor;
pub mod user;
pub mod user_role;
pub mod user_word;
