//! Accounts: creating, changing and deleting them, by their owners and by administrators.

pub mod acceptance;
pub mod administration;
pub(in crate::domain) mod claim;
pub mod deletion;
pub mod email;
pub(in crate::domain) mod form;
pub mod import;
pub(in crate::domain) mod mail_request;
pub mod own_data;
pub mod password_change;
pub mod password_reset;
pub mod profile;
pub mod registration;
pub mod roles;
pub mod unverified;
