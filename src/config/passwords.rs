//! Hashing of passwords, and which ones are refused.

/// How passwords are hashed and checked.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    /// Binary logarithm of the rounds of bcrypt.
    pub bcrypt_cost: u32,
    /// How many passwords are hashed at the same time.
    pub hash_concurrency: usize,
    /// Whether passwords that are easy to guess are refused.
    pub blocklist: bool,
}
