//! Sign-in: the ways to prove who one is.

pub mod password;
pub(in crate::domain) mod proof;
