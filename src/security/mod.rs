//! What keeps accounts safe: hashing passwords, signing tokens, deriving keys, drawing random numbers.
//!
//! Owns the cryptography and its parameters. It never reads the database and never knows how a request came in.

pub mod access_token;
pub mod common_passwords;
mod foreign_hash;
pub mod hasher;
mod jws;
pub mod key_files;
mod key_ring;
pub mod keys;
pub mod link_token;
pub mod oauth_client;
pub mod password;
pub mod private_file;
pub mod pseudonym;
pub mod random;
pub mod refresh_token;
