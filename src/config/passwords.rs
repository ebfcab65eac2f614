//! Hashing of passwords, and which ones are refused.

use std::thread::available_parallelism;

use crate::config::{setting::Setting, vars::Vars};

/// How passwords are hashed and checked.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    /// Binary logarithm of the rounds of bcrypt.
    pub bcrypt_cost: u32,
    /// The number of threads that hash passwords.
    pub hash_concurrency: usize,
    /// How many passwords each thread hashes at the same time with bcrypt.
    pub hash_lanes: usize,
    /// Whether passwords that are easy to guess are refused.
    pub blocklist: bool,
}

impl PasswordSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("passwords", "Passwords");
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            bcrypt_cost: Setting::new("BCRYPT_COST", "The cost of bcrypt. Each step doubles the time of a login.")
                .number(10..=15)
                .read_or(vars, 12),
            hash_concurrency: Setting::new("HASH_CONCURRENCY", "How many cores hash passwords at the same time.")
                .example("2")
                .number(1..=256)
                .read_or_computed(vars, cores, "the number of cores"),
            hash_lanes: Setting::new(
                "HASH_LANES",
                "How many passwords each of these cores hashes at the same time, if as many wait. See \
                 [Passwords](passwords.md#many-logins-at-once).",
            )
            .number(1..=bcrypt_lanes::MAX_LANES)
            .read_or(vars, bcrypt_lanes::MAX_LANES),
            blocklist: Setting::new(
                "PASSWORD_BLOCKLIST",
                "Whether common passwords, and the user's own names and address, are refused. Set it to `false` for \
                 tutorials that register with `password123`.",
            )
            .flag()
            .read_or(vars, true),
        }
    }
}
