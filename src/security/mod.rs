//! What keeps accounts safe: hashing passwords, signing tokens, deriving keys, drawing random numbers.
//!
//! Owns the cryptography and its parameters. It never reads the database and never knows how a request came in.

pub mod access_token;
pub mod hasher;
pub mod keys;
pub mod password;
pub mod random;
