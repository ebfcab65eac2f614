//! Cryptography: password hashing, token signing, key derivation, random numbers.
//!
//! Owns the algorithms and their parameters. Never reads the database and does not depend on the transport.

pub mod access_token;
mod bcrypt_task;
pub mod common_passwords;
pub mod cursor;
mod custom_claims;
mod foreign_hash;
pub mod forward_auth_token;
pub mod hasher;
mod jws;
pub mod key_files;
mod key_ring;
pub mod keys;
pub mod link_token;
pub mod mail_code;
pub mod oauth_client;
pub mod oidc;
pub mod password;
pub mod pkce;
pub mod private_file;
pub mod pseudonym;
pub mod qr_code;
pub mod random;
pub mod recovery_code;
pub mod refresh_token;
pub mod sealed;
pub mod totp;
pub mod webauthn;
