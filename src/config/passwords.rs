//! Hashing of passwords, and which ones are refused.

use std::thread::available_parallelism;

use crate::config::{setting::Setting, vars::Vars};

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

impl PasswordSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("passwords", "Passwords");
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            bcrypt_cost: Setting::new("BCRYPT_COST", "The cost of bcrypt. Each step doubles the time of a login.")
                .number(10..=15)
                .read_or(vars, 12),
            hash_concurrency: Setting::new("HASH_CONCURRENCY", "How many passwords are hashed at the same time.")
                .example("2")
                .number(1..=256)
                .read_or_computed(vars, cores, "the number of cores"),
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
